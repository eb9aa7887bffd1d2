import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };

describe('the server', () => {
  it('takes a change from branch to merge through Octokit and git', async () => {
    await using world = await createWorld();
    const { octokit, clone } = world;
    const head = await pushBranch(clone, 'feature', [{ 'app/values.yaml': 'image:\n  tag: "2"\n' }]);

    const pull = await octokit.rest.pulls.create({ ...repo, title: 'Two', head: 'feature', base: 'main', body: 'b' });
    const merged = await octokit.rest.pulls.merge({ ...repo, pull_number: pull.data.number, sha: head });
    await git(clone, 'fetch', '--quiet', 'origin');

    expect(pull.data.mergeable_state).toBe('clean');
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

    const { startLocalGithub } = await import('./index.ts');
    await using again = await startLocalGithub({ root: server.root });
    const pulls = await octokitFor(again, token).rest.pulls.list(repo);

    expect(pulls.data.map(({ title }) => title)).toEqual(['One']);
    expect(again.repository('acme', 'deploy').directory).toBe(repository.directory);
    const state = await readFile(join(server.root, 'state.json'), 'utf8');
    expect(state).not.toContain(token);
  });
});
