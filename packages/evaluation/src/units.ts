import type { EvaluationFrame } from './frame.ts';

/** The units of a frame, numbered from 0 in the order in which they first come: which one each row belongs to. */
export type Units = { count: number; of: Uint32Array };

/** What is drawn together in a resample: rows of one unit (a user, a series, a query), or each row alone. */
export function unitsOf({ rows, units }: Pick<EvaluationFrame, 'rows' | 'units'>): Units {
  if (units === null) return { count: rows, of: Uint32Array.from({ length: rows }, (_, row) => row) };
  const numbers = new Map<number, number>();
  const of = Uint32Array.from(units, (code) => {
    const known = numbers.get(code);
    if (known !== undefined) return known;
    numbers.set(code, numbers.size);
    return numbers.size - 1;
  });
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
