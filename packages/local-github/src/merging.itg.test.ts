import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commit, createWorld, git, pushBranch, type World, writeFiles } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const LINES = Array.from({ length: 20 }, (_, index) => `line ${index}`);

function text(changes: Record<number, string>): string {
  return `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;
}

/** A branch of three commits and a base that moved on; they meet in one file, and the base renamed another. */
async function diverge(world: World): Promise<void> {
  const { clone } = world;
  await pushBranch(clone, 'main', [{ 'shared.txt': text({}), 'old.txt': text({}) }]);
  await pushBranch(clone, 'topic', [
    { 'shared.txt': text({ 2: 'ours' }) },
    { 'new.txt': 'new\n', 'old.txt': text({ 5: 'edited' }) },
    { 'shared.txt': text({ 2: 'ours', 3: 'again' }) },
  ]);
  await git(clone, 'checkout', '--quiet', 'main');
  await git(clone, 'mv', 'old.txt', 'renamed.txt');
  await writeFiles(clone, { 'shared.txt': text({ 17: 'theirs' }) });
  await commit(clone, 'Rename');
  await git(clone, 'push', '--quiet', 'origin', 'main');
}

async function openPull(world: World, title = 'The topic', body = 'Why.'): Promise<number> {
  const { data } = await world.octokit.rest.pulls.create({ ...repo, title, body, head: 'topic', base: 'main' });
  return data.number;
}

async function mergeBy(world: World, merge_method: 'merge' | 'rebase' | 'squash'): Promise<string> {
  const { data } = await world.octokit.rest.pulls.merge({ ...repo, pull_number: await openPull(world), merge_method });
  await git(world.clone, 'fetch', '--quiet', 'origin');
  return data.sha;
}

describe('the three methods, against git itself', () => {
  it('merge', async () => {
    await using world = await createWorld();
    await diverge(world);
    const base = await git(world.clone, 'rev-parse', 'origin/main');
    const head = await git(world.clone, 'rev-parse', 'topic');
    const sha = await mergeBy(world, 'merge');

    await git(world.clone, 'checkout', '--quiet', '-B', 'expected', base);
    await git(world.clone, 'merge', '--quiet', '--no-ff', '-m', 'by git', 'topic');

    const tree = await git(world.clone, 'rev-parse', 'expected^{tree}');
    expect(await git(world.clone, 'rev-parse', `${sha}^{tree}`)).toBe(tree);
    expect(await git(world.clone, 'log', '-1', '--format=%P', sha)).toBe(`${base} ${head}`);
    expect(await git(world.clone, 'log', '-1', '--format=%B', sha)).toBe(
      'Merge pull request #1 from acme/topic\n\nThe topic',
    );
    expect(await git(world.clone, 'log', '-1', '--format=%an/%cn', sha)).toBe('ada/GitHub');
  });

  it('squash', async () => {
    await using world = await createWorld();
    await diverge(world);
    const base = await git(world.clone, 'rev-parse', 'origin/main');
    const sha = await mergeBy(world, 'squash');

    await git(world.clone, 'checkout', '--quiet', '-B', 'expected', base);
    await git(world.clone, 'merge', '--quiet', '--squash', 'topic');
    await git(world.clone, 'commit', '--quiet', '-m', 'by git');

    const tree = await git(world.clone, 'rev-parse', 'expected^{tree}');
    expect(await git(world.clone, 'rev-parse', `${sha}^{tree}`)).toBe(tree);
    expect(await git(world.clone, 'log', '-1', '--format=%P', sha)).toBe(base);
    expect(await git(world.clone, 'log', '-1', '--format=%B', sha)).toBe(
      'The topic (#1)\n\n* topic 1\n\n* topic 2\n\n* topic 3\n\n---------\n\nCo-authored-by: Ada <ada@example.com>',
    );
  });

  it('rebase', async () => {
    await using world = await createWorld();
    await diverge(world);
    const base = await git(world.clone, 'rev-parse', 'origin/main');
    const sha = await mergeBy(world, 'rebase');

    await git(world.clone, 'checkout', '--quiet', '-B', 'expected', 'topic');
    await git(world.clone, 'rebase', '--quiet', base);

    const history = (tip: string) => git(world.clone, 'log', '--format=%T %an %s', `${base}..${tip}`);
    expect(await history(sha)).toBe(await history('expected'));
    expect(await git(world.clone, 'log', '--format=%cn', `${base}..${sha}`)).toBe('ada\nada\nada');
  });

  it('rebase leaves out merges and commits that are in the base already, as git does', async () => {
    await using world = await createWorld();
    const { clone } = world;
    await pushBranch(clone, 'topic', [{ a: '1' }, { b: '1' }]);
    await pushBranch(clone, 'main', [{ a: '1' }, { c: '1' }]);
    await git(clone, 'checkout', '--quiet', 'topic');
    await git(clone, 'merge', '--quiet', '--no-ff', '-m', 'catch up', 'main~1');
    await writeFiles(clone, { d: '1' });
    await commit(clone, 'last');
    await git(clone, 'push', '--quiet', 'origin', 'topic');
    const base = await git(clone, 'rev-parse', 'origin/main');
    const sha = await mergeBy(world, 'rebase');

    await git(clone, 'checkout', '--quiet', '-B', 'expected', 'topic');
    await git(clone, 'rebase', '--quiet', base);

    const history = (tip: string) => git(clone, 'log', '--format=%T %s', `${base}..${tip}`);
    expect(await history(sha)).toBe(await history('expected'));
    expect((await history(sha)).split('\n')).toHaveLength(2);
  });

  it('a conflict is dirty, and no method merges it', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ 'README.md': 'ours\n' }]);
    await pushBranch(world.clone, 'main', [{ 'README.md': 'theirs\n' }]);
    const before = await git(world.repository.directory, 'rev-parse', 'main');
    const pull_number = await openPull(world);
    const pull = await world.octokit.rest.pulls.get({ ...repo, pull_number });

    for (const merge_method of ['merge', 'squash', 'rebase'] as const) {
      const merge = world.octokit.rest.pulls.merge({ ...repo, pull_number, merge_method });
      await expect(merge).rejects.toMatchObject({ status: 405, message: /^Pull Request is not mergeable/ });
    }

    expect(pull.data).toMatchObject({ mergeable: false, mergeable_state: 'dirty', merge_commit_sha: null });
    expect(await git(world.repository.directory, 'rev-parse', 'main')).toBe(before);
  });
});

describe('the message of a merge', () => {
  it.each([
    ['merge', { commit_title: 'T', commit_message: 'B' }, 'T\n\nB'],
    ['squash', { commit_title: 'T', commit_message: 'Gate: ok' }, 'T\n\nGate: ok'],
    ['squash', { commit_title: 'T' }, 'T\n\nCo-authored-by: Ada <ada@example.com>'],
    ['squash', {}, 'topic 1 (#1)\n\nCo-authored-by: Ada <ada@example.com>'],
  ] as const)('%s with %j', async (merge_method, given, message) => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    const pull_number = await openPull(world);

    const { data } = await world.octokit.rest.pulls.merge({ ...repo, pull_number, merge_method, ...given });

    expect(await git(world.repository.directory, 'log', '-1', '--format=%B', data.sha)).toBe(message);
  });

  it.each([
    ['Why.', 'Why.\n\nCo-authored-by: Ada <ada@example.com>'],
    [
      'Why.\n\nRun-Key: a\nModel-Digest: b',
      'Why.\n\nRun-Key: a\nModel-Digest: b\nCo-authored-by: Ada <ada@example.com>',
    ],
  ])('squash of one commit with the body %j', async (body, message) => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', []);
    await git(world.clone, 'commit', '--quiet', '--allow-empty', '-m', 'One', '-m', body);
    await writeFiles(world.clone, { a: '1' });
    await git(world.clone, 'add', 'a');
    await git(world.clone, 'commit', '--quiet', '--amend', '--no-edit');
    await git(world.clone, 'push', '--quiet', 'origin', 'topic');
    const sha = await mergeBy(world, 'squash');

    expect(await git(world.repository.directory, 'log', '-1', '--format=%B', sha)).toBe(`One (#1)\n\n${message}`);
  });

  it.each([
    ['PR_TITLE', 'PR_BODY', 'The topic (#1)\n\nWhy.'],
    ['PR_TITLE', 'BLANK', 'The topic (#1)'],
  ] as const)('squash under the settings %s and %s', async (squashTitle, squashMessage, message) => {
    await using world = await createWorld();
    await world.octokit.rest.repos.update({
      ...repo,
      squash_merge_commit_title: squashTitle,
      squash_merge_commit_message: squashMessage,
    });
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    const sha = await mergeBy(world, 'squash');

    expect(await git(world.repository.directory, 'log', '-1', '--format=%B', sha)).toBe(message);
  });
});

describe('what a merge takes along', () => {
  it('deletes the branch and moves the pull requests that were based on it', async () => {
    await using world = await createWorld();
    await world.octokit.rest.repos.update({ ...repo, delete_branch_on_merge: true });
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    await pushBranch(world.clone, 'stacked', [{ b: '1' }], 'topic');
    const pull_number = await openPull(world);
    await world.octokit.rest.pulls.create({ ...repo, title: 's', head: 'stacked', base: 'topic' });

    await world.octokit.rest.pulls.merge({ ...repo, pull_number });

    const branches = await world.octokit.rest.repos.listBranches(repo);
    expect(branches.data.map(({ name }) => name)).toEqual(['main', 'stacked']);
    expect(world.repository.pullRequests()[1]).toMatchObject({ state: 'open', base: { ref: 'main' } });
  });

  it('has merged, also when the branch then can’t be deleted', async () => {
    await using world = await createWorld();
    await world.octokit.rest.repos.update({ ...repo, delete_branch_on_merge: true });
    const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    const pull_number = await openPull(world);
    const hook = '#!/bin/sh\n[ "$1" != prepared ] || ! grep -q "^[0-9a-f]* 0\\{40\\} refs/heads/topic$"\n';
    const file = join(world.repository.directory, 'hooks', 'reference-transaction');
    await writeFile(file, hook, { mode: 0o755 });

    const merged = await world.octokit.rest.pulls.merge({ ...repo, pull_number });

    const tips = await git(world.repository.directory, 'rev-parse', 'main', 'topic');
    expect(tips.split('\n')).toEqual([merged.data.sha, head]);
    expect(world.repository.pullRequests()[0]).toMatchObject({ mergeCommit: merged.data.sha });
  });

  it('lands two racing merges into one base one after the other, and loses none', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    await pushBranch(world.clone, 'other', [{ b: '1' }]);
    const first = await openPull(world);
    const { data } = await world.octokit.rest.pulls.create({ ...repo, title: 'o', head: 'other', base: 'main' });

    const merges = [first, data.number].map((pull_number) => world.octokit.rest.pulls.merge({ ...repo, pull_number }));
    await Promise.all(merges);

    await git(world.clone, 'fetch', '--quiet', 'origin');
    const files = await git(world.clone, 'ls-tree', '--name-only', 'origin/main');
    expect(files.split('\n')).toEqual(['README.md', 'a', 'app', 'b']);
  });
});
