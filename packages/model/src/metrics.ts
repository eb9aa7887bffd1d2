import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import {
  type CatalogMetric,
  imageMetrics,
  metricCatalog,
  type NamedParameter,
  namedParameter,
} from './metric-catalog.ts';

/** Metrics that a model file declares under `metrics`, by the name that its gates use. */

export const MetricName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be a metric name such as roc_auc or log_loss');

const Column = z.string().min(1).max(256);
const Share = z.number().gt(0, 'must be above 0').lt(1, 'must be below 1');
const Cutoff = z.int().min(1).max(1_000_000);

export const DeclaredMetric = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('calibration-error'),
    bins: z.int().min(2).max(1000),
    /** `uniform`: bins of one width; `quantile`: of as many rows each, by the scores of each model. */
    strategy: z.enum(['uniform', 'quantile']).default('uniform'),
  }),
  z.strictObject({ kind: z.literal('recall-at-precision'), precision: Share }),
  z.strictObject({
    kind: z.literal('pinball'),
    quantile: Share,
    /** The column of the predictions that holds this quantile; `columns.prediction` by default. */
    column: Column.optional(),
  }),
  z.strictObject({
    kind: z.literal('ndcg'),
    k: Cutoff.optional(),
    /** `linear`: the label; `exponential`: 2^label − 1. */
    gain: z.enum(['linear', 'exponential']).default('linear'),
  }),
  z.strictObject({ kind: z.literal('map'), k: Cutoff.optional() }),
  z.strictObject({ kind: z.literal('mrr'), k: Cutoff.optional() }),
  z.strictObject({ kind: z.literal('recall-at-k'), k: Cutoff }),
  z.strictObject({
    kind: z.literal('cost'),
    /** Label -> prediction -> cost of a row. What is right costs 0 where it is not listed; every mistake is listed. */
    costs: z.record(z.string().max(256), z.record(z.string().max(256), z.number().refine(Number.isFinite))),
  }),
  z.strictObject({
    kind: z.literal('sql'),
    /** One expression of sums, counts and means over the rows. */
    sql: z.string().min(1).max(4096),
  }),
  z.strictObject({
    kind: z.literal('fairness'),
    /** Whose rates must be alike: of all rows, of the positive ones, or of the positive and of the negative ones. */
    measure: z.enum(['demographic-parity', 'equal-opportunity', 'equalised-odds']),
    /** The dataset's column of groups. */
    by: Column,
    /** `difference`: the highest rate less the lowest; `ratio`: the lowest over the highest. */
    as: z.enum(['difference', 'ratio']),
    /** A group with fewer rows that count is shown as insufficient evidence, and is no part of the gap. */
    minRows: z.int().min(2).default(100),
  }),
  z.strictObject({
    kind: z.literal('file'),
    /** The metric's name in `evaluate.metrics`; a nested one is written `a.b`. */
    name: z.string().min(1).max(256),
  }),
]);
export type DeclaredMetric = z.infer<typeof DeclaredMetric>;

export const DeclaredMetrics = z.record(MetricName, DeclaredMetric);
export type DeclaredMetrics = z.infer<typeof DeclaredMetrics>;

type Form = Omit<CatalogMetric, 'direction' | 'needs' | 'formula'> & {
  /** Null where no column of the model file's `columns` must be there. */
  needs: CatalogMetric['needs'] | null;
  /** Null where only the gate can say which way is better. */
  direction: CatalogMetric['direction'] | null;
};

const allTasks = ['binary', 'multiclass', 'regression', 'ranking', 'forecast'] as const;

/** What a declared metric needs and which way is better. */
export function formOf(metric: DeclaredMetric | NamedParameter): Form {
  switch (metric.kind) {
    case 'calibration-error':
      return { tasks: ['binary'], needs: 'score', direction: 'lower', probabilities: true };
    case 'recall-at-precision':
      return { tasks: ['binary'], needs: 'score', direction: 'higher' };
    case 'pinball':
      return {
        tasks: ['regression', 'forecast'],
        needs: 'column' in metric && metric.column !== undefined ? null : 'prediction',
        direction: 'lower',
      };
    case 'ndcg':
    case 'map':
    case 'mrr':
    case 'recall-at-k':
      return { tasks: ['ranking'], needs: 'score', direction: 'higher' };
    case 'cost':
      return { tasks: ['binary', 'multiclass'], needs: 'prediction', direction: 'lower' };
    case 'fairness':
      return { tasks: ['binary'], needs: 'prediction', direction: metric.as === 'difference' ? 'lower' : 'higher' };
    case 'sql':
    case 'file':
      return { tasks: allTasks, needs: null, direction: null };
  }
}

/** What is known of a metric before any row is read; null where no metric has that name. */
export function metricForm(name: string, declared: DeclaredMetrics = {}): Form | 'image' | null {
  if ((imageMetrics as readonly string[]).includes(name)) return 'image';
  if (Object.hasOwn(declared, name)) return formOf(declared[name] as DeclaredMetric);
  const built = metricCatalog[name];
  if (built !== undefined) return built;
  const parameter = namedParameter(name);
  return parameter === null ? null : formOf(parameter);
}

/** Whether Passloop itself defines the name: a declared metric must not take it. */
export function isBuiltInMetric(name: string): boolean {
  return metricForm(name) !== null;
}

/** Every name that is no pattern, for messages. */
export function metricNames(declared: DeclaredMetrics = {}): string[] {
  return [...Object.keys(declared), ...Object.keys(metricCatalog), ...imageMetrics];
}

/**
 * The metrics that somebody may have meant by a name that is none: those that it is a part of (`auc`), the one that is a part of it
 * (`f1_score`), or one that is written nearly so.
 */
export function likelyMetrics(written: string, names: readonly string[]): string[] {
  const parts = (name: string) => `_${name.toLowerCase()}_`;
  const isWithin = (part: string, whole: string) => part !== '' && parts(whole).includes(parts(part));
  const longer = names.filter((name) => isWithin(written, name));
  if (longer.length > 0) return longer.slice(0, 3);
  const [shorter] = names.filter((name) => isWithin(name, written)).sort((left, right) => right.length - left.length);
  if (shorter !== undefined) return [shorter];
  const near = closest(written, names);
  return distance(written, near) <= Math.max(written.length < 4 ? 1 : 2, written.length / 3) ? [near] : [];
}

/** "a", "a or b", "a, b or c". */
export function eitherOf(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}
