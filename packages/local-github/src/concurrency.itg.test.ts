import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commit, createWorld, git, octokitFor, pushBranch, type World, writeFiles } from './fixture.ts';
import { startLocalGithub } from './index.ts';

const repo = { owner: 'acme', repo: 'deploy' };

/** Adds one line to a file of `main` by read, tree, commit and compare-and-swap, as often as it takes. */
async function appendLine({ octokit }: World, repositoryId: string, line: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const query = `{ repository(owner: "acme", name: "deploy") { ref(qualifiedName: "main") { target { oid
      ... on Commit { tree { oid } file(path: "log.txt") { object { ... on Blob { text } } } } } } } }`;
    type Target = { oid: string; tree: { oid: string }; file: { object: { text: string } } | null };
    const { repository } = await octokit.graphql<{ repository: { ref: { target: Target } } }>(query);
    const { oid, tree, file } = repository.ref.target;
    const content = `${file?.object.text ?? ''}${line}\n`;
    const entry = { path: 'log.txt', mode: '100644', type: 'blob', content } as const;
    const made = await octokit.rest.git.createTree({ ...repo, base_tree: tree.oid, tree: [entry] });
    const next = await octokit.rest.git.createCommit({ ...repo, message: line, tree: made.data.sha, parents: [oid] });
    const update = { name: 'refs/heads/main', beforeOid: oid, afterOid: next.data.sha };
    const mutation = 'mutation($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }';
    try {
      await octokit.graphql(mutation, { i: { repositoryId, refUpdates: [update] } });
      return attempt;
    } catch (error) {
      const [first] = (error as { errors: { type: string }[] }).errors;
      if (first?.type !== 'STALE_DATA') throw error;
    }
  }
}

describe('writers at the same time', () => {
  it('lose no update: eight by the API, and one who pushes', async () => {
    await using world = await createWorld();
    const { data } = await world.octokit.rest.repos.get(repo);
    const lines = Array.from({ length: 8 }, (_, index) => `line ${index}`);
    const pusher = async () => {
      await writeFiles(world.clone, { 'pushed.txt': '1' });
      await commit(world.clone, 'pushed');
      for (;;) {
        await git(world.clone, 'pull', '--quiet', '--rebase', 'origin', 'main');
        const done = await git(world.clone, 'push', '--quiet', 'origin', 'main').then(
          () => true,
          () => false,
        );
        if (done) return;
      }
    };

    const [, ...attempts] = await Promise.all([
      pusher(),
      ...lines.map((line) => appendLine(world, data.node_id, line)),
    ]);

    const text = await git(world.repository.directory, 'show', 'main:log.txt');
    expect(text.split('\n').sort()).toEqual(lines);
    expect(await git(world.repository.directory, 'rev-list', '--count', 'main')).toBe('10');
    expect(await git(world.repository.directory, 'show', 'main:pushed.txt')).toBe('1');
    expect(attempts.some((count) => count > 1)).toBe(true);
    expect(await git(world.repository.directory, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('read one pull request while its head and base move', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '0' }]);
    await world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });

    const moves = (async () => {
      for (const value of ['1', '2', '3']) {
        await pushBranch(world.clone, 'topic', [{ a: value }], 'origin/topic');
        await pushBranch(world.clone, 'main', [{ b: value }], 'origin/main');
      }
    })();
    const reads = Array.from({ length: 20 }, () => world.octokit.rest.pulls.get({ ...repo, pull_number: 1 }));
    const states = (await Promise.all(reads)).map(({ data }) => data.mergeable_state);
    await moves;

    expect(new Set(states)).toEqual(new Set(['clean']));
    expect(world.server.log.filter(({ status }) => status === 500)).toEqual([]);
    const { data } = await world.octokit.rest.pulls.get({ ...repo, pull_number: 1 });
    const parents = await git(world.repository.directory, 'log', '-1', '--format=%P', 'refs/pull/1/merge');
    const tips = await git(world.repository.directory, 'rev-parse', 'main', 'topic');
    expect(parents.split(' ')).toEqual(tips.split('\n'));
    expect(await git(world.repository.directory, 'rev-parse', 'refs/pull/1/merge')).toBe(data.merge_commit_sha);
  });

  it('open one pull request for a branch, whoever asks first', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'topic', [{ a: '0' }]);

    const asked = Array.from({ length: 5 }, () =>
      world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' }),
    );
    const results = await Promise.allSettled(asked);

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(world.repository.pullRequests()).toHaveLength(1);
  });
});

describe('what breaks off', () => {
  it.each([1, 2, 4, 100])('a push whose connection dies after %i ms changes nothing', async (milliseconds) => {
    await using world = await createWorld();
    const before = await git(world.repository.directory, 'rev-parse', 'main');
    const url = new URL(`${world.repository.cloneUrl}/git-receive-pack`);

    await new Promise<void>((resolve) => {
      const authorization = `Basic ${Buffer.from(`x-access-token:${world.token}`).toString('base64')}`;
      const headers = { Authorization: authorization, 'Content-Type': 'application/x-git-receive-pack-request' };
      const sent = request(url, { method: 'POST', headers });
      sent.on('error', () => undefined);
      sent.on('close', () => resolve());
      const end = () => setTimeout(() => sent.destroy(), milliseconds);
      sent.write(`00a0${before} ${'1'.repeat(40)} refs/heads/main\0 report-status`, end);
    });
    await writeFiles(world.clone, { b: '1' });
    const head = await commit(world.clone, 'b');
    await git(world.clone, 'push', '--quiet', 'origin', 'main');

    expect(await git(world.repository.directory, 'rev-parse', 'main')).toBe(head);
  });

  it('a server that stopped while git went on catches up when it starts', async () => {
    await using world = await createWorld();
    await pushBranch(world.clone, 'one', [{ a: '1' }]);
    await pushBranch(world.clone, 'two', [{ b: '1' }]);
    await pushBranch(world.clone, 'three', [{ c: '1' }]);
    for (const head of ['one', 'two', 'three']) {
      await world.octokit.rest.pulls.create({ ...repo, title: head, head, base: 'main' });
    }
    const { directory } = world.repository;
    await world.server.close();
    await git(directory, 'update-ref', 'refs/heads/main', 'refs/heads/one');
    await git(directory, 'update-ref', '-d', 'refs/heads/two');

    await using again = await startLocalGithub({ root: join(world.folder, 'root') });

    const pulls = again.repository('acme', 'deploy').pullRequests();
    expect(pulls.map(({ state, mergedAt }) => [state, mergedAt !== null])).toEqual([
      ['closed', true],
      ['closed', false],
      ['open', false],
    ]);
    const { data } = await octokitFor(again, world.token).rest.pulls.list(repo);
    expect(data.map(({ title }) => title)).toEqual(['three']);
  });
});
