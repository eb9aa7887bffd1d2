import { bucketing } from './buckets.ts';
import type { EvaluationFrame } from './frame.ts';
import { unitsOf } from './units.ts';

/** Fewer users, series or queries than these tell too little of others: a bootstrap of ten covers 86 % instead of 95. */
export const fewestUnits = 30;
/** What is drawn as a whole, without saying which row is in it. */
export type CellPlan = {
  /** Each row or unit is drawn by itself. */
  isAlone: boolean;
  count: number;
  method: string;
  problem: string | null;
};

export type MostCells = { alone: number; buckets: number };

/** Whether so many rows, units or queries are drawn one by one or in buckets. */
export function cellPlan(count: number, what: 'rows' | 'units' | 'queries', most: MostCells): CellPlan {
  const few = what === 'units' && count < fewestUnits;
  const problem = few ? `${count} units; ${fewestUnits} are needed` : null;
  if (count <= most.alone) return { isAlone: true, count, method: what, problem };
  const method = `${most.buckets} buckets${what === 'rows' ? '' : ` of ${what}`}`;
  return { isAlone: false, count: most.buckets, method, problem };
}

export type Cells = CellPlan & { of: Uint32Array };

/** @param most how many are drawn by themselves, and in how many buckets more of them */
export function cellsOf(
  frame: Pick<EvaluationFrame, 'rows' | 'units' | 'numbers'>,
  seed: number,
  most: MostCells,
  what: 'rows' | 'units' | 'queries' = frame.units === null ? 'rows' : 'units',
): Cells {
  const units = unitsOf(frame);
  const plan = cellPlan(units.count, what, most);
  if (plan.isAlone) return { ...plan, of: units.of };
  const numbers = frame.units ?? frame.numbers ?? units.of;
  const bucketOf = bucketing(seed, plan.count);
  const of = new Uint32Array(numbers.length);
  for (let row = 0; row < of.length; row += 1) of[row] = bucketOf(numbers[row]!);
  return { ...plan, of };
}
