import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { planCheck } from './plan.ts';

const run = promisify(execFile);
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const modelFile = `version: 1
models:
  - name: toy
    task: binary
    columns: {key: [id], label: late, score: score}
    data:
      train: {path: data/train.csv, profile: profiles/train.json, checks: [{kind: row-count, min: 1}]}
      test: {path: data/test.csv}
    train:
      environment: {python: "3.11", lock: requirements.lock}
      stages: [{name: fit, run: [python, fit.py], code: [fit.py], data: [train], outputs: [out/model.json, out/predictions.csv]}]
    evaluate: {dataset: test, predictions: out/predictions.csv}
    gates: [{metric: roc_auc, direction: higher, margin: 0.005}]
`;

let folder: TemporaryFolder;

async function git(...args: string[]): Promise<void> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  await run('git', ['-C', folder.path, ...identity, ...args]);
}

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder.path, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

function lock(train: string, test: string): string {
  const entry = (uri: string, content: string) => ({ uri, version: null, digest: content, bytes: 1, rows: 1 });
  return JSON.stringify({ version: 1, datasets: [entry('data/train.csv', train), entry('data/test.csv', test)] });
}

async function planOf(change: Record<string, string>) {
  await git('checkout', '-q', '-b', 'change');
  await write(change);
  await git('add', '.');
  await git('commit', '-q', '--allow-empty', '-m', 'Change');
  const env = { PATH: process.env.PATH, HOME: folder.path };
  const context = { cwd: folder.path, env, now: () => new Date(0), progress: silentProgress, version: '0.0.0' };
  const { document } = await planCheck(context, { against: 'main' });
  const [model] = document.models;
  if (model === undefined) throw new Error('no model was planned');
  return model;
}

beforeEach(async () => {
  folder = await temporaryFolder('plan');
  await git('init', '-q', '-b', 'main');
  await write({
    'passloop.yaml': modelFile,
    'passloop.lock': lock(digest('1'), digest('2')),
    'profiles/train.json': '{}\n',
    'requirements.lock': '\n',
    'fit.py': 'print(1)\n',
    'README.md': 'A model.\n',
  });
  await git('add', '.');
  await git('commit', '-q', '-m', 'A model');
});

afterEach(() => folder[Symbol.asyncDispose]());

it('a change that no model depends on affects none', async () => {
  expect(await planOf({ 'README.md': 'A better model.\n' })).toMatchObject({
    affected: false,
    policy: { source: 'base', differences: [] },
  });
});

it('other rows to decide on are a difference of policy: both digests are named', async () => {
  const model = await planOf({ 'passloop.lock': lock(digest('1'), digest('3')) });
  expect(model).toMatchObject({
    affected: true,
    policy: {
      differences: [{ path: 'evaluate.rows', from: digest('2'), to: digest('3'), loosens: false }],
    },
  });
});

it('the same rows under another path are the same rows; another file is not', async () => {
  const moved = modelFile.replace('data/test.csv', 'data/easy.csv');
  const locked = lock(digest('1'), digest('2')).replace('data/test.csv', 'data/easy.csv');
  expect((await planOf({ 'passloop.yaml': moved, 'passloop.lock': locked })).policy.differences).toEqual([]);
  await git('checkout', '-q', 'main');
  await git('branch', '-q', '-D', 'change');
  const easier = locked.replace(digest('2'), digest('4'));
  expect((await planOf({ 'passloop.yaml': moved, 'passloop.lock': easier })).policy.differences).toMatchObject([
    { path: 'evaluate.rows', to: digest('4') },
  ]);
});

it('a new profile of the change is named, though the one of the target branch judges', async () => {
  const { policy } = await planOf({ 'profiles/train.json': '{"drift": "hidden"}\n' });
  expect(policy.differences).toMatchObject([{ path: 'data.train.profile', loosens: false }]);
});

it('a wider margin loosens', async () => {
  const { policy } = await planOf({ 'passloop.yaml': modelFile.replace('0.005', '0.05') });
  expect(policy.differences).toEqual([{ path: 'gates.roc_auc.margin', from: '0.005', to: '0.05', loosens: true }]);
});
