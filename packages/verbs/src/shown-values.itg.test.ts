import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type GitRepository, openGitRepository, runProcess, silentProgress, temporaryFolder } from '@passloop/core';
import { openTables } from '@passloop/tables';
import { describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { dataLock, dataValidate } from './data.ts';
import { validateModelData } from './data-stage.ts';
import { planCheck } from './plan.ts';

const modelFile = (dataset: string) => `version: 1
models:
  - name: small
    task: binary
    columns: {key: [id], label: late}
    data:
      test:
        path: test.csv
        ${dataset}
        checks: [{kind: range, column: late, max: 1}]
`;

type Repository = { folder: string; git(...argv: string[]): Promise<string>; commit(text: string): Promise<string> };

async function createRepository(folder: string): Promise<Repository> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  await runProcess({ argv: ['git', 'init', '-q', '-b', 'main', folder], env });
  const repository: GitRepository = await openGitRepository(folder, env);
  const git = async (...argv: string[]) =>
    (await repository.run(['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...argv])).trim();
  await writeFile(path.join(folder, 'test.csv'), 'id,late\n1,1\n2,777\n');
  await writeFile(path.join(folder, 'secret.csv'), 'id,late\n1,888\n');
  return {
    folder,
    git,
    async commit(text) {
      await writeFile(path.join(folder, 'passloop.yaml'), text);
      await git('add', '.');
      await git('commit', '-q', '--allow-empty', '-m', 'a change');
      return git('rev-parse', 'HEAD');
    },
  };
}

/** `main` with one model file, and the merge of a branch with another one, as the forge checks it out. */
async function createMerge(repository: Repository, base: string, change: string) {
  const main = await repository.commit(base);
  await repository.git('checkout', '-q', '-b', 'change');
  const head = await repository.commit(change);
  await repository.git('checkout', '-q', 'main');
  await repository.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  return { main, head };
}

type Event = { name: string; payload: unknown } | null;

async function contextOf(folder: string, event: Event, cwd = folder): Promise<{ context: Context; notes: string[] }> {
  const notes: string[] = [];
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', HOME: folder };
  if (event !== null) {
    const file = path.join(folder, '.git/event.json');
    await writeFile(file, JSON.stringify(event.payload));
    Object.assign(env, { GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: event.name, GITHUB_EVENT_PATH: file });
  }
  const progress = { ...silentProgress, note: (text: string) => void notes.push(text) };
  return { context: { cwd, env, now: () => new Date('2026-11-26'), progress, version: '0' }, notes };
}

async function validate(folder: string, event: Event, cwd = folder) {
  const { context, notes } = await contextOf(folder, event, cwd);
  const [one] = await dataValidate(context, {});
  return { shows: one?.showValues, examples: one?.failing[0]?.examples, note: notes.join('\n') };
}

function pullRequest(head: string) {
  const repo = { full_name: 'acme/flight' };
  const pull = { number: 7, head: { sha: head, repo }, base: { repo } };
  return { name: 'pull_request', payload: { pull_request: pull, sender: { login: 'someone' } } };
}

function push(sha: string, ref: string) {
  const repository = { full_name: 'acme/flight', default_branch: 'main' };
  return { name: 'push', payload: { ref, after: sha, repository, sender: { login: 'someone' } } };
}

const shown = { shows: true, examples: ['id=2 late=777'] };
const hidden = { shows: false, examples: ['id=2 late=…'] };

it('shows values where the target branch and the change say so, and nowhere else', async () => {
  await using folder = await temporaryFolder('shown-values');
  const repository = await createRepository(folder.path);
  const { head } = await createMerge(
    repository,
    modelFile('showValues: true'),
    `# Changed.\n${modelFile('showValues: true')}`,
  );
  expect(await validate(folder.path, pullRequest(head))).toMatchObject(shown);

  await repository.git('checkout', '-q', 'change');
  const unmerged = await validate(folder.path, pullRequest(head));
  expect(unmerged).toMatchObject(hidden);
  expect(unmerged.note).toMatch(/values of test stay hidden: the target branch is not here.*fetch-depth: 2/);
});

it.each([
  ['turns it on', modelFile('showValues: false'), modelFile('showValues: true')],
  [
    'gives the model another name',
    modelFile('showValues: true'),
    modelFile('showValues: true').replace('small', 'mine'),
  ],
  [
    'points at another table',
    modelFile('showValues: true').replace('test.csv', 'secret.csv'),
    modelFile('showValues: true'),
  ],
])('hides them in a pull request that %s, and says why', async (_, base, change) => {
  await using folder = await temporaryFolder('shown-values');
  const repository = await createRepository(folder.path);
  const { main, head } = await createMerge(repository, base, change);

  const answer = await validate(folder.path, pullRequest(head));
  expect(answer).toMatchObject(hidden);
  expect(answer.note).toBe(
    'values of test stay hidden: the target branch does not show them. Or turn it on for this workflow with `show-values: true`.',
  );
  const queued = { name: 'merge_group', payload: { merge_group: { head_sha: head, base_sha: main } } };
  expect(await validate(folder.path, queued)).toMatchObject(hidden);
});

it('takes a model file in another folder for another one', async () => {
  await using folder = await temporaryFolder('shown-values');
  const repository = await createRepository(folder.path);
  await repository.commit(modelFile('showValues: true'));
  await repository.git('checkout', '-q', '-b', 'change');
  const sub = path.join(folder.path, 'sub');
  await mkdir(sub);
  for (const name of ['passloop.yaml', 'test.csv']) await rename(path.join(folder.path, name), path.join(sub, name));
  await repository.git('add', '.');
  await repository.git('commit', '-q', '-m', 'move');
  const head = await repository.git('rev-parse', 'HEAD');
  await repository.git('checkout', '-q', 'main');
  await repository.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  expect(await validate(folder.path, pullRequest(head), sub)).toMatchObject(hidden);

  await repository.git('commit', '-q', '--allow-empty', '-m', 'on the default branch');
  await repository.git('checkout', '-q', '-b', 'other');
  await repository.git('commit', '-q', '--allow-empty', '-m', 'another change');
  const other = await repository.git('rev-parse', 'HEAD');
  await repository.git('checkout', '-q', 'main');
  await repository.git('merge', '-q', '--no-ff', '-m', 'merge', 'other');
  expect(await validate(folder.path, pullRequest(other), sub)).toMatchObject(shown);
});

it('takes the word of the default branch and of a work tree, and of no other branch', async () => {
  await using folder = await temporaryFolder('shown-values');
  const repository = await createRepository(folder.path);
  const sha = await repository.commit(modelFile('showValues: true'));
  expect(await validate(folder.path, push(sha, 'refs/heads/main'))).toMatchObject(shown);
  expect(await validate(folder.path, push(sha, 'refs/heads/change'))).toMatchObject(hidden);
  expect(await validate(folder.path, { name: 'pull_request_target', payload: {} })).toMatchObject(hidden);
  expect(await validate(folder.path, { name: 'pull_request', payload: {} })).toMatchObject(hidden);
  expect(await validate(folder.path, null)).toMatchObject(shown);
});

describe('how a column that drifted is distributed', () => {
  const driftFile = ({ test, train }: { test: boolean; train: boolean }) => `version: 1
models:
  - name: small
    task: binary
    columns: {key: [id], label: late}
    data:
      train: {path: train.csv, showValues: ${train}}
      test: {path: test.csv, showValues: ${test}, checks: [{kind: drift, dataset: train}]}
`;
  const csv = (late: (row: number) => string) =>
    ['id,late', ...Array.from({ length: 1200 }, (_, row) => `${row},${late(row)}`)].join('\n');

  /** A pull request's merge with these model files, and what is read in it of the drift: by the command, and by a check. */
  async function told(base: string, change: string, event: (head: string) => Event) {
    await using folder = await temporaryFolder('shown-values');
    const repository = await createRepository(folder.path);
    await writeFile(
      path.join(folder.path, 'train.csv'),
      csv((row) => (row % 2 === 0 ? 'punctual' : 'late')),
    );
    await writeFile(
      path.join(folder.path, 'test.csv'),
      csv((row) => (row % 5 === 0 ? 'punctual' : 'late')),
    );
    await writeFile(path.join(folder.path, 'passloop.yaml'), base);
    await dataLock((await contextOf(folder.path, null)).context);
    const { head } = await createMerge(repository, base, `# Changed.\n${change}`);
    const { context } = await contextOf(folder.path, event(head));
    const [validated] = await dataValidate(context, { out: path.join(folder.path, '.git/out') });

    const plan = await planCheck(context, { against: 'HEAD^1', head, asksStore: false });
    const [check] = plan.checks;
    await using session = await openTables();
    const [checked] = await validateModelData(
      context,
      session,
      plan.workspace,
      check!.model,
      plan.base!.commit,
      undefined,
    );
    return [validated?.report, checked].map((report) => {
      const [one] = report?.distributions ?? [];
      expect(one).toMatchObject({ column: 'late', reference: [600, 600, 0], current: [960, 240, 0] });
      return { isHidden: one?.isHidden, names: /punctual/.test(JSON.stringify(report)) };
    });
  }

  const both = driftFile({ test: true, train: true });
  const shown = { isHidden: false, names: true };
  const hidden = { isHidden: true, names: false };

  it.each([
    ['names values where the target branch and the change say so, of both datasets', both, both, shown],
    ['hides them where the change turns it on', driftFile({ test: false, train: true }), both, hidden],
    ['hides them where the change turns it off', both, driftFile({ test: false, train: true }), hidden],
    ['hides them where the other dataset is not shown', driftFile({ test: true, train: false }), both, hidden],
    ['hides them of a model that the target branch has not', both.replace('small', 'other'), both, hidden],
  ])('%s', async (_, base, change, expected) => {
    expect(await told(base, change, pullRequest)).toEqual([expected, expected]);
  });

  it('names them on a laptop as the work tree says', async () => {
    expect(await told(driftFile({ test: false, train: false }), both, () => null)).toEqual([shown, shown]);
  });
});
