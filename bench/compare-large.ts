/**
 * The paired comparison of two models on 20,000,000 rows that stay in the engine: accuracy, F1 and the area under the ROC
 * curve with intervals, on all rows and on five slices; from three Parquet files to the document.
 *
 *     node bench/compare-large.ts [rows]     # some 5 GB of room in $TMPDIR
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { compareFiles, defaultResampling } from '@passloop/evaluation';
import { openTables, writeParquet } from '@passloop/tables';

const rows = Number(process.argv[2] ?? 20_000_000);
const making = process.argv[3];
const slices = ['region', 'channel', 'plan', 'device', 'weekend'];

if (making === undefined) await compare();
else await make(making);

/** In a process of its own: what it takes is not the comparison's. */
async function make(folder: string): Promise<void> {
  await using session = await openTables({ memoryLimit: '700MB' });
  const random = (salt: string) => `(hash(i || '${salt}') >> 11)::DOUBLE / 9007199254740992`;
  const label = `(${random('y')} < 0.3)`;
  const codes = slices.map((name, i) => `(hash(i || '${name}') % ${i + 2})::UTINYINT AS ${name}`).join(', ');
  const side = (noise: string, skill: number) =>
    `SELECT id, s, (s > 0.5)::UTINYINT AS p FROM (SELECT i::INTEGER AS id, ${skill} * ${label}::INTEGER + 0.5 * ${random('n')} + ${0.5 - skill} * ${random(noise)} AS s FROM range(${rows}) t(i))`;
  const write = (query: string, name: string) => writeParquet(session, query, path.join(folder, `${name}.parquet`));
  await write(`SELECT i::INTEGER AS id, ${label}::UTINYINT AS y, ${codes} FROM range(${rows}) t(i)`, 'dataset');
  await write(side('a', 0.2), 'production');
  await write(side('b', 0.21), 'candidate');
}

async function compare(): Promise<void> {
  await using folder = await temporaryFolder('bench-compare-large');
  const made = spawnSync(process.execPath, [import.meta.filename, String(rows), folder.path], { stdio: 'inherit' });
  if (made.status !== 0) process.exit(1);
  const [start, before] = [performance.now(), process.cpuUsage()];
  await using session = await openTables({ memoryLimit: '400MB' });
  const source = (name: string) => ({ uri: `${name}.parquet`, root: folder.path });
  const document = await compareFiles({
    session,
    task: 'binary',
    columns: { key: ['id'], label: 'y', score: 's', prediction: 'p', positive: 1 },
    production: [source('production')],
    candidate: [source('candidate')],
    dataset: source('dataset'),
    gates: ['accuracy', 'f1', 'roc_auc'].map((metric) => ({
      metric,
      direction: 'higher' as const,
      margin: 0.005,
      slices,
      minRows: 100,
      severity: 'error' as const,
    })),
    resampling: defaultResampling,
    inconclusive: 'block',
    mostValues: 0,
  });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const peak = process.resourceUsage().maxRSS / 1024;
  for (const { name, delta, interval, method } of document.metrics) {
    console.log(`${name}: ${delta} (${interval?.join(' … ')}), ${method}`);
  }
  console.log(
    `${rows} rows, ${document.slices.length} slice values: ${seconds.toFixed(0)} s on the clock, ${((user + system) / 1e6).toFixed(0)} s of processors, ${peak.toFixed(0)} MiB at most; load ${os.loadavg()[0]!.toFixed(1)} on ${os.availableParallelism()} processors`,
  );
}
