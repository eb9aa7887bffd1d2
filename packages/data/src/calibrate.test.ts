import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DataReport } from '@passloop/documents';
import { openTables, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CalibrationOptions, calibrateDrift } from './index.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('calibrate');
  await using session = await openTables();
  const rows =
    "SELECT i AS id, sin(i * 12.9898) * 43758.5453 % 1 AS x, i % 7 AS code, 'k' || (i % 3) AS hub FROM range(6000) t(i)";
  await writeParquet(session, `${rows} ORDER BY id`, path.join(folder.path, 'one.parquet'));
  await writeParquet(session, `${rows} ORDER BY hash(id)`, path.join(folder.path, 'shuffled.parquet'));
  await writeFile(path.join(folder.path, 'few.csv'), 'a\n1\n2\n3\n');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function calibrate(uri: string, options: Partial<CalibrationOptions> = {}, threads = 2): Promise<DataReport> {
  await using session = await openTables({ threads });
  const reference = await session.open({ uri, root: folder.path, name: 'one' });
  const asked = { method: 'auto', key: ['id'], splits: 12, ...options } as const;
  return DataReport.parse(await calibrateDrift({ session, reference, ...asked }));
}

it('finds that the default configuration keeps quiet where nothing drifts', async () => {
  const report = await calibrate('one.parquet');
  expect(report).toMatchObject({ verdict: 'pass', executed: 3 });
  expect(report.checks).toMatchObject([{ id: 'false-alarms', observed: '0 of 12 splits (0 %), seed 1' }]);
});

it('warns of one that cries wolf, and names the columns', async () => {
  // No effect is too small: what chance leaves at 95 % is flagged again and again.
  const report = await calibrate('one.parquet', { method: 'ks', threshold: 0, splits: 60, minRows: 10, seed: 3 });
  const [whole, ...columns] = report.checks;
  expect(whole?.expected).toBe('at most 6 % of halves called drifted by ks');
  expect(columns.every(({ id, verdict }) => id.startsWith('false-alarms:') && verdict === 'warn')).toBe(true);
  const counted = Number(/^\d+/.exec(whole?.observed ?? '')?.[0]);
  expect(whole?.verdict).toBe(counted > 60 * 0.06 ? 'warn' : 'pass');
  expect(report.verdict).toBe(whole?.verdict);
});

it('splits alike whatever the order of rows and the threads, and otherwise with another seed', async () => {
  const options = { method: 'ks', threshold: 0, minRows: 10 } as const;
  const text = async (uri: string, seed: number, threads: number) =>
    JSON.stringify({ ...(await calibrate(uri, { ...options, seed }, threads)), dataset: null });
  const first = await text('one.parquet', 1, 1);
  expect(await text('shuffled.parquet', 1, 3)).toBe(first);
  expect(await text('one.parquet', 2, 2)).not.toBe(first);
});

it('says that nothing was measured where the halves are too small', async () => {
  expect(await calibrate('few.csv', { key: [] })).toMatchObject({
    verdict: 'fail',
    executed: 0,
    checks: [{ reason: expect.stringMatching(/^not executed: no column could be judged/) }],
  });
});
