import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commit, createWorld, git, pushBranch, writeFiles } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };

/** What git said when it refused. */
async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'git did not refuse',
    (error: { stderr: string }) => error.stderr,
  );
}

describe('git over HTTP', () => {
  it('clones in full, shallow and without blobs', async () => {
    await using world = await createWorld();
    const url = world.repository.cloneUrlWith(world.token);

    await git(world.folder, 'clone', '--quiet', url, 'full');
    await git(world.folder, 'clone', '--quiet', '--depth', '1', url, 'shallow');
    await git(world.folder, 'clone', '--quiet', '--filter=blob:none', '--no-checkout', url, 'blobless');

    const missing = await git(join(world.folder, 'blobless'), 'rev-list', '--all', '--objects', '--missing=print');
    expect(await git(join(world.folder, 'full'), 'symbolic-ref', '--short', 'HEAD')).toBe('main');
    expect(await git(join(world.folder, 'shallow'), 'rev-parse', '--is-shallow-repository')).toBe('true');
    expect(missing.split('\n').filter((line) => line.startsWith('?'))).toHaveLength(2);
  });

  it('takes a push of 30 MB in chunks', async () => {
    await using world = await createWorld();
    await git(world.clone, 'config', 'core.compression', '0'); // of random bytes it takes seconds and saves none
    await writeFile(join(world.clone, 'model.bin'), randomBytes(30 * 1024 * 1024));
    const head = await commit(world.clone, 'Add a model');

    await git(world.clone, '-c', 'http.postBuffer=65536', 'push', '--quiet', 'origin', 'main');

    const size = await git(world.repository.directory, 'cat-file', '-s', 'main:model.bin');
    expect(await git(world.repository.directory, 'rev-parse', 'main')).toBe(head);
    expect(size).toBe(String(30 * 1024 * 1024));
    expect(await git(world.repository.directory, 'fsck', '--full', '--strict')).toBe('');
  });

  it.each([
    ['nobody', undefined, 'could not read Username'],
    ['a wrong token', 'ghp_wrong', 'Authentication failed'],
    ['a token of another repository', { repositories: ['acme/other'] }, 'not found'],
    ['a token without contents', { permissions: { issues: 'write' } as const }, 'not found'],
  ])('hides a private repository from %s', async (_who, request, message) => {
    await using world = await createWorld();
    const { server, repository } = world;
    const token = typeof request === 'object' ? await server.createToken({ login: 'eve', ...request }) : request;
    const url = token === undefined ? repository.cloneUrl : repository.cloneUrlWith(token);

    expect(await refusal(git(world.folder, 'clone', url, 'no'))).toContain(message);
  });

  it('finds nothing outside of its repositories', async () => {
    await using world = await createWorld();
    const headers = { Authorization: `Basic ${Buffer.from(`x-access-token:${world.token}`).toString('base64')}` };
    const statuses: Record<string, number> = {};
    for (const path of ['/acme/%zz.git', '/acme/..%2f..%2froot.git', '/..%2facme/deploy.git', '/acme/deploy.git%00']) {
      const url = `${world.server.url}${path}/info/refs?service=git-upload-pack`;
      statuses[path] = (await fetch(url, { headers })).status;
    }

    expect(new Set(Object.values(statuses))).toEqual(new Set([404]));
  });

  it('lets a reader read and not push', async () => {
    await using world = await createWorld();
    const token = await world.server.createToken({ login: 'eve', permissions: { contents: 'read' } });
    const url = world.repository.cloneUrlWith(token);
    await git(world.folder, 'clone', '--quiet', url, 'read');
    const clone = join(world.folder, 'read');
    await writeFiles(clone, { a: '1' });
    await commit(clone, 'x');

    const said = await refusal(git(clone, 'push', 'origin', 'main'));

    expect(said).toContain('Permission to acme/deploy.git denied to eve.');
    expect(said).toContain('403');
  });

  it('lets everyone clone a public repository', async () => {
    await using world = await createWorld({ private: false });

    await git(world.folder, 'clone', '--quiet', world.repository.cloneUrl, 'public');

    expect(await git(join(world.folder, 'public'), 'log', '--format=%s')).toBe('Start');
  });

  it('shows pull requests as references that nobody pushes', async () => {
    await using world = await createWorld();
    const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 't', head: 'topic', base: 'main' });

    await git(world.clone, 'fetch', '--quiet', 'origin', 'refs/pull/1/head:pr', 'refs/pull/1/merge:merge');
    const said = await refusal(git(world.clone, 'push', 'origin', 'HEAD:refs/pull/1/head'));

    expect(await git(world.clone, 'rev-parse', 'pr')).toBe(head);
    expect(await git(world.clone, 'log', '-1', '--format=%P', 'merge')).toBe(
      `${await git(world.clone, 'rev-parse', 'origin/main')} ${head}`,
    );
    expect(said).toContain('deny updating a hidden ref');
    const second = await pushBranch(world.clone, 'topic', [{ a: '2' }], 'origin/topic');
    await git(world.clone, 'fetch', '--quiet', 'origin', '+refs/pull/1/merge:merge');
    expect(await git(world.clone, 'log', '-1', '--format=%P', 'merge')).toContain(second);
  });

  it('keeps workflow files from a token without that permission', async () => {
    await using world = await createWorld();
    const token = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' });
    await git(world.clone, 'remote', 'set-url', 'origin', world.repository.cloneUrlWith(token));
    await writeFiles(world.clone, { '.github/workflows/ci.yml': 'on: push\n' });
    await commit(world.clone, 'Add a workflow');

    const said = await refusal(git(world.clone, 'push', 'origin', 'main:sneaky'));

    expect(said).toContain(
      'refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission',
    );
  });
});

describe('a push', () => {
  it('moves the head of its pull request, and closes it with its branch', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 't', head: 'topic', base: 'main' });
    const second = await pushBranch(world.clone, 'topic', [{ a: '2' }]);
    const [moved] = world.repository.pullRequests();

    await git(world.clone, 'push', '--quiet', 'origin', '--delete', 'topic');
    const [closed] = world.repository.pullRequests();

    expect(moved).toMatchObject({ state: 'open', head: { sha: second } });
    expect(closed).toMatchObject({ state: 'closed', mergedAt: null, head: { sha: second } });
  });

  it('closes a pull request whose branch has nothing left to merge', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 't', head: 'topic', base: 'main' });

    await git(world.clone, 'push', '--quiet', '--force', 'origin', 'origin/main:refs/heads/topic');

    expect(world.repository.pullRequests()[0]).toMatchObject({ state: 'closed', mergedAt: null });
  });

  it.each(['--ff-only', '--no-ff'])('marks a pull request merged whose head a merge %s brings in', async (how) => {
    await using world = await createWorld();
    const head = await pushBranch(world.clone, 'topic', [{ a: '1' }, { b: '1' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 't', head: 'topic', base: 'main' });
    await git(world.clone, 'checkout', '--quiet', 'main');
    await git(world.clone, 'merge', '--quiet', how, 'topic', '-m', 'by hand');
    await writeFiles(world.clone, { later: '1' });
    const merge = await git(world.clone, 'rev-parse', 'HEAD');
    await commit(world.clone, 'Later');

    await git(world.clone, 'push', '--quiet', 'origin', 'main');

    const files = await world.octokit.rest.pulls.listFiles({ ...repo, pull_number: 1 });
    expect(world.repository.pullRequests()[0]).toMatchObject({
      state: 'closed',
      mergedBy: 'ada',
      mergeCommit: how === '--no-ff' ? merge : head,
    });
    expect(files.data.map(({ filename }) => filename)).toEqual(['a', 'b']);
  });
});

describe('a protected branch', () => {
  it('refuses what its rules forbid, in the words of GitHub', async () => {
    await using world = await createWorld();
    const { clone, repository } = world;
    await repository.protectBranch('main', { requiredChecks: ['ci'] });
    await writeFiles(clone, { a: '1' });
    const head = await commit(clone, 'direct');

    const direct = await refusal(git(clone, 'push', 'origin', 'main'));
    const deletion = await refusal(git(clone, 'push', 'origin', '--delete', 'main'));
    await git(clone, 'push', '--quiet', 'origin', 'main:topic');
    await repository.setStatus({ sha: head, context: 'ci', state: 'success' });
    await git(clone, 'push', '--quiet', 'origin', 'main');
    const rewrite = await refusal(git(clone, 'push', '--force', 'origin', 'HEAD~1:main'));
    await repository.protectBranch('main', { requiredReviews: 1 });
    await git(clone, 'reset', '--quiet', '--hard', head);
    await writeFiles(clone, { b: '1' });
    await commit(clone, 'again');
    const unreviewed = await refusal(git(clone, 'push', 'origin', 'main'));

    expect(direct).toContain('GH006: Protected branch update failed for refs/heads/main.');
    expect(direct).toContain('Required status check "ci" is expected.');
    expect(direct).toContain('[remote rejected] main -> main (pre-receive hook declined)');
    expect(deletion).toContain('Cannot delete this branch');
    expect(rewrite).toContain('Cannot force-push to this branch');
    expect(unreviewed).toContain('Changes must be made through a pull request.');
    expect(await git(repository.directory, 'rev-parse', 'main')).toBe(head);
  });

  it('lets an administrator pass unless it is enforced for them', async () => {
    await using world = await createWorld({ token: { admin: true } });
    const { clone, repository } = world;
    await repository.protectBranch('main', { requiredChecks: ['ci'], requiredReviews: 1 });
    await writeFiles(clone, { a: '1' });
    await commit(clone, 'direct');
    await git(clone, 'push', '--quiet', 'origin', 'main');

    await repository.protectBranch('main', { requiredReviews: 1, enforceAdmins: true });
    await writeFiles(clone, { a: '2' });
    await commit(clone, 'again');
    const said = await refusal(git(clone, 'push', 'origin', 'main'));

    expect(said).toContain('Changes must be made through a pull request.');
  });
});
