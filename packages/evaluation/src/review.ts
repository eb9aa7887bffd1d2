import { toDecimal, type Verdict, worstVerdict } from '@passloop/core';
import type { ComparedMetric, ComparedSlice, ComparisonDocument, FairnessGroup } from '@passloop/documents';
import { type Gate, isComparative } from '@passloop/model';
import { gateVerdict, type InconclusivePolicy, isWithinMargin, pairedVerdict, relativeMargin } from './gate.ts';
import { measuredScalars } from './metrics.ts';
import { wrongSliceVerdict } from './slice-verdicts.ts';

/**
 * Holds a comparison that another job made against the gates of the model file: every gate is there with its own bounds, what it says
 * follows from the printed numbers, and the whole is as bad as its worst part. No number is computed anew.
 * @param unpaired the gates that the model file compares by two numbers: no other passes without an interval
 * @returns what is wrong with it, or null. A comparison that blocks is not wrong: its own verdict says so.
 */
export function reviewComparison(
  comparison: ComparisonDocument,
  gates: readonly Gate[],
  inconclusive: InconclusivePolicy,
  unpaired: ReadonlySet<string> = new Set(),
): string | null {
  const { outcome, metrics, slices, verdict } = comparison;
  if (outcome === 'unchanged' || outcome === 'held' || outcome === 'rollback' || outcome === 'not-comparable')
    return null;
  if (
    ![undefined, 'artifact'].includes(comparison.claim) ||
    [...metrics, ...slices].some(({ seeds }) => seeds !== undefined)
  )
    return 'it is about trainings with several seeds, and not about this model';
  if (metrics.length !== gates.length)
    return `it has ${metrics.length} metrics, and ${gates.length} gates are declared`;
  for (const [index, gate] of gates.entries()) {
    const metric = metrics[index] as ComparedMetric;
    const wrong =
      wrongGate(metric, gate, inconclusive, outcome) ??
      (outcome === 'first' ? null : wrongMargin(metric, gate, unpaired));
    if (wrong !== null) return `${gate.metric}: ${wrong}`;
    for (const column of outcome === 'compared' ? gate.slices : []) {
      const found = slices.filter((slice) => slice.name === gate.metric && slice.slice.column === column);
      if (found.length === 0) return `${gate.metric}: nothing was measured on ${column}`;
    }
  }
  for (const slice of slices) {
    const gate = gates.find((one) => one.metric === slice.name && one.slices.includes(slice.slice.column));
    if (gate === undefined) return `${slice.name} on ${slice.slice.column} is no gate`;
    const wrong = wrongSlice(slice, gate);
    if (wrong !== null) return `${slice.name} on ${slice.slice.column}: ${wrong}`;
  }
  const mistaken = wrongSliceVerdict(slices);
  if (mistaken !== null) return `${mistaken.slice.name} on ${mistaken.slice.slice.column}: ${mistaken.why}`;
  if (outcome !== 'same-model' && comparison.rows === 0) return 'no row was compared';
  for (const group of comparison.fairness) {
    const wrong = wrongGroup(group);
    if (wrong !== null) return `${group.name} on ${group.slice.column}: ${wrong}`;
  }
  const judged = [...metrics, ...slices, ...comparison.fairness].map((metric) => metric.gate);
  const worst: Verdict =
    judged.every((one) => one === 'skipped') && outcome === 'same-model' ? 'pass' : worstVerdict(judged);
  // What was not measured at all fails the whole, whatever its parts say.
  return verdict === worst || verdict === 'fail' ? null : `it says ${verdict}, and its gates say ${worst}`;
}

/** A group that is too small warns; another one decides nothing by itself. */
function wrongGroup({ verdict, gate }: FairnessGroup): string | null {
  const isRight = verdict === 'insufficient' ? gate === 'warn' : gate === 'skipped' || gate === 'pass';
  return isRight ? null : `it is ${verdict}, and says ${gate}`;
}

function wrongGate(
  metric: ComparedMetric,
  gate: Gate,
  inconclusive: InconclusivePolicy,
  outcome: ComparisonDocument['outcome'],
): string | null {
  if (metric.name !== gate.metric) return `${metric.name} stands in its place`;
  const bounds = [gate.min, gate.max].map((bound) => (bound === undefined ? null : toDecimal(bound)));
  const isDeclared =
    metric.direction === gate.direction &&
    metric.severity === gate.severity &&
    isDeclaredMargin(metric, gate) &&
    [metric.min, metric.max].every((bound, index) => bound === bounds[index]);
  if (!isDeclared) return 'its bounds are not those of the model file';
  if (metric.gate === 'skipped') {
    // Only where there is no other model to be held against: that of production itself, or none at all.
    const hasBounds = gate.min !== undefined || gate.max !== undefined;
    const isAlone = outcome === 'same-model' ? !measuredScalars.has(gate.metric) : outcome === 'first' && !hasBounds;
    return isAlone ? null : 'it was skipped';
  }
  return wrongVerdict(metric, gate, inconclusive);
}

/** A margin that is a share of production's value follows from it; where that is not known, there is none. */
function isDeclaredMargin(metric: ComparedMetric, gate: Gate): boolean {
  if (gate.relative === undefined) return metric.margin === (gate.margin === undefined ? null : toDecimal(gate.margin));
  if (metric.relative !== toDecimal(gate.relative)) return false;
  if (metric.margin === null || metric.production === null) return metric.margin === null;
  const margin = relativeMargin(gate.relative, metric.production);
  return margin !== null && metric.margin === toDecimal(margin);
}

/** With production beside it, a margin is judged: by an interval, or by two numbers where the model file says so. */
function wrongMargin(metric: ComparedMetric, gate: Gate, unpaired: ReadonlySet<string>): string | null {
  if (metric.verdict !== 'within' || !isComparative(gate)) return null;
  const isSize = gate.metric === 'image_bytes' && metric.production !== null;
  // What could not be measured beside production's image is held against its own bounds, and a size against production's too.
  if (measuredScalars.has(gate.metric) && !isSize) {
    if (metric.interval !== null) return 'it has an interval, and is judged without it';
    return gate.min === undefined && gate.max === undefined ? 'it is within a margin of nothing' : null;
  }
  if (!isSize && !unpaired.has(gate.metric)) return 'it is within a margin without an interval';
  if (metric.production === null || metric.candidate === null || metric.margin === null)
    return 'it is within a margin of nothing';
  return isWithinMargin(gate.direction, metric.candidate, metric.production, metric.margin)
    ? null
    : `${metric.candidate} is farther from ${metric.production} than ${metric.margin}`;
}

function wrongSlice(slice: ComparedSlice, gate: Gate): string | null {
  // An insufficient slice warns, whatever the policy.
  if (slice.verdict === 'insufficient')
    return slice.gate === 'warn' ? null : `it is insufficient, and says ${slice.gate}`;
  // What was lost on a slice has no interval, and with a share of production's value no margin either.
  if (slice.interval !== null && !isDeclaredMargin(slice, gate)) return 'its margin is not that of the model file';
  return wrongVerdict(slice, gate, 'warn');
}

function wrongVerdict(metric: ComparedMetric, gate: Gate, inconclusive: InconclusivePolicy): string | null {
  const { verdict, interval } = metric;
  const isPaired = verdict === 'better' || verdict === 'non-inferior';
  if (isPaired && (interval === null || metric.margin === null)) return `it is ${verdict} without an interval`;
  if (isPaired && pairedVerdict(gate.direction, interval as [string, string], metric.margin as string) !== verdict) {
    return `its interval does not say ${verdict}`;
  }
  if (verdict === 'within' || isPaired) {
    if (metric.candidate === null) return `it is ${verdict} without a value`;
    const value = Number(metric.candidate);
    if (metric.min !== null && value < Number(metric.min)) return `${metric.candidate} is below ${metric.min}`;
    if (metric.max !== null && value > Number(metric.max)) return `${metric.candidate} is above ${metric.max}`;
  }
  const expected = gateVerdict(verdict, gate.severity, inconclusive);
  return metric.gate === expected ? null : `it is ${verdict}, and its gate says ${metric.gate}`;
}
