import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { openTables, readColumns, type TableSession, writeParquet } from '@passloop/tables';
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
  it('says the same of floats whose extremes a file notes as of their values', async () => {
    const part = `SELECT i, CASE WHEN i % 5 = 0 THEN NULL ELSE (i - 7) / 4 END AS x, CASE WHEN i = 9 THEN 'NaN'::DOUBLE ELSE i END AS nan,
      CASE WHEN i = 9 THEN '-Infinity'::DOUBLE ELSE i END AS infinite, -0.0::DOUBLE AS zero, (i / 3)::FLOAT AS short,
      NULL::DOUBLE AS nothing FROM range(1, 41) t(i)`;
    const noted = await profileOf(part);
    const read = await session.derive(`SELECT * FROM (${part})`, 't');
    const { columns } = await profileTable({
      session,
      table: read,
      dataset: { name: 't', uri: 't.parquet', digest: null },
    });
    expect(noted.columns).toEqual(columns);
    expect(columns.map(({ name, infinite, nan, minimum, maximum }) => [name, nan, infinite, minimum, maximum])).toEqual(
      [
        ['i', 0, 0, '1', '40'],
        ['infinite', 0, 1, '1.0', '40.0'],
        ['nan', 1, 0, '1.0', '40.0'],
        ['nothing', 0, 0, null, null],
        ['short', 0, 0, '0.33333334', '13.333333'],
        ['x', 0, 0, '-1.5', '8.0'],
        ['zero', 0, 0, '0.0', '0.0'],
      ],
    );
  });

  it('looks at the values of a column with NaN, whose extremes a file may note otherwise', async () => {
    const bytes = readFileSync(path.resolve(import.meta.dirname, '../golden/nan-beyond-extremes.parquet'));
    const noted = Buffer.from(new Float64Array([-1]).buffer);
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = bytes.indexOf(noted, footer); at >= 0; at = bytes.indexOf(noted, at + 1))
      bytes.writeDoubleLE(-0.5, at);
    await writeFile(path.join(folder.path, 'nan.parquet'), bytes);
    const table = await session.open({ uri: 'nan.parquet', root: folder.path });
    const { columns } = await profileTable({ session, table, dataset: { name: 'n', uri: 'n', digest: null } });
    expect(columns.map(({ name, nan, minimum, maximum }) => [name, nan, minimum, maximum])).toEqual([
      ['i', 0, '3', '7'],
      ['x', 2, '-1.0', '-1.0'],
      ['zero', 0, '0.0', '2.5'],
    ]);
  });

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

  it('finds percentiles and distinct values of many different doubles as a sort in memory does', async () => {
    const rows = `SELECT i, CASE WHEN i % 1000 = 0 THEN 'NaN'::DOUBLE WHEN i % 1001 = 0 THEN 'Infinity'::DOUBLE
        WHEN i % 1003 = 0 THEN '-Infinity'::DOUBLE WHEN i % 7 = 0 THEN -0.0 WHEN i % 11 = 0 THEN 0.0
        WHEN i % 997 = 0 THEN NULL ELSE (hash(i) % 200000)::DOUBLE / 7 - 9000 END AS x FROM range(90000) t(i)`;
    await writeParquet(session, `${rows} ORDER BY hash(i)`, path.join(folder.path, 'varied.parquet'));
    const open = (one: TableSession) => one.open({ uri: 'varied.parquet', root: folder.path });
    const table = await open(session);
    const [column] = await readColumns(session, table, { columns: ['x'] });
    const numbers = Array.from(column?.values as Float64Array).filter((_, i) => column?.nulls[i] === 0);
    const finite = numbers.filter(Number.isFinite).sort((left, right) => left - right);
    const points = Array.from(
      { length: 99 },
      (_, i) => finite[Math.ceil(((i + 1) * finite.length) / 100) - 1] as number,
    );

    const dataset = { name: 't', uri: 't', digest: null };
    const profile = await profileTable({ session, table, dataset, key: ['i'] });
    const found = profile.columns.find((one) => one.name === 'x');
    // The set holds NaN and each infinity once, as the engine counts them; 0 and -0 are one to both.
    expect(found?.distinct).toBe(new Set(numbers).size);
    const below = (value: number) => finite.filter((one) => one <= value).length;
    const edges = found?.quantiles?.edges ?? [];
    expect(edges.filter((edge) => points.includes(edge))).toEqual([...new Set(points.map((point) => point + 0))]);
    expect(edges.filter((edge) => !points.includes(edge))).toEqual([-5e-324]);
    let counted = 0;
    expect(found?.quantiles?.counts.slice(0, -1).map((count) => (counted += count))).toEqual(edges.map(below));

    await using single = await openTables({ threads: 1 });
    const again = await profileTable({ session: single, table: await open(single), dataset, key: ['i'] });
    expect(formatProfile(again)).toBe(formatProfile(profile));
  });

  it.each([
    ['without', ''],
    ['with', ", TIMESTAMP '2026-01-01' + to_hours(i::INTEGER) AS clock"],
  ])('says of a wide table %s a time what it says of its columns alone', async (_, clock) => {
    const kinds = [
      (k: number) =>
        `CASE i % ${k + 40} WHEN 0 THEN NULL WHEN 1 THEN 'NaN'::DOUBLE WHEN 2 THEN '-Infinity'::DOUBLE WHEN 3 THEN -0.0 ELSE (hash(i, ${k}) % 10007) / 7.0 - ${k} END`,
      (k: number) => `((hash(i, ${k}) % 8) / 4.0 - 1)::FLOAT`,
      (k: number) => `9007199254740992 + (hash(i, ${k}) % 1000)::BIGINT`,
      (k: number) => `(hash(i, ${k}) % ${k})::SMALLINT`,
      (k: number) => `((hash(i, ${k}) % 5000) / 100)::DECIMAL(9, 2)`,
      (k: number) => `nullif('v' || (hash(i, ${k}) % ${k + 2}), 'v0')`,
      (k: number) => `(hash(i, ${k}) % 3 = 0)`,
      () => `NULL::DOUBLE`,
      () => `'NaN'::DOUBLE`,
      () => `[i]`,
    ];
    const columns = Array.from({ length: 70 }, (_, k) => `${kinds[k % kinds.length]?.(k)} AS c${k}`);
    const query = (list: readonly string[]) => `SELECT ${list.join(', ')}${clock} FROM range(2500) t(i)`;
    let held = 0;
    const counted: TableSession = {
      ...session,
      hold(...given) {
        held++;
        return session.hold(...given);
      },
    };
    const dataset = { name: 't', uri: 't', digest: null };

    const table = await session.derive(query(columns), 'wide');
    const wide = await profileTable({ session: counted, table, dataset });
    const heldWide = held;
    const narrow = [];
    for (const part of [columns.slice(0, 35), columns.slice(35)]) {
      const table = await session.derive(query(part), 'narrow');
      narrow.push(...(await profileTable({ session: counted, table, dataset })).columns);
    }

    expect([heldWide, held]).toEqual([2, 2]);
    const byName = new Map(narrow.map((column) => [column.name, column]));
    expect(wide.columns).toEqual(wide.columns.map((column) => byName.get(column.name)));
    expect(wide.columns).toHaveLength(byName.size);
  });

  it('tells its progress by columns', async () => {
    const ticks: string[] = [];
    const progress = { ...silentProgress, tick: (...parts: unknown[]) => void ticks.push(parts.join(' ')) };
    const table = await session.derive(`SELECT 1 AS a, 'x' AS b`, 'two');
    await profileTable({ session, table, dataset: { name: 't', uri: 't', digest: null }, progress });
    expect(ticks).toEqual(['0 2 columns', '1 2 columns']);
  });

  it('refuses an empty table and a key that is not there', async () => {
    await expect(profileOf('SELECT 1 AS a WHERE false')).rejects.toThrow('t.parquet has no rows.');
    await expect(profileOf('SELECT 1 AS a', { key: ['id'] })).rejects.toThrow('columns.key names it');
    await expect(profileOf('SELECT 1 AS a', { time: 'day' })).rejects.toThrow('the time column names it');
  });
});

/** A double as a whole number of 2^-1074. */
function inSmallestUnits(value: number): bigint {
  const bits = new DataView(Float64Array.of(value).buffer).getBigUint64(0, true);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return bits >> 63n === 0n ? magnitude : -magnitude;
}

/** numerator / denominator / 2^power, or its root, to some 50 bits, by whole numbers. */
function toDouble(numerator: bigint, denominator: bigint, power: number, root = false): number {
  if (numerator === 0n) return 0;
  const negative = numerator < 0n;
  let value = ((negative ? -numerator : numerator) << 4000n) / denominator;
  let down = power + 4000;
  if (root) {
    let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
    for (let next = (guess + value / guess) >> 1n; next < guess; next = (guess + value / guess) >> 1n) guess = next;
    value = guess;
    down /= 2;
  }
  const drop = value.toString(2).length - 60;
  let result = Number(value >> BigInt(drop));
  for (let left = drop - down; left !== 0; ) {
    const step = Math.max(-900, Math.min(900, left));
    result *= 2 ** step;
    left -= step;
  }
  return negative ? -result : result;
}

describe('moments', () => {
  it('are those of the exact values, whatever their size', async () => {
    const sized = (power: number) => fc.integer({ min: -1e6, max: 1e6 }).map((value) => value * 10 ** power);
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
      fc.double({ noNaN: true, min: 1e9, max: 1e9 + 1 }),
      fc.double({ noNaN: true, min: -1e-9, max: 1e-9 }),
      fc.integer({ min: -5, max: 5 }),
    );
    const column = fc.oneof(
      fc.array(number, { minLength: 2, maxLength: 40 }),
      ...[-310, -200, -160, 150, 250, 301].map((power) => fc.array(sized(power), { minLength: 2, maxLength: 40 })),
    );
    await fc.assert(
      fc.asyncProperty(column, async (values) => {
        const sorted = [...values].sort((left, right) => left - right);
        const [minimum, maximum] = [sorted[0] as number, sorted.at(-1) as number];
        const plan = momentPlan('v', { minimum, maximum }, sorted[sorted.length >> 1] as number);
        const list = values.map((value) => `('${value}'::DOUBLE)`).join(', ');
        const [row] = await session.rows(
          `SELECT ${plan.terms.map((term) => `sum(${term})::VARCHAR`).join(', ')} FROM (VALUES ${list}) t(v)`,
        );
        const found = plan.finish(values.length, (row as string[]).map(BigInt) as [bigint, bigint]);
        const units = values.map(inSmallestUnits);
        const n = BigInt(values.length);
        const sum = units.reduce((total, unit) => total + unit, 0n);
        const squares = units.reduce((total, unit) => total + unit * unit, 0n);
        const mean = toDouble(sum, n, 1074);
        const sd = toDouble(n * squares - sum * sum, n * (n - 1n), 2148, true);
        const largest = Math.max(Math.abs(minimum), Math.abs(maximum));
        expect(Math.abs(found.mean - mean)).toBeLessThanOrEqual(2.3e-16 * Math.abs(mean) + 2e-28 * largest + 5e-324);
        expect(Math.abs((found.sd as number) - sd)).toBeLessThanOrEqual(1e-13 * sd + 1e-15 * largest * 1e-12 + 5e-324);
      }),
      { numRuns: 200 },
    );
  });

  it('keep their digits in a column with one value far out', async () => {
    const profile = await profileOf(
      `SELECT CASE WHEN i = 0 THEN 1e12 ELSE i % 7 END::DOUBLE AS x FROM range(100001) t(i)`,
    );
    // Python's Decimal and whole numbers give 9999903.00096999030 and 3162261848.88917613.
    expect(profile.columns[0]).toMatchObject({ mean: '9999903.00097', sd: '3162261848.89' });
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
