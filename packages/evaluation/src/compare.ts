import { type Verdict, worstVerdict } from '@passloop/core';
import type { ComparedMetric, ComparedSlice, ComparisonDocument, Outcome } from '@passloop/documents';
import type { Gate } from '@passloop/model';
import { type EvaluationFrame, sliceFrame } from './frame.ts';
import { type InconclusivePolicy, judgeAlone, judgeMissing, judgePaired } from './gate.ts';
import { measureAlone, measurePaired, type Resampling } from './measure.ts';
import { measuredScalars, metrics } from './metrics.ts';

export type Side = ComparisonDocument['candidate'];

export type CompareRequest = {
  outcome: Outcome;
  /** Why, where the outcome needs a reason (`held`, `not-comparable`). */
  reason: string | null;
  gates: readonly Gate[];
  /** Null where the outcome needs no rows, or where they could not be had (`not-comparable`). */
  frame: EvaluationFrame | null;
  production: Side | null;
  candidate: Side;
  /** Measured on the images: latency, size. By metric name. */
  scalars: Readonly<Record<string, { production: number | null; candidate: number | null }>>;
  resampling: Resampling;
  inconclusive: InconclusivePolicy;
};

/**
 * Judges the candidate against production, gate by gate. The outcome came first: an unchanged model has nothing to prove, a
 * held one cannot, a return shows its gates without being blocked by them. Nothing measured is a failure.
 */
export function compareModels(request: CompareRequest): ComparisonDocument {
  const { frame, outcome } = request;
  const judged = outcome === 'unchanged' || outcome === 'held' ? [] : request.gates.map((gate) => judge(gate, request));
  const slices =
    frame === null || outcome !== 'compared' ? [] : request.gates.flatMap((gate) => judgeSlices(gate, frame, request));
  return {
    schema: 'passloop/comparison/v1',
    outcome,
    verdict: verdictOf(outcome, [...judged, ...slices]),
    reason:
      request.reason ??
      (outcome === 'first' && judged.every((metric) => metric.gate === 'skipped') ? firstReason : null),
    rows: frame?.rows ?? 0,
    evaluationDigest: frame?.evaluationDigest ?? null,
    production: request.production,
    candidate: request.candidate,
    metrics: judged,
    slices,
    fairness: [],
    resamples: frame === null ? 0 : request.resampling.resamples,
    seed: request.resampling.seed,
  };
}

const firstReason =
  'Nothing is in production yet and no gate has an absolute bound: add `min` or `max` to a gate, or record what runs already with `passloop adopt`.';

function verdictOf(outcome: Outcome, judged: readonly ComparedMetric[]): Verdict {
  switch (outcome) {
    case 'unchanged':
    case 'rollback':
      return 'pass';
    case 'held':
    case 'not-comparable':
      return 'fail';
    case 'same-model':
      // Only what the image itself measures can differ; without such a gate the probe has decided already.
      return judged.some((metric) => metric.gate !== 'skipped')
        ? worstVerdict(judged.map((metric) => metric.gate))
        : 'pass';
    default:
      return worstVerdict(judged.map((metric) => metric.gate));
  }
}

function judge(gate: Gate, request: CompareRequest): ComparedMetric {
  const frame = { gate, inconclusive: request.inconclusive };
  if (measuredScalars.has(gate.metric)) {
    const scalar = request.scalars[gate.metric];
    if (scalar?.candidate === undefined || scalar.candidate === null)
      return judgeMissing(frame, `${gate.metric} was not measured`);
    return judgeAlone(frame, scalar.candidate, scalar.production, 'machines are too noisy for a margin: give `max`');
  }
  const metric = metrics[gate.metric];
  if (metric === undefined) {
    return judgeMissing(
      frame,
      `no metric is named ${gate.metric} (known: ${[...Object.keys(metrics), ...measuredScalars].join(', ')})`,
    );
  }
  if (request.outcome === 'same-model') {
    return { ...judgeMissing(frame, 'the model is the one in production'), gate: 'skipped' };
  }
  if (request.frame === null) return judgeMissing(frame, request.reason ?? 'there are no rows to compare on');
  if (!metric.tasks.includes(request.frame.task)) {
    return judgeMissing(frame, `${gate.metric} is not defined for a ${request.frame.task} model`);
  }
  if (request.frame.production === null) {
    const value = measureAlone(metric, request.frame);
    return typeof value === 'string'
      ? judgeMissing(frame, value)
      : judgeAlone(frame, value, null, 'there is no baseline');
  }
  const measured = measurePaired(metric, request.frame, request.resampling);
  return typeof measured === 'string'
    ? judgeMissing(frame, measured)
    : judgePaired(frame, measured, request.frame.rows);
}

function judgeSlices(gate: Gate, frame: EvaluationFrame, request: CompareRequest): ComparedSlice[] {
  const metric = metrics[gate.metric];
  if (metric === undefined || frame.production === null) return [];
  const found: ComparedSlice[] = [];
  for (const column of gate.slices) {
    const slice = frame.slices.find((candidate) => candidate.column === column);
    if (slice === undefined) {
      const missing = judgeMissing(
        { gate, inconclusive: request.inconclusive },
        `the evaluation dataset has no column ${column}`,
      );
      found.push({ ...missing, slice: { column, value: '' }, rows: 0 });
      continue;
    }
    for (const [code, value] of slice.values.entries()) {
      found.push(judgeSlice(gate, sliceFrame(frame, slice, code), { column, value }, request));
    }
  }
  return found;
}

function judgeSlice(
  gate: Gate,
  rows: EvaluationFrame,
  slice: ComparedSlice['slice'],
  request: CompareRequest,
): ComparedSlice {
  const frame = { gate, inconclusive: request.inconclusive };
  const insufficient = (reason: string): ComparedSlice => ({
    ...judgeMissing(frame, reason),
    verdict: 'insufficient',
    gate: 'warn',
    slice,
    rows: rows.rows,
  });
  if (rows.rows < gate.minRows) return insufficient(`${rows.rows} rows; ${gate.minRows} are needed`);
  const measured = measurePaired(metrics[gate.metric]!, rows, request.resampling);
  if (typeof measured === 'string') return insufficient(measured);
  // A slice is compared with production; an absolute bound is about the whole.
  const relative = { gate: { ...gate, min: undefined, max: undefined }, inconclusive: 'warn' as const };
  return { ...judgePaired(relative, measured, rows.rows), slice, rows: rows.rows };
}
