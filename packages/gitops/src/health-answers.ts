import { plainText } from '@passloop/core';
import type { ArgocdCheck, HttpCheck, PrometheusCheck } from '@passloop/model';
import { z } from 'zod';
import type { Observation } from './health.ts';
import type { Landing } from './landing.ts';

/**
 * What the answers of others say of health. They come from the network, so each is read by a schema, and whatever isn't clearly good or
 * clearly bad is pending: an empty result, a NaN, a half answer, a page of a proxy.
 */

/** What an address answered, or why there is no answer. `isWhole` is false where only the beginning of the body was read. */
export type HttpAnswer = { status: number; text: string; isWhole: boolean } | { problem: string };

const tooLong = 'answers more than is read of such an answer';

export function judgeHttp(check: HttpCheck, answer: HttpAnswer): Observation {
  const what = shown(check.url);
  if ('problem' in answer) return pending(what, answer.problem);
  if (answer.status !== check.status) return failed(what, `answers ${answer.status}, not ${check.status}`);
  if (check.contains !== undefined && !answer.text.includes(check.contains)) {
    if (!answer.isWhole)
      return pending(what, `answers more than is read, and ${quoted(check.contains)} isn't in its beginning`);
    return failed(what, `answers ${answer.status} without the text ${quoted(check.contains)}`);
  }
  return healthy(what, `answers ${answer.status}`);
}

const Sample = z.tuple([z.number(), z.string().max(64)]);
const PrometheusAnswer = z.object({
  status: z.literal('success'),
  warnings: z.array(z.string()).optional(),
  data: z.union([
    z.object({ resultType: z.literal('scalar'), result: Sample }),
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: Sample })).max(10_000) }),
  ]),
});
const PrometheusFailure = z.object({ status: z.literal('error'), error: z.string() });
const AnyResult = z.object({ data: z.object({ resultType: z.string() }) });

/** Every sample has to lie within the bounds; an instant query of a vector or a scalar. */
export function judgePrometheus(check: PrometheusCheck, answer: HttpAnswer): Observation {
  const what = `Prometheus ${quoted(check.query)}`;
  if ('problem' in answer) return pending(what, answer.problem);
  if (!answer.isWhole) return pending(what, tooLong);
  const body = parseJson(answer.text);
  const failure = PrometheusFailure.safeParse(body);
  if (failure.success) return pending(what, `was refused: ${plainText(failure.data.error, 200)}`);
  if (answer.status < 200 || answer.status > 299) return pending(what, `was answered ${answer.status}`);
  const result = PrometheusAnswer.safeParse(body);
  if (!result.success) {
    const other = AnyResult.safeParse(body);
    return pending(
      what,
      other.success && other.data.data.resultType !== 'vector' && other.data.data.resultType !== 'scalar'
        ? `gives a ${plainText(other.data.data.resultType, 40)}, not a vector or a scalar`
        : "wasn't answered by Prometheus' API",
    );
  }
  const { data, warnings = [] } = result.data;
  if (warnings.length > 0) return pending(what, `may be incomplete: ${plainText(warnings[0] ?? '', 200)}`);
  const samples = data.resultType === 'scalar' ? [data.result] : data.result.map(({ value }) => value);
  if (samples.length === 0) return pending(what, 'has no data');
  for (const [, text] of samples) {
    const value = numberIn(text);
    if (value === null) return pending(what, `is ${plainText(text, 40)}, which is no measurement`);
    if (check.min !== undefined && value < check.min) return failed(what, `is ${text}, below ${check.min}`);
    if (check.max !== undefined && value > check.max) return failed(what, `is ${text}, above ${check.max}`);
  }
  return healthy(what, `is ${plainText(samples[0]?.[1] ?? '', 40)}`);
}

/** As Prometheus writes a sample; null for NaN and the infinities. */
function numberIn(text: string): number | null {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

const Application = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({
    sync: z
      .object({
        status: z.string(),
        revision: z.string().optional(),
        revisions: z.array(z.string()).max(100).optional(),
      })
      .optional(),
    health: z.object({ status: z.string().optional(), message: z.string().optional() }).optional(),
    operationState: z
      .object({
        phase: z.string(),
        message: z.string().optional(),
        syncResult: z
          .object({ revision: z.string().optional(), revisions: z.array(z.string()).max(100).optional() })
          .optional(),
      })
      .optional(),
  }),
});

/**
 * An Application of Argo CD: synced to the landing or a later commit of the branch, and healthy there. What it says of an earlier
 * commit says nothing about this promotion.
 */
export function judgeArgocd(check: ArgocdCheck, answer: HttpAnswer, landing: Landing): Observation {
  const what = `Argo CD ${check.application}`;
  if ('problem' in answer) return pending(what, answer.problem);
  if (answer.status === 401 || answer.status === 403) {
    return pending(
      what,
      `refuses the token (${answer.status}): ARGOCD_AUTH_TOKEN is missing, expired, or may not read it`,
    );
  }
  if (answer.status !== 200) return pending(what, `was answered ${answer.status}`);
  if (!answer.isWhole) return pending(what, tooLong);
  const result = Application.safeParse(parseJson(answer.text));
  if (!result.success) return pending(what, "wasn't answered by Argo CD's API");
  const { metadata, status } = result.data;
  if (metadata.name !== check.application) return pending(what, `was answered for ${plainText(metadata.name, 80)}`);
  const since = new Set(landing.since);
  const isAt = (at: { revision?: string | undefined; revisions?: string[] | undefined } | undefined) =>
    [at?.revision, ...(at?.revisions ?? [])].some((revision) => revision !== undefined && since.has(revision));
  const operation = status.operationState;
  if (operation !== undefined && /^(Failed|Error)$/.test(operation.phase) && isAt(operation.syncResult)) {
    return failed(what, `could not sync: ${plainText(operation.message ?? operation.phase, 200)}`);
  }
  if (!isAt(status.sync)) {
    const now = status.sync?.revision ?? status.sync?.revisions?.[0];
    return pending(what, `is at ${now === undefined ? 'no commit' : plainText(now, 12)}, not yet at the promotion`);
  }
  const health = status.health?.status ?? 'Unknown';
  if (health === 'Degraded') {
    const why = status.health?.message;
    return failed(what, `is Degraded${why === undefined ? '' : `: ${plainText(why, 200)}`}`);
  }
  if (status.sync?.status !== 'Synced') return pending(what, `is ${plainText(status.sync?.status ?? 'Unknown', 40)}`);
  if (operation !== undefined && operation.phase !== 'Succeeded') {
    return pending(what, `has an operation that is ${plainText(operation.phase, 40)}`);
  }
  return health === 'Healthy' ? healthy(what, 'is Synced and Healthy') : pending(what, `is ${plainText(health, 40)}`);
}

export function healthy(what: string, detail: string): Observation {
  return { what, state: 'healthy', detail };
}

export function pending(what: string, detail: string): Observation {
  return { what, state: 'pending', detail };
}

export function failed(what: string, detail: string): Observation {
  return { what, state: 'failed', detail };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An address without its query, which people use for keys. */
function shown(url: string): string {
  const { host, pathname } = new URL(url);
  return plainText(`${host}${pathname === '/' ? '' : pathname}`, 200);
}

function quoted(text: string): string {
  return JSON.stringify(plainText(text, 120));
}
