/**
 * A wide table: profile, a not-null check of each column, and drift of each column against the profile.
 *
 *     node bench/data-wide.ts [columns] [rows]        1,000 columns x 100,000 rows by default
 *
 * The bounds are 60 s for the profile and 1 GiB for all, in a process that did not make the table. Two thirds of the
 * columns are floats, the others integers of few and of many values, and text.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { driftAgainstProfile, profileTable, validateTable } from '@passloop/data';
import { Check } from '@passloop/model';
import { openTables, writeParquet } from '@passloop/tables';

const { values, positionals } = parseArgs({ options: { measure: { type: 'string' } }, allowPositionals: true });

if (values.measure !== undefined) await measure(values.measure);
else {
  await using folder = await temporaryFolder('bench-wide');
  const file = path.join(folder.path, 'wide.parquet');
  await writeWideTable(Number(positionals[0] ?? 1000), Number(positionals[1] ?? 100_000), file);
  const { status } = spawnSync(process.execPath, [import.meta.filename, '--measure', file], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the table was not measured');
}

async function writeWideTable(columns: number, rows: number, file: string): Promise<void> {
  // A row group of all columns at once: with less memory it would be spilled again and again.
  await using maker = await openTables({ memoryLimit: '4GB' });
  const kinds = [
    (k: number) => `(hash(i, ${k}) % 24)::BIGINT`,
    (k: number) => `(hash(i, ${k}) % 100003)::BIGINT`,
    (k: number) => `'v' || (hash(i, ${k}) % ${k + 2})`,
  ];
  const value = (k: number) =>
    k % 9 < 6 ? `(hash(i, ${k}) % 1000003) / ${k + 1}.0::DOUBLE` : (kinds[k % 3]?.(k) ?? '');
  const list = Array.from({ length: columns }, (_, k) => `${value(k)} AS c${k}`);
  await writeParquet(maker, `SELECT ${list.join(', ')} FROM range(${rows}) t(i)`, file);
}

async function measure(file: string): Promise<void> {
  await using session = await openTables();
  const table = await step('opened', () => session.open({ uri: file, root: '/' }));
  const dataset = { name: 'bench', uri: 'wide.parquet', digest: null };
  const profile = await step('profiled', () => profileTable({ session, table, dataset }));
  const report = await step('checked', () =>
    validateTable({
      session,
      table,
      dataset: { ...dataset, root: '/' },
      checks: table.columns.map((column) => Check.parse({ kind: 'not-null', column: column.name })),
      profile: null,
      now: new Date('2026-11-22T10:10:00Z'),
    }),
  );
  if (report.verdict !== 'pass' || report.executed !== table.columns.length) {
    throw new Error(`the checks say ${report.verdict}`);
  }
  const drift = await step('drift', () => driftAgainstProfile(session, table, profile));
  if (drift.some((result) => result.verdict === 'fail')) throw new Error('a table drifted from its own profile');
  console.log(`${table.columns.length} columns x ${table.rows} rows: ${report.scans} passes of the checks`);
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const processors = ((user + system) / 1e6).toFixed(1);
  const memory = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  console.log(`${name}: ${seconds} s, ${processors} s of processors, ${memory} MiB at most so far`);
  return result;
}
