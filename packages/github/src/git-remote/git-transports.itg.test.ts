import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError, InfrastructureError } from '@passloop/core';
import { type Forge, promote, readDeployState, StaleError } from '@passloop/gitops';
import { afterEach, expect, it, vi } from 'vitest';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  manifest,
  mortal,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from '../testing/deploy-world.ts';
import { gitForge } from './git-forge.ts';
import { gitRemote } from './git-url.ts';
import { gitEnvironment, gitWorld } from './testing/git-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const branch = 'promote/flight-delay/prod';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A GitHub as one of many hosts that speak git over HTTP and ask for a password. */
function overHttp(world: DeployWorld, home: string, token = world.token): Forge {
  const remote = gitRemote(world.repository.cloneUrlWith(token), 'operator');
  return gitForge({ remote, env: gitEnvironment(home), timeoutMs: 20_000 });
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

it('logs in with what stands in the URL, writes it nowhere, and fetches no file that it does not need', async () => {
  const others = Object.fromEntries(
    [...Array(50)].map((_, index) => [`apps/other-${index}/values.yaml`, `n: ${index}\n`]),
  );
  await using world = await deployWorld({
    files: { [manifest]: 'images:\n  - name: ghcr.io/acme/flight\n', ...others },
  });
  // Packed as a server's repositories are: with bitmaps it knows exactly what a clone with those commits would have.
  await pushFiles(world.clone, { 'README.md': 'later\n' }, 'Later');
  await git(world.repository.directory, 'repack', '-adbq');
  await git(world.repository.directory, 'config', 'uploadpack.allowFilter', 'true');
  const scratch = path.join(world.clone, '..', 'scratch');
  await mkdir(scratch);
  vi.stubEnv('TMPDIR', scratch);

  const done = await promote(overHttp(world, scratch), query(), promotionOf(candidate('a')), review);

  expect(done).toMatchObject({ outcome: 'created', pullRequest: null });
  expect(JSON.stringify(done)).not.toContain(world.token);
  const files = await filesBelow(scratch);
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect(await readFile(file, 'latin1'), file).not.toContain(world.token);
  const [clone = ''] = await readdir(scratch);
  const objects = await git(
    path.join(scratch, clone, 'deploy.git'),
    'cat-file',
    '--batch-all-objects',
    '--batch-check',
  );
  const own = objects.split('\n').filter((line) => / blob /.test(line));
  // The manifest before and after, and the record.
  expect(own).toHaveLength(3);
  expect(await world.show(manifest, branch)).toContain(candidate('a').image.digest);
  // The branches, the commits, the files in one go, and the push: each asks for the server's abilities first.
  const from = world.server.log.length;
  expect(await promote(overHttp(world, scratch), query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'updated',
  });
  const calls = world.server.log.slice(from).flatMap(({ operations, status }) => (status === 401 ? [] : operations));
  const read = ['git/info-refs', 'git/upload-pack'];
  expect(calls).toEqual([...read, ...read, 'git/upload-pack', ...read, 'git/info-refs', 'git/receive-pack']);
});

it.each([
  ['a wrong password', 'passloop_wrong', /refuses what git may use to log in/],
  [
    'a token that may only read',
    'read',
    /refuses what git may use to log in: .*Permission to acme\/deploy\.git denied|403/,
  ],
])('names what %s lacks', async (_, kind, message) => {
  await using world = await deployWorld();
  const permissions = { contents: 'read', metadata: 'read' } as const;
  const token =
    kind === 'read'
      ? await world.server.createToken({ login: 'reader[bot]', kind: 'installation', permissions })
      : kind;

  const failing = promote(overHttp(world, world.clone, token), query(), promotionOf(candidate('a')), review);

  await expect(failing).rejects.toThrow(ConfigurationError);
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toThrow(new RegExp(`^(?!.*${token})`));
  expect(await git(world.repository.directory, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n');
});

it('tells a repository that is not there from a host that is not there', async () => {
  await using world = await deployWorld();
  const env = gitEnvironment(world.clone);
  const missing = `${world.server.url.replace('://', `://x-access-token:${world.token}@`)}/acme/gone.git`;
  const gone = gitForge({ remote: gitRemote(missing, 'operator'), env });
  await expect(readDeployState(gone, query())).rejects.toThrow(
    /There is no repository http:\/\/127\.0\.0\.1:\d+\/acme\/gone/,
  );
  const nobody = gitForge({ remote: gitRemote('http://127.0.0.1:1/acme/deploy.git', 'operator'), env });
  await expect(readDeployState(nobody, query())).rejects.toThrow(InfrastructureError);
  const nowhere = gitForge({ remote: gitRemote(`file://${world.clone}/gone`, 'operator'), env });
  await expect(readDeployState(nowhere, query())).rejects.toThrow(/There is no repository file:/);
});

it('leaves nothing half done where the remote dies between the fetch and the push', async () => {
  await using world = await deployWorld();
  const forge = overHttp(world, world.clone);
  const fault = world.server.inject({ match: { operation: 'git/receive-pack' }, fault: 'drop-before', times: 9 });

  const failing = promote(forge, query(), promotionOf(candidate('a')), { ...review, ports: noWait });

  await expect(failing).rejects.toThrow(InfrastructureError);
  expect(fault.fired).toBeGreaterThanOrEqual(3);
  fault.remove();
  expect(await git(world.repository.directory, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n');
  expect(await promote(forge, query(), promotionOf(candidate('a')), review)).toMatchObject({ outcome: 'created' });
});

it('finds its own push again where the answer to it was lost', async () => {
  await using world = await deployWorld();
  const fault = world.server.inject({ match: { operation: 'git/receive-pack' }, fault: 'drop-after' });
  const request = promotionOf(candidate('a'));

  const failing = promote(overHttp(world, world.clone), query(), request, { merge: 'review', ports: mortal });

  await expect(failing).rejects.toThrow(InfrastructureError);
  expect(fault.fired).toBe(1);
  const pushed = await git(world.repository.directory, 'rev-parse', branch);
  const again = await promote(
    overHttp(world, world.clone),
    query(),
    { ...request, at: '2026-11-23T00:00:00Z' },
    review,
  );
  expect(again).toMatchObject({ outcome: 'unchanged', commit: pushed.trim() });
});

it('speaks to a git daemon, whose repositories have ids of sha256 too', async () => {
  await using world = await gitWorld();
  const bare = path.join(world.folder, 'modern.git');
  await git(world.folder, 'init', '--quiet', '--bare', '-b', 'main', '--object-format=sha256', bare);
  const clone = path.join(world.folder, 'modern');
  await git(world.folder, 'init', '--quiet', '-b', 'main', '--object-format=sha256', clone);
  await git(clone, 'remote', 'add', 'origin', bare);
  await pushFiles(clone, { [manifest]: 'images:\n  - name: ghcr.io/acme/flight\n    newTag: v0\n' }, 'Start');
  await using daemon = await gitDaemon(world.folder);

  for (const name of ['deploy', 'modern']) {
    const remote = gitRemote(`git://127.0.0.1:${daemon.port}/${name}.git`, 'operator');
    const forge = gitForge({ remote, env: gitEnvironment(world.folder) });
    const first = await promote(forge, query(), promotionOf(candidate('a')), auto);
    expect(first).toMatchObject({ outcome: 'created', merged: true });
    expect(first.commit).toHaveLength(name === 'modern' ? 64 : 40);
    expect(await promote(forge, query(), promotionOf(candidate('b')), review)).toMatchObject({ outcome: 'created' });
  }
});

async function gitDaemon(folder: string): Promise<AsyncDisposable & { port: number }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  const args = ['daemon', '--reuseaddr', '--export-all', '--enable=receive-pack', '--listen=127.0.0.1'];
  const env = gitEnvironment(folder);
  const child = spawn('git', [...args, `--port=${port}`, `--base-path=${folder}`, folder], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  for (let tries = 0; tries < 200; tries += 1) {
    const answers = await git(folder, 'ls-remote', `git://127.0.0.1:${port}/deploy.git`).then(Boolean, () => false);
    if (answers) break;
    await sleep(50);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended;
    },
  };
}

it('comes to a serial order where eight promoters race, each with a clone of its own', async () => {
  await using world = await gitWorld();
  const names = [...'abcdefgh'];

  const done = await Promise.all(
    names.map((name) => promote(world.forge(), query(), promotionOf(candidate(name)), auto)),
  );

  const landed = done.filter(({ merged }) => merged);
  expect(landed.length).toBeGreaterThan(0);
  for (const other of done) if (!other.merged) expect(other.outcome).toBe('conflict');
  const state = await readDeployState(world.forge(), query());
  const history = (state.environments[0]?.history ?? []).map(({ version }) => version?.record.deployment);
  expect(history).toHaveLength(landed.length);
  expect(new Set(history.map((one) => one?.promotionId))).toEqual(new Set(landed.map((one) => one.promotionId)));
  for (const [index, one] of history.entries()) {
    expect(one?.previous?.promotionId).toBe(history[index + 1]?.promotionId);
  }
  expect(await world.inBare('rev-list', '--count', '--merges', 'main')).toBe('0\n');
});

it('takes a branch only from where it was read', async () => {
  await using world = await gitWorld();
  const [mine, other] = [world.forge(), world.forge()];
  await promote(other, query(), promotionOf(candidate('a')), review);
  const seen = (await readDeployState(mine, query())).environments[0]?.head?.commit ?? null;
  await promote(other, query(), promotionOf(candidate('b')), review);
  const theirs = await world.inBare('rev-parse', branch);

  const main = (await world.inBare('rev-parse', 'main')).trim();
  await expect(mine.updateBranch(branch, seen, main)).rejects.toThrow(StaleError);
  await expect(mine.updateBranch(branch, null, main)).rejects.toThrow(StaleError);

  expect(await world.inBare('rev-parse', branch)).toBe(theirs);
});

it('says what a hook of the remote said, for the branch and for the base', async () => {
  await using world = await gitWorld();
  await world.hook('pre-receive', 'echo "ticket missing, ask https://ci:hunter2@policy.example.com" >&2; exit 1');
  const refused = promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await expect(refused).rejects.toThrow(ConfigurationError);
  await expect(refused).rejects.toThrow(
    /refuses the push to promote\/flight-delay\/prod: pre-receive hook declined.*ticket missing/,
  );
  await expect(refused).rejects.toThrow(/^(?!.*hunter2)/);

  await world.hook('pre-receive', 'grep -q refs/heads/main && { echo "main is protected" >&2; exit 1; } || exit 0');
  const main = await world.inBare('rev-parse', 'main');
  const merging = promote(world.forge(), query(), promotionOf(candidate('a')), auto);
  await expect(merging).rejects.toMatchObject({
    message: expect.stringMatching(/refuses the push to main: .*main is protected/),
    hint: expect.stringMatching(/set `merge: review` and merge promote\/flight-delay\/prod by hand/),
  });
  expect(await world.inBare('rev-parse', 'main')).toBe(main);
  expect(await promote(world.forge(), query(), promotionOf(candidate('a')), review)).toMatchObject({
    outcome: 'unchanged',
  });
});

it('names the branch that is in the way of ours', async () => {
  await using world = await gitWorld();
  await world.inBare('branch', 'promote/flight-delay', 'main');
  const refused = promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await expect(refused).rejects.toThrow(/can't have a branch promote\/flight-delay\/prod/);
});

it('runs no hook, template, transport or signature of the configuration that git finds here', async () => {
  await using world = await deployWorld();
  const folder = path.join(world.clone, '..', 'home');
  const evil = path.join(folder, 'evil');
  const marker = path.join(folder, 'ran');
  await mkdir(path.join(evil, 'hooks'), { recursive: true });
  for (const name of ['pre-push', 'reference-transaction', 'post-checkout', 'post-index-change', 'pre-auto-gc']) {
    await writeFile(path.join(evil, 'hooks', name), `#!/bin/sh\necho ${name} >> ${marker}\n`);
    await chmod(path.join(evil, 'hooks', name), 0o755);
  }
  const config = path.join(folder, 'gitconfig');
  const lines = [
    `[core]\nhooksPath = ${evil}/hooks\nfsmonitor = ${evil}/hooks/pre-push`,
    `[init]\ntemplateDir = ${evil}`,
    '[push]\ngpgSign = true\nfollowTags = true',
    '[log]\nshowSignature = true',
    '[user]\nname = Ada Operator\nemail = ada.operator@example.com',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const env = { ...gitEnvironment(folder), GIT_CONFIG_GLOBAL: config };
  const remote = gitRemote(world.repository.cloneUrlWith(world.token), 'operator');

  expect(await promote(gitForge({ remote, env }), query(), promotionOf(candidate('a')), auto)).toMatchObject({
    merged: true,
  });

  expect(await readdir(folder)).not.toContain('ran');
  const committer = await git(world.repository.directory, 'log', '-1', '--format=%an <%ae>', 'main');
  expect(committer).toBe('Ada Operator <ada.operator@example.com>\n');
  await writeFile(
    config,
    `[url "ext::sh -c touch% ${marker}"]\ninsteadOf = ${remote.url}\n[protocol]\nallow = always\n`,
  );
  await expect(readDeployState(gitForge({ remote, env }), query())).rejects.toThrow(/transport that is not allowed/);
  expect(await readdir(folder)).not.toContain('ran');
});

it('writes through no link, and reads none', async () => {
  await using world = await gitWorld();
  await symlink('apps', path.join(world.clone, '.passloop'));
  await pushFiles(world.clone, {}, 'A link');
  const through = promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await expect(through).rejects.toThrow(/\.passloop of the deploy repository is a link/);

  await git(world.clone, 'rm', '--quiet', '.passloop', manifest);
  await mkdir(path.dirname(path.join(world.clone, manifest)), { recursive: true });
  await symlink('/etc/passwd', path.join(world.clone, manifest));
  await pushFiles(world.clone, {}, 'Another link');
  const linked = promote(world.forge(), query(), promotionOf(candidate('a')), review);
  await expect(linked).rejects.toThrow(ConfigurationError);
  expect(await world.inBare('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\n');
});

it('takes no branch that a refspec would read as something else', async () => {
  await using world = await gitWorld();
  for (const name of ['main:refs/heads/evil', '--upload-pack=x', 'a..b', '*', 'x.lock', '/main', 'main^{}', 'ma in']) {
    await expect(readDeployState(world.forge(), query({ branch: name })), name).rejects.toThrow(/is no branch's name/);
  }
  await expect(readDeployState(world.forge(), query({ branch: 'gone' }))).rejects.toThrow(/has no branch "gone"/);
  await git(world.folder, 'init', '--quiet', '--bare', 'empty.git');
  const remote = gitRemote(`file://${world.folder}/empty.git`, 'operator');
  await expect(readDeployState(world.forge({ remote }), query())).rejects.toThrow(/is empty/);
});

it('reads what is there now, though it has read before', async () => {
  await using world = await gitWorld();
  const forge = world.forge();
  const before = await readDeployState(forge, query());
  await pushFiles(world.clone, { 'README.md': 'meanwhile\n' }, 'Meanwhile');
  await git(world.clone, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
  const after = await readDeployState(forge, query());
  expect(after.snapshot.commit).not.toBe(before.snapshot.commit);
  // It points to what the base branch has: nothing of it waits.
  expect(after.environments[0]?.head).toMatchObject({ commit: after.snapshot.commit, pullRequest: null });
  await git(world.clone, 'push', '--quiet', 'origin', `:refs/heads/${branch}`);
  await git(world.clone, 'push', '--quiet', '--force', 'origin', 'HEAD~1:main');
  await pull(world.clone);
  const forced = await readDeployState(forge, query());
  expect(forced.snapshot.commit).toBe(before.snapshot.commit);
  expect(forced.environments[0]?.head).toBeNull();
});
