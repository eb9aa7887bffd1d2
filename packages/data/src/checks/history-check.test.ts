import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseChecks } from '@passloop/model';
import { openTables, type TableSession } from '@passloop/tables';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Profile, profileTable, validateDataset } from '../index.ts';

let folder: TemporaryFolder;
let session: TableSession;
let profiles: Profile[];

async function put(name: string, ages: readonly (number | null)[]): Promise<void> {
  await writeFile(path.join(folder.path, name), `id,age\n${ages.map((age, id) => `${id},${age ?? ''}\n`).join('')}`);
}

beforeAll(async () => {
  folder = await temporaryFolder('history');
  session = await openTables();
  profiles = [];
  for (const rows of [100, 104, 98, 101, 99]) {
    const name = `past-${rows}.csv`;
    await put(
      name,
      Array.from({ length: rows }, (_, id) => (id % 10 === 0 ? null : 20 + (id % 7))),
    );
    const table = await session.open({ uri: name, root: folder.path });
    profiles.push(await profileTable({ session, table, dataset: { name, uri: name, digest: null } }));
  }
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function check(
  text: string,
  ages: readonly (number | null)[],
  history: readonly Profile[] | null = profiles,
  isCut = false,
) {
  await put('now.csv', ages);
  const report = await validateDataset({
    session,
    dataset: { name: 'now', uri: 'now.csv', root: folder.path },
    checks: parseChecks(`- ${text}`, 'checks.yaml'),
    profile: null,
    now: new Date(0),
    history: history === null ? undefined : async () => ({ profiles: history, isCut }),
  });
  return report.checks[0];
}
const usual = Array.from({ length: 102 }, (_, id) => (id % 10 === 0 ? null : 20 + (id % 7)));

it.each([
  // Rows before: 98, 99, 100, 101, 104: median 100, deviations 0, 1, 1, 2, 4: median 1, times 1.4826.
  ['{kind: history, measure: rows}', usual, 'pass', 'rows 102; median of 5 versions 100'],
  ['{kind: history, measure: rows}', usual.slice(0, 90), 'fail', 'rows 90; median of 5 versions 100'],
  ['{kind: history, measure: rows, k: 8}', usual.slice(0, 90), 'pass', 'rows 90; median of 5 versions 100'],
  [
    '{kind: history, measure: null-share, column: age}',
    usual.map((age) => age ?? 20),
    'fail',
    /^null-share of age 0; median/,
  ],
  ['{kind: history, measure: mean, column: age}', usual.map((age) => age && age * 3), 'fail', /^mean of age 68\./],
  ['{kind: history, measure: distinct, column: age}', usual, 'pass', 'distinct of age 7; median of 5 versions 7'],
  ['{kind: history, measure: distinct, column: age}', usual.map((_, id) => id), 'fail', /^distinct of age 102; /],
  ['{kind: history, measure: rows, severity: warn}', usual.slice(0, 9), 'warn', /^rows 9; /],
])('%s', async (text, ages, verdict, observed) => {
  expect(await check(text, ages)).toMatchObject({
    verdict,
    observed: typeof observed === 'string' ? observed : expect.stringMatching(observed),
  });
});

it('takes the first NULL among many rows for no anomaly', async () => {
  const whole = profiles.map((profile) => ({
    ...profile,
    columns: profile.columns.map((column) => ({ ...column, nulls: 0 })),
  }));
  const ages = Array.from({ length: 1000 }, (_, id) => (id === 7 ? null : 20));
  const text = '{kind: history, measure: null-share, column: age}';
  expect(await check(text, ages, whole)).toMatchObject({ verdict: 'pass' });
  expect(
    await check(
      text,
      ages.map((age, id) => (id < 10 ? null : age)),
      whole,
    ),
  ).toMatchObject({ verdict: 'fail' });
});

it('shows the bounds that the versions give', async () => {
  const found = await check('{kind: history, measure: rows}', usual);
  expect(found?.expected).toBe('rows as in earlier versions of the profile (k = 4): 94.069591126 .. 105.930408874');
});

it('warns where too few versions say it, and fails where nobody knows any', async () => {
  const few = await check('{kind: history, measure: rows}', usual, profiles.slice(0, 3));
  expect(few).toMatchObject({ verdict: 'warn', reason: expect.stringMatching(/^3 earlier versions .* 4 are needed/) });
  const cut = await check('{kind: history, measure: rows}', usual, profiles.slice(0, 1), true);
  expect(cut).toMatchObject({
    verdict: 'warn',
    reason: expect.stringMatching(/this clone has no more of the history$/),
  });
  const none = await check('{kind: history, measure: rows}', usual, null);
  expect(none).toMatchObject({
    verdict: 'fail',
    reason: expect.stringMatching(/^not executed: the dataset names no profile/),
  });
  const gone = await check('{kind: history, measure: mean, column: agee}', usual);
  expect(gone).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(/has no column `agee`/) });
});
