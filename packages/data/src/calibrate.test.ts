import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DataReport } from '@passloop/documents';
import { openTables, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { falseAlarms } from './calibrate.ts';
import { type CalibrationOptions, calibrateDrift } from './index.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('calibrate');
  await using session = await openTables();
  const rows =
    "SELECT i AS id, sin(i * 12.9898) * 43758.5453 % 1 AS x, i % 7 AS code, 'k' || (i % 3) AS hub FROM range(6000) t(i)";
  await writeParquet(session, `${rows} ORDER BY id`, path.join(folder.path, 'one.parquet'));
  await writeParquet(session, `${rows} ORDER BY hash(id)`, path.join(folder.path, 'shuffled.parquet'));
  await writeParquet(session, `${rows} LIMIT 1200`, path.join(folder.path, 'small.parquet'));
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

it("counts each column that Evidently's defaults call drifted, though its share of columns is small", async () => {
  const report = await calibrate('small.parquet', { compat: 'evidently', splits: 20 });
  expect(report).toMatchObject({ verdict: 'warn', executed: 3 });
  expect(report.checks[0]).toMatchObject({
    expected: "at most 6 % of halves called drifted by Evidently's own (auto)",
    observed: expect.stringMatching(/^([2-9]|1[0-9]|20) of 20 splits/),
  });
});

it.each([
  [6, 'pass'],
  [7, 'warn'],
])('takes %d alarms in 100 splits as %s, and names the columns', async (alarmed, verdict) => {
  await using session = await openTables();
  const reference = await session.open({ uri: 'few.csv', root: folder.path });
  const asked = { session, reference, method: 'ks', splits: 100, seed: 7 } as const;
  const report = falseAlarms(asked, {
    alarms: new Map([
      ['x', alarmed],
      ['code', 1],
    ]),
    alarmed,
    judged: 3,
  });
  expect(DataReport.parse(report)).toMatchObject({ verdict, executed: 3 });
  expect(report.checks.map(({ id, verdict, observed }) => [id, verdict, observed])).toEqual([
    ['false-alarms', verdict, `${alarmed} of 100 splits (${alarmed} %), seed 7`],
    ['false-alarms:code', 'warn', '1 of 100 splits (1 %), seed 7'],
    ['false-alarms:x', 'warn', `${alarmed} of 100 splits (${alarmed} %), seed 7`],
  ]);
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
