import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { type DiagnosedCheck, type DiagnosisDocument, parseDocument } from '@passloop/documents';
import type { CreatedApp } from '@passloop/local-github';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../../../test/world/world.ts';
import { command } from './testing/deployed-world.ts';

const sha = '3d3c42e5aac5ba805825da76410c181273ba90b1';
const caller = (name: string, on: string, permissions: string, more = '') =>
  `name: ${name}
on: ${on}
permissions: {}
jobs:
  call:
    uses: acme/passloop/.github/workflows/${name}.yml@${sha}
    permissions: ${permissions}
${more}`;

let folder: TemporaryFolder;
let world: World;
let app: CreatedApp;
let administrator: string;

beforeAll(async () => {
  folder = await temporaryFolder('doctor-test');
  world = await createWorld({ folder: folder.path, command });
  const { github } = world;
  administrator = await github.createToken({
    login: 'ada',
    admin: true,
    repositories: ['acme/flights', 'acme/deploy'],
    permissions: {
      actions: 'read',
      administration: 'write',
      contents: 'write',
      environments: 'read',
      metadata: 'read',
      pull_requests: 'write',
      variables: 'read',
      workflows: 'write',
    },
  });
  app = await github.createApp({
    slug: 'acme-deployer',
    account: 'acme',
    repositories: ['acme/deploy'],
    permissions: { contents: 'write', pull_requests: 'write' },
  });
  await put(world.flightsClone, {
    '.github/CODEOWNERS': '/.github/ @acme/ml\n/.passloop/ @acme/ml\n',
    '.github/workflows/check.yml': caller(
      'model-check',
      '[pull_request, merge_group]',
      '{checks: write, contents: read, packages: write, pull-requests: write}',
    ),
    '.github/workflows/report.yml': caller(
      'model-report',
      '{workflow_run: {workflows: [model-check]}}',
      '{actions: read, checks: write, pull-requests: write}',
    ),
    '.github/workflows/promote.yml': caller(
      'model-promote',
      '{push: {branches: [main]}, workflow_dispatch: }',
      '{contents: read, packages: write}',
      `    with: {app-client-id: ${app.clientId}}\n    secrets: {app-private-key: "\${{ secrets.DEPLOY_KEY }}"}\n`,
    ),
    '.github/workflows/rollback.yml': caller('model-rollback', 'workflow_dispatch', '{contents: read, packages: read}'),
  });
  await commit(world.flightsClone, 'Check models');
  await put(world.deployClone, {
    '.github/workflows/check.yml': caller('deploy-check', 'pull_request', '{contents: read, packages: read}'),
  });
  await commit(world.deployClone, 'Check promotions');
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function put(clone: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(clone, name)), { recursive: true });
    await writeFile(path.join(clone, name), text);
  }
}

async function commit(clone: string, message: string): Promise<void> {
  await world.git(clone, 'remote', 'set-url', 'origin', cloneUrl(clone));
  await world.git(clone, 'add', '-A');
  await world.git(clone, 'commit', '-qm', message);
  await world.git(clone, 'push', '-q', 'origin', 'main');
}

function cloneUrl(clone: string): string {
  return (clone === world.flightsClone ? world.flights : world.deploy).cloneUrlWith(administrator);
}

async function doctor(env: Record<string, string> = {}, cwd = world.flightsClone): Promise<DiagnosisDocument> {
  const answer = await world.passloop(['doctor', '--quiet', '--json', '-'], {
    cwd,
    env: {
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/flights',
      GITHUB_TOKEN: administrator,
      PASSLOOP_DEPLOY_TOKEN: administrator,
      PASSLOOP_APP_PRIVATE_KEY: app.privateKey,
      ...env,
    },
  });
  const document = parseDocument('diagnosis', answer.stdout, 'stdout');
  expect(answer.exitCode).toBe(document.verdict === 'fail' ? 1 : 0);
  return document;
}

function the(document: DiagnosisDocument, id: string, subject?: string): DiagnosedCheck {
  const found = document.checks.find(
    (check) => check.id === id && (subject === undefined || check.subject === subject),
  );
  if (found === undefined) throw new Error(`no check ${id} in ${JSON.stringify(document.checks, null, 1)}`);
  return found;
}

async function protect(checks: { context: string; app_id?: number }[]): Promise<void> {
  const response = await fetch(`${world.github.restUrl}/repos/acme/flights/branches/main/protection`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${administrator}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      required_status_checks: checks.length === 0 ? null : { strict: false, contexts: [], checks },
      enforce_admins: false,
      required_pull_request_reviews: null,
      restrictions: null,
    }),
  });
  expect(response.status).toBe(200);
}

it('finds the files of the commit, its data, the deploy repository and the App', async () => {
  const document = await doctor();
  expect(document).toMatchObject({ repository: 'acme/flights', commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
  const fine = [
    'model-file',
    'lock',
    'data',
    'profile',
    'store-place',
    'owners',
    'engine',
    'runner',
    'repository',
    'deploy-repository',
  ];
  for (const id of fine) expect(the(document, id), id).toMatchObject({ verdict: 'ok', fix: null });
  for (const name of ['model-check', 'model-report', 'model-promote', 'model-rollback', 'deploy-check'])
    for (const id of ['workflow', 'workflow-pin', 'workflow-permissions'])
      expect(the(document, id, name), `${id} ${name}`).toMatchObject({ verdict: 'ok' });
  expect(the(document, 'deploy-app')).toMatchObject({ verdict: 'ok', subject: 'acme/deploy' });
});

it('knows a deploy repository by its workflows', async () => {
  const document = await doctor({ GITHUB_REPOSITORY: 'acme/deploy' }, world.deployClone);
  expect(the(document, 'workflow', 'deploy-check')).toMatchObject({ verdict: 'ok' });
  expect(the(document, 'repository')).toMatchObject({ verdict: 'ok', subject: 'acme/deploy' });
  expect(document.checks.map((check) => check.id)).not.toContain('model-file');
  expect(the(document, 'owners')).toMatchObject({
    verdict: 'warn',
    fix: expect.stringContaining('/.passloop/ @OWNERS'),
  });
});

it('makes only calls that read', async () => {
  const from = world.github.log.length;
  await doctor();
  const methods = new Set(world.github.log.slice(from).map((call) => call.method));
  expect([...methods]).toEqual(['GET']);
});

describe('the required check', () => {
  it('is missing, anybody can report it, or it is GitHub Actions alone', async () => {
    await protect([]);
    expect(the(await doctor(), 'required-check')).toMatchObject({ verdict: 'fail' });
    await protect([{ context: 'passloop' }]);
    expect(the(await doctor(), 'required-check')).toMatchObject({
      verdict: 'warn',
      message: expect.stringContaining('whoever'),
    });
    await protect([{ context: 'passloop', app_id: 15368 }]);
    expect(the(await doctor(), 'required-check')).toMatchObject({ verdict: 'ok' });
  });
});

describe('the default branch', () => {
  it('has its check by a ruleset, and a queue that a workflow must know', async () => {
    await protect([]);
    await world.flights.configureActions({
      rules: { main: { checks: [{ context: 'passloop', appId: 15368 }], mergeQueue: true } },
    });
    const document = await doctor();
    expect(the(document, 'required-check')).toMatchObject({ verdict: 'ok' });
    expect(the(document, 'merge-queue')).toMatchObject({ verdict: 'ok' });
    expect(the(document, 'workflow', 'model-check')).toMatchObject({ verdict: 'ok' });
    const file = path.join(world.flightsClone, '.github/workflows/check.yml');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replace('[pull_request, merge_group]', 'pull_request'));
    await world.git(world.flightsClone, 'commit', '-qam', 'Forget the queue');
    expect(the(await doctor(), 'workflow', 'model-check')).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('merge_group:'),
    });
    await writeFile(file, before);
    await world.git(world.flightsClone, 'commit', '-qam', 'Remember it');
  });
});

describe('settings of workflows', () => {
  it('warn where a token may write, and where strangers run', async () => {
    const { flights } = world;
    await flights.configureActions({ defaultPermissions: 'read', forkApproval: 'all_external_contributors' });
    const fine = await doctor();
    for (const id of ['default-permissions', 'fork-approval']) expect(the(fine, id)).toMatchObject({ verdict: 'ok' });
    await flights.configureActions({ defaultPermissions: 'write', forkApproval: 'first_time_contributors' });
    const warned = await doctor();
    for (const id of ['default-permissions', 'fork-approval'])
      expect(the(warned, id)).toMatchObject({ verdict: 'warn' });
  });
});

describe('the environment', () => {
  const refs = (branches: string[], tags: string[] = []) => ({ branches, tags });

  it('is there, for the default branch alone, and holds the key that the workflow names', async () => {
    expect(the(await doctor(), 'environment')).toMatchObject({ verdict: 'fail', subject: 'passloop' });
    const settings = { secrets: ['DEPLOY_KEY'], variables: {} };
    await world.flights.configureActions({ environments: { passloop: { ...settings, refs: refs(['main']) } } });
    const document = await doctor();
    for (const id of ['environment', 'environment-branches', 'environment-secret'])
      expect(the(document, id)).toMatchObject({ verdict: 'ok' });
    expect(the(document, 'environment-secret').subject).toBe('DEPLOY_KEY');
  });

  it.each([
    ['all', 'all', 'fail'],
    ['protected', 'protected', 'warn'],
    ['another branch', refs(['main', 'release/*']), 'fail'],
    ['a tag of the same name', refs([], ['main']), 'fail'],
    ['none', refs([]), 'fail'],
  ] as const)('is open to %s', async (_, open, verdict) => {
    await world.flights.configureActions({
      environments: {
        passloop: { refs: open === 'all' || open === 'protected' ? open : { ...open }, secrets: [], variables: {} },
      },
    });
    const document = await doctor();
    expect(the(document, 'environment-branches')).toMatchObject({ verdict });
    expect(the(document, 'environment-secret')).toMatchObject({ verdict: 'fail' });
  });

  it('is unknown in parts to a token that sees only parts', async () => {
    const token = await world.github.createToken({
      login: 'bob',
      repositories: ['acme/flights', 'acme/deploy'],
      permissions: { metadata: 'read', actions: 'read', contents: 'read' },
    });
    const document = await doctor({ GITHUB_TOKEN: token });
    expect(the(document, 'environment')).toMatchObject({ verdict: 'ok' });
    expect(the(document, 'environment-secret')).toMatchObject({
      verdict: 'unknown',
      fix: expect.stringContaining('`environments: read`'),
    });
  });

  it('has the client id as a variable, or the repository has', async () => {
    const file = path.join(world.flightsClone, '.github/workflows/promote.yml');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replace(app.clientId, JSON.stringify(`\${{ vars.APP_ID }}`)));
    await world.git(world.flightsClone, 'commit', '-qam', 'Name a variable');
    expect(the(await doctor(), 'deploy-app')).toMatchObject({
      verdict: 'unknown',
      message: expect.stringContaining('APP_ID'),
    });
    await world.flights.configureActions({ variables: { APP_ID: app.clientId } });
    expect(the(await doctor(), 'deploy-app')).toMatchObject({ verdict: 'ok' });
    await writeFile(file, before);
    await world.git(world.flightsClone, 'commit', '-qam', 'Write it again');
  });
});

describe('the App', () => {
  it('may do too much, or is not installed there', async () => {
    const strong = await world.github.createApp({
      slug: 'strong',
      account: 'acme',
      repositories: ['acme/deploy'],
      permissions: { contents: 'write', pull_requests: 'write', workflows: 'write' },
    });
    const warned = await doctor({
      PASSLOOP_APP_CLIENT_ID: strong.clientId,
      PASSLOOP_APP_PRIVATE_KEY: strong.privateKey,
    });
    expect(the(warned, 'deploy-app')).toMatchObject({
      verdict: 'warn',
      message: expect.stringContaining('`workflows: write`'),
    });
    const elsewhere = await world.github.createApp({
      slug: 'elsewhere',
      account: 'acme',
      repositories: ['acme/flights'],
    });
    const failed = await doctor({
      PASSLOOP_APP_CLIENT_ID: elsewhere.clientId,
      PASSLOOP_APP_PRIVATE_KEY: elsewhere.privateKey,
    });
    expect(the(failed, 'deploy-app')).toMatchObject({
      verdict: 'fail',
      message: expect.stringContaining('not installed'),
    });
  });

  it('is told by the organization, where its key is not at hand', async () => {
    const wide = await world.github.createApp({
      slug: 'wide',
      account: 'acme',
      permissions: { contents: 'write', pull_requests: 'write' },
    });
    const owner = await world.github.createToken({
      login: 'ada',
      repositories: ['acme/flights', 'acme/deploy'],
      permissions: { contents: 'read', metadata: 'read', organization_administration: 'read' },
    });
    const ask = async (PASSLOOP_APP_CLIENT_ID: string, PASSLOOP_DEPLOY_TOKEN: string) =>
      the(await doctor({ PASSLOOP_APP_CLIENT_ID, PASSLOOP_DEPLOY_TOKEN, PASSLOOP_APP_PRIVATE_KEY: '' }), 'deploy-app');
    expect(await ask(wide.clientId, owner)).toMatchObject({
      verdict: 'warn',
      message: expect.stringContaining('installed on all repositories'),
    });
    expect(await ask(app.clientId, owner)).toMatchObject({
      verdict: 'unknown',
      message: expect.stringContaining('only the App itself tells'),
    });
    expect(await ask('Iv23nobody', owner)).toMatchObject({ verdict: 'fail' });
    expect(await ask(wide.clientId, administrator)).toMatchObject({ verdict: 'unknown' });
  });

  it('is unknown with the key of another one, with a broken key and without a key', async () => {
    const other = await world.github.createApp({ slug: 'other', account: 'acme' });
    for (const PASSLOOP_APP_PRIVATE_KEY of [other.privateKey, 'no key at all']) {
      const document = await doctor({ PASSLOOP_APP_PRIVATE_KEY });
      expect(the(document, 'deploy-app').verdict).toBe('unknown');
      expect(JSON.stringify(document)).not.toContain('PRIVATE KEY--');
    }
  });
});

describe('a token that may not see', () => {
  it('makes unknown what it is not shown, and names what it lacks', async () => {
    await world.github.createRepository({ owner: 'acme', name: 'flights-private', private: true });
    const blind = await world.github.createToken({
      login: 'bob',
      repositories: ['acme/flights', 'acme/deploy'],
      permissions: { metadata: 'read' },
    });
    const document = await doctor({ GITHUB_TOKEN: blind });
    const settings = the(document, 'default-permissions');
    expect(settings).toMatchObject({ verdict: 'unknown', fix: expect.stringContaining('`administration: read`') });
    const other = await doctor({ GITHUB_REPOSITORY: 'acme/flights-private', GITHUB_TOKEN: blind });
    expect(the(other, 'repository')).toMatchObject({ verdict: 'fail', message: expect.stringContaining('shows no') });
  });

  it('is refused, or there is none, or nobody answers', async () => {
    expect(the(await doctor({ GITHUB_TOKEN: 'ghp_wrong' }), 'repository').verdict).toBe('unknown');
    const none = await doctor({ GITHUB_TOKEN: '', PASSLOOP_DEPLOY_TOKEN: '' });
    expect(the(none, 'repository')).toMatchObject({
      verdict: 'unknown',
      fix: expect.stringContaining('gh auth token'),
    });
    const silent = await doctor({ GITHUB_API_URL: 'http://127.0.0.1:1' });
    expect(the(silent, 'repository').verdict).toBe('unknown');
    expect(the(silent, 'deploy-repository').verdict).toBe('unknown');
  });
});

describe('the work tree', () => {
  it('has data that the lock does not know, or only a pointer to it', async () => {
    const file = path.join(world.flightsClone, 'data/test.parquet');
    const before = await readFile(file);
    await writeFile(file, Buffer.concat([before, Buffer.from('x')]));
    expect(the(await doctor(), 'lock', 'flight-delay/test')).toMatchObject({ verdict: 'fail' });
    await writeFile(file, `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`);
    expect(the(await doctor(), 'data', 'flight-delay/test')).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('git lfs pull'),
    });
    await writeFile(file, before);
    expect(the(await doctor(), 'lock', 'flight-delay/test')).toMatchObject({ verdict: 'ok' });
  });
});

it('asks no other GitHub than the one of the remote', async () => {
  const { flightsClone } = world;
  const from = world.github.log.length;
  await world.git(flightsClone, 'remote', 'set-url', 'origin', 'git@git.acme.example:acme/flights.git');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(GITHUB|PASSLOOP)_/.test(name)));
  const result = await runProcess({
    argv: [process.execPath, command, 'doctor', '--quiet', '--json', '-'],
    cwd: flightsClone,
    env: { ...(env as Record<string, string>), GITHUB_TOKEN: administrator },
  });
  const document = parseDocument('diagnosis', result.stdout.toString(), 'stdout');
  expect(the(document, 'repository')).toMatchObject({
    verdict: 'unknown',
    message: expect.stringContaining('git.acme.example'),
  });
  expect(the(document, 'deploy-repository')).toMatchObject({
    verdict: 'unknown',
    message: expect.stringContaining('git.acme.example'),
  });
  expect(world.github.log).toHaveLength(from);
  await world.git(flightsClone, 'remote', 'set-url', 'origin', cloneUrl(flightsClone));
});

it('a wrong model file is told with its line, and the rest is looked at all the same', async () => {
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const before = await readFile(file, 'utf8');
  await writeFile(file, before.replace('    gates:', '    gats:'));
  await world.git(world.flightsClone, 'commit', '-qam', 'Break');
  const document = await doctor();
  expect(the(document, 'model-file')).toMatchObject({
    verdict: 'fail',
    message: expect.stringMatching(/^passloop\.yaml:\d+: .*`gats`/),
    fix: 'Did you mean `gates`?',
  });
  expect(the(document, 'repository').verdict).toBe('ok');
  await writeFile(file, before);
  await world.git(world.flightsClone, 'commit', '-qam', 'Mend');
});

it('a team that did all of it passes, but for what only a push would tell', async () => {
  await protect([{ context: 'passloop', app_id: 15368 }]);
  await world.flights.configureActions({
    defaultPermissions: 'read',
    forkApproval: 'all_external_contributors',
    environments: { passloop: { refs: { branches: ['main'] }, secrets: ['DEPLOY_KEY'], variables: {} } },
    rules: {},
  });
  const document = await doctor();
  const left = document.checks.filter((check) => check.verdict !== 'ok').map(({ id, verdict }) => `${id} ${verdict}`);
  expect(left).toEqual(['store-access unknown', 'image-access unknown']);
  expect(document.verdict).toBe('warn');
});
