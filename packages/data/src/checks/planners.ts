import type { Check } from '@passloop/model';
import type { CheckContext, PlannedCheck } from '../check.ts';
import { planAggregate, planFrequency, planFreshness, planMonotonic, planQuantile } from './aggregate-checks.ts';
import { planAssociation, planCorrelation } from './association-checks.ts';
import { planHistory } from './history-check.ts';
import { planLabelPower } from './label-power.ts';
import { planIdentifierLike, planOutliers, planVariants } from './oddity-checks.ts';
import { planRows } from './row-checks.ts';
import { planColumnCount, planColumns, planRowCount, planType } from './shape-checks.ts';
import {
  planConflicts,
  planDuplicateColumns,
  planDuplicateRows,
  planLeakage,
  planReferences,
  planRowRatio,
  planUnique,
} from './table-checks.ts';

type Planned = Exclude<Check, { kind: 'drift' }>;
type Planner<K extends Planned['kind']> = (
  check: Extract<Planned, { kind: K }>,
  context: CheckContext,
) => PlannedCheck | Promise<PlannedCheck>;

/** A kind without a planner doesn't compile. Drift has its own: it is measured against a profile, and reports by column. */
const planners: { [K in Planned['kind']]: Planner<K> } = {
  'not-null': planRows,
  'null-like': planRows,
  finite: planRows,
  range: planRows,
  set: planRows,
  'not-in-set': planRows,
  regex: planRows,
  like: planRows,
  length: planRows,
  expression: planRows,
  columns: planColumns,
  'column-count': planColumnCount,
  type: planType,
  'row-count': planRowCount,
  aggregate: planAggregate,
  quantile: planQuantile,
  constant: planFrequency,
  'class-balance': planFrequency,
  monotonic: planMonotonic,
  freshness: planFreshness,
  correlation: planCorrelation,
  association: planAssociation,
  outliers: planOutliers,
  variants: planVariants,
  'identifier-like': planIdentifierLike,
  unique: planUnique,
  'duplicate-rows': planDuplicateRows,
  'duplicate-columns': planDuplicateColumns,
  references: planReferences,
  'known-values': planReferences,
  'row-ratio': planRowRatio,
  'conflicting-labels': planConflicts,
  'label-power': planLabelPower,
  leakage: planLeakage,
  history: planHistory,
};

export function planOf(check: Planned, context: CheckContext): PlannedCheck | Promise<PlannedCheck> {
  const planner = planners[check.kind] as (check: Planned, context: CheckContext) => ReturnType<typeof planOf>;
  return planner(check, context);
}
