import { ConfigurationError, type PassloopError, plainText } from '@passloop/core';
import { z } from 'zod';

/**
 * What a controller in a cluster says when it gave a rollout up: Flagger's webhook, the same through Flux's notification controller, a
 * Rollout or an AnalysisRun of Argo Rollouts, or a body that a template of ours writes. All of it comes by a webhook, so it only ever says
 * what to look for: what is rolled back is decided by the records.
 */
export type AbortEvent = {
  /** For messages: `Flagger`, `Argo Rollouts`. */
  by: string;
  namespace: string | null;
  /** Of the Canary or the Rollout. */
  name: string | null;
  /** Digests of the images that were given up, where the event carries any. */
  digests: string[];
  /** Named by whoever wired the webhook. */
  model: string | null;
  environment: string | null;
  /** ISO 8601; when it was given up. */
  at: string | null;
  message: string | null;
};

/** An event that tells of something else, such as a step that went well. */
export type OtherEvent = { aborted: false; said: string };

const largestEvent = 256 * 1024;
const Short = z.string().max(512);
const Labels = z.record(z.string(), z.unknown());

const FlaggerEvent = z.object({
  name: Short,
  namespace: Short,
  phase: Short,
  metadata: Labels.optional(),
});
const FluxEvent = z.object({
  involvedObject: z.object({ kind: Short, name: Short, namespace: Short.optional() }),
  severity: Short,
  message: z.string(),
  timestamp: Short.optional(),
});
const ObjectMeta = z.object({
  name: Short,
  namespace: Short.optional(),
  ownerReferences: z
    .array(z.object({ kind: Short, name: Short }))
    .max(50)
    .optional(),
  annotations: Labels.optional(),
});
const Rollout = z.object({
  kind: z.literal('Rollout'),
  metadata: ObjectMeta,
  spec: z
    .object({
      template: z
        .object({
          spec: z.object({
            containers: z.array(z.object({ image: z.string().max(1024).optional() })).max(100),
          }),
        })
        .optional(),
    })
    .optional(),
  status: z.object({
    abort: z.boolean().optional(),
    abortedAt: Short.nullish(),
    message: z.string().optional(),
  }),
});
const AnalysisRun = z.object({
  kind: z.literal('AnalysisRun'),
  metadata: ObjectMeta,
  status: z.object({
    phase: Short,
    message: z.string().optional(),
    startedAt: Short.nullish(),
    completedAt: Short.nullish(),
  }),
});
const TemplatedEvent = z.object({
  event: z.literal('aborted'),
  namespace: Short.optional(),
  name: Short.optional(),
  images: z.array(z.string().max(1024)).max(100).optional(),
  model: Short.optional(),
  environment: Short.optional(),
  at: Short.optional(),
  message: z.string().optional(),
  by: Short.optional(),
});
const Wrapped = z.object({ client_payload: z.unknown() });

/**
 * Reads an event; GitHub's `repository_dispatch` around it is taken off.
 * @throws ConfigurationError for what none of these controllers writes
 */
export function parseAbortEvent(text: string, file: string): AbortEvent | OtherEvent {
  if (text.length > largestEvent) throw unknown(file, `is longer than ${largestEvent / 1024} KiB`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unknown(file, 'is no JSON');
  }
  const wrapped = Wrapped.safeParse(value);
  return eventIn(wrapped.success ? wrapped.data.client_payload : value, file);
}

function eventIn(value: unknown, file: string): AbortEvent | OtherEvent {
  const templated = TemplatedEvent.safeParse(value);
  if (templated.success) return templatedEvent(templated.data);
  const rollout = Rollout.safeParse(value);
  if (rollout.success) return rolloutEvent(rollout.data);
  const run = AnalysisRun.safeParse(value);
  if (run.success) return analysisEvent(run.data);
  const flux = FluxEvent.safeParse(value);
  if (flux.success) return fluxEvent(flux.data);
  const flagger = FlaggerEvent.safeParse(value);
  if (flagger.success) return flaggerEvent(flagger.data);
  throw unknown(file, 'is no event of Flagger, Flux or Argo Rollouts');
}

function unknown(file: string, why: string): PassloopError {
  return new ConfigurationError(`${plainText(file, 300)} ${why}.`, {
    file,
    hint: 'docs/chains.md shows how each controller is wired, and a body of your own: {"event": "aborted", "namespace": …, "name": …, "images": […]}.',
  });
}

function flaggerEvent({
  name,
  namespace,
  phase,
  metadata = {},
}: z.infer<typeof FlaggerEvent>): AbortEvent | OtherEvent {
  if (phase !== 'Failed')
    return { aborted: false, said: `Flagger says ${plainText(phase, 40)} of ${place(namespace, name)}` };
  const said = (key: string) => (typeof metadata[key] === 'string' ? (metadata[key] as string) : null);
  const milliseconds = Number(said('timestamp') ?? Number.NaN);
  return {
    by: 'Flagger',
    namespace,
    name,
    digests: digestsIn([said('image') ?? '']),
    model: said('model'),
    environment: said('environment'),
    at: isMoment(milliseconds) ? new Date(milliseconds).toISOString() : null,
    message: said('eventMessage'),
  };
}

/** Flagger's events as Flux forwards them. Not every warning is the end: a check that failed once is one too. */
function fluxEvent({
  involvedObject,
  severity,
  message,
  timestamp,
}: z.infer<typeof FluxEvent>): AbortEvent | OtherEvent {
  const { kind, name, namespace } = involvedObject;
  if (kind !== 'Canary' || severity !== 'error' || !message.startsWith('Canary failed!')) {
    return {
      aborted: false,
      said: `Flux says of ${plainText(kind, 60)} ${place(namespace ?? '', name)}: ${plainText(message)}`,
    };
  }
  return { ...nothing, by: 'Flagger', namespace: namespace ?? null, name, at: moment(timestamp), message };
}

function rolloutEvent({ metadata, spec, status }: z.infer<typeof Rollout>): AbortEvent | OtherEvent {
  const { name, namespace = null } = metadata;
  if (status.abort !== true)
    return { aborted: false, said: `the Rollout ${place(namespace ?? '', name)} was not aborted` };
  return {
    ...nothing,
    ...named(metadata.annotations),
    by: 'Argo Rollouts',
    namespace,
    name,
    digests: digestsIn((spec?.template?.spec.containers ?? []).map(({ image = '' }) => image)),
    at: moment(status.abortedAt),
    message: status.message ?? null,
  };
}

/** A run that failed, or could not measure, aborts its Rollout; one that is inconclusive pauses it. */
function analysisEvent({ metadata, status }: z.infer<typeof AnalysisRun>): AbortEvent | OtherEvent {
  const { namespace = null, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ kind }) => kind === 'Rollout');
  if (status.phase !== 'Failed' && status.phase !== 'Error') {
    return {
      aborted: false,
      said: `the AnalysisRun ${place(namespace ?? '', metadata.name)} is ${plainText(status.phase, 40)}`,
    };
  }
  return {
    ...nothing,
    ...named(metadata.annotations),
    by: 'Argo Rollouts',
    namespace,
    name: owner?.name ?? null,
    at: moment(status.completedAt) ?? moment(status.startedAt),
    message: status.message ?? `its analysis ${metadata.name} came to ${status.phase}`,
  };
}

function templatedEvent(event: z.infer<typeof TemplatedEvent>): AbortEvent {
  return {
    by: plainText(event.by ?? 'the cluster', 60),
    namespace: event.namespace ?? null,
    name: event.name ?? null,
    digests: digestsIn(event.images ?? []),
    model: event.model ?? null,
    environment: event.environment ?? null,
    at: moment(event.at),
    message: event.message ?? null,
  };
}

const nothing = { namespace: null, name: null, digests: [], model: null, environment: null, at: null, message: null };

/** Annotations of ours on a Rollout or an AnalysisRun. */
function named(annotations: Record<string, unknown> = {}): Pick<AbortEvent, 'model' | 'environment'> {
  const said = (key: string) => (typeof annotations[key] === 'string' ? (annotations[key] as string) : null);
  return { model: said('passloop.dev/model'), environment: said('passloop.dev/environment') };
}

function digestsIn(images: readonly string[]): string[] {
  return [...new Set(images.flatMap((image) => /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? []))];
}

function moment(text: string | null | undefined): string | null {
  const milliseconds = text == null ? Number.NaN : Date.parse(text);
  return isMoment(milliseconds) ? new Date(milliseconds).toISOString() : null;
}

function isMoment(milliseconds: number): boolean {
  return Number.isFinite(milliseconds) && milliseconds > 0 && milliseconds < 8.64e15;
}

function place(namespace: string, name: string): string {
  return plainText(namespace === '' ? name : `${namespace}/${name}`, 200);
}
