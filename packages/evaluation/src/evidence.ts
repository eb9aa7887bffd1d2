import type { Claim, Curves, FairnessGroup } from '@passloop/documents';
import { curvesOf } from './curves.ts';
import { type EvaluationFrame, sliceFrames } from './frame.ts';
import type { CountedRows } from './gate.ts';
import { measureAlone, measurePaired, type PairedMeasurement, type Resampling } from './measure.ts';
import { measureSeeds, measureSeedsAlone } from './measure-seeds.ts';
import type { Metric } from './metric.ts';

/** What a comparison asks of the rows that both models scored: answered by a frame in memory, or measured in the engine. */
export type Evidence = Pick<EvaluationFrame, 'task' | 'rows' | 'evaluationDigest' | 'declared'> & {
  /** The rows that weigh more than nothing. */
  weighing: number;
  hasProduction: boolean;
  /** Models of each side, by training seeds; absent for one of each. */
  seeds?: { production: number; candidate: number };
  slices: readonly { column: string; values: readonly string[] }[];
  /** @returns a reason where there is no such measurement */
  paired(name: string, metric: Metric): PairedMeasurement | string;
  alone(name: string, metric: Metric, of: 'production' | 'candidate'): number | string;
  /** Of a gap between groups: why they are too few, and what each of them has. */
  insufficiency(metric: Metric): string | null;
  groups(name: string, metric: Metric): FairnessGroup[];
  /** Of each value of a slice, in their order. */
  parts(column: string): readonly Evidence[];
  /** Null where they were left out. */
  curves(): Curves | null;
};

/** It tells the size of a difference, and whether there is any. */
export function evidenceOfFrame(frame: EvaluationFrame, asked: Resampling): Evidence {
  const resampling = { ...asked, permute: true };
  const parts = new Map<string, Evidence[]>();
  // Resampled once, however many gates are on it.
  const measured = new Map<string, PairedMeasurement | string>();
  const { seeds } = frame;
  const pair = (metric: Metric) =>
    seeds === undefined ? measurePaired(metric, frame, resampling) : measureSeeds(metric, frame, seeds, resampling);
  return {
    task: frame.task,
    rows: frame.rows,
    weighing: frame.weights === null ? frame.rows : frame.weights.filter((weight) => weight > 0).length,
    evaluationDigest: frame.evaluationDigest,
    declared: frame.declared,
    hasProduction: frame.production !== null,
    slices: frame.slices,
    ...(seeds === undefined
      ? {}
      : { seeds: { production: seeds.production.length, candidate: seeds.candidate.length } }),
    paired(name, metric) {
      const known = measured.get(name) ?? pair(metric);
      measured.set(name, known);
      return known;
    },
    alone: (_, metric, of) =>
      seeds === undefined ? measureAlone(metric, frame, of) : measureSeedsAlone(metric, frame, seeds, of),
    curves: () => (seeds === undefined ? curvesOf(frame) : null),
    insufficiency: (metric) => (metric.kind === 'sums' ? (metric.insufficiency?.(frame) ?? null) : null),
    groups: (name, metric) => (metric.kind === 'sums' ? (metric.groups?.(name, frame) ?? []) : []),
    parts(column) {
      const slice = frame.slices.find((candidate) => candidate.column === column);
      if (slice === undefined) return [];
      const known = parts.get(column) ?? sliceFrames(frame, slice).map((part) => evidenceOfFrame(part, asked));
      parts.set(column, known);
      return known;
    },
  };
}

/** The rows that a metric rests on. */
export function countedRows({ rows, weighing }: Evidence, metric: Metric): CountedRows {
  return { rows, counting: metric.kind === 'sums' && metric.isUnweighted === true ? rows : weighing };
}

/** What a verdict on these rows is about: one model says nothing of how others would come out of its training. */
export function claimOf(frame: Evidence | null): { claim?: Claim } {
  if (frame === null || !frame.hasProduction) return {};
  const { production, candidate } = frame.seeds ?? { production: 1, candidate: 1 };
  if (candidate > 1) return { claim: production > 1 ? 'pipeline' : 'pipeline-against-artifact' };
  return { claim: production > 1 ? 'artifact-against-pipeline' : 'artifact' };
}
