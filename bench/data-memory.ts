/**
 * Peak memory of profile + 30 checks, of Parquet and of CSV, each in a process of its own:
 *
 *     node bench/data-memory.ts [rows]        1,000,000 rows x 14 columns by default
 *
 * The bound is 1 GiB for 10 million rows. Prints the peak (VmHWM) after each step, and how often the table was read.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '@passloop/core';
import { profileTable, validateTable } from '@passloop/data';
import { Check } from '@passloop/model';
import { openTables } from '@passloop/tables';
import { benchChecks, writeBenchTable } from './tables/fourteen-columns.ts';

const { values, positionals } = parseArgs({ options: { measure: { type: 'string' } }, allowPositionals: true });

if (values.measure !== undefined) await measure(values.measure);
else {
  const rows = Number(positionals[0] ?? 1_000_000);
  await using folder = await temporaryFolder('bench-memory');
  for (const format of ['parquet', 'csv'] as const) {
    const file = path.join(folder.path, `table.${format}`);
    await writeBenchTable(rows, file, format);
    const { status } = spawnSync(process.execPath, [import.meta.filename, '--measure', file], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${format} was not measured`);
  }
}

async function measure(file: string): Promise<void> {
  const started = performance.now();
  const step = (name: string) =>
    `${name} ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB, ${((performance.now() - started) / 1000).toFixed(1)} s`;
  await using session = await openTables();
  const table = await session.open({ uri: file, root: '/' });
  const said = [step('opened')];
  const dataset = { name: 'bench', uri: path.basename(file), digest: null };
  await profileTable({ session, table, dataset, key: ['id'] });
  said.push(step('profiled'));
  const { verdict, scans } = await validateTable({
    session,
    table,
    dataset: { ...dataset, root: '/' },
    checks: benchChecks.map((check) => Check.parse(check)),
    profile: null,
    now: new Date('2026-11-22T10:10:00Z'),
  });
  if (verdict !== 'pass') throw new Error(`the checks say ${verdict}`);
  said.push(step('checked'));
  console.log(`${path.extname(file)}, ${table.rows} rows: ${said.join('; ')}; ${scans} passes of the checks`);
}
