import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numericCells } from './cells.ts';
import { type DriftMethod, driftAgainstProfile, driftBetween, type Profile, profileTable } from './index.ts';

/** How the numbers were made: packages/data/golden/make.py. */
type Golden = {
  pairs: {
    name: string;
    reference: string;
    current: string;
    sha256: [string, string];
    drift: Record<
      string,
      Partial<Record<DriftMethod, { statistic: number; pValue?: number; minimumExpected?: number; cramersV?: number }>>
    >;
    profile: Record<
      string,
      {
        nulls: number;
        distinct: number;
        mean?: number;
        sd?: number;
        edges?: number[];
        values?: Record<string, number>;
      }
    >;
  }[];
};

const root = path.resolve(import.meta.dirname, '../../..');
const golden = JSON.parse(readFileSync(path.join(root, 'packages/data/golden/golden.json'), 'utf8')) as Golden;

let session: TableSession;
beforeAll(async () => {
  session = await openTables({ threads: 2 });
});
afterAll(() => session[Symbol.asyncDispose]());

/** Jensen-Shannon's root of a tiny difference loses digits in numpy and here alike: `absolute` allows for it. */
function close(found: number, wanted: number, relative: number, absolute = 0): void {
  const tolerance = relative * Math.abs(wanted) + Math.max(absolute, 1e-300);
  expect(Math.abs(found - wanted), `${found} against ${wanted}`).toBeLessThanOrEqual(tolerance);
}

describe.each(golden.pairs)('$name', (pair) => {
  const columns = Object.keys(pair.drift);

  it('is made from these very files', () => {
    const digest = (file: string) =>
      createHash('sha256')
        .update(readFileSync(path.join(root, file)))
        .digest('hex');
    expect([digest(pair.reference), digest(pair.current)]).toEqual(pair.sha256);
  });

  it.each(['ks', 'psi', 'js', 'wasserstein', 'chi2'] as const)('%s agrees with scipy and numpy', async (method) => {
    const reference = await session.open({ uri: pair.reference, root });
    const current = await session.open({ uri: pair.current, root });
    const judged = columns.filter((column) => pair.drift[column]?.[method] !== undefined);
    const report = await driftBetween({ session, reference, current, method, columns: judged });
    const found = report.drift.filter((result) => result.method.startsWith(method));
    expect(found.map((result) => result.column)).toEqual(judged);
    for (const result of found) {
      const wanted = pair.drift[result.column]?.[method];
      if (wanted === undefined) throw new Error(result.column);
      close(Number(result.statistic), wanted.statistic, 2e-11, method === 'js' ? 1e-12 : 0);
      // Rare categories are pooled for the p-value, which scipy doesn't do, and the method says so.
      const pooled = (wanted.minimumExpected ?? 5) < 5;
      expect(result.method.includes('rare-pooled-for-p')).toBe(pooled);
      if (wanted.pValue === undefined || pooled) continue;
      if (wanted.pValue < 1e-280) expect(Number(result.pValue)).toBeLessThan(1e-280);
      else close(Number(result.pValue), wanted.pValue, 1e-6);
    }
  });

  if (Object.keys(pair.profile).length === 0) return;
  it('profiles as pandas describes, and drift against the profile stays within its stated accuracy', async () => {
    const reference = await session.open({ uri: pair.reference, root });
    const current = await session.open({ uri: pair.current, root });
    const profile = await profileTable({ session, table: reference, dataset: { name: 'g', uri: 'g', digest: null } });
    for (const column of columns) checkProfile(profile, column, pair);
    for (const method of ['ks', 'psi', 'js', 'wasserstein'] as const) {
      const results = await driftAgainstProfile(session, current, profile, { method, minRows: 100 });
      for (const result of results) {
        const wanted = pair.drift[result.column]?.[method]?.statistic;
        if (wanted === undefined || result.statistic === null || !result.method.startsWith(method)) continue;
        const found = Number(result.statistic);
        // PSI and JS use the same bins: equal. KS misses at most what one percentile cell hides. Wasserstein says between which
        // bounds the distance of the rows lies, which is far apart in a heavy tail, and gives no verdict where that matters.
        if (method === 'psi' || method === 'js') close(found, wanted, 1e-11, method === 'js' ? 1e-12 : 0);
        else if (method === 'ks') {
          expect(found).toBeLessThanOrEqual(wanted + 1e-12);
          expect(found).toBeGreaterThanOrEqual(wanted - 0.021);
        } else {
          const range = /lies between (\S+) and (\S+),/.exec(result.reason ?? '');
          if (result.column === 'heavy') expect(result.verdict, result.reason ?? '').toBe('inconclusive');
          else expect(Math.abs(found - wanted), result.column).toBeLessThan(0.15 * wanted + 0.02);
          if (range === null) continue;
          expect(wanted).toBeGreaterThanOrEqual(Number(range[1]) * 0.999);
          expect(wanted).toBeLessThanOrEqual(Number(range[2]) * 1.001);
        }
      }
    }
  });
});

function checkProfile(profile: Profile, name: string, pair: Golden['pairs'][0]): void {
  const found = profile.columns.find((column) => column.name === name);
  const wanted = pair.profile[name];
  if (found === undefined || wanted === undefined) throw new Error(name);
  expect({ name, nulls: found.nulls, distinct: found.distinct }).toEqual({
    name,
    nulls: wanted.nulls,
    distinct: wanted.distinct,
  });
  if (wanted.values !== undefined) {
    const listed = Object.fromEntries((found.values ?? []).map((entry) => [entry.value, entry.count]));
    expect(listed).toEqual(wanted.values);
  }
  if (wanted.edges === undefined) return;
  close(Number(found.mean), wanted.mean as number, 2e-12);
  close(Number(found.sd), wanted.sd as number, 1e-11);
  expect(found.quantiles?.edges).toEqual(wanted.edges);
  expect(numericCells(found.quantiles?.counts ?? null, wanted.edges).reduce((a, b) => a + b)).toBe(
    profile.rows - found.nulls - found.nan - found.infinite,
  );
}
