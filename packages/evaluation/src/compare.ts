import { type Verdict, worstVerdict } from '@passloop/core';
import type {
  ComparedEnvironment,
  ComparedMetric,
  ComparedSlice,
  ComparisonDocument,
  FairnessGroup,
  Outcome,
} from '@passloop/documents';
import { eitherOf, type Gate, isComparative, likelyMetrics, metricNames } from '@passloop/model';
import { claimOf, countedRows, type Evidence, evidenceOfFrame } from './evidence.ts';
import type { EvaluationFrame } from './frame.ts';
import {
  hasBounds,
  type InconclusivePolicy,
  judgeAlone,
  judgeInsufficient,
  judgeMissing,
  judgePaired,
  judgeUnpaired,
} from './gate.ts';
import { type ImageMeasurement, judgeImage } from './image-gate.ts';
import type { Resampling } from './measure.ts';
import type { Metric } from './metric.ts';
import { measuredScalars, metricNamed } from './metrics.ts';
import { judgeSlice, judgeTogether } from './slice-verdicts.ts';

export type Side = ComparisonDocument['candidate'];

export type CompareRequest = {
  outcome: Outcome;
  /** Why, where the outcome needs a reason (`held`, `not-comparable`). */
  reason: string | null;
  gates: readonly Gate[];
  /** Null where the outcome needs no rows, or where they could not be had (`not-comparable`). */
  frame: EvaluationFrame | Evidence | null;
  production: Side | null;
  candidate: Side;
  /** Measured on the images: latency, size. By metric name. */
  scalars: Readonly<Record<string, ImageMeasurement>>;
  /** Gates on numbers that metrics files hold, by metric name: compared without pairing. */
  unpaired?: Readonly<Record<string, UnpairedNumbers>>;
  resampling: Resampling;
  inconclusive: InconclusivePolicy;
  /** What promotions would decide by, where that is shown beside what decides here. */
  environments?: readonly EnvironmentPolicy[];
};

/** The gates of a promotion to an environment. */
export type EnvironmentPolicy = Pick<ComparedEnvironment, 'name' | 'after' | 'own'> &
  Pick<CompareRequest, 'gates' | 'inconclusive'>;

type Judging = Omit<CompareRequest, 'frame'> & { frame: Evidence | null };

export type UnpairedNumbers = {
  /** Null where production's file lacks it. */
  production: number | null;
  /** Null where the candidate's file lacks it; `rows` where it is measured on the frame. */
  candidate: number | null | 'rows';
  /** Its name in the files. */
  name: string;
  /** What lacks it, or holds it, for messages. */
  source: string;
};

/**
 * Judges the candidate against production, gate by gate. The outcome came first: an unchanged model has nothing to prove, a
 * held one cannot, a return shows its gates without being blocked by them. Nothing measured is a failure, and so is a
 * comparison of a model with itself, or of two that were not scored alike (then the outcome becomes `not-comparable`).
 */
export function compareModels(asked: CompareRequest): ComparisonDocument {
  const request = comparable({ ...asked, frame: evidenceOf(asked) });
  const { frame, outcome } = request;
  const judged = judgeGates(request);
  const { verdict, reason, metrics, slices } = judged;
  return {
    schema: 'passloop/comparison/v1',
    outcome,
    verdict,
    reason: request.reason ?? reason,
    ...claimOf(frame),
    rows: frame?.rows ?? 0,
    evaluationDigest: frame?.evaluationDigest ?? null,
    production: request.production,
    candidate: request.candidate,
    metrics,
    slices,
    fairness: frame === null ? [] : groupsOf(allGates(request), frame),
    ...environmentsOf(request, judged),
    resamples: frame === null ? 0 : request.resampling.resamples,
    seed: request.resampling.seed,
    ...curvesIn(frame),
  };
}

type Judged = Pick<ComparisonDocument, 'verdict' | 'reason' | 'metrics' | 'slices'>;

function judgeGates(request: Judging): Judged {
  const { frame, outcome, gates } = request;
  const metrics = outcome === 'unchanged' || outcome === 'held' ? [] : gates.map((gate) => judge(gate, request));
  const slices =
    frame !== null && (outcome === 'compared' || outcome === 'rollback') ? judgeSlices(frame, request) : [];
  const fairness = frame === null ? [] : groupsOf(gates, frame);
  const reason = reasonNotMeasured(request, metrics);
  const verdict = reason === null ? verdictOf(outcome, [...metrics, ...slices, ...fairness]) : 'fail';
  return { verdict, reason, metrics, slices };
}

/**
 * Where the outcome leaves something for gates to decide. What the model's gates say for all is not said again for each environment, or a report
 * of many models would be too long to be read.
 */
function environmentsOf(request: Judging, ofModel: Judged): Pick<ComparisonDocument, 'environments'> {
  const { outcome, environments = [] } = request;
  const isDecided = outcome !== 'compared' && outcome !== 'first' && outcome !== 'same-model';
  if (environments.length === 0 || isDecided) return {};
  const said = new Map([...ofModel.metrics, ...ofModel.slices].map((metric) => [subjectOf(metric), metric.gate]));
  return {
    environments: environments.map(({ name, after, own, gates, inconclusive }) => {
      const { verdict, reason, metrics, slices } = judgeGates({ ...request, gates, inconclusive, environments: [] });
      const isItsOwn = (metric: ComparedMetric | ComparedSlice) =>
        own.includes(metric.name) || said.get(subjectOf(metric)) !== metric.gate;
      return { name, after, own, verdict, reason, metrics: metrics.filter(isItsOwn), slices: slices.filter(isItsOwn) };
    }),
  };
}

/** A metric, on the whole or on a slice. */
function subjectOf(metric: ComparedMetric | ComparedSlice): string {
  return JSON.stringify('slice' in metric ? [metric.name, metric.slice.column, metric.slice.value] : [metric.name]);
}

function evidenceOf({ frame, resampling }: CompareRequest): Evidence | null {
  return frame === null || 'paired' in frame ? frame : evidenceOfFrame(frame, resampling);
}

function curvesIn(frame: Evidence | null): Pick<ComparisonDocument, 'curves' | 'curvesLeftOut'> {
  if (frame === null) return {};
  const curves = frame.curves();
  return curves === null ? { curvesLeftOut: true } : { curves };
}

function comparable(request: Judging): Judging {
  const { outcome, production, candidate } = request;
  if (outcome !== 'compared') return request;
  const refuse = (reason: string): Judging => ({
    ...request,
    outcome: 'not-comparable',
    reason: request.reason ?? reason,
    frame: null,
  });
  if (production === null) return refuse('There is no baseline: production is not known.');
  // Files are no models: those of equal predictions were told before, and equal numbers may come from any two.
  if (production.scoredBy !== 'file' && production.digest !== null && production.digest === candidate.digest) {
    return refuse(
      `Production and the candidate are the same model (${candidate.digest}): it would be compared with itself.`,
    );
  }
  if (production.scoredBy !== candidate.scoredBy) {
    return refuse(
      `The two were not scored alike: production by its ${production.scoredBy}, the candidate by its ${candidate.scoredBy}.`,
    );
  }
  const isPaired = allGates(request).some(({ metric }) => !measuredScalars.has(metric) && !isUnpaired(request, metric));
  if (request.frame !== null && !request.frame.hasProduction && isPaired) {
    return refuse('There is no baseline: no predictions of production on these rows.');
  }
  return request;
}

/** All that one comparison measures. */
export function allGates({
  gates,
  environments = [],
}: Pick<CompareRequest, 'gates' | 'environments'>): readonly Gate[] {
  return [...gates, ...environments.flatMap((environment) => environment.gates)];
}

const firstReason =
  'Nothing is in production yet and no gate on the model has an absolute bound: add `min` or `max` to a gate, or record what runs already with `passloop adopt`.';

/** Why there is no verdict but `fail`, whatever the severity of the gates. */
function reasonNotMeasured({ outcome, environments = [] }: Judging, judged: readonly ComparedMetric[]): string | null {
  if (outcome === 'first') {
    const bounded = judged.some((metric) => !measuredScalars.has(metric.name) && hasBounds(metric));
    if (!bounded) return firstReason;
  }
  if (outcome !== 'compared' && outcome !== 'first') return null;
  if (judged.length === 0 && environments.length > 0)
    return 'The model has no gate of its own, and those of its environments decide no check: give it `gates`.';
  if (judged.length === 0) return 'No gate is declared, and nothing measured is nothing proven.';
  const isMeasured = ({ candidate, verdict, gate }: ComparedMetric) =>
    candidate !== null && (verdict !== 'not-comparable' || gate === 'skipped');
  return judged.some(isMeasured) ? null : 'No gate could be measured.';
}

/** The groups of every gate on a gap between groups, of two on one gap once. */
function groupsOf(gates: readonly Gate[], frame: Evidence): FairnessGroup[] {
  const byMetric = new Map(gates.map((gate) => [gate.metric, gate]));
  return [...byMetric.values()].flatMap((gate) => {
    const metric = applicable(gate, frame);
    return typeof metric === 'string' ? [] : frame.groups(gate.metric, metric);
  });
}

function verdictOf(outcome: Outcome, judged: readonly { gate: Verdict }[]): Verdict {
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

function judge(gate: Gate, request: Judging): ComparedMetric {
  const context = { gate, inconclusive: request.inconclusive };
  if (measuredScalars.has(gate.metric))
    return judgeImage(context, request.scalars[gate.metric], request.outcome === 'first');
  if (request.outcome === 'same-model') {
    return { ...judgeMissing(context, 'the model is the one in production'), gate: 'skipped' };
  }
  if (isUnpaired(request, gate.metric)) return judgeNumbers(gate, request, request.unpaired![gate.metric]!);
  if (request.frame === null) return judgeMissing(context, request.reason ?? 'there are no rows to compare on');
  const metric = applicable(gate, request.frame);
  if (typeof metric === 'string') return judgeMissing(context, metric);
  const tooFew = request.frame.insufficiency(metric);
  if (tooFew !== null) return judgeInsufficient(context, tooFew);
  if (request.outcome !== 'first' && request.frame.hasProduction) {
    const measured = request.frame.paired(gate.metric, metric);
    if (typeof measured !== 'string') return judgePaired(context, measured, countedRows(request.frame, metric));
    if (isComparative(gate)) return judgeMissing(context, measured);
  }
  const value = request.frame.alone(gate.metric, metric, 'candidate');
  return typeof value === 'string'
    ? judgeMissing(context, value)
    : judgeAlone(context, value, null, 'there is no baseline');
}

function isUnpaired({ unpaired = {} }: Pick<CompareRequest, 'unpaired'>, metric: string): boolean {
  return Object.hasOwn(unpaired, metric);
}

function judgeNumbers(gate: Gate, request: Judging, numbers: UnpairedNumbers): ComparedMetric {
  const context = { gate, inconclusive: request.inconclusive };
  let { candidate } = numbers;
  if (candidate === 'rows') {
    const metric = request.frame === null ? (request.reason ?? 'there are no rows') : applicable(gate, request.frame);
    if (typeof metric === 'string') return judgeMissing(context, metric);
    const value = (request.frame as Evidence).alone(gate.metric, metric, 'candidate');
    if (typeof value === 'string') return judgeMissing(context, value);
    candidate = value;
  }
  const { name, source, production } = numbers;
  if (candidate === null) return judgeMissing(context, `the candidate's ${source} has no number ${name}`);
  if (!Number.isFinite(candidate)) return judgeMissing(context, `the candidate's ${source} says ${candidate}`);
  if (request.outcome === 'first') return judgeAlone(context, candidate, null, 'there is no baseline');
  if (production !== null && Number.isFinite(production)) return judgeUnpaired(context, candidate, production);
  const lacking = `production's ${source} ${production === null ? `has no number ${name}` : `says ${production}`}`;
  return isComparative(gate) ? judgeMissing(context, lacking) : judgeAlone(context, candidate, null, lacking);
}

/** The metric that a gate names, or why it cannot be had from these rows. */
function applicable(gate: Gate, frame: Pick<Evidence, 'task' | 'declared'>): Metric | string {
  const metric = metricNamed(gate.metric, frame.declared);
  if (metric === null) {
    const names = [...Object.keys(frame.declared), ...metricNames()];
    const likely = likelyMetrics(gate.metric, names);
    return `no metric is named ${gate.metric}${likely.length > 0 ? `; did you mean ${eitherOf(likely)}?` : ` (known: ${names.join(', ')})`}`;
  }
  if (!metric.tasks.includes(frame.task)) return `${gate.metric} is not defined for a ${frame.task} model`;
  if (isComparative(gate) && metric.direction !== null && gate.direction !== metric.direction)
    return `${gate.metric} is better when ${metric.direction}; the gate says ${gate.direction}`;
  return metric;
}

function judgeSlices(frame: Evidence, request: Judging): ComparedSlice[] {
  const found: ComparedSlice[] = [];
  for (const gate of request.gates) {
    const metric = measuredScalars.has(gate.metric)
      ? 'an image has no slices'
      : isUnpaired(request, gate.metric)
        ? 'two numbers have no slices'
        : applicable(gate, frame);
    for (const column of gate.slices) {
      const slice = frame.slices.find((candidate) => candidate.column === column);
      if (slice === undefined || typeof metric === 'string') {
        const reason = typeof metric === 'string' ? metric : `the evaluation dataset has no column ${column}`;
        const missing = judgeMissing({ gate, inconclusive: request.inconclusive }, reason);
        found.push({ ...missing, slice: { column, value: '' }, rows: 0 });
        continue;
      }
      const parts = frame.parts(column);
      for (const [code, value] of slice.values.entries()) {
        found.push(judgeSlice(gate, metric, parts[code] as Evidence, { column, value }));
      }
    }
  }
  return judgeTogether(found);
}
