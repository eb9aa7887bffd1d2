import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runProcess, silentProgress } from '@passloop/core';
import { type DocumentKind, type DocumentOf, formatDocument } from '@passloop/documents';
import {
  type Context,
  compare,
  dataDrift,
  dataValidate,
  packageScan,
  planCheck,
  trainExplain,
  trainKey,
} from '@passloop/verbs';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Two faces, one verb: the built command and the library write the same bytes of each document that no clock enters. */
const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
let folder: string;

async function git(...args: string[]): Promise<void> {
  await run('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args]);
}

function predictions(shift: number): string {
  const rows = Array.from({ length: 400 }, (_, id) => {
    const late = (id * 7919) % 3 === 0 ? 1 : 0;
    const score = (((id * 104_729) % 1000) / 1000) * 0.6 + late * shift;
    return `${id},${late},${score.toFixed(4)},${id % 2 === 0 ? 'east' : 'west'}`;
  });
  return `id,late,score,side\n${rows.join('\n')}\n`;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'passloop-same-bytes-'));
  await cp(path.join(root, 'examples/flight-delay'), folder, {
    recursive: true,
    filter: (file) => !/\/(out|__pycache__|\.[a-z_]+cache|\.passloop)(\/|$)/.test(file.slice(root.length)),
  });
  await writeFile(path.join(folder, 'old.csv'), predictions(0.2));
  await writeFile(path.join(folder, 'new.csv'), predictions(0.25));
  await writeFile(path.join(folder, 'model.pkl'), 'cposix\nsystem\n(S"true"\ntR.');
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-q', '-m', 'A model');
  const params = path.join(folder, 'params.yaml');
  await writeFile(params, (await readFile(params, 'utf8')).replace('max_depth: 3', 'max_depth: 4'));
  await git('commit', '-q', '-am', 'Deeper');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const columns = ['--key', 'id', '--label', 'late', '--score', 'score', '--positive', '1'];
const gates = ['--metric', 'roc_auc:higher:0.01', '--metric', 'brier:lower:0.02', '--slice', 'side'];
const files = ['--production', 'old.csv', '--candidate', 'new.csv'];

type Case = [string, string[], DocumentKind, (context: Context) => Promise<DocumentOf<DocumentKind>>];

it.each<Case>([
  [
    'compare',
    ['compare', ...files, ...columns, ...gates],
    'comparison',
    (context) =>
      compare(context, {
        production: ['old.csv'],
        candidate: ['new.csv'],
        key: ['id'],
        label: 'late',
        score: 'score',
        positive: '1',
        metrics: ['roc_auc:higher:0.01', 'brier:lower:0.02'],
        slices: ['side'],
      }),
  ],
  [
    'data validate',
    ['data', 'validate', '--dataset', 'test'],
    'data-report',
    async (context) => {
      const [validated] = await dataValidate(context, { dataset: 'test' });
      if (validated === undefined) throw new Error('nothing was validated');
      return validated.report;
    },
  ],
  [
    'data drift',
    ['data', 'drift', '--reference', 'data/test.parquet', '--current', 'data/later.parquet', '--key', 'id'],
    'data-report',
    (context) => dataDrift(context, { reference: 'data/test.parquet', current: 'data/later.parquet', key: ['id'] }),
  ],
  ['train key', ['train', 'key'], 'key', (context) => trainKey(context, {})],
  [
    'train explain',
    ['train', 'explain', '--against', 'HEAD~1'],
    'key',
    (context) => trainExplain(context, { against: 'HEAD~1' }),
  ],
  [
    'package scan',
    ['package', 'scan', 'model.pkl'],
    'scan',
    (context) => packageScan(context, { files: ['model.pkl'] }),
  ],
  [
    'check --plan',
    ['check', '--plan', '--against', 'HEAD~1'],
    'plan',
    async (context) => (await planCheck(context, { against: 'HEAD~1' })).document,
  ],
])('%s', async (_, args, kind, verb) => {
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  const context = { cwd: folder, env, now: () => new Date(), progress: silentProgress, version: '0.1.0' };
  const command = await runProcess({
    argv: [process.execPath, path.join(root, 'dist/passloop.mjs'), ...args, '--quiet', '--json', '-'],
    cwd: folder,
    env,
    timeoutMs: 120_000,
  });
  const bytes = command.stdout.toString('utf8');
  expect(bytes, command.stderr.toString('utf8')).toContain(`"schema": "passloop/${kind}/v1"`);
  expect(bytes).toBe(formatDocument(kind, await verb(context)));
});
