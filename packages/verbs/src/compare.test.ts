import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CompareRequest, compare } from './compare.ts';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('compare');
  const write = async (name: string, text: string) => {
    await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
    await writeFile(path.join(folder.path, name), text);
  };
  const rows = Array.from({ length: 300 }, (_, id) => ({ id, y: 'abc'[id % 3]!, user: `u${id % 60}` }));
  const csv = (header: string, line: (row: (typeof rows)[0]) => unknown[]) =>
    `${header}\n${rows.map((row) => line(row).join(',')).join('\n')}\n`;
  const scores =
    (sure: (id: number) => number) =>
    ({ id, y }: (typeof rows)[0]) => {
      const own = sure(id);
      return [id, ...['a', 'b', 'c'].map((name) => (name === y ? own : (1 - own) / 2))];
    };
  await write(
    'data.csv',
    csv('id,y,user', ({ id, y, user }) => [id, y, user]),
  );
  await write(
    'old.csv',
    csv(
      'id,pa,pb,pc',
      scores((id) => 0.3 + (id % 5) / 10),
    ),
  );
  await write(
    'new.csv',
    csv(
      'id,pa,pb,pc',
      scores((id) => 0.5 + (id % 4) / 10),
    ),
  );
  // Of every group, production says yes to every second row; the candidate gives up a group.
  const binary = (yes: (id: number) => boolean) => csv('id,p', ({ id }) => [id, yes(id) ? 1 : 0]);
  await write(
    'people.csv',
    csv('id,y,team', ({ id }) => [id, id % 2, id % 4 < 2 ? 'red' : 'blue']),
  );
  await write(
    'old-yes.csv',
    binary((id) => id % 2 === 1),
  );
  await write(
    'new-yes.csv',
    binary((id) => id % 2 === 1 && (id % 4 < 2 || id % 8 === 3)),
  );
  await write('old/metrics/auc', '1700000000000 0.7 0\n1700000000001 0.8 1\n');
  await write('new/metrics/auc', '1700000000000 0.79 0\n');
  await write('old.toml', '[test]\nauc = 0.8\n');
});
afterAll(() => folder[Symbol.asyncDispose]());

function run(request: Partial<CompareRequest> & Pick<CompareRequest, 'metrics'>) {
  const now = () => new Date(0);
  const context = { cwd: folder.path, env: {}, now, progress: silentProgress, version: '0' };
  return compare(context, { production: ['old.csv'], candidate: ['new.csv'], ...request });
}

const multiclass = { dataset: 'data.csv', key: ['id'], label: 'y', scores: ['a=pa', 'b=pb', 'c=pc'], unit: 'user' };

it('compares the scores of every class, by the units that rows belong to', async () => {
  const document = await run({ ...multiclass, metrics: ['log_loss:lower:0.01', 'roc_auc_ovr:higher:0.01'] });

  expect(document).toMatchObject({ verdict: 'pass', rows: 300 });
  expect(document.metrics).toMatchObject([
    { name: 'log_loss', verdict: 'better', method: 'paired bootstrap (percentile, units)' },
    { name: 'roc_auc_ovr' },
  ]);
});

it("takes metrics of one's own", async () => {
  const define = ["sure={kind: sql, sql: \"avg(CASE y WHEN 'a' THEN pa WHEN 'b' THEN pb ELSE pc END)\"}"];
  const document = await run({ ...multiclass, task: 'multiclass', define, metrics: ['sure:higher:0.01'] });

  expect(document.metrics).toMatchObject([{ name: 'sure', production: '0.5', candidate: '0.65', verdict: 'better' }]);
});

it("compares the numbers of two runs' folders, and of a folder with a file", async () => {
  const request = { numbers: true, candidate: ['new'], metrics: ['auc:higher:0.02'] };
  expect(await run({ ...request, production: ['old'] })).toMatchObject({
    verdict: 'pass',
    metrics: [{ production: '0.8', candidate: '0.79', verdict: 'within', interval: null }],
  });
  expect(await run({ ...request, production: ['old.toml'] })).toMatchObject({
    verdict: 'fail',
    metrics: [{ reason: "production's file has no number auc" }],
  });
});

it.each<[Partial<CompareRequest>, string]>([
  [{ ...multiclass, key: undefined }, '--key is not given.'],
  [{ ...multiclass, label: undefined }, '--label is not given.'],
  [{ ...multiclass, scores: ['pa'] }, '--scores "pa": CLASS=COLUMN is needed.'],
  [{ ...multiclass, scores: ['a=pa', 'a=pb'] }, '--scores "a=pb": the class is named twice.'],
  [{ ...multiclass, scores: ['a=pa', 'b=pb'] }, '--scores names no column for the classes c.'],
  [{ ...multiclass, define: ['auc=mrr'] }, '--define "auc=mrr"'],
  [{ numbers: true, candidate: ['nothing.json'] }, 'There is no file or folder nothing.json.'],
  [
    { numbers: true, production: ['new/../new'], candidate: ['new'] },
    'new/../new and new are the same: it would be compared with itself',
  ],
  [{ numbers: true, candidate: ['new', 'old'] }, '--numbers compares two metrics files, and several are given'],
  [{ ...multiclass, candidate: ['new.csv', 'other.csv'], power: true }, '--power sizes margins for two models'],
])('refuses %j', async (request, message) => {
  const thrown = await run({ metrics: ['log_loss:lower:0.01'], ...request }).catch((error: unknown) => error);

  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as Error).message).toContain(message);
});

const people = {
  production: ['old-yes.csv'],
  candidate: ['new-yes.csv'],
  dataset: 'people.csv',
  key: ['id'],
  label: 'y',
  prediction: 'p',
  positive: '1',
  define: ['gap={kind: fairness, measure: equal-opportunity, by: team, as: difference, minRows: 50}'],
};

it('holds groups of the dataset against one another, and leaves them out of the slices', async () => {
  const document = await run({ ...people, metrics: ['gap:lower:0.1', 'accuracy:higher:0.5'], slices: ['team'] });

  expect(document.metrics[0]).toMatchObject({ name: 'gap', verdict: 'worse', gate: 'fail', production: '0' });
  expect(document.fairness.map(({ slice, candidate }) => [slice.value, Number(candidate) < 1])).toEqual([
    ['blue', true],
    ['red', false],
  ]);
  expect(document.slices.every(({ name }) => name === 'accuracy')).toBe(true);
});

it('says what the rows can show only where it is asked', async () => {
  const request = { ...people, metrics: ['accuracy:higher:relative=0.05'] };

  expect((await run(request)).power).toBeUndefined();
  const document = await run({ ...request, power: true });

  expect(document.metrics[0]).toMatchObject({ margin: '0.05', relative: '0.05' });
  expect(document.power).toMatchObject([
    { name: 'accuracy', rows: 300, margin: '0.05', at: [{ power: '0.8' }, { power: '0.9' }] },
  ]);
});
