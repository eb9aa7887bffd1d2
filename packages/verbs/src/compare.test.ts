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
  await write('old/metrics/auc', '1700000000000 0.7 0\n1700000000001 0.8 1\n');
  await write('new/metrics/auc', '1700000000000 0.79 0\n');
  await write('old.toml', '[test]\nauc = 0.8\n');
});
afterAll(() => folder[Symbol.asyncDispose]());

function run(request: Partial<CompareRequest> & Pick<CompareRequest, 'metrics'>) {
  const now = () => new Date(0);
  const context = { cwd: folder.path, env: {}, now, progress: silentProgress, version: '0' };
  return compare(context, { production: 'old.csv', candidate: 'new.csv', ...request });
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
  const request = { numbers: true, candidate: 'new', metrics: ['auc:higher:0.02'] };
  expect(await run({ ...request, production: 'old' })).toMatchObject({
    verdict: 'pass',
    metrics: [{ production: '0.8', candidate: '0.79', verdict: 'within', interval: null }],
  });
  expect(await run({ ...request, production: 'old.toml' })).toMatchObject({
    verdict: 'fail',
    metrics: [{ reason: "production's file has no such number" }],
  });
});

it.each<[Partial<CompareRequest>, string]>([
  [{ ...multiclass, key: undefined }, '--key is not given.'],
  [{ ...multiclass, label: undefined }, '--label is not given.'],
  [{ ...multiclass, scores: ['pa'] }, '--scores "pa": CLASS=COLUMN is needed.'],
  [{ ...multiclass, scores: ['a=pa', 'a=pb'] }, '--scores "a=pb": the class is named twice.'],
  [{ ...multiclass, scores: ['a=pa', 'b=pb'] }, '--scores names no column for the classes c.'],
  [{ ...multiclass, define: ['auc=mrr'] }, '--define "auc=mrr"'],
  [{ numbers: true, candidate: 'nothing.json' }, 'There is no file or folder nothing.json.'],
])('refuses %j', async (request, message) => {
  const thrown = await run({ metrics: ['log_loss:lower:0.01'], ...request }).catch((error: unknown) => error);

  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as Error).message).toContain(message);
});
