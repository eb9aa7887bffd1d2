import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Forge } from '../forge.ts';

/** Whose artifacts a job may write: the run's plan and the job, as GitHub names them. */
export type BackendIds = { plan: string; job: string };

const HOURS = 6; // the longest that a hosted job runs

function sign(forge: Forge, text: string): string {
  return createHmac('sha256', forge.secret).update(text).digest('base64url');
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** ACTIONS_RUNTIME_TOKEN of a job: a JWT whose scope `Actions.Results` holds the run and the job. */
export function createRuntimeToken(forge: Forge, { plan, job }: BackendIds): string {
  const seconds = Math.floor(forge.clock().getTime() / 1000);
  const claims = {
    iss: 'https://token.actions.githubusercontent.com',
    aud: forge.url,
    nbf: seconds - 300,
    exp: seconds + HOURS * 3600,
    scp: `Actions.GenericRead:00000000-0000-0000-0000-000000000000 Actions.Results:${plan}:${job}`,
    orch_id: `${plan}.${job}.__default`,
  };
  const head = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${head}.${sign(forge, head)}`;
}

/** The run and the job of an Authorization header; undefined when the token isn't ours, was altered or has expired. */
export function readRuntimeToken(forge: Forge, header: string | undefined): BackendIds | undefined {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(header ?? '') ?? [];
  const [head = '', payload = '', signature = ''] = token.split('.');
  const expected = Buffer.from(sign(forge, `${head}.${payload}`));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  const { exp, scp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number; scp: string };
  if (exp <= forge.clock().getTime() / 1000) return undefined;
  const scope = scp.split(' ').find((one) => one.startsWith('Actions.Results:'));
  const [, plan = '', job = ''] = scope?.split(':') ?? [];
  return { plan, job };
}
