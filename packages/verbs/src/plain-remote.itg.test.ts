import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import type { World } from '../../../test/world/world.ts';
import { promote } from './promote.ts';
import { deploy, deployedWorld, manifestFile } from './testing/deployed-world.ts';
import { provenWorld } from './testing/proven-world.ts';

/** The verbs on a deploy repository that only git reaches: no API is asked, and no token of Passloop's is used. */
const branch = 'promote/flight-delay/prod';
const tokenless = { PASSLOOP_DEPLOY_TOKEN: '', GITHUB_TOKEN: '' };

async function modelFileSays(world: World, repository: string, merge = 'auto'): Promise<void> {
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  const changed = text
    .replace(/repository: (?:acme\/deploy|'[^']*')/, `repository: '${repository}'`)
    .replace(/merge: (?:auto|review)/, `merge: ${merge}`);
  await writeFile(file, changed);
  await world.git(world.flightsClone, 'commit', '-qam', `Deploy to ${merge}`, '--allow-empty');
}

function apiCalls(world: World, from: number): string[] {
  return world.github.log
    .slice(from)
    .flatMap(({ kind, route }) => (kind === 'git' || kind === 'registry' ? [] : [route]));
}

it('rolls back, holds, lifts and shows it, by git alone', async () => {
  await using folder = await temporaryFolder('plain-remote');
  await using world = await deployedWorld(folder.path);
  for (const version of ['first', 'second']) await deploy(world, version);
  const url = world.deploy.cloneUrlWith(world.tokens.deploy);
  await modelFileSays(world, world.deploy.cloneUrl, 'review');
  const from = world.github.log.length;
  const main = await world.git(world.deploy.directory, 'rev-parse', 'main');

  const answer = await world.passloop(['rollback', '--reason', 'precision fell', '--deploy-repo', url], {
    env: tokenless,
  });

  expect(answer.exitCode, answer.stderr).toBe(0);
  expect(answer.stdout).toContain(`  pushed ${branch} at `);
  expect(answer.stdout).toContain(
    `Open the pull request: ${world.deploy.cloneUrl} ${branch}\n\nrollback(flight-delay → prod)`,
  );
  expect(answer.stdout).toContain('precision fell');
  expect(answer.stdout + answer.stderr).not.toContain(world.tokens.deploy);
  expect(await world.git(world.deploy.directory, 'show', `${branch}:${manifestFile}`)).toMatch(/digest: "?sha256:/);
  expect(await world.git(world.deploy.directory, 'rev-parse', 'main')).toBe(main);
  const again = await world.passloop(['rollback', '--json', '-'], { env: { ...tokenless, PASSLOOP_DEPLOY_REPO: url } });
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.stdout + again.stderr).not.toContain(world.tokens.deploy);
  const document = parseDocument('rollback', again.stdout, 'rollback.json');
  expect(document).toMatchObject({ outcome: 'updated', pullRequest: null, merged: false, branch });
  expect(document.proposal?.title).toMatch(/^rollback\(flight-delay → prod\)/);
  const shown = await world.passloop(['status', '--deploy-repo', url], { env: tokenless });
  expect(shown.stdout).toMatch(new RegExp(`flight-delay +prod +recorded +second .*${branch}`));

  await modelFileSays(world, world.deploy.cloneUrl, 'auto');
  const merged = await world.passloop(['rollback', '--reason', 'precision fell', '--deploy-repo', url], {
    env: tokenless,
  });
  expect(merged.stdout, merged.stderr).toMatch(/ {2}pushed to the base branch at [0-9a-f]{12}\n/);
  expect(merged.stdout).not.toContain('Open the pull request');
  const status = await world.passloop(['status', '--repository', url, '--json', '-'], { env: tokenless });
  const { rows, holds, repository } = parseDocument('status', status.stdout, 'status.json');
  expect(repository).toBe(world.deploy.cloneUrl);
  expect(rows).toMatchObject([{ version: 'first', cause: 'rollback', openPullRequest: null }]);
  const held = holds[0]?.modelDigest ?? '';
  const lifted = await world.passloop(['hold', held, '--lift', '--deploy-repo', url, '--json', '-'], {
    env: tokenless,
  });
  expect(parseDocument('promotion', lifted.stdout, 'hold.json')).toMatchObject({
    outcome: 'created',
    pullRequest: null,
    branch: expect.stringMatching(/^hold\/flight-delay\//),
    proposal: { title: expect.stringContaining('lift') },
  });
  expect(apiCalls(world, from)).toEqual([]);
});

it('promotes what another job proved, by git alone', async () => {
  await using folder = await temporaryFolder('plain-remote');
  await using proven = await provenWorld(folder.path);
  const { world, context } = proven;
  const deployRepo = world.deploy.cloneUrlWith(world.tokens.deploy);
  const proof = { folder: proven.folder };
  const plan = await promote(context, { proof, deployRepo, plan: true });
  expect(plan.edits.map(({ file }) => file)).toContain(manifestFile);
  const from = world.github.log.length;

  const first = await promote(context, { proof, deployRepo });
  const again = await promote(context, { proof, deployRepo });

  expect(first).toMatchObject({ outcome: 'created', change: 'first', branch, pullRequest: null, merged: false });
  expect(first.proposal?.body).toContain('**flight-delay** comes to **prod** for the first time');
  expect(again).toMatchObject({ outcome: 'unchanged', commit: first.commit, pullRequest: null });
  expect((await world.git(world.deploy.directory, 'rev-parse', branch)).trim()).toBe(first.commit);
  expect(world.deploy.pullRequests()).toEqual([]);
  expect(world.github.log.slice(from).filter(({ login, kind }) => login === 'passloop-bot' && kind !== 'git')).toEqual(
    [],
  );
});

it('lets the doctor say whether git reads it', async () => {
  await using folder = await temporaryFolder('plain-remote');
  await using world = await deployedWorld(folder.path);
  await modelFileSays(world, world.deploy.cloneUrl);
  const seen = await world.passloop(['doctor']);
  expect(seen.stdout).toContain(`git reads ${world.deploy.cloneUrl}; its default branch is main.`);
  await modelFileSays(world, 'https://ci:hunter2@127.0.0.1:1/deploy.git');
  const refused = await world.passloop(['doctor']);
  expect(refused.stdout).toContain('deploy.repository has a password in it');
  expect(refused.stdout + refused.stderr).not.toContain('hunter2');
});

it('uses git’s own credentials for what the model file names, and hands no token to that host', async () => {
  await using folder = await temporaryFolder('plain-remote');
  await using world = await deployedWorld(folder.path);
  await deploy(world, 'first');
  await modelFileSays(world, world.deploy.cloneUrl);
  await world.git(world.flightsClone, 'config', 'user.name', 'Ada');
  await world.github.createRepository({ owner: 'acme', name: 'other', private: true });
  const other = world.deploy.cloneUrl.replace('deploy.git', 'other.git');

  const shown = await world.passloop(['status', '--json', '-']);
  expect(parseDocument('status', shown.stdout, 'status.json')).toMatchObject({ rows: [{ version: 'first' }] });
  await modelFileSays(world, other);
  const from = world.github.log.length;
  const refused = await world.passloop(['status']);

  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toMatch(/refuses what git may use to log in/);
  expect(world.github.log.slice(from).map(({ login }) => login)).not.toContain('passloop-bot');
  expect(apiCalls(world, from)).toEqual([]);

  const store = path.join(folder.path, 'credentials');
  await writeFile(store, `${world.github.url.replace('://', `://x-access-token:${world.tokens.deploy}@`)}\n`);
  const config = path.join(folder.path, 'gitconfig');
  await writeFile(config, `[credential]\nhelper = store --file=${store}\n`);
  await modelFileSays(world, world.deploy.cloneUrl, 'review');
  const done = await world.passloop(['hold', `sha256:${'ab'.repeat(32)}`, '--json', '-'], {
    env: { GIT_CONFIG_GLOBAL: config },
  });
  expect(done.exitCode, done.stderr).toBe(0);
  expect(parseDocument('promotion', done.stdout, 'hold.json')).toMatchObject({ outcome: 'created', pullRequest: null });
});

it.each([
  ['ext::sh -c touch% ran', /deploy repository "ext::sh -c touch% ran" has characters that no URL has/],
  ['ext::sh', /is no git URL/],
  ['https://ci:hunter2@git.example.com/deploy.git', /deploy\.repository has a password in it/],
  ['file:///tmp/evil.git', /is a folder of this machine/],
  ['../deploy.git', /is no git URL/],
  ['--upload-pack=x', /neither owner\/name nor a git URL/],
])('refuses a model file that deploys to %s', async (repository, message) => {
  await using folder = await temporaryFolder('plain-remote');
  await using world = await deployedWorld(folder.path);
  await modelFileSays(world, repository);

  const answer = await world.passloop(['status']);

  expect(answer.exitCode).toBe(2);
  expect(answer.stderr).toMatch(message);
  expect(answer.stdout + answer.stderr).not.toContain('hunter2');
});
