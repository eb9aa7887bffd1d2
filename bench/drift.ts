/**
 * How often drift is seen where there is none, and where there is some. Tables of 100 normal columns each: undrifted ones, and ones of which every column is shifted
 * by 0.2 standard deviations. Measured with the default methods, and with a smaller threshold, on exact counts; judged together as one check judges its columns.
 *
 *   node bench/drift.ts [tables, 200 by default]
 */
import { judgeDrift } from '../packages/data/src/judge.ts';
import { driftThresholds, measureNumeric } from '../packages/data/src/measure.ts';

const tables = Number(process.argv[2] ?? 200);
const columns = 100;

/** xorshift128+, and Box and Muller's normal numbers from it. */
function normals(seed: number): () => number {
  let [a, b] = [BigInt(seed) * 0x9e3779b97f4a7c15n + 1n, BigInt(seed) * 0xbf58476d1ce4e5b9n + 7n].map((n) =>
    BigInt.asUintN(64, n),
  ) as [bigint, bigint];
  const uniform = () => {
    let x = a;
    a = b;
    x = BigInt.asUintN(64, x ^ (x << 23n));
    b = x ^ b ^ (x >> 18n) ^ (b >> 5n);
    return Number(BigInt.asUintN(53, (a + b) >> 11n)) / 2 ** 53;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function sample(next: () => number, n: number, shift: number): Float64Array {
  return Float64Array.from({ length: n }, () => next() + shift).sort();
}

/** Counts of both sides over the values of both. */
function paired(reference: Float64Array, current: Float64Array) {
  const points = Float64Array.from([...reference, ...current]).sort();
  const counts = (values: Float64Array) => {
    const found = new Uint8Array(points.length);
    let at = 0;
    for (const value of values) {
      while (points[at] !== value) at += 1;
      found[at] = 1;
      at += 1;
    }
    return found;
  };
  return { points, reference: counts(reference), current: counts(current) };
}

function flagged(seed: number, n: number, shift: number, threshold: number | null): number {
  const next = normals(seed);
  const candidates = Array.from({ length: columns }, (_, column) => {
    const pair = paired(sample(next, n, 0), sample(next, n, shift));
    return (['ks', 'psi'] as const).map((measure) => ({
      kind: 'measured' as const,
      column: `c${column}`,
      measurement: measureNumeric(measure, { ...pair, cells: 'exact', range: { minimum: 0, maximum: 0 }, sd: 0 }),
      threshold: threshold ?? driftThresholds[measure],
      note: null,
    }));
  }).flat();
  const failed = judgeDrift(candidates, 1000).filter(({ verdict }) => verdict === 'fail');
  return new Set(failed.map(({ column }) => column)).size;
}

console.log(`${tables} tables of ${columns} columns a row; ks and psi, Benjamini-Hochberg over all`);
console.log('  rows a side  threshold      shift  tables that flag anything  columns flagged');
for (const n of [1000, 10_000]) {
  for (const threshold of [null, 0.02]) {
    for (const shift of [0, 0.2, 0.5]) {
      const count = n === 1000 ? tables : Math.max(1, Math.round(tables / 10));
      const counts = Array.from({ length: count }, (_, table) => flagged(1000 * n + table, n, shift, threshold));
      const any = counts.filter((number) => number > 0).length / count;
      const share = counts.reduce((sum, number) => sum + number, 0) / (count * columns);
      const row = [
        String(n),
        threshold === null ? 'default' : String(threshold),
        `${shift} sd`,
        `${(100 * any).toFixed(1)} %`,
        `${(100 * share).toFixed(1)} %`,
      ];
      console.log(`  ${row.map((cell, index) => cell.padStart([11, 9, 9, 25, 15][index] ?? 9)).join('  ')}`);
    }
  }
}
