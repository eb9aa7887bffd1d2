import examples from '@octokit/webhooks-examples';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, git, octokitFor, pushBranch, type World } from './fixture.ts';
import { ZERO_OID } from './git-objects.ts';
import type { EventPayload } from './index.ts';

let world: World;
let main: string;

beforeAll(async () => {
  world = await createWorld();
  main = await git(world.clone, 'rev-parse', 'HEAD');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The paths of an object's fields; those below `repository` and of lists are left out. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, field]) =>
    /^(head_)?repository$|^organization$|^installation$|^repo$|^repos$/.test(name)
      ? []
      : fieldsOf(field, `${path}/${name}`),
  );
}

/** Fields that GitHub's own examples of an event all have. */
function exampleFields(event: string, action: string): string[] {
  const all = (examples as unknown as { name: string; examples: EventPayload[] }[]).find(({ name }) => name === event)!;
  const [first = [], ...rest] = all.examples.filter((one) => one.action === action).map((one) => fieldsOf(one));
  return first.filter((field) => rest.every((fields) => fields.includes(field)));
}

describe('workflow_run', () => {
  it('says of a run what GitHub says', async () => {
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'push',
      headSha: main,
      headBranch: 'main',
      actor: 'ada',
    });
    expect(job.payload()).toMatchObject({ action: 'in_progress' });
    await job.finish('success');
    const payload = job.payload();

    expect(payload).toMatchObject({
      action: 'completed',
      workflow_run: { id: job.id, head_sha: main, conclusion: 'success', path: '.github/workflows/check.yml' },
      workflow: { name: 'Check' },
      repository: { full_name: 'acme/deploy' },
      organization: { login: 'acme' },
      sender: { login: 'ada' },
    });
    expect(fieldsOf(payload)).toEqual(expect.arrayContaining(exampleFields('workflow_run', 'completed')));
  });

  it('names the pull request of a branch', async () => {
    const headSha = await pushBranch(world.clone, 'feature', [{ 'a.txt': 'a' }]);
    const { data: pull } = await world.octokit.rest.pulls.create({
      owner: 'acme',
      repo: 'deploy',
      title: 'Feature',
      head: 'feature',
      base: 'main',
    });
    const job = await world.server.createWorkflowRun({
      repository: 'acme/deploy',
      workflow: 'check.yml',
      name: 'Check',
      event: 'pull_request',
      headSha,
      headBranch: 'feature',
    });

    expect(job.payload()).toMatchObject({
      workflow_run: { display_title: 'Feature', pull_requests: [{ number: pull.number, head: { sha: headSha } }] },
    });
  });
});

const repo = { owner: 'acme', repo: 'deploy' };

async function openPull(branch: string): Promise<{ number: number; head: string }> {
  const head = await pushBranch(world.clone, branch, [{ [`${branch}.txt`]: branch }]);
  const { number } = await world.repository.openPull({ title: branch, head: branch, author: 'ada' });
  return { number, head };
}

describe('pull_request', () => {
  it('says of a pull request what GitHub says', async () => {
    const { number, head } = await openPull('opened');
    const payload = await world.repository.pullRequestPayload(number, 'opened');

    expect(payload).toMatchObject({
      action: 'opened',
      number,
      pull_request: { number, head: { sha: head, ref: 'opened' }, base: { ref: 'main' }, user: { login: 'ada' } },
      sender: { login: 'ada' },
    });
    expect(fieldsOf(payload)).toEqual(expect.arrayContaining(exampleFields('pull_request', 'opened')));
  });

  it('says what a push replaced', async () => {
    const { number, head: before } = await openPull('pushed');
    const after = await pushBranch(world.clone, 'pushed', [{ 'next.txt': 'next' }], 'pushed');
    const payload = await world.repository.pullRequestPayload(number, 'synchronize', { before });

    expect(payload).toMatchObject({ action: 'synchronize', before, after, pull_request: { head: { sha: after } } });
    await expect(world.repository.pullRequestPayload(number, 'synchronize')).rejects.toThrow('needs the head');
  });

  it('is of a fork that was deleted, too', async () => {
    const fork = await world.repository.fork({ owner: 'eve' });
    await git(world.clone, 'push', '--quiet', fork.cloneUrlWith(world.token), 'pushed:theirs');
    const { number } = await world.repository.openPull({ title: 'Theirs', head: 'eve:theirs' });
    await fork.remove();
    await world.octokit.rest.pulls.update({ ...repo, pull_number: number, state: 'closed' });

    expect(await world.repository.pullRequestPayload(number, 'closed')).toMatchObject({
      action: 'closed',
      pull_request: { state: 'closed', head: { label: 'eve:theirs', repo: null } },
      sender: { login: 'eve' },
    });
  });
});

describe('push', () => {
  it('lists the commits and their files', async () => {
    const before = await git(world.clone, 'rev-parse', 'origin/main');
    const after = await pushBranch(world.clone, 'main', [{ 'new.txt': 'n' }, { 'new.txt': 'm', 'README.md': 'r' }]);
    const payload = await world.repository.pushPayload({ ref: 'refs/heads/main', before, after, pusher: 'ada' });

    expect(payload).toMatchObject({
      ref: 'refs/heads/main',
      before,
      after,
      created: false,
      forced: false,
      commits: [
        { added: ['new.txt'], modified: [] },
        { id: after, modified: ['README.md', 'new.txt'] },
      ],
      head_commit: { id: after },
      pusher: { name: 'ada' },
    });
  });

  it('of a new branch lists what no other branch has', async () => {
    const after = await pushBranch(world.clone, 'fresh', [{ 'fresh.txt': 'f' }]);
    const ref = 'refs/heads/fresh';
    const created = await world.repository.pushPayload({ ref, before: ZERO_OID, after, pusher: 'ada' });
    const deleted = await world.repository.pushPayload({ ref, before: after, after: ZERO_OID, pusher: 'ada' });

    expect(created).toMatchObject({ created: true, deleted: false, commits: [{ id: after }] });
    expect(deleted).toMatchObject({ created: false, deleted: true, commits: [], head_commit: null });
  });
});

describe('a merge group', () => {
  it('is the base branch with the pull request merged, on a branch that anybody may fetch', async () => {
    const { number, head } = await openPull('queued');
    const base = await git(world.clone, 'rev-parse', 'origin/main');
    const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull: number });
    await git(world.clone, 'fetch', '--quiet', 'origin', group.ref);

    expect(group).toMatchObject({ ref: `refs/heads/gh-readonly-queue/main/pr-${number}-${base}`, baseSha: base });
    expect(await git(world.clone, 'rev-parse', 'FETCH_HEAD', 'FETCH_HEAD^1', 'FETCH_HEAD^2')).toBe(
      `${group.headSha}\n${base}\n${head}`,
    );
    const payload = group.payload();
    expect(payload).toMatchObject({
      action: 'checks_requested',
      merge_group: {
        head_sha: group.headSha,
        head_ref: group.ref,
        base_sha: base,
        base_ref: 'refs/heads/main',
        head_commit: { id: group.headSha, message: expect.stringContaining(`Merge pull request #${number}`) },
      },
    });
    expect(fieldsOf(payload)).toEqual(expect.arrayContaining(exampleFields('merge_group', 'checks_requested')));
  });

  it('stands on the one before it, and merges in order', async () => {
    const [first, second] = [await openPull('first'), await openPull('second')];
    const queue = { repository: 'acme/deploy' };
    const one = await world.server.createMergeGroup({ ...queue, pull: first.number });
    const two = await world.server.createMergeGroup({ ...queue, pull: second.number, after: one.headSha });
    await expect(two.merge()).rejects.toThrow('but expected');
    await one.merge();
    await two.merge();
    const { data } = await world.octokit.rest.pulls.get({ ...repo, pull_number: second.number });
    const refs = await git(world.clone, 'ls-remote', 'origin', 'refs/heads/gh-readonly-queue/main/pr-*');

    expect(two.baseSha).toBe(one.headSha);
    expect(data).toMatchObject({ merged: true, merge_commit_sha: two.headSha });
    expect(refs).not.toContain(two.headSha);
  });

  it('is moved by the queue alone', async () => {
    const { number } = await openPull('alone');
    const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull: number });
    const token = await world.server.createToken({ login: 'ada', admin: true });
    const ref = group.ref.replace('refs/', '');

    await expect(git(world.clone, 'push', 'origin', '--delete', group.ref)).rejects.toThrow('hidden ref');
    await expect(
      octokitFor(world.server, token).rest.git.updateRef({ ...repo, ref, sha: group.baseSha, force: true }),
    ).rejects.toMatchObject({ status: 422 });
    await group.remove();
    expect(await git(world.clone, 'ls-remote', 'origin', group.ref)).toBe('');
  });
});
