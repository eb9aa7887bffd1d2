import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DataReport, type Distribution, drawnBins, drawnColumns, formatDocument } from '@passloop/documents';
import { Check, type CheckInput } from '@passloop/model';
import { quantileBinCounts, quantileEdges } from '@passloop/statistics';
import { openTables, type Table, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shapeOfNumbers, shapeOfPair, shapeOfValues } from './distribution.ts';
import { driftBetween, profileTable, validateTable } from './index.ts';

let folder: TemporaryFolder;
let session: TableSession;
let reference: Table;
let current: Table;

beforeAll(async () => {
  folder = await temporaryFolder('distribution-test');
  session = await openTables({ threads: 2 });
  reference = await made(
    'reference',
    `SELECT i AS id, i % 1000 / 10.0 AS amount, ['red', 'green', 'blue'][1 + (i % 10 > 5)::INT + (i % 10 > 8)::INT] AS colour, (i % 4)::INTEGER AS shop,
       CASE WHEN i % 50 = 0 THEN 7.0 ELSE 5.0 END AS flat FROM range(4000) t(i)`,
  );
  current = await made(
    'current',
    `SELECT i AS id, CASE WHEN i % 4 = 0 THEN NULL ELSE i % 1000 / 5.0 END AS amount, CASE WHEN i % 2 = 0 THEN 'black' WHEN i = 1 THEN 'Ann Smith' ELSE 'red' END AS colour,
       (i % 2)::INTEGER AS shop, CASE WHEN i % 3 = 0 THEN 4.5 ELSE 5.0 END AS flat FROM range(4000) t(i)`,
  );
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function made(name: string, query: string): Promise<Table> {
  await writeParquet(session, query, path.join(folder.path, `${name}.parquet`));
  return session.open({ uri: `${name}.parquet`, root: folder.path });
}

type Asked = { shown?: string[]; checks?: CheckInput[]; table?: Table };

async function validated({ shown = [], checks = [{ kind: 'drift' }], table = current }: Asked = {}) {
  const profile = await profileTable({
    session,
    table: reference,
    dataset: { name: 'train', uri: 'reference.parquet', digest: null },
    key: ['id'],
  });
  return validateTable({
    session,
    table,
    dataset: { name: 'test', uri: 'current.parquet', root: folder.path },
    checks: checks.map((check) => Check.parse(check)),
    profile,
    now: new Date('2026-11-26'),
    shown: new Set(shown),
    key: ['id'],
    otherDataset: async () => ({ uri: 'reference.parquet', root: folder.path }),
  });
}

function of(report: DataReport, column: string): Distribution {
  const found = report.distributions?.find((one) => one.column === column);
  if (found === undefined) throw new Error(`no ${column} in ${JSON.stringify(report.distributions)}`);
  return found;
}

describe('the counts of a column that drifted', () => {
  it('are the rows of both sides by the tenths of the reference, without another scan', async () => {
    const report = await validated({ shown: ['test'] });
    expect(report.scans).toBe(1);
    const columns = async (table: Table) =>
      (await session.rows(`SELECT amount FROM ${table.relation} WHERE amount IS NOT NULL`)).map(([value]) =>
        Number(value),
      );
    const [before, after] = [await columns(reference), await columns(current)];
    const edges = quantileEdges(Float64Array.from(before).sort());
    expect(of(report, 'amount')).toEqual({
      column: 'amount',
      against: 'the profile',
      kind: 'tenths',
      isHidden: false,
      edges: ['9.9', '19.9', '29.9', '39.9', '49.9', '59.9', '69.9', '79.9', '89.9'],
      values: [],
      reference: [...quantileBinCounts(before, edges)],
      current: [...quantileBinCounts(after, edges)],
      missing: { reference: 0, current: 1000 },
    });
    expect(Array.from(edges, String)).toEqual(of(report, 'amount').edges);
  });

  it('are the same from the rows of both tables', async () => {
    const report = await driftBetween({
      session,
      reference,
      current,
      method: 'auto',
      key: ['id'],
      showValues: true,
      roles: { label: 'colour', predictions: ['amount'] },
    });
    const { against, ...amount } = of(await validated({ shown: ['test'] }), 'amount');
    expect([against, of(report, 'amount')]).toEqual([
      'the profile',
      { ...amount, role: 'prediction', against: 'reference.parquet' },
    ]);
    // A value of one row is nobody's to read: it is among the others.
    expect(of(report, 'colour')).toMatchObject({
      role: 'label',
      kind: 'values',
      values: ['red', 'green', 'blue', 'black'],
      reference: [2400, 1200, 400, 0, 0],
      current: [1999, 0, 0, 2000, 1],
    });
    expect(formatDocument('data-report', report)).not.toContain('Ann Smith');
    expect(of(report, 'shop')).toMatchObject({
      values: ['0', '1', '2', '3'],
      reference: [1000, 1000, 1000, 1000, 0],
      current: [2000, 2000, 0, 0, 0],
    });
  });

  it('are what lies below, at and above a value that nearly all have', async () => {
    const flat = await made('flat', `SELECT CASE WHEN i % 20 = 0 THEN 4.0 ELSE 5.0 END AS flat FROM range(4000) t(i)`);
    const moved = await made('moved', `SELECT CASE WHEN i % 2 = 0 THEN 5.0 ELSE 6.0 END AS flat FROM range(4000) t(i)`);
    const report = await driftBetween({ session, reference: flat, current: moved, method: 'psi', showValues: true });
    expect(of(report, 'flat')).toMatchObject({
      kind: 'around',
      edges: ['5'],
      reference: [200, 3800, 0],
      current: [0, 2000, 2000],
    });
  });

  it('know the values of a profile, and none that is new', async () => {
    const { values, reference: before, current: after } = of(await validated({ shown: ['test'] }), 'colour');
    expect([values, before, after]).toEqual([
      ['red', 'green', 'blue'],
      [2400, 1200, 400, 0],
      [1999, 0, 0, 2001],
    ]);
  });

  it('come with as Evidently measures, too', async () => {
    const options = { session, reference, current, method: 'auto', key: ['id'], compat: 'evidently' } as const;
    const report = await driftBetween({ ...options, showValues: true });
    expect(of(report, 'amount').current.reduce((sum, rows) => sum + rows, 0)).toBe(3000);
    expect(of(report, 'colour').values).toContain('black');
  });

  it('are given of no column that stayed, and of none that cannot be compared', async () => {
    const other = await session.derive(
      `SELECT * REPLACE (colour::BLOB AS colour, shop::VARCHAR AS shop) FROM ${reference.relation}`,
      'other',
    );
    const report = await validated({ table: other });
    expect(report.verdict).toBe('fail');
    expect(report.distributions).toBeUndefined();
    expect((await validated({ table: reference })).distributions).toBeUndefined();
  });
});

describe('what they name', () => {
  it.each<[string, Asked, boolean]>([
    ['nothing, unless the dataset shows its values', {}, true],
    ['values of the dataset', { shown: ['test'] }, false],
    [
      'nothing of another dataset that does not',
      { shown: ['test'], checks: [{ kind: 'drift', dataset: 'train' }] },
      true,
    ],
    ['nothing of its own then', { shown: ['train'], checks: [{ kind: 'drift', dataset: 'train' }] }, true],
    ['values of both', { shown: ['test', 'train'], checks: [{ kind: 'drift', dataset: 'train' }] }, false],
  ])('%s', async (_, asked, isHidden) => {
    const report = DataReport.parse(await validated(asked));
    expect(report.distributions?.map((one) => one.isHidden)).toEqual(report.distributions?.map(() => isHidden));
    expect(report.distributions?.length).toBeGreaterThan(2);
    const text = JSON.stringify(report.distributions);
    expect(/red|green|9\.9/.test(text)).toBe(!isHidden);
    expect(of(report, 'amount').reference).toHaveLength(10);
  });
});

describe('how much they are', () => {
  it('is bounded in columns, bins and bytes, and what drifted most comes first', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const long = "repeat('x', 300)";
    const wide = (shift: string) =>
      `SELECT ${names.map((name, c) => `CASE WHEN i % 100 < ${c} THEN ${shift} ELSE ${long} || i % 40 END AS ${name}`).join(', ')} FROM range(4000) t(i)`;
    const [before, after] = [await made('before', wide("'a'")), await made('after', wide("'b'"))];
    const report = await driftBetween({
      session,
      reference: before,
      current: after,
      method: 'chi2',
      threshold: 0.02,
      showValues: true,
    });
    const drawn = report.distributions ?? [];
    expect(report.drift.filter(({ verdict }) => verdict === 'fail').length).toBeGreaterThan(drawnColumns);
    expect(drawn.map(({ column }) => column)).toEqual(['c19', 'c18', 'c17', 'c16', 'c15', 'c14', 'c13', 'c12']);
    for (const one of drawn) {
      expect(one.reference).toHaveLength(drawnBins);
      expect(one.reference.reduce((sum, rows) => sum + rows, 0)).toBe(4000);
      expect(one.current.reduce((sum, rows) => sum + rows, 0)).toBe(4000);
    }
    expect(JSON.stringify(DataReport.parse(report).distributions).length).toBeLessThan(20_000);
  });

  it('is a column once against the same, whatever checks measure it', async () => {
    const checks: CheckInput[] = [
      { kind: 'drift' },
      { kind: 'drift', id: 'own', columns: ['colour'], threshold: 0.02 },
      { kind: 'drift', id: 'other', dataset: 'train', columns: ['colour'] },
    ];
    const report = await validated({ checks });
    const told = report.distributions?.filter(({ column }) => column === 'colour').map(({ against }) => against);
    expect(told?.sort()).toEqual(['the profile', 'train']);
  });

  it('is nothing of few numbers, of which each would be read', () => {
    const cells = (rows: number) => ({
      points: Array.from({ length: rows }, (_, i) => i),
      reference: new Array(rows).fill(1),
      current: new Array(rows).fill(1),
    });
    const missing = { reference: 0, current: 0 };
    expect(shapeOfNumbers(cells(99), missing)).toBeNull();
    expect(shapeOfNumbers(cells(100), missing)?.reference).toEqual(new Array(10).fill(10));
  });

  it('is nothing where a profile has no largest value', () => {
    const cells = { points: [1], reference: [0, 500], current: [500, 0] };
    expect(shapeOfNumbers(cells, { reference: 0, current: 0 })).toBeNull();
  });
});

it('puts values in the order of the reference, and whole numbers in their own', () => {
  const none = { reference: 0, current: 0 };
  const counted = [
    { value: '10', reference: 20, current: 0 },
    { value: '9', reference: 30, current: 90 },
    { value: '-1', reference: 50, current: 10 },
  ];
  expect(shapeOfValues(counted, none, none, true).values).toEqual(['-1', '9', '10']);
  expect(shapeOfValues(counted, { reference: 3, current: 4 }, none, false)).toMatchObject({
    values: ['-1', '9', '10'],
    reference: [50, 30, 20, 3],
    current: [10, 90, 0, 4],
  });
  const pair = { values: ['a\n\u202eb', ''], reference: [5, 40], current: [30, 1] };
  expect(shapeOfPair(pair, [1, 2], 'values')).toMatchObject({
    values: ['', 'a b'],
    reference: [40, 5, 0],
    missing: { reference: 1, current: 2 },
  });
});
