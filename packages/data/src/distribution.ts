import { plainText, toDecimal } from '@passloop/core';
import { type Distribution, type DriftResult, drawnBins, drawnColumns } from '@passloop/documents';
import { total } from './cells.ts';
import { type CountedCells, decileCells } from './deciles.ts';
import { isMeasured } from './drift-summary.ts';

/** Both sides of a column by bins, from counts that a measurement has made already. */
export type Shape = Pick<Distribution, 'kind' | 'edges' | 'values' | 'reference' | 'current' | 'missing'>;

type Missing = Distribution['missing'];

/** As many rows of the reference make tenths of ten rows. */
const fewestRows = 100;
/** A value of fewer rows, both sides together, is one of the others: no row can be read off a picture. */
const fewestOfValue = 10;
const longestValue = 60;

/** A column of numbers by the reference's deciles; null for a reference of fewer than 100 numbers. */
export function shapeOfNumbers(cells: CountedCells, missing: Missing): Shape | null {
  if (total(cells.reference) < fewestRows) return null;
  const { kind, edges, reference, current } = decileCells(cells);
  // A profile that nobody made by counting may have no largest value.
  if (!edges.every(Number.isFinite)) return null;
  return { kind, edges: edges.map(toDecimal), values: [], reference, current, missing };
}

/** A value and its rows of both sides. */
export type CountedValue = { value: string; reference: number; current: number };

/**
 * A column by its most frequent values, of either side, and all others together. The reference's most frequent one comes first, and numbers in their
 * own order.
 * @param other rows of values that nobody listed
 */
export function shapeOfValues(
  counted: readonly CountedValue[],
  other: { reference: number; current: number },
  missing: Missing,
  areNumbers: boolean,
): Shape {
  const rows = { reference: other.reference, current: other.current };
  for (const one of counted) {
    rows.reference += one.reference;
    rows.current += one.current;
  }
  const share = ({ reference, current }: CountedValue) =>
    Math.max(rows.reference === 0 ? 0 : reference / rows.reference, rows.current === 0 ? 0 : current / rows.current);
  const shown = counted
    .filter(({ reference, current }) => reference + current >= fewestOfValue)
    // Equal ones stay in the order of the engine, which is that of their bytes.
    .sort((left, right) => share(right) - share(left))
    .slice(0, drawnBins - 1)
    .sort((left, right) =>
      areNumbers
        ? Number(left.value) - Number(right.value)
        : right.reference - left.reference || right.current - left.current,
    );
  const left = (side: 'reference' | 'current') => rows[side] - total(shown.map((one) => one[side]));
  return {
    kind: 'values',
    edges: [],
    values: shown.map(({ value }) => plainText(value, longestValue)),
    reference: [...shown.map(({ reference }) => reference), left('reference')],
    current: [...shown.map(({ current }) => current), left('current')],
    missing,
  };
}

/** Counts of both sides over the distinct values of both: numbers, or texts. */
type CountedPair = {
  reference: ArrayLike<number>;
  current: ArrayLike<number>;
} & ({ points: ArrayLike<number> } | { values: readonly string[] });

/** Both sides of a column, counted by value; `values` where numbers are few and stand for themselves, too. */
export function shapeOfPair(
  pair: CountedPair,
  [reference, current]: readonly [number, number],
  by: 'numbers' | 'values',
): Shape | null {
  const missing = { reference, current };
  if (by === 'numbers') return 'points' in pair ? shapeOfNumbers(pair, missing) : null;
  const areNumbers = 'points' in pair;
  const names = areNumbers ? Array.from(pair.points, String) : pair.values;
  const counted = names.map(
    (value, i): CountedValue => ({ value, reference: pair.reference[i] ?? 0, current: pair.current[i] ?? 0 }),
  );
  return shapeOfValues(counted, { reference: 0, current: 0 }, missing, areNumbers);
}

/** The columns that drifted, with their shapes, what drifted most first. Edges and values only where they may be shown. */
export function distributionsOf(
  results: readonly DriftResult[],
  shapes: ReadonlyMap<string, Shape>,
  { against, isShown }: { against: string; isShown: boolean },
): SizedDistribution[] {
  const sizes = new Map<string, number>();
  for (const result of results) {
    if (!isMeasured(result) || (result.verdict !== 'fail' && result.verdict !== 'warn')) continue;
    sizes.set(result.column, Math.max(sizes.get(result.column) ?? 0, sizeOf(result)));
  }
  return [...sizes].flatMap(([column, size]) => {
    const shape = shapes.get(column);
    if (shape === undefined) return [];
    const { role } = results.find((one) => one.column === column) ?? {};
    const { kind, edges, values, reference, current, missing } = shape;
    const named = isShown ? { isHidden: false, edges, values } : { isHidden: true, edges: [], values: [] };
    const told = role === undefined ? { column } : { column, role };
    return [
      { size, distribution: { ...told, against: against.slice(0, 256), kind, ...named, reference, current, missing } },
    ];
  });
}

export type SizedDistribution = { size: number; distribution: Distribution };

/** How often the threshold goes into what was measured; of a p-value, the other way round. */
function sizeOf({ effect, statistic, pValue, threshold }: DriftResult): number {
  const size = Number(effect ?? statistic);
  const isTest = effect === undefined && statistic !== null && statistic === pValue;
  const ratio = isTest ? Number(threshold) / size : size / Number(threshold);
  return Number.isNaN(ratio) ? 0 : ratio;
}

/** A report's own: the largest of all its drift checks, each column once against the same; nothing where none drifted. */
export function drawnDistributions(found: readonly SizedDistribution[]): { distributions?: Distribution[] } {
  const seen = new Set<string>();
  const largest = [...found]
    .sort((left, right) => (left.size === right.size ? 0 : right.size - left.size))
    .filter(({ distribution: { column, against } }) => {
      const key = JSON.stringify([column, against]);
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, drawnColumns)
    .map(({ distribution }) => distribution);
  return largest.length === 0 ? {} : { distributions: largest };
}
