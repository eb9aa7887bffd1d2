import type { EvaluationFrame } from './frame.ts';

/** The units of a frame, numbered from 0 in the order in which they first come: which one each row belongs to. */
export type Units = { count: number; of: Uint32Array };

/** What is drawn together in a resample: rows of one unit (a user, a series, a query), or each row alone. */
export function unitsOf({ rows, units }: Pick<EvaluationFrame, 'rows' | 'units'>): Units {
  const of = new Uint32Array(rows);
  if (units === null) {
    for (let row = 0; row < rows; row += 1) of[row] = row;
    return { count: rows, of };
  }
  const numbers = new Map<number, number>();
  for (let row = 0; row < rows; row += 1) {
    const number = numbers.get(units[row]!) ?? numbers.size;
    numbers.set(units[row]!, number);
    of[row] = number;
  }
  return { count: numbers.size, of };
}

/** The rows of each query, in the order of the queries' numbers. */
export function queriesOf(frame: Pick<EvaluationFrame, 'rows' | 'units'>): Uint32Array[] {
  const { count, of } = unitsOf(frame);
  const sizes = new Uint32Array(count);
  for (const unit of of) sizes[unit]! += 1;
  const queries = Array.from(sizes, (size) => new Uint32Array(size));
  sizes.fill(0);
  for (const [row, unit] of of.entries()) queries[unit]![sizes[unit]!++] = row;
  return queries;
}
