import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commit, createWorld, git, octokitFor, pushBranch } from './fixture.ts';
import { startLocalGithub } from './index.ts';

const repo = { owner: 'acme', repo: 'deploy' };

describe('the server', () => {
  it('takes a change from branch to merge through Octokit and git', async () => {
    await using world = await createWorld();
    const { octokit, clone } = world;
    const head = await pushBranch(clone, 'feature', [{ 'app/values.yaml': 'image:\n  tag: "2"\n' }]);

    const pull = await octokit.rest.pulls.create({ ...repo, title: 'Two', head: 'feature', base: 'main', body: 'b' });
    const tested = await octokit.rest.pulls.get({ ...repo, pull_number: pull.data.number });
    const merged = await octokit.rest.pulls.merge({ ...repo, pull_number: pull.data.number, sha: head });
    await git(clone, 'fetch', '--quiet', 'origin');

    expect(pull.data).toMatchObject({ mergeable: null, mergeable_state: 'unknown', merge_commit_sha: null });
    expect(tested.data).toMatchObject({ mergeable: true, mergeable_state: 'clean' });
    expect(merged.data.message).toBe('Pull Request successfully merged');
    expect(await git(clone, 'rev-parse', 'origin/main')).toBe(merged.data.sha);
    expect(await git(clone, 'show', 'origin/main:app/values.yaml')).toContain('"2"');
    expect(await git(clone, 'fsck', '--strict')).toBe('');
  });

  it('goes on where another process stopped', async () => {
    await using world = await createWorld();
    const { server, repository, token } = world;
    await pushBranch(world.clone, 'feature', [{ a: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 'One', head: 'feature', base: 'main' });
    await server.close();

    await using again = await startLocalGithub({ root: server.root });
    const pulls = await octokitFor(again, token).rest.pulls.list(repo);

    expect(pulls.data.map(({ title }) => title)).toEqual(['One']);
    expect(again.repository('acme', 'deploy').directory).toBe(repository.directory);
    const state = await readFile(join(server.root, 'state.json'), 'utf8');
    expect(state).not.toContain(token);
  });

  it('copies a repository with its pull requests, and neither knows the other', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'feature', [{ a: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 'One', head: 'feature', base: 'main' });
    await world.repository.protectBranch('main', { requiredChecks: ['check'] });

    const copy = await world.repository.copy('again');
    await world.octokit.rest.pulls.update({ owner: 'acme', repo: 'again', pull_number: 1, title: 'Two' });

    const query = '{repository(owner:"acme",name:"again"){pullRequest(number:1){title mergeStateStatus}}}';
    const { repository: seen } = await world.octokit.graphql<{ repository: object }>(query);
    expect(seen).toEqual({ pullRequest: { title: 'Two', mergeStateStatus: 'BLOCKED' } });
    expect(world.repository.pullRequests()[0]?.title).toBe('One');
    expect(await git(copy.directory, 'rev-parse', 'main')).toBe(await git(world.clone, 'rev-parse', 'origin/main'));
    await expect(world.repository.copy('deploy')).rejects.toThrow(/exists already/);
  });

  it('ends what is running before it stops, and writes nothing afterwards', async () => {
    await using world = await createWorld();
    const { server, octokit } = world;
    await pushBranch(world.clone, 'feature', [{ a: '1' }, { b: '1' }]);
    await octokit.rest.pulls.create({ ...repo, title: 'One', head: 'feature', base: 'main' });
    const mark = server.log.length;
    const calls = Array.from({ length: 8 }, () => octokit.rest.pulls.listFiles({ ...repo, pull_number: 1 }));
    const ended = Promise.allSettled(calls);
    await expect.poll(() => server.log.length, { interval: 5, timeout: 20_000 }).toBe(mark + 8);

    await server.close();
    const unanswered = server.log.filter(({ status }) => status === null);
    await rm(server.root, { recursive: true });
    await ended;

    expect(unanswered).toEqual([]);
    await expect(stat(server.root)).rejects.toThrow('ENOENT');
  });

  it('lets go of git when somebody breaks a clone off', async () => {
    await using world = await createWorld();
    await git(world.clone, 'config', 'core.compression', '0');
    await writeFile(join(world.clone, 'model.bin'), randomBytes(24 * 1024 * 1024));
    const head = await commit(world.clone, 'Add a model');
    await git(world.clone, 'push', '--quiet', 'origin', 'main');
    const authorization = `Basic ${Buffer.from(`x-access-token:${world.token}`).toString('base64')}`;
    const headers = { Authorization: authorization, 'Content-Type': 'application/x-git-upload-pack-request' };

    await new Promise<void>((resolve, reject) => {
      const sent = request(`${world.repository.cloneUrl}/git-upload-pack`, { method: 'POST', headers }, (answer) => {
        answer.once('data', () => {
          answer.pause();
          // long enough for git to fill what lies between, so that it waits
          setTimeout(() => sent.destroy(), 300);
        });
        answer.on('error', () => undefined);
        answer.on('close', resolve);
      });
      sent.on('error', reject);
      sent.end(`0032want ${head}\n00000009done\n`);
    });

    await expect
      .poll(() => world.server.log.at(-1), { timeout: 20_000 })
      .toMatchObject({ operations: ['git/upload-pack'], status: 200 });
  });

  it('keeps its scratch in its own folder, and clears what a killed one left', async () => {
    await using world = await createWorld();
    const { server } = world;
    const scratch = join(server.root, '.scratch');
    server.inject({ match: { operation: 'pulls/list' }, fault: 'lag' });
    await pushBranch(world.clone, 'feature', [{ a: '1' }]);
    const running = await readdir(scratch);
    await server.close();
    const stopped = await readdir(scratch);
    await mkdir(join(scratch, 'rules-left'));

    await using _again = await startLocalGithub({ root: server.root });

    expect([running, stopped, await readdir(scratch)]).toEqual([['lag'], [], []]);
  });
});
