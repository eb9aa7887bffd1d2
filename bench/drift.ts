/**
 * How often drift is seen where there is none, and where there is some, beside what Evidently's defaults say of the same rows. Tables of 100 normal columns each:
 * undrifted ones, and ones of which every column is shifted; and undrifted tables of 100 columns of ten categories. Measured on exact counts, by the default methods with the default threshold and with smaller ones, and
 * as `compat: evidently` measures; judged together as one check judges its columns.
 *
 *   node bench/drift.ts [tables, 200 by default] [--evidently python]
 *
 * With a Python that has Evidently (pip install evidently), it measures the first table of each length too (bench/peers/calibration.py), and both have to agree.
 */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { evidentlyDrift } from '../packages/data/src/evidently.ts';
import { judgeDrift } from '../packages/data/src/judge.ts';
import { driftThresholds, type Measurement, measureCategorical, measureNumeric } from '../packages/data/src/measure.ts';
import { createRandom } from '../packages/statistics/src/random.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { evidently: { type: 'string' } } });
const tables = Number(positionals[0] ?? 200);
const columns = 100;
const shifts = [0, 0.2, 0.5];
const lengths = [1000, 10_000];
const measures = ['ks', 'psi'] as const;

type Pair = { points: Float64Array; reference: Uint8Array; current: Uint8Array };
type Judgement = { columns: number; isTable: boolean };
type Tally = { any: number; whole: number; columns: number };

/** Sorted normal numbers, by Box and Muller. */
function sample(uniform: () => number, n: number): Float64Array {
  const found = new Float64Array(n);
  for (let i = 0; i < n; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    found[i] = radius * Math.cos(angle);
    found[i + 1] = radius * Math.sin(angle);
  }
  return found.sort();
}

/** Both sides over the values of both: which of them each one has. */
function paired(reference: Float64Array, current: Float64Array): Pair {
  const points = new Float64Array(reference.length + current.length);
  const sides = { reference: new Uint8Array(points.length), current: new Uint8Array(points.length) };
  let rows = 0;
  for (let i = 0, j = 0; i < reference.length || j < current.length; rows += 1) {
    const left = reference[i] ?? Number.POSITIVE_INFINITY;
    const right = current[j] ?? Number.POSITIVE_INFINITY;
    points[rows] = Math.min(left, right);
    if (left <= right) {
      sides.reference[rows] = 1;
      i += 1;
    }
    if (right <= left) {
      sides.current[rows] = 1;
      j += 1;
    }
  }
  return {
    points: points.subarray(0, rows),
    reference: sides.reference.subarray(0, rows),
    current: sides.current.subarray(0, rows),
  };
}

/** Counts of ten equally likely categories. */
function drawn(integer: (bound: number) => number, n: number): number[] {
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < n; i += 1) (counts[integer(10)] as number) += 1;
  return counts;
}

function flagged(
  measured: readonly Measurement[][],
  threshold: number | null,
  of: readonly string[] = measures,
): Judgement {
  const candidates = measured.flatMap((column, index) =>
    column.map((measurement, at) => ({
      kind: 'measured' as const,
      column: `c${index}`,
      measurement,
      threshold: threshold ?? driftThresholds[of[at] as keyof typeof driftThresholds],
      note: null,
    })),
  );
  const failed = judgeDrift(candidates, 1000).filter(({ verdict }) => verdict === 'fail');
  const { size } = new Set(failed.map(({ column }) => column));
  return { columns: size, isTable: size > 0 };
}

/** By Evidently's defaults: from half of the columns on, the dataset has drifted. */
function evidently(pairs: readonly Pair[]): Judgement & { scores: number[] } {
  const found = pairs.map(({ points, reference, current }) => {
    const type = 'numerical' as const;
    const drift = evidentlyDrift({ type, points, isInteger: false, reference, current }, 'auto');
    if (typeof drift === 'string') throw new Error(drift);
    return drift;
  });
  const drifted = found.filter(({ isDrifted }) => isDrifted).length;
  return { columns: drifted, isTable: drifted >= columns / 2, scores: found.map(({ score }) => score) };
}

/** Evidently itself on one table: how far its scores are from ours, and how many columns it finds drifted. */
async function peer(python: string, reference: Float64Array[], current: Float64Array[]) {
  const folder = path.join(os.tmpdir(), `passloop-drift-${process.pid}`);
  const [left, right] = [`${folder}-reference`, `${folder}-current`];
  await writeFile(left, Buffer.concat(reference.map(({ buffer }) => Buffer.from(buffer))));
  await writeFile(right, Buffer.concat(current.map(({ buffer }) => Buffer.from(buffer))));
  const script = path.join(import.meta.dirname, 'peers/calibration.py');
  const { stdout } = await promisify(execFile)(python, ['-W', 'ignore', script, left, right, String(columns)]);
  await rm(left);
  await rm(right);
  return JSON.parse(stdout) as { drifted: number; scores: number[]; seconds: number };
}

const configurations = [null, 0.05, 0.02, 'evidently'] as const;
const names = ['default', 'threshold 0.05', 'threshold 0.02', 'evidently'];

console.log(
  `${tables} tables of ${columns} columns a length; ks and psi, Benjamini-Hochberg over all columns of a table`,
);
console.log('  rows a side  configuration     shift  any column flagged  table drifted  columns flagged');
for (const n of lengths) {
  const started = performance.now();
  const tallies = configurations.map(() => shifts.map((): Tally => ({ any: 0, whole: 0, columns: 0 })));
  const agreement: string[] = [];
  for (let table = 0; table < tables; table += 1) {
    const { uniform } = createRandom(1000 * n + table);
    const made = Array.from({ length: columns }, () => [sample(uniform, n), sample(uniform, n)] as const);
    for (const [at, shift] of shifts.entries()) {
      const current = made.map(([, values]) => values.map((value) => value + shift));
      const pairs = made.map(([reference], column) => paired(reference, current[column] as Float64Array));
      const range = { minimum: 0, maximum: 0 };
      const measured = pairs.map((pair) =>
        measures.map((measure) => measureNumeric(measure, { ...pair, cells: 'exact', range, sd: 0 })),
      );
      const theirs = evidently(pairs);
      for (const [index, configuration] of configurations.entries()) {
        const judged = configuration === 'evidently' ? theirs : flagged(measured, configuration);
        const tally = tallies[index]?.[at] as Tally;
        tally.any += judged.columns > 0 ? 1 : 0;
        tally.whole += judged.isTable ? 1 : 0;
        tally.columns += judged.columns;
      }
      if (values.evidently === undefined || table > 0) continue;
      const real = await peer(
        values.evidently,
        made.map(([reference]) => reference),
        current,
      );
      const off = Math.max(...real.scores.map((score, column) => Math.abs(score - (theirs.scores[column] as number))));
      agreement.push(
        `  Evidently itself, ${n} rows, ${shift} sd: ${real.drifted} of ${columns} columns drifted, ${theirs.columns} here; scores at most ${off.toExponential(1)} apart (${real.seconds.toFixed(1)} s)`,
      );
      if (off > 1e-12 || real.drifted !== theirs.columns) process.exitCode = 1;
    }
  }
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  for (const [index, name] of names.entries())
    for (const [at, shift] of shifts.entries()) {
      const { any, whole, columns: count } = tallies[index]?.[at] as Tally;
      const row = [
        n,
        name,
        `${shift} sd`,
        percent(any, tables),
        percent(whole, tables),
        percent(count, tables * columns),
      ];
      console.log(
        `  ${row.map((cell, place) => String(cell).padStart([11, 14, 9, 19, 14, 16][place] ?? 9)).join(' ')}`,
      );
    }
  for (const line of agreement) console.log(line);
  console.log(`  (${n} rows a side: ${((performance.now() - started) / 1000).toFixed(0)} s)`);
}

console.log('undrifted tables of 100 columns of ten categories, by chi2 and by Evidently');
for (const n of lengths) {
  const any = [0, 0];
  const flags = [0, 0];
  for (let table = 0; table < tables; table += 1) {
    const { integer } = createRandom(7_000_000 * n + table);
    const pairs = Array.from({ length: columns }, () => ({ reference: drawn(integer, n), current: drawn(integer, n) }));
    const ours = flagged(
      pairs.map((pair) => [measureCategorical('chi2', pair)]),
      null,
      ['chi2'],
    ).columns;
    const theirs = pairs.filter((pair) => {
      const drift = evidentlyDrift({ type: 'categorical', points: null, isInteger: false, ...pair }, 'auto');
      return typeof drift !== 'string' && drift.isDrifted;
    }).length;
    for (const [side, count] of [ours, theirs].entries()) {
      any[side] = (any[side] ?? 0) + (count > 0 ? 1 : 0);
      flags[side] = (flags[side] ?? 0) + count;
    }
  }
  for (const [side, name] of ['default', 'evidently'].entries()) {
    const tablesFlagged = ((100 * (any[side] ?? 0)) / tables).toFixed(1);
    const columnsFlagged = ((100 * (flags[side] ?? 0)) / (tables * columns)).toFixed(1);
    console.log(`  ${n} rows, ${name}: ${tablesFlagged} % of tables flag a column, ${columnsFlagged} % of columns`);
  }
}
