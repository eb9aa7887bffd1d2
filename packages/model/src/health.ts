import { z } from 'zod';

/** When an environment counts as healthy, so that the one after it may be promoted into: `healthy` of an environment. */

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestMs = 30 * units.d;

/** A span of time as people write it. @returns milliseconds */
export function durationMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return Number(count) * units[unit as keyof typeof units];
}

const Duration = z
  .string()
  .regex(/^[1-9]\d{0,6}[smhd]$/, 'must be a time such as 90s, 30m, 2h or 1d')
  .refine((text) => durationMs(text) <= longestMs, 'must not be longer than 30d');

/** Names that only mean something inside a cluster or on this machine: the ones where plain http is not the open network. */
function isNear(host: string): boolean {
  if (host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)) return true;
  return !/^[\d.]+$/.test(host) && (/^[a-z0-9-]+$/.test(host) || /\.(svc|svc\.[a-z0-9.-]+|cluster\.local)$/.test(host));
}

/** Addresses by which clouds hand credentials to whoever asks from inside. */
function handsOutCredentials(host: string): boolean {
  return (
    /^169\.254\./.test(host) || /^\[fe80:/.test(host) || host === '[fd00:ec2::254]' || /^metadata(\.|$)/.test(host)
  );
}

function urlProblem(text: string, insecure: boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an https:// address';
  if (url.username !== '' || url.password !== '') {
    return 'must carry no user and no password: the model file is public to all who read the repository';
  }
  if (url.hash !== '') return 'must have no #fragment, which is never sent';
  if (handsOutCredentials(url.hostname)) return 'must not be an address that hands out credentials of the machine';
  if (url.protocol === 'https:') return null;
  if (!isNear(url.hostname)) {
    return 'must be https: plain http is for localhost and names inside a cluster (http://flight.prod.svc)';
  }
  return insecure ? null : 'is plain http: add `insecure: true` beside it to allow that';
}

const Address = z.string().min(1).max(2048);
const Insecure = z.boolean().default(false);

function addressed<T extends z.ZodType<{ insecure: boolean }>>(schema: T, field: 'url' | 'server'): T {
  return schema.superRefine((value, context) => {
    const text = (value as Record<string, unknown>)[field];
    const problem = typeof text === 'string' ? urlProblem(text, value.insecure) : null;
    if (problem !== null) context.addIssue({ code: 'custom', message: problem, path: [field] });
  });
}

/** A request that has to be answered with one status and, where it is asked for, a piece of text. */
export const HttpCheck = addressed(
  z.strictObject({
    url: Address,
    status: z.int().min(200).max(599).default(200),
    contains: z.string().min(1).max(1024).optional(),
    /** Allows plain http to localhost, or to a name inside a cluster. */
    insecure: Insecure,
  }),
  'url',
);
export type HttpCheck = z.infer<typeof HttpCheck>;

/** An instant query; each of its samples has to lie within the bounds. */
export const PrometheusCheck = addressed(
  z.strictObject({
    server: Address,
    query: z.string().min(1).max(4096),
    min: z.number().refine(Number.isFinite, 'must be a finite number').optional(),
    max: z.number().refine(Number.isFinite, 'must be a finite number').optional(),
    insecure: Insecure,
  }),
  'server',
)
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'needs `min` or `max`: a value alone says nothing')
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    message: '`min` is above `max`: no value is between them',
    path: ['min'],
  });
export type PrometheusCheck = z.infer<typeof PrometheusCheck>;

const KubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a Kubernetes name: lower case letters, digits, "-" and "."');

/** An Application, asked of Argo CD's API. */
export const ArgocdCheck = addressed(
  z.strictObject({
    server: Address,
    application: KubernetesName,
    /** Where applications live outside Argo CD's own namespace. */
    namespace: KubernetesName.optional(),
    insecure: Insecure,
  }),
  'server',
);
export type ArgocdCheck = z.infer<typeof ArgocdCheck>;

export const HealthyWhen = z
  .strictObject({
    /** How long the promotion has to have been on the deploy repository's branch. */
    soak: Duration.optional(),
    /** Contexts of commit statuses, or names of check runs, on the commit that the promotion became. */
    statuses: z.array(z.string().min(1).max(255)).min(1).max(16).optional(),
    /** The environment of a GitHub deployment of that commit. */
    deployment: z.string().min(1).max(255).optional(),
    argocd: ArgocdCheck.optional(),
    http: z.array(HttpCheck).min(1).max(16).optional(),
    prometheus: z.array(PrometheusCheck).min(1).max(16).optional(),
  })
  .refine((healthy) => Object.values(healthy).some((value) => value !== undefined), {
    message: 'asks for nothing: name at least one of soak, statuses, deployment, argocd, http, prometheus',
  });
export type HealthyWhen = z.infer<typeof HealthyWhen>;
