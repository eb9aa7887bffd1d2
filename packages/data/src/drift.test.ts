import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { DriftResult } from '@passloop/documents';
import { Check } from '@passloop/model';
import { openTables, type Table, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftAgainstProfile, driftBetween, type Profile, profileTable, validateTable } from './index.ts';

const flights = path.resolve(import.meta.dirname, '../../../examples/flight-delay/data');

let folder: TemporaryFolder;
let session: TableSession;
let train: Table;
let profile: Profile;

beforeAll(async () => {
  folder = await temporaryFolder('drift-test');
  session = await openTables({ threads: 2 });
  train = await session.open({ uri: 'train.parquet', root: flights });
  profile = await profileTable({
    session,
    table: train,
    dataset: { name: 'train', uri: 'train.parquet', digest: null },
    key: ['id'],
  });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function drifted(results: readonly DriftResult[]): string[] {
  return [...new Set(results.filter((result) => result.verdict === 'fail').map((result) => result.column))];
}

async function made(name: string, query: string): Promise<Table> {
  await writeParquet(session, query, path.join(folder.path, `${name}.parquet`));
  return session.open({ uri: `${name}.parquet`, root: folder.path });
}

function profiled(table: Table, key: string[] = []): Promise<Profile> {
  return profileTable({ session, table, dataset: { name: 't', uri: 't', digest: null }, key });
}

describe('the defaults, on real flights', () => {
  it.each(['test', 'later'])('an honest month (%s) does not drift, with every column judged', async (name) => {
    const table = await session.open({ uri: `${name}.parquet`, root: flights });
    const results = await driftAgainstProfile(session, table, profile);
    expect(results.filter((result) => result.verdict !== 'pass')).toMatchObject([
      { column: 'date', verdict: 'skipped', reason: 'a date or time moves on by construction' },
      { column: 'id', verdict: 'skipped', reason: 'a key column: each row has its own' },
    ]);
    expect(new Set(results.map((result) => result.column)).size).toBe(train.columns.length);
  });

  it.each([
    ['distance 30 % longer', 'distance', '(distance * 1.3)::BIGINT'],
    ['distance in kilometres', 'distance', '(distance * 1.609344)::BIGINT'],
    ['a third of a column missing', 'origin_late_day', 'CASE WHEN id % 3 = 0 THEN NULL ELSE origin_late_day END'],
    ['a column all NULL', 'origin_late_day', 'NULL::DOUBLE'],
    ['a column of NaN', 'origin_late_day', "'NaN'::DOUBLE"],
    ['a share in per cent', 'origin_late_3h', 'origin_late_3h * 100'],
    ['codes in upper case', 'hub', 'upper(hub)'],
    ['clocks five hours ahead', 'departure_minute', '(departure_minute + 300) % 1440'],
    ['labels flipped', 'late', '(1 - late)::TINYINT'],
    ['numbers as text', 'distance', 'distance::VARCHAR'],
    ['integers as floats', 'distance', 'distance::DOUBLE'],
  ])('%s drifts, and nothing else does', async (_, column, expression) => {
    for (const name of ['test', 'later']) {
      const honest = await session.open({ uri: `${name}.parquet`, root: flights });
      const table = await session.derive(
        `SELECT * REPLACE (${expression} AS ${column}) FROM ${honest.relation}`,
        'shifted',
      );
      expect(drifted(await driftAgainstProfile(session, table, profile))).toEqual([column]);
    }
  });

  it('a column that is gone fails', async () => {
    const table = await session.derive(`SELECT * EXCLUDE (hub) FROM ${train.relation}`, 'without');
    expect(drifted(await driftAgainstProfile(session, table, profile))).toEqual(['hub']);
  });

  it('compares two files alike, and refuses the shifted one', async () => {
    const later = await session.open({ uri: 'later.parquet', root: flights });
    const honest = await driftBetween({ session, reference: train, current: later, method: 'auto', key: ['id'] });
    expect(honest).toMatchObject({ verdict: 'pass', rows: later.rows });
    expect(honest.executed).toBeGreaterThanOrEqual(11);
    const shifted = await session.derive(`SELECT * REPLACE (distance * 2 AS distance) FROM ${later.relation}`, 'twice');
    const report = await driftBetween({ session, reference: train, current: shifted, method: 'auto', key: ['id'] });
    expect(report.verdict).toBe('fail');
    expect(drifted(report.drift)).toEqual(['distance']);
    const gentle = await driftBetween({ session, reference: train, current: shifted, method: 'ks', severity: 'warn' });
    expect(gentle.verdict).toBe('warn');
  });
});

describe('what time does to a column by itself', () => {
  it('is measured within the reference and raises the threshold, unless one is given', async () => {
    const column = profile.columns.find((each) => each.name === 'origin_late_day');
    expect(Number(column?.wander?.ks)).toBeGreaterThan(0.15);
    expect(Number(profile.columns.find((each) => each.name === 'distance')?.wander?.ks)).toBeLessThan(0.02);
    const may = await session.open({ uri: 'test.parquet', root: flights });
    const strict = await driftAgainstProfile(session, may, profile, {
      method: 'ks',
      threshold: 0.1,
      columns: ['origin_late_day'],
    });
    expect(strict).toMatchObject([{ verdict: 'fail', threshold: '0.1' }]);
    const own = await driftAgainstProfile(session, may, profile, { method: 'ks', columns: ['origin_late_day'] });
    expect(own).toMatchObject([{ verdict: 'pass', threshold: column?.wander?.ks }]);
  });
});

describe('values that many rows share', () => {
  it.each([
    ['a constant', '5', '7'],
    ['a constant, a little larger', '0.1', '0.1000001'],
    ['zeros and hundreds', 'CASE WHEN i % 5 < 2 THEN 0 ELSE 100 END', 'CASE WHEN i % 5 < 2 THEN -50 ELSE 3 END'],
    ['capped at 1', 'least(i / 10000.0, 1)', 'CASE WHEN i >= 10000 THEN 1000 ELSE i / 10000.0 END'],
    ['zero for most', 'greatest(i / 10000.0 - 1, 0)', 'CASE WHEN i <= 10000 THEN -1e-9 ELSE i / 10000.0 - 1 END'],
    [
      'a spike within',
      'CASE WHEN i % 2 = 0 THEN 50 ELSE i / 200.0 END',
      'CASE WHEN i % 2 = 0 THEN 49.9 ELSE i / 200.0 END',
    ],
  ])('%s can not move unseen', async (name, before, after) => {
    const table = (sql: string) => session.derive(`SELECT (${sql})::DOUBLE AS x FROM range(20000) t(i)`, name);
    const reference = await table(before);
    const found = await profiled(reference);
    expect(drifted(await driftAgainstProfile(session, reference, found))).toEqual([]);
    expect(drifted(await driftAgainstProfile(session, await table(after), found))).toEqual(['x']);
  });

  it.each(['psi', 'js', 'chi2'] as const)('%s sees a constant move, with a profile or without', async (method) => {
    const [five, seven] = [
      await session.derive(`SELECT 5::DOUBLE AS x FROM range(3000)`, 'five'),
      await session.derive(`SELECT 7::DOUBLE AS x FROM range(3000)`, 'seven'),
    ];
    expect(drifted(await driftAgainstProfile(session, seven, await profiled(five), { method }))).toEqual(['x']);
    expect((await driftBetween({ session, reference: five, current: seven, method })).verdict).toBe('fail');
    expect((await driftBetween({ session, reference: five, current: five, method })).verdict).toBe('pass');
  });
});

describe('judgement', () => {
  it('says "not enough data" below the least number of rows, and never drift', async () => {
    const few = await made('few', `SELECT i * 1000 AS distance FROM range(200) t(i)`);
    const results = await driftAgainstProfile(session, few, profile, { columns: ['distance'], minRows: 1000 });
    expect(results.map((result) => result.verdict)).toEqual(['inconclusive', 'inconclusive']);
    const report = await validateTable({
      now: new Date('2026-11-22T10:10:00Z'),
      session,
      table: few,
      dataset: { name: 'few', uri: 'few.parquet', root: folder.path },
      checks: [Check.parse({ kind: 'drift', columns: ['distance'] })],
      profile,
    });
    expect(report).toMatchObject({ verdict: 'inconclusive', executed: 0 });
  });

  it('is open about a heavy tail by wasserstein: no verdict by a profile, an exact one by the table', async () => {
    const heavy = (factor: string) => `SELECT (${factor}) * exp(4 * sqrt(-2 * ln((hash(i) % 99991 + 1) / 99992.0))
      * cos(hash(i, 1) % 6283 / 1000.0)) AS x, i % 500 / 500.0 AS y FROM range(20000) t(i)`;
    const before = await session.derive(heavy('1'), 'before');
    const after = await session.derive(heavy('1.05'), 'after');
    const check = Check.parse({ kind: 'drift', columns: ['x', 'y'], method: 'wasserstein' });
    const report = await validateTable({
      now: new Date('2026-11-22T10:10:00Z'),
      session,
      table: after,
      dataset: { name: 'heavy', uri: 'heavy.parquet', root: folder.path },
      checks: [check],
      profile: await profiled(before),
    });
    expect(report.drift.map((result) => [result.column, result.verdict])).toEqual([
      ['x', 'inconclusive'],
      ['y', 'pass'],
    ]);
    expect(report).toMatchObject({ verdict: 'inconclusive', executed: 2 });
    expect(report.checks[0]?.reason).toMatch(/^1 columns are undecided: x; the profile's cells are too wide to tell/);
    const exact = await driftBetween({ session, reference: before, current: after, method: 'wasserstein' });
    expect(exact.drift.map((result) => result.verdict)).toEqual(['pass', 'pass']);
  });

  it('calls drifted what was measured, and only that', async () => {
    const other = await session.derive(
      `SELECT * EXCLUDE (hub) REPLACE (distance * 2 AS distance) FROM ${train.relation}`,
      'other',
    );
    const report = await driftBetween({ session, reference: train, current: other, method: 'auto', key: ['id'] });
    expect(report.checks[0]?.observed).toBe("1 of 10 columns drifted: distance; 1 can't be compared: hub");
  });

  it('fails a named column that cannot be judged, and skips it when nobody named it', async () => {
    const named = await driftAgainstProfile(session, train, profile, { columns: ['id', 'date', 'nowhere'] });
    expect(named.map((result) => [result.column, result.verdict])).toEqual([
      ['id', 'fail'],
      ['date', 'fail'],
      ['nowhere', 'fail'],
    ]);
    const unordered = await driftAgainstProfile(session, train, profile, { columns: ['hub'], method: 'ks' });
    expect(unordered).toMatchObject([{ verdict: 'fail', reason: expect.stringContaining('ks needs numbers') }]);
  });

  it('recognises identifiers without being told', async () => {
    const ids = await made(
      'ids',
      `SELECT i AS number, 'row ' || i AS name, (i % 10)::INTEGER AS digit FROM range(5000) t(i)`,
    );
    const found = await profiled(ids);
    expect(found.columns.map((column) => [column.name, column.kind])).toEqual([
      ['digit', 'categorical'],
      ['name', 'identifier'],
      ['number', 'identifier'],
    ]);
    const next = await made(
      'ids-2',
      `SELECT i + 5000 AS number, 'row ' || (i + 5000) AS name, (i % 10)::INTEGER AS digit FROM range(5000) t(i)`,
    );
    expect(drifted(await driftAgainstProfile(session, next, found))).toEqual([]);
    expect((await driftBetween({ session, reference: ids, current: next, method: 'auto' })).verdict).toBe('pass');
  });

  it('keeps the false alarms of undrifted tables rare', async () => {
    // 40 columns without drift in 20 tables: a rule by p-value alone would flag nearly every table.
    const columns = Array.from(
      { length: 40 },
      (_, k) =>
        `sqrt(-2 * ln((hash(i, ${k}, seed) % 1000003 + 1) / 1000004.0)) * cos(hash(seed, i, ${k}) % 62832 / 10000.0) AS c${k}`,
    );
    const table = (seed: number) => `SELECT ${columns.join(', ')} FROM range(1500) t(i), (SELECT ${seed} AS seed)`;
    const reference = await profiled(await made('quiet', table(1)));
    let flagged = 0;
    for (let seed = 2; seed < 22; seed++) {
      const results = await driftAgainstProfile(session, await session.derive(table(seed), 'quiet'), reference);
      expect(results.filter((result) => result.statistic !== null)).toHaveLength(80);
      if (drifted(results).length > 0) flagged++;
    }
    expect(flagged).toBe(0);
  });

  it('survives constants, empty strings, a quote, infinities and values at the edges', async () => {
    const table = await made(
      'odd',
      `SELECT 5 AS constant, CASE WHEN i % 2 = 0 THEN '' ELSE 'it''s "q"' END AS text, CASE WHEN i < 10 THEN 'Infinity'::DOUBLE ELSE i % 97 END AS x,
         NULL::INTEGER AS nothing, (i % 2 = 0) AS flag FROM range(3000) t(i)`,
    );
    const own = await profiled(table);
    const same = await driftAgainstProfile(session, table, own);
    expect(drifted(same)).toEqual([]);
    for (const result of same) if (result.statistic !== null) expect(Number(result.statistic)).toBe(0);
    const moved = await session.derive(
      `SELECT * REPLACE (6 AS constant, 'it''s "q"' AS text, false AS flag) FROM ${table.relation}`,
      'moved',
    );
    expect(drifted(await driftAgainstProfile(session, moved, own))).toEqual(['constant', 'flag', 'text']);
    for (const method of ['ks', 'psi', 'js', 'wasserstein', 'chi2'] as const) {
      const report = await driftBetween({ session, reference: table, current: moved, method, columns: ['constant'] });
      expect([method, report.verdict]).toEqual([method, 'fail']);
    }
  });
});
