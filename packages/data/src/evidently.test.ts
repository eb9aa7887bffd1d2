import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder, toDecimal } from '@passloop/core';
import type { DataReport, DriftResult } from '@passloop/documents';
import { Check } from '@passloop/model';
import { openTables, type Table, type TableSession, writeParquet } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvidentlyColumn, evidentlyDrift } from './evidently.ts';
import { type DriftBetweenOptions, driftBetween, validateTable } from './index.ts';

type Score = { score: number; drifted: boolean; test: string };
/** How the numbers were made: packages/data/golden/make_evidently.py. */
type Golden = {
  pairs: {
    name: string;
    reference: string;
    current: string;
    sha256: [string, string];
    leftOut: string[];
    default: { drifted: number; share: number; isDrifted: boolean; columns: Record<string, Score> };
    named: Record<string, Record<string, Score | null>>;
  }[];
};

const root = path.resolve(import.meta.dirname, '../../..');
const golden = JSON.parse(readFileSync(path.join(root, 'packages/data/golden/evidently.json'), 'utf8')) as Golden;
/** Evidently's names for its tests, where it chose them. */
const chosen: Record<string, string> = {
  'K-S p_value': 'ks',
  'chi-square p_value': 'chisquare',
  'Z-test p_value': 'z',
  'Wasserstein distance (normed)': 'wasserstein',
  'Jensen-Shannon distance': 'jensenshannon',
};

let folder: TemporaryFolder;
let session: TableSession;
beforeAll(async () => {
  folder = await temporaryFolder('evidently');
  session = await openTables({ threads: 2 });
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function compared(
  pair: Pick<Golden['pairs'][0], 'reference' | 'current' | 'leftOut'>,
  options: Partial<DriftBetweenOptions> = {},
): Promise<DataReport> {
  const reference = await session.open({ uri: pair.reference, root });
  const current = await session.open({ uri: pair.current, root });
  const asked = { method: 'auto', compat: 'evidently', except: pair.leftOut } as const;
  return driftBetween({ session, reference, current, ...asked, ...options });
}

/** To 1e-12; of scores above 1, all twelve digits that a document has. */
function expectScore(result: DriftResult, wanted: Score): void {
  const error = Math.abs(Number(result.statistic) - wanted.score);
  const isSame = error <= 1e-12 || result.statistic === toDecimal(wanted.score);
  expect(isSame, `${result.column}: ${result.statistic} against ${wanted.score}`).toBe(true);
  expect([result.column, result.verdict !== 'pass']).toEqual([result.column, wanted.drifted]);
}

describe.each(golden.pairs)('$name, as Evidently 0.7.23 has it', (pair) => {
  it('is made from these very files', () => {
    const digest = (file: string) =>
      createHash('sha256')
        .update(readFileSync(path.join(root, file)))
        .digest('hex');
    expect([digest(pair.reference), digest(pair.current)]).toEqual(pair.sha256);
  });

  it('chooses its tests, scores and verdicts', async () => {
    const report = await compared(pair);
    const measured = report.drift.filter((result) => result.statistic !== null);
    expect(new Set(measured.map((result) => result.column))).toEqual(new Set(Object.keys(pair.default.columns)));
    for (const result of measured) {
      const wanted = pair.default.columns[result.column] as Score;
      expect([result.column, /^evidently:(\w+)\(/.exec(result.method)?.[1]]).toEqual([
        result.column,
        chosen[wanted.test],
      ]);
      expectScore(result, wanted);
    }
    expect(report.verdict).toBe(pair.default.isDrifted ? 'fail' : 'pass');
    expect(report.checks[0]?.observed).toContain(`${pair.default.drifted} of ${measured.length} columns drifted`);
  });

  it.each(['ks', 'psi', 'js', 'wasserstein', 'chi2'] as const)('measures %s where Evidently does', async (method) => {
    const report = await compared(pair, { method });
    const found = new Map(report.drift.map((result) => [result.column, result]));
    for (const [column, wanted] of Object.entries(pair.named[method] ?? {})) {
      const result = found.get(column) as DriftResult;
      if (wanted === null)
        expect(result).toMatchObject({
          statistic: null,
          reason: expect.stringContaining(`Evidently has no ${method}`),
        });
      else expectScore(result, wanted);
    }
  });
});

/** A column of `n` rows on each side, the values spread as `weights` say. */
function categories(
  reference: number[],
  current: number[],
  type: EvidentlyColumn['type'] = 'categorical',
): EvidentlyColumn {
  const points = type === 'numerical' ? reference.map((_, i) => i) : null;
  return { type, points, isInteger: false, reference, current };
}

describe('its choice', () => {
  const many = (rows: number) => Array.from({ length: 10 }, () => rows / 10);
  it.each([
    ['numbers, few rows', categories(many(1000), many(5000), 'numerical'), 'ks'],
    ['numbers, many rows', categories(many(1010), many(50), 'numerical'), 'wasserstein'],
    ['numbers of five values', categories([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], 'numerical'), 'chisquare'],
    ['numbers of two values', categories([1, 2], [2, 1], 'numerical'), 'z'],
    [
      'numbers of five values, many rows',
      categories([900, 1, 1, 50, 50], [1, 1, 1, 1, 1], 'numerical'),
      'jensenshannon',
    ],
    ['three categories', categories([1, 2, 3], [3, 2, 1]), 'chisquare'],
    ['three categories, many rows', categories([1000, 2, 3], [3, 2, 1]), 'jensenshannon'],
  ] as const)('of %s', (_, column, test) => {
    expect(evidentlyDrift(column, 'auto')).toMatchObject({ method: expect.stringContaining(`evidently:${test}(`) });
  });

  it('takes a score on the threshold for drift by ks and by distances, and not by chi-square and z', () => {
    for (const [column, method] of [
      [categories(many(100), [...many(90), 10].slice(1), 'numerical'), 'ks'],
      [categories([10, 20, 30], [15, 20, 25]), 'chi2'],
      [categories([10, 20], [15, 15]), 'auto'],
      [categories([10, 20, 30], [15, 20, 25]), 'js'],
      [categories([10, 20, 30], [15, 20, 25]), 'psi'],
    ] as const) {
      const { score } = evidentlyDrift(column, method) as { score: number };
      expect([method, evidentlyDrift(column, method, score)]).toMatchObject([
        method,
        { isDrifted: method !== 'chi2' && method !== 'auto' },
      ]);
    }
  });

  it('finds one value the same, a category that the reference lacks certain, and nothing where scipy has no number', () => {
    expect(evidentlyDrift(categories([5], [9]), 'auto')).toMatchObject({ score: 1, isDrifted: false });
    expect(evidentlyDrift(categories([5, 5, 0], [5, 5, 1]), 'auto')).toMatchObject({ score: 0, isDrifted: true });
    expect(evidentlyDrift(categories([5], [9]), 'chi2')).toMatchObject({ score: Number.NaN, isDrifted: false });
  });
});

describe('in checks', () => {
  async function made(name: string, query: string): Promise<Table> {
    await writeParquet(session, query, path.join(folder.path, `${name}.parquet`));
    return session.open({ uri: `${name}.parquet`, root: folder.path });
  }
  async function validated(check: Record<string, unknown>, table: Table): Promise<DataReport> {
    return validateTable({
      session,
      table,
      dataset: { name: 'later', uri: 'later.parquet', root: folder.path },
      checks: [Check.parse({ kind: 'drift', ...check })],
      profile: null,
      now: new Date(0),
      key: ['id'],
      roles: { label: 'y', predictions: ['score'] },
      otherDataset: async (name) => ({ uri: `${name}.parquet`, root: folder.path }),
    });
  }
  const columns = "i AS id, i % 2 AS y, (i % 100) / 100 AS score, 'k' || (i % 3) AS k, i % 7 = 0 AS flag";

  it('holds a dataset against the rows of another one, with the roles of its columns', async () => {
    await made('train', `SELECT ${columns} FROM range(2000) t(i)`);
    const later = await made('later', `SELECT ${columns} FROM range(3000) t(i) WHERE i % 2 = 0 OR i % 5 = 0`);
    const report = await validated({ compat: 'evidently', dataset: 'train' }, later);
    const told = report.drift.map(({ column, role, verdict }) => [column, role, verdict]);
    expect(told.sort()).toEqual([
      ['flag', 'feature', 'pass'],
      ['k', 'feature', 'pass'],
      ['score', 'prediction', 'pass'],
      ['y', 'label', 'warn'],
    ]);
    expect(report).toMatchObject({ verdict: 'pass', checks: [{ observed: '1 of 4 columns drifted: y (label)' }] });
    const strict = await validated({ compat: 'evidently', dataset: 'train', driftShare: 0.25 }, later);
    expect(strict).toMatchObject({ verdict: 'fail' });
    // A share that is reached is drift: 25 % of four columns are one.
    expect((await validated({ compat: 'evidently', dataset: 'train', driftShare: 0.26 }, later)).verdict).toBe('pass');
    const own = await validated({ dataset: 'train', columns: ['y'] }, later);
    expect(own).toMatchObject({ verdict: 'fail', drift: [{ column: 'y', role: 'label', verdict: 'fail' }] });
  });

  it('counts a column of one value among those without drift, as Evidently 0.7.23 does: 1 of 2, a share of 0.5', async () => {
    const pairOf = (name: string, every: number) =>
      made(name, `SELECT 'k' AS one, CASE WHEN i % ${every} = 0 THEN 'a' ELSE 'b' END AS two FROM range(500) t(i)`);
    const [reference, current] = [await pairOf('even', 2), await pairOf('tenth', 10)];
    const options = { session, reference, current, method: 'chi2', compat: 'evidently' } as const;
    expect(await driftBetween({ ...options, driftShare: 0.6 })).toMatchObject({
      verdict: 'pass',
      executed: 1,
      checks: [{ observed: '1 of 2 columns drifted: two' }],
    });
    expect((await driftBetween({ ...options, driftShare: 0.5 })).verdict).toBe('fail');
    // Where no column has a number, nothing was executed.
    expect((await driftBetween({ ...options, columns: ['one'] })).verdict).toBe('fail');
  });

  it('refuses text, leaves out what Evidently does, and says why', async () => {
    const odd = `'row ' || i AS words, DATE '2024-01-01' AS day, i::DECIMAL(9,2) AS price, i::UINTEGER AS counted,
      nullif(i % 2, 1) = 0 AS gaps, CASE WHEN i > 0 THEN i % 5 END AS few, i % 5 AS five FROM range(50) t(i)`;
    const table = await made('odd', `SELECT ${odd}`);
    const report = await driftBetween({
      session,
      reference: table,
      current: table,
      method: 'auto',
      compat: 'evidently',
    });
    const found = new Map(report.drift.map((result) => [result.column, result]));
    expect(found.get('words')).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('takes this for text'),
    });
    expect(report.verdict).toBe('fail');
    for (const column of ['day', 'price', 'counted', 'gaps'])
      expect(found.get(column)).toMatchObject({ verdict: 'skipped' });
    // A NULL makes pandas read whole numbers as floats: five of them are tested as categories either way.
    expect(found.get('few')?.method).toContain('chisquare');
    const without = await driftBetween({
      session,
      reference: table,
      current: table,
      method: 'auto',
      compat: 'evidently',
      except: ['words'],
    });
    expect(without).toMatchObject({ verdict: 'pass', executed: 2 });
  });

  it('measures nothing of that kind against a profile', async () => {
    const later = await made('alone', `SELECT ${columns} FROM range(100) t(i)`);
    const report = await validated({ compat: 'evidently' }, later);
    expect(report).toMatchObject({ verdict: 'fail', executed: 0 });
    expect(report.checks[0]?.reason).toContain("Evidently's numbers follow from the reference's rows");
    expect(report.checks[0]?.reason).toContain('dataset: train');
  });
});
