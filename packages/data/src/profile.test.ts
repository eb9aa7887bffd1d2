import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigurationError, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { mean as exactMean, variance } from '@passloop/statistics';
import { openTables, type TableSession, writeParquet } from '@passloop/tables';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatProfile, type Profile, parseProfile, profileTable } from './index.ts';
import { momentPlan } from './moments.ts';

let folder: TemporaryFolder;
let session: TableSession;

beforeAll(async () => {
  folder = await temporaryFolder('profile-test');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function profileOf(query: string, options: { key?: string[]; time?: string } = {}): Promise<Profile> {
  await writeParquet(session, query, path.join(folder.path, 't.parquet'));
  const table = await session.open({ uri: 't.parquet', root: folder.path });
  return profileTable({ session, table, dataset: { name: 't', uri: 't.parquet', digest: null }, ...options });
}

describe('profileTable', () => {
  it('counts NULL, NaN and the infinities apart and leaves them out of what it measures', async () => {
    const profile = await profileOf(
      `SELECT unnest(['NaN'::DOUBLE, 'NaN'::DOUBLE, 'Infinity'::DOUBLE, NULL, 1, 2, 2, 4]) AS x, unnest(['b', 'a', NULL, 'b', '', 'c', 'b', 'a']) AS s`,
    );
    expect(profile.columns).toEqual([
      {
        name: 's',
        type: 'string',
        kind: 'categorical',
        nulls: 1,
        nan: 0,
        infinite: 0,
        distinct: 4,
        minimum: '',
        maximum: 'c',
        mean: null,
        sd: null,
        quantiles: null,
        wander: null,
        other: { distinct: 0, count: 0 },
        values: [
          { value: '', count: 1 },
          { value: 'a', count: 2 },
          { value: 'b', count: 3 },
          { value: 'c', count: 1 },
        ],
      },
      {
        name: 'x',
        type: 'float',
        kind: 'numeric',
        nulls: 1,
        nan: 2,
        infinite: 1,
        distinct: 5,
        minimum: '1.0',
        maximum: '4.0',
        mean: '2.25',
        sd: '1.25830573921',
        quantiles: { edges: [1, 2 - 2 ** -52, 2], counts: [1, 0, 2, 1] },
        wander: null,
        other: null,
        values: null,
      },
    ]);
  });

  it('is written so that a review reads it, and reads back the same', async () => {
    const profile = await profileOf(
      `SELECT i AS id, i % 3 AS k, i * 0.5 AS x, 'v' || (i % 2) AS s, [i] AS l FROM range(30) t(i)`,
      { key: ['id'] },
    );
    const text = formatProfile(profile);
    expect(text).toContain('        {"value": "v0", "count": 15},\n        {"value": "v1", "count": 15}\n');
    expect(text.split('\n').find((line) => line.includes('"edges"'))).toMatch(/^ {8}"edges": \[-?\d.*\],$/);
    expect(formatProfile(parseProfile(text, 'p.json'))).toBe(text);
    expect(profile.columns.map((column) => [column.name, column.kind])).toEqual([
      ['id', 'key'],
      ['k', 'categorical'],
      ['l', 'unsupported'],
      ['s', 'categorical'],
      ['x', 'numeric'],
    ]);
  });

  it('keeps at most a hundred values, the most frequent, and counts the rest', async () => {
    const profile = await profileOf(
      `SELECT CASE WHEN i < 5000 THEN 'often' WHEN i = 5000 THEN repeat('x', 400) ELSE 'v' || (i % 150) END AS s FROM range(8000) t(i)`,
    );
    const [column] = profile.columns;
    expect(column?.values).toHaveLength(100);
    expect(column?.values?.find((entry) => entry.value === 'often')?.count).toBe(5000);
    expect(column?.other).toEqual({ distinct: 52, count: expect.any(Number) });
    const shown = column?.values?.reduce((total, entry) => total + entry.count, 0) ?? 0;
    expect(shown + (column?.other?.count ?? 0)).toBe(8000);
  });

  it('refuses an empty table and a key that is not there', async () => {
    await expect(profileOf('SELECT 1 AS a WHERE false')).rejects.toThrow('t.parquet has no rows.');
    await expect(profileOf('SELECT 1 AS a', { key: ['id'] })).rejects.toThrow('columns.key names it');
    await expect(profileOf('SELECT 1 AS a', { time: 'day' })).rejects.toThrow('the time column names it');
  });
});

describe('moments', () => {
  it('agree with two passes over the doubles, whatever their size', async () => {
    // Below some 1e-154 the square of a double is no normal double any more, in either way of counting.
    const squarable = (value: number) => (Math.abs(value) < 1e-100 ? 0 : value);
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(squarable),
      fc.double({ noNaN: true, min: 1e9, max: 1e9 + 1 }),
      fc.double({ noNaN: true, min: -1e-9, max: 1e-9 }).map(squarable),
      fc.integer({ min: -5, max: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 2, maxLength: 40 }), async (values) => {
        const plan = momentPlan('v', Math.min(...values), Math.max(...values));
        if (plan === null) throw new Error('no plan');
        const list = values.map((value) => `('${value}'::DOUBLE)`).join(', ');
        const [row] = await session.rows(
          `SELECT ${plan.terms.map((term) => `sum(${term})::VARCHAR`).join(', ')} FROM (VALUES ${list}) t(v)`,
        );
        const found = plan.finish(values.length, (row as string[]).map(BigInt) as [bigint, bigint]);
        const spread = Math.max(...values) - Math.min(...values);
        const largest = Math.max(...values.map(Math.abs));
        expect(Math.abs(found.mean - exactMean(values))).toBeLessThanOrEqual(4e-16 * largest + 1e-320);
        const sd = Math.sqrt(variance(values, 1));
        expect(Math.abs((found.sd as number) - sd)).toBeLessThanOrEqual(1e-13 * sd + 1e-15 * spread + 2e-16 * largest);
      }),
      { numRuns: 60 },
    );
  });

  it('give up on ranges whose squares no double holds', () => {
    expect(momentPlan('v', -1e200, 1e200)).toBeNull();
  });
});

describe('parseProfile', () => {
  const text = readFileSync(
    path.resolve(import.meta.dirname, '../../../examples/flight-delay/profiles/train.json'),
    'utf8',
  );

  it('reads the committed profile of the example', () => {
    expect(parseProfile(text, 'train.json').columns).toHaveLength(13);
  });

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['another schema', text.replace('profile/v1', 'profile/v9'), /is no profile: schema/],
    ['a text where a count belongs', text.replace('"rows": 150000', '"rows": "many"'), /is no profile: rows/],
    ['edges out of order', text.replace('"edges": [350, 360', '"edges": [360, 350'), /quantiles of "departure_minute"/],
    ['a missing cell', text.replace('"counts": [1517, ', '"counts": ['), /quantiles of "departure_minute"/],
  ])('refuses %s', (_, changed, message) => {
    expect(changed).not.toBe(text);
    const parse = () => parseProfile(changed, 'p.json');
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(message);
  });
});
