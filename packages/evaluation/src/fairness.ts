import { toDecimal, toDecimalOrNull } from '@passloop/core';
import type { FairnessGroup } from '@passloop/documents';
import type { DeclaredMetric } from '@passloop/model';
import type { EvaluationFrame, Predictions, SliceColumn } from './frame.ts';
import { bucketSums, type SummedMetric } from './metric.ts';

/**
 * Gaps between groups of rows in how often a model says yes: of all rows (demographic parity), of those whose label is
 * positive (equal opportunity), of the positive and of the negative (equalised odds: the wider gap of both). A difference is
 * the highest rate less the lowest, a ratio the lowest over the highest, as Fairlearn's `between_groups` (Weerts et al. 2023,
 * "Fairlearn: assessing and improving fairness of AI systems", JMLR 24:257). No bound is built in: what is fair is not for a
 * library to say.
 */
export type FairnessMetric = Extract<DeclaredMetric, { kind: 'fairness' }>;

/** Sums a group: [positives, positives that were selected, negatives, negatives that were selected]. */
const perGroup = 4;

type Rate = NonNullable<FairnessGroup['rate']>;

/** A group has no bound of its own. */
const nothingDecided = {
  interval: null,
  level: null,
  method: null,
  margin: null,
  min: null,
  max: null,
  severity: 'error',
} as const;

const ratesOf = {
  'demographic-parity': ['selection-rate'],
  'equal-opportunity': ['true-positive-rate'],
  'equalised-odds': ['true-positive-rate', 'false-positive-rate'],
} as const satisfies Record<FairnessMetric['measure'], readonly Rate[]>;

/** [selected, of so many] */
function countsOf(rate: Rate, sums: Float64Array, group: number): [number, number] {
  const at = perGroup * group;
  if (rate === 'true-positive-rate') return [sums[at + 1]!, sums[at]!];
  if (rate === 'false-positive-rate') return [sums[at + 3]!, sums[at + 2]!];
  return [sums[at + 1]! + sums[at + 3]!, sums[at]! + sums[at + 2]!];
}

function groupsOf(metric: FairnessMetric, frame: Pick<EvaluationFrame, 'slices'>): SliceColumn | undefined {
  return frame.slices.find(({ column }) => column === metric.by);
}

/** The rows of each group that a rate rests on, however much they weigh. */
function rowsOf(rate: Rate, { labels }: EvaluationFrame, groups: SliceColumn): Uint32Array {
  const [negatives, positives] = groups.rows ?? rowsByLabel(labels, groups);
  if (rate === 'true-positive-rate') return positives;
  return rate === 'false-positive-rate' ? negatives : positives.map((rows, group) => rows + negatives[group]!);
}

function rowsByLabel(labels: Float64Array, { values, codes }: SliceColumn): [Uint32Array, Uint32Array] {
  const rows: [Uint32Array, Uint32Array] = [new Uint32Array(values.length), new Uint32Array(values.length)];
  for (let row = 0; row < labels.length; row += 1) rows[labels[row] === 1 ? 1 : 0][codes[row]!]! += 1;
  return rows;
}

/** Whether a group has enough rows for each of the rates. It depends on the dataset alone: no model can shrink a group. */
function sufficientGroups(metric: FairnessMetric, frame: EvaluationFrame, groups: SliceColumn): boolean[] {
  const counts = ratesOf[metric.measure].map((rate) => rowsOf(rate, frame, groups));
  return groups.values.map((_, group) => counts.every((rows) => rows[group]! >= metric.minRows));
}

export function fairnessMetric(metric: FairnessMetric): SummedMetric {
  return {
    kind: 'sums',
    tasks: ['binary'],
    needs: 'prediction',
    direction: metric.as === 'difference' ? 'lower' : 'higher',
    by: metric.by,
    problem: (frame) => (groupsOf(metric, frame) === undefined ? `the rows have no column ${metric.by}` : null),
    insufficiency: (frame) => insufficiency(metric, frame),
    groups: (name, frame) => fairnessGroups(name, metric, frame),
    width: (frame) => perGroup * (groupsOf(metric, frame)?.values.length ?? 0),
    adder(frame, { prediction }) {
      const groups = groupsOf(metric, frame);
      // Slices have no groups of their own: `problem` tells it.
      if (groups === undefined) return () => undefined;
      const counts = sufficientGroups(metric, frame, groups);
      const { labels, weights } = frame;
      return (into, at, row) => {
        const group = groups.codes[row]!;
        if (!counts[group]) return;
        const weight = weights === null ? 1 : weights[row]!;
        const place = at + perGroup * group + (labels[row] === 1 ? 0 : 2);
        into[place]! += weight;
        if (prediction![row] === 1) into[place + 1]! += weight;
      };
    },
    of(sums) {
      const gaps = ratesOf[metric.measure].map((rate) => gapOf(rate, metric.as, sums));
      return metric.as === 'difference' ? Math.max(...gaps) : Math.min(...gaps);
    },
  };
}

/** NaN where no group is selected at all (0 / 0), or fewer than two have rows. */
function gapOf(rate: Rate, as: FairnessMetric['as'], sums: Float64Array): number {
  let [lowest, highest, counted] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let group = 0; group < sums.length / perGroup; group += 1) {
    const [selected, all] = countsOf(rate, sums, group);
    if (all === 0) continue;
    counted += 1;
    lowest = Math.min(lowest, selected / all);
    highest = Math.max(highest, selected / all);
  }
  if (counted < 2) return Number.NaN;
  return as === 'difference' ? highest - lowest : lowest / highest;
}

function insufficiency(metric: FairnessMetric, frame: EvaluationFrame): string | null {
  const groups = groupsOf(metric, frame);
  if (groups === undefined) return null;
  const enough = sufficientGroups(metric, frame, groups).filter(Boolean).length;
  return enough >= 2
    ? null
    : `insufficient evidence: ${enough} of ${groups.values.length} groups of ${metric.by} have ${metric.minRows} rows that count, and two are needed`;
}

/** Every group's rates in both models, the groups that were too small among them: those are told, and warn. */
function fairnessGroups(name: string, metric: FairnessMetric, frame: EvaluationFrame): FairnessGroup[] {
  const groups = groupsOf(metric, frame);
  if (groups === undefined) return [];
  const everyone = fairnessMetric({ ...metric, minRows: 0 });
  const sums = (side: Predictions | null) =>
    side?.prediction ? bucketSums(everyone, frame, side, 1, () => 0) : new Float64Array(everyone.width(frame));
  const [production, candidate] = [sums(frame.production), sums(frame.candidate)];
  return ratesOf[metric.measure].flatMap((rate) => {
    const rows = rowsOf(rate, frame, groups);
    return groups.values.map((value, group): FairnessGroup => {
      const of = (side: Float64Array) => {
        const [selected, all] = countsOf(rate, side, group);
        return all === 0 ? null : selected / all;
      };
      const [before, after] = [of(production), of(candidate)];
      const isEnough = rows[group]! >= metric.minRows;
      return {
        name,
        rate,
        direction: metric.as === 'difference' ? 'lower' : 'higher',
        slice: { column: metric.by, value },
        rows: rows[group]!,
        production: toDecimalOrNull(before),
        candidate: toDecimalOrNull(after),
        delta: before === null || after === null ? null : toDecimal(after - before),
        ...nothingDecided,
        verdict: isEnough ? 'within' : 'insufficient',
        gate: isEnough ? 'skipped' : 'warn',
        rowsNeeded: isEnough ? null : metric.minRows,
        reason: isEnough ? null : `${rows[group]} rows; ${metric.minRows} are needed: not part of the gap`,
      };
    });
  });
}
