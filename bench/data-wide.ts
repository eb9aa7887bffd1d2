/**
 * A wide table: profile, and a not-null check of each column.
 *
 *     node bench/data-wide.ts [columns] [rows]        1,000 columns x 100,000 rows by default; the bound is 60 s
 *
 * Two thirds of the columns are floats, the others integers of few and of many values, and text.
 */
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { profileTable, validateTable } from '@passloop/data';
import { Check } from '@passloop/model';
import { openTables, writeParquet } from '@passloop/tables';

const columns = Number(process.argv[2] ?? 1000);
const rows = Number(process.argv[3] ?? 100_000);

await using folder = await temporaryFolder('bench-wide');
const file = path.join(folder.path, 'wide.parquet');
const names = Array.from({ length: columns }, (_, k) => `c${k}`);
{
  await using maker = await openTables();
  const kinds = [
    (k: number) => `(hash(i, ${k}) % 24)::BIGINT`,
    (k: number) => `(hash(i, ${k}) % 100003)::BIGINT`,
    (k: number) => `'v' || (hash(i, ${k}) % ${k + 2})`,
  ];
  const value = (k: number) =>
    k % 9 < 6 ? `(hash(i, ${k}) % 1000003) / ${k + 1}.0::DOUBLE` : (kinds[k % 3]?.(k) ?? '');
  await writeParquet(
    maker,
    `SELECT ${names.map((name, k) => `${value(k)} AS ${name}`).join(', ')} FROM range(${rows}) t(i)`,
    file,
  );
}

await using session = await openTables();
const table = await step('opened', () => session.open({ uri: file, root: '/' }));
const dataset = { name: 'bench', uri: 'wide.parquet', digest: null };
const profile = await step('profiled', () => profileTable({ session, table, dataset }));
const report = await step('checked', () =>
  validateTable({
    session,
    table,
    dataset: { ...dataset, root: '/' },
    checks: names.map((column) => Check.parse({ kind: 'not-null', column })),
    profile: null,
    now: new Date('2026-11-22T10:10:00Z'),
  }),
);
if (report.verdict !== 'pass' || report.executed !== columns) throw new Error(`the checks say ${report.verdict}`);
console.log(
  `${profile.columns.length} columns x ${table.rows} rows: ${report.scans} passes of the checks, ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`,
);

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${name}: ${((performance.now() - started) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of processors`,
  );
  return result;
}
