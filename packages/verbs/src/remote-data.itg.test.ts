import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassloopError, runProcess, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseLock } from '@passloop/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ObjectServer, startObjectServer } from '../../tables/src/testing/object-server.ts';
import type { Context } from './context.ts';
import { dataDrift, dataLock, dataProfile, dataValidate } from './data.ts';
import { validateModelData } from './data-stage.ts';
import { remoteTables } from './remote-tables.ts';
import { fetchNamed, unsealable } from './sealed-data.ts';
import { trainRunVerb } from './train.ts';
import { openWorkspace } from './workspace.ts';

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'do-not-print-this/secret', sessionToken: null };
const csv = (rows: number) => `id,age\n${Array.from({ length: rows }, (_, i) => `${i},${20 + (i % 50)}`).join('\n')}\n`;

let folder: TemporaryFolder;
let server: ObjectServer;
let context: Context;
let notes: string[];

beforeEach(async () => {
  folder = await temporaryFolder('remote-data');
  server = await startObjectServer();
  server.keys = keys;
  notes = [];
  context = {
    cwd: path.join(folder.path, 'repository'),
    env: {
      PATH: process.env.PATH,
      HOME: folder.path,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_ENDPOINT_URL_S3: server.origin,
      AWS_REGION: 'eu-central-1',
    },
    now: () => new Date(),
    progress: { phase() {}, tick() {}, done() {}, note: (line) => notes.push(line) },
    version: '0.0.0',
  };
  await mkdir(context.cwd);
  await writeFile(path.join(context.cwd, 'passloop.yaml'), modelFile(`${server.origin}/web/train.csv`));
  server.objects.set('web/train.csv', { body: Buffer.from(csv(2000)) });
  server.objects.set('acme-data/day/1.csv', { body: Buffer.from(csv(1000)) });
  server.objects.set('acme-data/day/2.csv', { body: Buffer.from(csv(500)) });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function modelFile(train: string): string {
  return `version: 1
models:
  - name: ages
    task: regression
    columns: {key: [id], label: age}
    data:
      train: {uri: '${train}', profile: train.json, checks: [{kind: not-null, column: age}, {kind: row-count, min: 2000, max: 2000}]}
      days: {uri: 's3://acme-data/day/', checks: [{kind: row-ratio, dataset: train, min: 0.5, max: 1}]}
`;
}

async function refusal(work: Promise<unknown>): Promise<PassloopError> {
  const error = await work.then(
    () => new Error('it was done'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PassloopError)) throw error;
  expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain(keys.secretAccessKey);
  return error;
}

async function commit(): Promise<void> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder.path };
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  for (const args of [
    ['init', '-q'],
    ['add', '-A'],
    [...identity, 'commit', '-q', '-m', 'Data'],
  ]) {
    const result = await runProcess({ argv: ['git', '-C', context.cwd, ...args], env });
    if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  }
}

it('locks, profiles and validates remote datasets', async () => {
  const { lock, file } = await dataLock(context);
  expect(lock.datasets.map(({ uri, rows, version }) => ({ uri, rows, versioned: version !== null }))).toEqual([
    { uri: `${server.origin}/web/train.csv`, rows: 2000, versioned: true },
    { uri: 's3://acme-data/day/', rows: 1500, versioned: false },
  ]);
  expect(parseLock(await readFile(file, 'utf8'), file)).toEqual(lock);
  const fetched = server.requests.length;

  const profile = await dataProfile(context, {});
  expect(profile.files.map(({ file: name, rows }) => [name, rows])).toEqual([['train.json', 2000]]);
  const reports = await dataValidate(context, { reuse: false });
  expect(reports.map(({ report }) => [report.dataset.name, report.verdict, report.executed])).toEqual([
    ['train', 'pass', 2],
    ['days', 'pass', 1],
  ]);
  expect(reports.map(({ report }) => report.dataset.digest)).toEqual(lock.datasets.map(({ digest }) => digest));
  expect(JSON.stringify(reports.map(({ report }) => report))).not.toContain(folder.path);
  expect(reports[0]?.report.checks[0]?.sql).toContain(`read_csv('${server.origin}/web/train.csv'`);
  expect(server.requests).toHaveLength(fetched);
  expect(notes).toEqual([]);

  await commit();
  const workspace = await openWorkspace(context);
  const [model] = workspace.models;
  if (model === undefined) throw new Error('no model');
  const { openTables } = await import('@passloop/tables');
  await using session = await openTables();
  const judged = await validateModelData(context, session, workspace, model, null, remoteTables(context));
  expect(judged.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);

  // The job that seals: what the target branch names, and nothing that a change brings.
  const sealing = (base: typeof model | null) =>
    validateModelData(context, session, workspace, model, null, fetchNamed(base, remoteTables(context)));
  const other = {
    ...model,
    data: { ...model.data, train: { ...model.data.train, uri: `${server.origin}/web/other.csv` } },
  };
  for (const base of [null, other as typeof model]) {
    expect((await refusal(sealing(base))).message).toBe(
      `${server.origin}/web/train.csv is not an address of the target branch, and this job holds a credential: it is not fetched.`,
    );
    expect(unsealable(model, base)?.name).toBe('train');
  }
  expect((await sealing(model)).map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
  expect(unsealable(model, model)).toBeNull();
  expect(server.requests).toHaveLength(fetched);
});

it('trains on a remote dataset, and on nothing but what the lock says', async () => {
  const version = await runProcess({
    argv: ['python3', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'],
    env: { PATH: process.env.PATH ?? '' },
  });
  const files: Record<string, string> = {
    'requirements.lock': '# nothing\n',
    'fit.py': `import pathlib
rows = sum(1 for file in pathlib.Path('.passloop/data/days').glob('*.csv') for _ in file.open()) - 2
pathlib.Path('out').mkdir(exist_ok=True)
pathlib.Path('out/model.txt').write_text(f'{rows} rows')
`,
    'passloop.yaml': `version: 1
models:
  - name: ages
    task: regression
    columns: {key: [id], label: age}
    data:
      days: {uri: 's3://acme-data/day/'}
    train:
      environment: {python: "${version.stdout.toString().trim()}", lock: requirements.lock}
      stages: [{name: fit, run: [python, fit.py], code: [fit.py], data: [days], outputs: [out/model.txt]}]
`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(context.cwd, name), text);
  await dataLock(context);
  await commit();
  const run = await trainRunVerb(context, {});
  expect(run.outputs.map(({ path: name }) => name)).toEqual(['out/model.txt']);
  expect(await readFile(path.join(context.cwd, '.passloop/out/ages/outputs/out/model.txt'), 'utf8')).toBe('1500 rows');

  server.objects.set('acme-data/day/2.csv', { body: Buffer.from(csv(501)) });
  const fresh = { ...context.env, PASSLOOP_CACHE: path.join(folder.path, 'fresh') };
  await writeFile(path.join(context.cwd, 'fit.py'), `${files['fit.py']}\n`);
  await commit();
  const error = await refusal(trainRunVerb({ ...context, env: fresh }, {}));
  expect(error.message).toMatch(
    /^s3:\/\/acme-data\/day\/2\.csv is not what the lock says: expected at most \d+ bytes, it has/,
  );
});

it('refuses remote datasets that are not locked, and those that changed', async () => {
  for (const work of [dataValidate, dataProfile]) {
    const error = await refusal(work(context, {}));
    expect(error.message).toBe(`"${server.origin}/web/train.csv" is not locked: there is no passloop.lock.`);
    expect(error.hint).toContain('passloop data lock');
    expect(error.exitCode).toBe(2);
  }
  expect(server.requests).toEqual([]);

  await dataLock(context);
  server.objects.set('web/train.csv', { body: Buffer.from(csv(2000).replace('20', '99')) });
  const elsewhere = { ...context, env: { ...context.env, PASSLOOP_CACHE: path.join(folder.path, 'fresh') } };
  const changed = await refusal(dataValidate(elsewhere, {}));
  expect(changed.message).toMatch(
    /train\.csv is not what the lock says: expected sha256:[0-9a-f]{64} \(\d+ bytes\), found sha256:/,
  );
  expect(changed.exitCode).toBe(2);
  expect((await dataLock(context)).changed).toBe(true);
});

it('reads an address that a person names without a lock, and says so', async () => {
  const uri = `${server.origin}/web/train.csv`;
  const { text } = await dataProfile(context, { file: uri });
  expect(text).toContain('"rows": 2000');
  const drift = await dataDrift(context, { reference: uri, current: 's3://acme-data/day/*.csv' });
  expect(drift.dataset.digest).toMatch(/^sha256:/);
  expect(notes.map((note) => note.replace(/sha256:.*/, 'DIGEST'))).toEqual([
    `${uri} is not locked: what was read is whatever lies there now, DIGEST`,
    `${uri} is not locked: what was read is whatever lies there now, DIGEST`,
    's3://acme-data/day/*.csv is not locked: what was read is whatever lies there now, DIGEST',
  ]);
  const large = await refusal(dataProfile(context, { file: uri, maxBytes: 100 }));
  expect(large.message).toMatch(/has \d+ bytes, and without a lock at most 100 are read/);
  expect(large.hint).toContain('--max-bytes');
});

it.each<[string, Record<string, string | undefined>, RegExp, RegExp]>([
  ['none', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: undefined }, /and there is none/, /Set AWS_ACCESS_KEY_ID/],
  ['half', { AWS_SECRET_ACCESS_KEY: '' }, /AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not/, /Set both/],
  [
    'a broken',
    { AWS_SECRET_ACCESS_KEY: 'do-not-print-this/secret\nx: y' },
    /AWS_SECRET_ACCESS_KEY holds/,
    /without quotes/,
  ],
  ['a wrong', { AWS_SECRET_ACCESS_KEY: 'other' }, /403 SignatureDoesNotMatch/, /is wrong or no longer valid/],
])('says what is missing with %s credential', async (_name, env, message, hint) => {
  const given = { ...context, env: { ...context.env, ...env } };
  const error = await refusal(dataProfile(given, { file: 's3://acme-data/day/1.csv' }));
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
  expect(error.exitCode).toBe(2);
});
