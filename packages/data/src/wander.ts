import { toDecimal } from '@passloop/core';
import { total } from './cells.ts';
import { type DriftMeasure, type Measurement, measureCategorical, measureMissing, measureNumeric } from './measure.ts';
import type { ProfileColumn, Wander } from './profile.ts';

/** Cells of one column, an array per block of time. */
export type ColumnBlocks = {
  numbers: number[][] | null;
  values: number[][] | null;
  rows: number[];
  missing: number[];
};

/**
 * How far this column moves by itself: for every method the largest shift, beyond what chance explains, of one block of
 * the reference's time against all of its other blocks. Weather, prices and habits change from week to week; what a
 * column did within the reference is no news when it does it again, so a drift check allows as much.
 */
export function measureWander(profile: ProfileColumn, blocks: ColumnBlocks): Wander | null {
  if (profile.kind !== 'numeric' && profile.kind !== 'categorical') return null;
  const largest = new Map<DriftMeasure, number>();
  const note = (name: DriftMeasure, measured: Measurement) =>
    largest.set(name, Math.max(largest.get(name) ?? 0, measured.lowerBound));
  for (let block = 0; block < blocks.rows.length; block++) {
    if (blocks.numbers !== null && profile.quantiles !== null) {
      const pair = split(blocks.numbers, block);
      if (pair !== null) {
        const range = { minimum: Number(profile.minimum), maximum: Number(profile.maximum) };
        const numeric = {
          ...pair,
          cells: 'percentile-ref' as const,
          points: profile.quantiles.edges,
          range,
          sd: Number(profile.sd ?? 0),
        };
        for (const name of ['ks', 'psi', 'js', 'wasserstein', 'chi2'] as const)
          note(name, measureNumeric(name, numeric));
      }
    }
    if (blocks.values !== null) {
      const pair = split(blocks.values, block);
      if (pair !== null) for (const name of ['psi', 'js', 'chi2'] as const) note(name, measureCategorical(name, pair));
    }
    const rows = blocks.rows[block] as number;
    const missing = blocks.missing[block] as number;
    const rest = { rows: total(blocks.rows) - rows, missing: total(blocks.missing) - missing };
    note('missing', measureMissing(rest, { rows, missing }));
  }
  return Object.fromEntries(
    [...largest]
      .filter(([, value]) => Number.isFinite(value))
      .map(([name, value]) => [name, toDecimal(Number(value.toPrecision(6)))]),
  );
}

function split(blocks: readonly (readonly number[])[], at: number): { reference: number[]; current: number[] } | null {
  const current = [...(blocks[at] as readonly number[])];
  const reference = current.map((_, cell) =>
    blocks.reduce((sum, block, i) => sum + (i === at ? 0 : (block[cell] as number)), 0),
  );
  return total(current) === 0 || total(reference) === 0 ? null : { reference, current };
}
