/**
 * Whether time grows with rows: profile, 30 checks and drift against the profile, of 1 million rows, of ten times as many, and so on.
 *
 *     node bench/data-scale.ts [most rows]        10,000,000 by default; 100,000,000 take 7 GB of disk
 *
 * Prints the seconds and what they come to for a million rows, on the clock and of all processors.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { driftAgainstProfile, profileTable, validateTable } from '@passloop/data';
import { Check } from '@passloop/model';
import { openTables } from '@passloop/tables';
import { benchChecks, writeBenchTable } from './tables/fourteen-columns.ts';

const most = Number(process.argv[2] ?? 10_000_000);
const checks = benchChecks.map((check) => Check.parse(check));
await using folder = await temporaryFolder('bench-scale');

for (let rows = 1_000_000; rows <= most; rows *= 10) {
  const file = path.join(folder.path, 'table.parquet');
  await writeBenchTable(rows, file, 'parquet');
  {
    await using session = await openTables({ temporaryFolder: folder.path });
    const table = await session.open({ uri: file, root: '/' });
    const dataset = { name: 'bench', uri: 'table.parquet', digest: null };
    const profile = await step(rows, 'profile', () => profileTable({ session, table, dataset, key: ['id'] }));
    await step(rows, '30 checks', async () => {
      const now = new Date('2026-11-22T10:10:00Z');
      const report = await validateTable({ session, table, dataset: { ...dataset, root: '/' }, checks, profile, now });
      if (report.verdict !== 'pass') throw new Error(`the checks say ${report.verdict}`);
    });
    await step(rows, 'drift', () => driftAgainstProfile(session, table, profile));
  }
  await rm(file);
}
console.log(`at most ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);

async function step<T>(rows: number, name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const clock = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const processors = (user + system) / 1e6;
  const each = (seconds: number) => `${seconds.toFixed(2)} s, ${((seconds * 1e6) / rows).toFixed(3)} s a million`;
  console.log(`${rows} rows, ${name}: clock ${each(clock)}; processors ${each(processors)}`);
  return result;
}
