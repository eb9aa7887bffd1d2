import { describe, expect, it } from 'vitest';
import { createWorld, octokitFor, pushBranch, type World } from './fixture.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const AUTO = `mutation($i: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $i) { pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } } } }`;

async function openPull(world: World): Promise<{ id: string; number: number; head: string }> {
  const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
  const { data } = await world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });
  return { id: data.node_id, number: data.number, head };
}

async function stateOf(world: World, pull_number: number) {
  return (await world.octokit.rest.pulls.get({ ...repo, pull_number })).data.mergeable_state;
}

async function refusedMerge(world: World, pull_number: number): Promise<string> {
  const merge = world.octokit.rest.pulls.merge({ ...repo, pull_number });
  return merge.then(
    () => 'merged',
    ({ status, response }) => `${status} ${response.data.message}`,
  );
}

describe('required checks', () => {
  it('hold a merge until each has succeeded on the head', async () => {
    await using world = await createWorld();
    await world.repository.protectBranch('main', { requiredChecks: ['ci', 'passloop'] });
    const { number, head } = await openPull(world);
    const report = (context: string, state: 'failure' | 'pending' | 'success') =>
      world.repository.setStatus({ sha: head, context, state });

    const none = await refusedMerge(world, number);
    await report('ci', 'success');
    await report('passloop', 'failure');
    const one = await refusedMerge(world, number);
    const state = await stateOf(world, number);
    await report('passloop', 'success');

    expect(none).toBe('405 2 of 2 required status checks are expected.');
    expect(one).toBe('405 1 of 2 required status checks have not succeeded: 1 failing.');
    expect(state).toBe('blocked');
    expect(await refusedMerge(world, number)).toBe('merged');
  });

  it('count a check run of the job token, whose conclusion may be neutral, and forget it with the next push', async () => {
    await using world = await createWorld();
    await world.repository.protectBranch('main', { requiredChecks: ['passloop'] });
    const { number, head } = await openPull(world);
    const token = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' });
    const job = octokitFor(world.server, token);

    const run = await job.rest.checks.create({ ...repo, name: 'passloop', head_sha: head, status: 'in_progress' });
    const pending = await refusedMerge(world, number);
    await job.rest.checks.update({ ...repo, check_run_id: run.data.id, conclusion: 'neutral' });
    const after = await stateOf(world, number);
    await pushBranch(world.clone, 'topic', [{ a: '2' }]);

    expect(pending).toBe('405 Required status check "passloop" is pending.');
    expect(after).toBe('clean');
    expect(await refusedMerge(world, number)).toBe('405 Required status check "passloop" is expected.');
  });

  it('that are strict ask for the tip of the base branch', async () => {
    await using world = await createWorld();
    const { number, head } = await openPull(world);
    await pushBranch(world.clone, 'main', [{ other: '1' }]);
    await world.repository.protectBranch('main', { requiredChecks: ['ci'], strict: true });
    await world.repository.setStatus({ sha: head, context: 'ci', state: 'success' });

    const behind = await stateOf(world, number);
    await world.octokit.rest.pulls.updateBranch({ ...repo, pull_number: number, expected_head_sha: head });
    const [pull] = world.repository.pullRequests();
    await world.repository.setStatus({ sha: pull!.head.sha, context: 'ci', state: 'success' });

    expect(behind).toBe('behind');
    expect(await stateOf(world, number)).toBe('clean');
  });
});

describe('required reviews', () => {
  it('need someone else, and are dismissed by a push when the rule says so', async () => {
    await using world = await createWorld();
    await world.repository.protectBranch('main', { requiredReviews: 1, dismissStaleReviews: true });
    const { number: pull_number } = await openPull(world);
    const grace = octokitFor(world.server, await world.server.createToken({ login: 'grace' }));
    const approve = { ...repo, pull_number, event: 'APPROVE' } as const;

    const alone = await refusedMerge(world, pull_number);
    const own = world.octokit.rest.pulls.createReview(approve);
    await expect(own).rejects.toMatchObject({ status: 422, message: /Can not approve your own pull request/ });
    const token = await world.server.createToken({ login: 'github-actions[bot]', kind: 'job' });
    const job = octokitFor(world.server, token).rest.pulls.createReview(approve);
    const errors = ['GitHub Actions is not permitted to approve pull requests.'];
    await expect(job).rejects.toMatchObject({
      status: 422,
      response: { data: { message: 'Unprocessable Entity', errors } },
    });
    await grace.rest.pulls.createReview(approve);
    const approved = await stateOf(world, pull_number);
    await pushBranch(world.clone, 'topic', [{ a: '2' }]);
    const stale = await stateOf(world, pull_number);
    await grace.rest.pulls.createReview({ ...approve, event: 'REQUEST_CHANGES', body: 'no' });

    expect(alone).toBe('405 At least 1 approving review is required by reviewers with write access.');
    expect([approved, stale]).toEqual(['clean', 'blocked']);
    expect(await refusedMerge(world, pull_number)).toMatch(/^405 Changes have been requested/);
  });
});

describe('other reasons to refuse a merge', () => {
  it.each(['merge', 'squash', 'rebase'] as const)('%s is not allowed here', async (merge_method) => {
    await using world = await createWorld();
    const { number: pull_number } = await openPull(world);
    const others = { allow_merge_commit: true, allow_squash_merge: true, allow_rebase_merge: true };
    const name = { merge: 'allow_merge_commit', squash: 'allow_squash_merge', rebase: 'allow_rebase_merge' }[
      merge_method
    ];
    await world.octokit.rest.repos.update({ ...repo, ...others, [name]: false });

    const merge = world.octokit.rest.pulls.merge({ ...repo, pull_number, merge_method });

    await expect(merge).rejects.toMatchObject({ status: 405, message: /are not allowed on this repository\./ });
  });

  it('a draft, a closed one, one that moved', async () => {
    await using world = await createWorld();
    const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    const draft = { ...repo, title: 'T', head: 'topic', base: 'main', draft: true };
    const { data } = await world.octokit.rest.pulls.create(draft);
    const pull = { ...repo, pull_number: data.number };

    const drafted = await refusedMerge(world, data.number);
    const ready =
      'mutation($i: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $i}) { pullRequest { isDraft } } }';
    await world.octokit.graphql(ready, { i: data.node_id });
    await pushBranch(world.clone, 'topic', [{ a: '2' }]);
    const moved = world.octokit.rest.pulls.merge({ ...pull, sha: head });
    await expect(moved).rejects.toMatchObject({ status: 409, message: /^Head branch was modified\./ });
    await world.octokit.rest.pulls.update({ ...pull, state: 'closed' });

    expect(drafted).toBe('405 Pull Request is still a draft');
    expect(await refusedMerge(world, data.number)).toBe('405 Pull Request is not mergeable');
  });

  it('an unstable pull request can be merged: what failed was not required', async () => {
    await using world = await createWorld();
    const { number, head } = await openPull(world);
    await world.repository.setStatus({ sha: head, context: 'optional', state: 'failure' });

    expect(await stateOf(world, number)).toBe('unstable');
    expect(await refusedMerge(world, number)).toBe('merged');
  });
});

describe('auto-merge', () => {
  it('merges when the last requirement is met, with its own message', async () => {
    await using world = await createWorld({ autoMerge: true });
    await world.repository.protectBranch('main', { requiredChecks: ['ci'], requiredReviews: 1 });
    const { id, head, number } = await openPull(world);
    const input = {
      pullRequestId: id,
      mergeMethod: 'SQUASH',
      expectedHeadOid: head,
      commitHeadline: 'H',
      commitBody: 'B',
    };
    const enabled = await world.octokit.graphql(AUTO, { i: input });
    await world.repository.setStatus({ sha: head, context: 'ci', state: 'success' });
    const [waiting] = world.repository.pullRequests();

    const grace = octokitFor(world.server, await world.server.createToken({ login: 'grace' }));
    await grace.rest.pulls.createReview({ ...repo, pull_number: number, event: 'APPROVE' });

    const tip = await world.octokit.rest.repos.getCommit({ ...repo, ref: 'main' });
    expect(enabled).toMatchObject({
      enablePullRequestAutoMerge: {
        pullRequest: { autoMergeRequest: { mergeMethod: 'SQUASH', enabledBy: { login: 'ada' } } },
      },
    });
    expect(waiting).toMatchObject({ state: 'open', autoMerge: { method: 'squash' } });
    expect(world.repository.pullRequests()[0]).toMatchObject({ mergedBy: 'ada', autoMerge: null });
    expect(tip.data.commit.message).toBe('H\n\nB');
  });

  it.each([
    ['clean', true, true, false, 'Pull request is in clean status'],
    ['unstable', true, true, true, 'Pull request is in unstable status'],
    ['without rules', true, false, false, 'Protected branch rules not configured for this branch'],
    ['forbidden by the repository', false, true, false, 'Auto merge is not allowed for this repository'],
  ])('refuses one that is %s', async (_what, autoMerge, isProtected, fails, message) => {
    await using world = await createWorld({ autoMerge });
    if (isProtected) await world.repository.protectBranch('main', {});
    const { id, head } = await openPull(world);
    if (fails) await world.repository.setStatus({ sha: head, context: 'optional', state: 'failure' });

    const enable = world.octokit.graphql(AUTO, { i: { pullRequestId: id } });

    await expect(enable).rejects.toMatchObject({
      errors: [{ type: 'UNPROCESSABLE', message: expect.stringContaining(message) }],
    });
  });

  it('is switched off by hand, and by a change of the base branch', async () => {
    await using world = await createWorld({ autoMerge: true });
    await world.repository.protectBranch('main', { requiredChecks: ['ci'] });
    const { id, head, number } = await openPull(world);
    await world.octokit.rest.git.createRef({ ...repo, ref: 'refs/heads/next', sha: head });
    await world.octokit.rest.git.updateRef({ ...repo, ref: 'heads/next', sha: await mainTip(world), force: true });
    await world.octokit.graphql(AUTO, { i: { pullRequestId: id } });
    const off =
      'mutation($i: ID!) { disablePullRequestAutoMerge(input: {pullRequestId: $i}) { pullRequest { autoMergeRequest { enabledAt } } } }';
    const disabled = await world.octokit.graphql(off, { i: id });
    await world.octokit.graphql(AUTO, { i: { pullRequestId: id } });
    await world.octokit.rest.pulls.update({ ...repo, pull_number: number, base: 'next' });
    await world.repository.setStatus({ sha: head, context: 'ci', state: 'success' });

    expect(disabled).toEqual({ disablePullRequestAutoMerge: { pullRequest: { autoMergeRequest: null } } });
    expect(world.repository.pullRequests()[0]).toMatchObject({ state: 'open', autoMerge: null });
  });
});

async function mainTip({ octokit }: World): Promise<string> {
  return (await octokit.rest.git.getRef({ ...repo, ref: 'heads/main' })).data.object.sha;
}

describe('a direct change of a protected branch by the API', () => {
  it('is refused as a push is', async () => {
    await using world = await createWorld();
    const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
    const first = await mainTip(world);
    await world.repository.protectBranch('main', { requiredChecks: ['ci'] });
    const update = (sha: string, force = false) =>
      world.octokit.rest.git.updateRef({ ...repo, ref: 'heads/main', sha, force });

    await expect(update(head)).rejects.toMatchObject({
      status: 422,
      message: /^Required status check "ci" is expected\./,
    });
    await world.repository.setStatus({ sha: head, context: 'ci', state: 'success' });
    await update(head);
    await expect(update(first, true)).rejects.toMatchObject({
      status: 422,
      message: /^Cannot force-push to this branch/,
    });
    await world.repository.protectBranch('main', { requiredReviews: 1 });
    const merge = world.octokit.rest.repos.createOrUpdateFileContents({
      ...repo,
      path: 'b',
      message: 'm',
      content: 'YQ==',
    });
    await expect(merge).rejects.toMatchObject({
      status: 409,
      message: /^Could not create file: Changes must be made through a pull request\./,
    });

    expect(await mainTip(world)).toBe(head);
  });
});
