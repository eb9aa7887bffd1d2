import type { Curves, FairnessGroup } from '@passloop/documents';
import { curvesOf } from './curves.ts';
import { type EvaluationFrame, sliceFrames } from './frame.ts';
import { measureAlone, measurePaired, type PairedMeasurement, type Resampling } from './measure.ts';
import type { Metric } from './metric.ts';

/** What a comparison asks of the rows that both models scored: answered by a frame in memory, or measured in the engine. */
export type Evidence = Pick<EvaluationFrame, 'task' | 'rows' | 'evaluationDigest' | 'declared'> & {
  hasProduction: boolean;
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
  return {
    task: frame.task,
    rows: frame.rows,
    evaluationDigest: frame.evaluationDigest,
    declared: frame.declared,
    hasProduction: frame.production !== null,
    slices: frame.slices,
    paired: (_, metric) => measurePaired(metric, frame, resampling),
    alone: (_, metric, of) => measureAlone(metric, frame, of),
    insufficiency: (metric) => (metric.kind === 'sums' ? (metric.insufficiency?.(frame) ?? null) : null),
    groups: (name, metric) => (metric.kind === 'sums' ? (metric.groups?.(name, frame) ?? []) : []),
    parts(column) {
      const slice = frame.slices.find((candidate) => candidate.column === column);
      if (slice === undefined) return [];
      const known = parts.get(column) ?? sliceFrames(frame, slice).map((part) => evidenceOfFrame(part, asked));
      parts.set(column, known);
      return known;
    },
    curves: () => curvesOf(frame),
  };
}
