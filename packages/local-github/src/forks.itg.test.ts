import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commit, createWorld, git, octokitFor, pushBranch, type World, writeFiles } from './fixture.ts';
import type { CreatedRepository } from './index.ts';

const repo = { owner: 'acme', repo: 'deploy' };
let world: World;
let fork: CreatedRepository;
let clone: string;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ private: false });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  count += 1;
  const owner = `eve${count}`;
  fork = await world.repository.fork({ owner });
  clone = join(world.folder, owner);
  const token = await world.server.createToken({ login: owner, repositories: [`${owner}/deploy`] });
  await git(world.folder, 'clone', '--quiet', fork.cloneUrlWith(token), owner);
});

/** A pull request of a fork's branch. */
async function openPull(branch = 'feature'): Promise<{ number: number; head: string }> {
  const head = await pushBranch(clone, branch, [{ [`${fork.owner}.txt`]: 'from a fork' }]);
  const { number } = await world.repository.openPull({ title: 'From a fork', head: `${fork.owner}:${branch}` });
  return { number, head };
}

const get = (number: number) => world.octokit.rest.pulls.get({ ...repo, pull_number: number });

describe('a pull request from a fork', () => {
  it('names the fork, and can be fetched from the base repository', async () => {
    const { number, head } = await openPull();
    const base = await git(world.clone, 'ls-remote', 'origin', 'refs/heads/main').then((line) => line.split('\t')[0]);
    const { data } = await get(number);
    await git(world.clone, 'fetch', '--quiet', 'origin', `refs/pull/${number}/head:theirs`);
    await git(world.clone, 'fetch', '--quiet', 'origin', `refs/pull/${number}/merge:merged`);

    expect(data.head).toMatchObject({
      label: `${fork.owner}:feature`,
      sha: head,
      repo: { full_name: `${fork.owner}/deploy`, fork: true },
    });
    expect(data.base).toMatchObject({ label: 'acme:main', repo: { full_name: 'acme/deploy', fork: false } });
    expect(data).toMatchObject({ user: { login: fork.owner }, author_association: 'FIRST_TIME_CONTRIBUTOR' });
    expect(await git(world.clone, 'rev-parse', 'theirs')).toBe(head);
    expect(await git(world.clone, 'rev-parse', 'merged^1', 'merged^2')).toBe(`${base}\n${head}`);
    expect(data.merge_commit_sha).toBe(await git(world.clone, 'rev-parse', 'merged'));
    expect(await git(world.clone, 'show', `merged:${fork.owner}.txt`)).toBe('from a fork');
    await git(world.clone, 'branch', '-D', 'theirs', 'merged');
  });

  it('follows pushes to the fork, and of the base', async () => {
    const { number } = await openPull();
    const next = await pushBranch(clone, 'feature', [{ 'next.txt': 'next' }], 'feature');
    const main = await pushBranch(world.clone, 'main', [{ [`base-${count}.txt`]: 'base' }]);
    const { data } = await get(number);
    await git(world.clone, 'fetch', '--quiet', 'origin', `refs/pull/${number}/merge`);

    expect(data.head.sha).toBe(next);
    expect(await git(world.clone, 'rev-parse', 'FETCH_HEAD^1', 'FETCH_HEAD^2')).toBe(`${main}\n${next}`);
  });

  it('is found by its owner and branch, and not by its commit in the base repository', async () => {
    const { number, head } = await openPull();
    const { rest } = world.octokit;
    const byHead = await rest.pulls.list({ ...repo, head: `${fork.owner}:feature` });
    const other = await rest.pulls.list({ ...repo, head: 'acme:feature' });
    const inBase = await rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: head });
    const there = { owner: fork.owner, repo: 'deploy', commit_sha: head };
    const inFork = await rest.repos.listPullRequestsAssociatedWithCommit(there);

    expect(byHead.data.map((pull) => pull.number)).toEqual([number]);
    expect(other.data).toEqual([]);
    expect(inBase.data).toEqual([]);
    expect(inFork.data).toMatchObject([{ number, base: { repo: { full_name: 'acme/deploy' } } }]);
  });

  it('closes with its branch', async () => {
    const { number } = await openPull();
    await git(clone, 'push', '--quiet', 'origin', '--delete', 'feature');

    expect((await get(number)).data.state).toBe('closed');
  });

  it('outlives the fork, whose repository is null then', async () => {
    const { number, head } = await openPull();
    await fork.remove();
    await pushBranch(world.clone, 'main', [{ [`later-${count}.txt`]: 'later' }]);
    const { data } = await get(number);
    const list = await world.octokit.rest.pulls.list({ ...repo, head: `${fork.owner}:feature` });
    const graphql = await world.octokit.graphql<{ repository: { pullRequest: object } }>(
      `query ($number: Int!) { repository(owner: "acme", name: "deploy") { pullRequest(number: $number) {
        isCrossRepository headRefOid headRepository { id } headRef { id } headRepositoryOwner { login } } } }`,
      { number },
    );

    expect(data).toMatchObject({ state: 'open', head: { label: `${fork.owner}:feature`, sha: head, repo: null } });
    expect(list.data).toMatchObject([{ number, head: { repo: null } }]);
    expect(graphql.repository.pullRequest).toEqual({
      isCrossRepository: true,
      headRefOid: head,
      headRepository: null,
      headRef: null,
      headRepositoryOwner: { login: fork.owner },
    });
  });

  it('merges, and leaves the branch of the fork alone', async () => {
    await world.octokit.rest.repos.update({ ...repo, delete_branch_on_merge: true });
    const { number, head } = await openPull();
    const { data } = await world.octokit.rest.pulls.merge({ ...repo, pull_number: number });
    await git(world.clone, 'fetch', '--quiet', 'origin');
    const ofCommit = await world.octokit.rest.repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: head });

    expect(await git(world.clone, 'rev-parse', `${data.sha}^2`)).toBe(head);
    expect(await git(world.clone, 'log', '-1', '--format=%s', data.sha)).toBe(
      `Merge pull request #${number} from ${fork.owner}/feature`,
    );
    expect(await git(clone, 'ls-remote', '--heads', 'origin', 'feature')).toContain(head);
    expect(ofCommit.data.map((pull) => pull.number)).toEqual([number]);
  });

  it('stands beside one of the same branch name in the base repository', async () => {
    const { number } = await openPull('same');
    await pushBranch(world.clone, 'same', [{ [`same-${count}.txt`]: 'same' }]);
    const own = await world.octokit.rest.pulls.create({ ...repo, title: 'Own', head: 'same', base: 'main' });
    const again = world.octokit.rest.pulls.create({
      ...repo,
      title: 'Again',
      head: `${fork.owner}:same`,
      base: 'main',
    });

    await expect(again).rejects.toThrow(`A pull request already exists for ${fork.owner}:same.`);
    expect((await get(number)).data.head.sha).not.toBe(own.data.head.sha);
    await world.octokit.rest.pulls.update({ ...repo, pull_number: own.data.number, state: 'closed' });
  });

  it('is not named by the runs and the checks of its commit', async () => {
    const { head } = await openPull();
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      headRepository: `${fork.owner}/deploy`,
      workflow: 'check.yml',
      name: 'Check',
      event: 'pull_request',
      headSha: head,
      headBranch: 'feature',
    });
    await job.finish('success');
    const bot = octokitFor(world.server, await world.server.createToken({ login: 'bot', kind: 'job' }));
    const check = await bot.rest.checks.create({ ...repo, name: 'passloop', head_sha: head });

    expect(job.payload()).toMatchObject({
      workflow_run: {
        display_title: 'From a fork',
        pull_requests: [],
        head_repository: { full_name: `${fork.owner}/deploy`, owner: { login: fork.owner }, fork: true },
        repository: { full_name: 'acme/deploy' },
        head_commit: { id: head },
        actor: { login: fork.owner },
      },
    });
    expect(check.data.pull_requests).toEqual([]);
  });
});

describe('what was said of a fork', () => {
  it('is null in a run when the fork is gone', async () => {
    const { head } = await openPull();
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      headRepository: `${fork.owner}/deploy`,
      workflow: 'check.yml',
      name: 'Check',
      event: 'pull_request',
      headSha: head,
      headBranch: 'feature',
    });
    await job.finish('success');
    await fork.remove();
    const { data } = await world.octokit.rest.actions.getWorkflowRun({ ...repo, run_id: job.id });

    expect(data).toMatchObject({ head_repository: null, head_sha: head, head_commit: { id: head } });
    expect(job.payload()).toMatchObject({ workflow_run: { head_repository: null } });
  });
});

describe('pull requests of forks through the API', () => {
  it('are opened by REST and by GraphQL, where the owner has two forks', async () => {
    const second = await world.repository.fork({ owner: fork.owner, name: 'second' });
    await pushBranch(clone, 'one', [{ 'one.txt': fork.owner }]);
    const two = await pushBranch(clone, 'two', [{ 'two.txt': fork.owner }]);
    await git(clone, 'push', '--quiet', second.cloneUrlWith(world.token), 'two');
    const head_repo = `${fork.owner}/second`;
    const create = { ...repo, title: 'REST', base: 'main', head: `${fork.owner}:two`, head_repo };
    const { data } = await world.octokit.rest.pulls.create(create);
    const ids = await world.octokit.graphql<{ base: { id: string }; head: { id: string } }>(
      `query ($owner: String!) {
        base: repository(owner: "acme", name: "deploy") { id } head: repository(owner: $owner, name: "deploy") { id }
      }`,
      { owner: fork.owner },
    );
    const made = await world.octokit.graphql<{ createPullRequest: { pullRequest: object } }>(
      `mutation ($input: CreatePullRequestInput!) { createPullRequest(input: $input) { pullRequest {
        isCrossRepository headRef { name } headRepository { nameWithOwner isFork } headRepositoryOwner { login } } } }`,
      {
        input: {
          repositoryId: ids.base.id,
          headRepositoryId: ids.head.id,
          headRefName: 'one',
          baseRefName: 'main',
          title: 'GraphQL',
        },
      },
    );

    expect(data.head).toMatchObject({ sha: two, repo: { full_name: head_repo } });
    expect(made.createPullRequest.pullRequest).toEqual({
      isCrossRepository: true,
      headRef: { name: 'one' },
      headRepository: { nameWithOwner: `${fork.owner}/deploy`, isFork: true },
      headRepositoryOwner: { login: fork.owner },
    });
  });

  it('are reopened while the fork is there, and take up what was pushed meanwhile', async () => {
    const { number } = await openPull();
    const pull = { ...repo, pull_number: number };
    await world.octokit.rest.pulls.update({ ...pull, state: 'closed' });
    const next = await pushBranch(clone, 'feature', [{ 'next.txt': fork.owner }], 'feature');
    const reopened = await world.octokit.rest.pulls.update({ ...pull, state: 'open' });
    await world.octokit.rest.pulls.update({ ...pull, state: 'closed' });
    await fork.remove();

    expect(reopened.data).toMatchObject({ state: 'open', head: { sha: next } });
    await expect(world.octokit.rest.pulls.update({ ...pull, state: 'open' })).rejects.toThrow('has been deleted');
  });

  it('move with their forks and their base at the same time', async () => {
    const owners = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const owner = `crowd${count}-${index}`;
        const one = await world.repository.fork({ owner });
        const folder = join(world.folder, owner);
        await git(world.folder, 'clone', '--quiet', one.cloneUrlWith(world.token), owner);
        await pushBranch(folder, 'feature', [{ [`${owner}.txt`]: '0' }]);
        const { number } = await world.repository.openPull({ title: owner, head: `${owner}:feature` });
        return { folder, number };
      }),
    );
    const base = async () => {
      for (const index of [1, 2, 3]) await pushBranch(world.clone, 'main', [{ [`crowd-${count}-${index}.txt`]: 'x' }]);
    };
    const heads = owners.map(async ({ folder, number }) => {
      for (const index of [1, 2, 3]) await pushBranch(folder, 'feature', [{ [`${index}.txt`]: 'x' }], 'feature');
      return { number, head: await git(folder, 'rev-parse', 'HEAD') };
    });
    await base();

    for (const { number, head } of await Promise.all(heads)) {
      const { data } = await get(number);
      await git(world.clone, 'fetch', '--quiet', 'origin', 'main', `refs/pull/${number}/merge`);
      expect(data.head.sha).toBe(head);
      expect(await git(world.clone, 'rev-parse', `refs/remotes/origin/main`)).toBe(
        await git(world.clone, 'rev-parse', `${data.merge_commit_sha}^1`),
      );
    }
  });
});

describe('a fork', () => {
  it('names its parent, and is counted there', async () => {
    const there = await world.octokit.rest.repos.get({ owner: fork.owner, repo: 'deploy' });
    const here = await world.octokit.rest.repos.get(repo);

    expect(there.data).toMatchObject({ fork: true, parent: { full_name: 'acme/deploy' } });
    expect(here.data.fork).toBe(false);
    expect(here.data.forks_count).toBeGreaterThan(0);
  });

  it('is not written by a token of the parent, nor the parent by one of it', async () => {
    await writeFiles(clone, { 'x.txt': 'x' });
    await commit(clone, 'x');
    const token = await world.server.createToken({ login: fork.owner, repositories: [`${fork.owner}/deploy`] });

    await expect(git(clone, 'push', world.repository.cloneUrlWith(token), 'HEAD:refs/heads/x')).rejects.toThrow(
      'denied',
    );
  });

  it('of a stranger gives no head for a pull request', async () => {
    const other = await world.server.createRepository({ owner: `stranger${count}`, name: 'deploy' });
    const create = { ...repo, title: 'x', base: 'main' };

    await expect(world.octokit.rest.pulls.create({ ...create, head: `${other.owner}:main` })).rejects.toMatchObject({
      status: 422,
    });
  });
});
