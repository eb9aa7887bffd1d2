import { ConfigurationError } from '@passloop/core';
import { promote } from '@passloop/gitops';
import { Octokit } from 'octokit';
import { describe, expect, it } from 'vitest';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  manifest,
  noWait,
  promotionOf,
  query,
} from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const review = { merge: 'review' as const, ports: noWait };
const branch = 'promote/flight-delay/prod';
type Rule = Parameters<DeployWorld['repository']['protectBranch']>[1];
type State = 'pending' | 'failure' | null;
const merges = ['enablePullRequestAutoMerge', 'mergePullRequest', 'enqueuePullRequest'];

function a() {
  return promotionOf(candidate('a'));
}

/** Promotes, and lists the calls by which it tried to merge. */
async function merging(world: DeployWorld): Promise<{ merged: boolean; outcome: string; tried: string[] }> {
  const from = world.server.log.length;
  const { merged, outcome } = await promote(world.forge, query(), a(), auto);
  const calls = world.server.log.slice(from).flatMap(({ operations }) => operations);
  return { merged, outcome, tried: calls.filter((name) => merges.includes(name)) };
}

async function isMerged(world: DeployWorld): Promise<boolean> {
  return (await world.show(manifest)).includes(candidate('a').image.digest);
}

/** A person of the team. */
async function ada(world: DeployWorld): Promise<Octokit> {
  const auth = await world.server.createToken({ login: 'ada' });
  return new Octokit({ auth, baseUrl: world.server.restUrl, retry: { enabled: false }, throttle: { enabled: false } });
}

async function opened(world: DeployWorld): Promise<{ commit: string; number: number; id: string }> {
  const { commit, pullRequest } = await promote(world.forge, query(), a(), review);
  const number = pullRequest?.number ?? 0;
  const { data } = await (await ada(world)).rest.pulls.get({ owner: 'acme', repo: 'deploy', pull_number: number });
  return { commit: commit ?? '', number, id: data.node_id };
}

describe('merge: auto', () => {
  it('merges a clean one in one call', async () => {
    await using world = await deployWorld({ autoMerge: true });
    await opened(world);

    expect(await merging(world)).toEqual({ merged: true, outcome: 'unchanged', tried: ['mergePullRequest'] });
    expect(await isMerged(world)).toBe(true);
  });

  it('merges one that fails a check that nobody requires, as GitHub lets people', async () => {
    await using world = await deployWorld({ autoMerge: true });
    await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
    const { commit } = await opened(world);
    await world.repository.setStatus({ sha: commit, context: 'deploy-check', state: 'success' });
    await world.repository.setStatus({ sha: commit, context: 'lint', state: 'failure' });

    const tried = ['enablePullRequestAutoMerge', 'mergePullRequest'];
    expect(await merging(world)).toEqual({ merged: true, outcome: 'unchanged', tried });
  });

  it.each([
    ['auto-merge is on', true, ['enablePullRequestAutoMerge', 'mergePullRequest']],
    ['auto-merge is off', false, ['mergePullRequest']],
  ])('merges into a branch without rules where %s', async (_, autoMerge, tried) => {
    await using world = await deployWorld({ autoMerge });

    expect(await merging(world)).toEqual({ merged: true, outcome: 'created', tried });
  });

  it('never tries to pass by a rule that blocks, where auto-merge is off', async () => {
    await using world = await deployWorld({ autoMerge: false });
    await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
    const { commit } = await opened(world);

    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried: [] });
    await world.repository.setStatus({ sha: commit, context: 'deploy-check', state: 'success' });
    expect(await merging(world)).toEqual({ merged: true, outcome: 'unchanged', tried: ['mergePullRequest'] });
  });

  it.each([
    ['a required check that has not begun', { requiredChecks: ['deploy-check'] }, null],
    ['a required check that is pending', { requiredChecks: ['deploy-check'] }, 'pending'],
    ['a required check that failed', { requiredChecks: ['deploy-check'] }, 'failure'],
    ['a missing review', { requiredReviews: 1 }, null],
  ] satisfies [string, Rule, State][])('waits for %s, once', async (_, rule, state) => {
    await using world = await deployWorld({ autoMerge: true });
    await world.repository.protectBranch('main', rule);
    const { commit } = await opened(world);
    if (state !== null) await world.repository.setStatus({ sha: commit, context: 'deploy-check', state });

    const tried = ['enablePullRequestAutoMerge'];
    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried });
    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried: [] });
    expect(await isMerged(world)).toBe(false);
  });

  it.each([
    ['a required check', { requiredChecks: ['deploy-check'] }],
    ['a review', { requiredReviews: 1 }],
  ] satisfies [
    string,
    Rule,
  ][])('leaves it open where %s is missing and the repository has no auto-merge', async (_, rule) => {
    await using world = await deployWorld({ autoMerge: false });
    await world.repository.protectBranch('main', rule);

    expect(await merging(world)).toMatchObject({ merged: false, outcome: 'created' });
    expect(await isMerged(world)).toBe(false);
    expect(world.repository.pullRequests()[0]).toMatchObject({ state: 'open', autoMerge: null });
  });

  it('leaves it open where a reviewer asked for changes', async () => {
    await using world = await deployWorld({ autoMerge: false });
    await world.repository.protectBranch('main', { requiredReviews: 1 });
    const { number } = await opened(world);
    const octokit = await ada(world);
    const review = { owner: 'acme', repo: 'deploy', pull_number: number, body: 'no' };
    await octokit.rest.pulls.createReview({ ...review, event: 'REQUEST_CHANGES' });

    expect(await merging(world)).toMatchObject({ merged: false, outcome: 'unchanged' });
    expect(await isMerged(world)).toBe(false);
  });

  it('lets a draft alone', async () => {
    await using world = await deployWorld({ autoMerge: true });
    const { id } = await opened(world);
    const octokit = await ada(world);
    await octokit.graphql('mutation($i:ID!){convertPullRequestToDraft(input:{pullRequestId:$i}){clientMutationId}}', {
      i: id,
    });

    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried: [] });
    expect(await isMerged(world)).toBe(false);
  });

  it('reads again where the base moved under the merge', async () => {
    await using world = await deployWorld();
    const errors = [{ type: 'UNPROCESSABLE', message: 'Base branch was modified. Review and try the merge again.' }];
    world.server.inject({ match: { operation: 'mergePullRequest', nth: 1 }, fault: { status: 200, body: { errors } } });

    const { merged, tried } = await merging(world);

    expect({ merged, tried: tried.filter((name) => name === 'mergePullRequest') }).toEqual({
      merged: true,
      tried: ['mergePullRequest', 'mergePullRequest'],
    });
    expect(world.repository.pullRequests()).toHaveLength(1);
  });

  it('brings one forward that is behind its base where branches must be up to date', async () => {
    await using world = await deployWorld({ autoMerge: false });
    await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'], strict: true });
    const first = await opened(world);
    await world.repository.setStatus({ sha: first.commit, context: 'deploy-check', state: 'success' });
    await git(world.clone, 'commit', '--quiet', '--allow-empty', '-m', 'Elsewhere');
    await git(world.clone, 'push', '--quiet', world.repository.directory, 'HEAD:main');

    expect(await merging(world)).toMatchObject({ merged: false, outcome: 'updated' });
    expect(await world.show('README.md', branch).catch(() => 'none')).toBe('none');
    const [pull] = world.repository.pullRequests();
    expect(pull?.head.sha).not.toBe(first.commit);
    await world.repository.setStatus({ sha: pull?.head.sha ?? '', context: 'deploy-check', state: 'success' });
    expect(await merging(world)).toMatchObject({ merged: true });
  });

  it('never merges what somebody pushed onto its branch', async () => {
    await using world = await deployWorld();
    await opened(world);
    await git(world.clone, 'fetch', '--quiet', 'origin', branch);
    await git(world.clone, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
    await git(world.clone, 'commit', '--quiet', '--allow-empty', '-m', 'Sneaked in');
    const sneaked = (await git(world.clone, 'rev-parse', 'HEAD')).trim();
    await git(world.clone, 'push', '--quiet', world.repository.directory, `HEAD:${branch}`);

    const { merged } = await merging(world);

    expect(merged).toBe(true);
    const log = await git(world.repository.directory, 'log', '--format=%H %s', 'main');
    expect(log).not.toContain('Sneaked in');
    expect(log).not.toContain(sneaked);
    expect(world.repository.pullRequests()[0]?.head.sha).not.toBe(sneaked);
  });

  it('stops where the head moved between the writing and the merge, and writes anew', async () => {
    await using world = await deployWorld();
    const errors = [{ type: 'UNPROCESSABLE', message: 'Head branch was modified. Review and try the merge again.' }];
    world.server.inject({ match: { operation: 'mergePullRequest', nth: 1 }, fault: { status: 200, body: { errors } } });
    const { tried, merged } = await merging(world);
    expect(tried.filter((name) => name === 'mergePullRequest')).toHaveLength(2);
    expect(merged).toBe(true);
  });

  it('says which methods a branch refuses', async () => {
    await using world = await deployWorld({
      settings: { allowSquashMerge: false, allowRebaseMerge: false, allowMergeCommit: true },
    });
    await world.repository.protectBranch('main', { requireLinearHistory: true });

    const refused = promote(world.forge, query(), a(), auto);

    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
    await expect(promote(world.forge, query(), a(), auto)).rejects.toMatchObject({
      message: expect.stringContaining('Merge commits are not allowed on this branch'),
      hint: expect.stringMatching(/^Allow squash, rebase or merge commits/),
    });
  });
});

describe('a merge queue', () => {
  it('gets the pull request at its head, once, and lands it', async () => {
    await using world = await deployWorld();
    await world.repository.requireMergeQueue('main');
    const { number } = await opened(world);

    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried: ['enqueuePullRequest'] });
    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried: [] });
    expect(await isMerged(world)).toBe(false);
    const group = await world.server.createMergeGroup({ repository: 'acme/deploy', pull: number });
    await group.merge();

    expect(await isMerged(world)).toBe(true);
    expect(await merging(world)).toEqual({ merged: false, outcome: 'already-promoted', tried: [] });
  });

  it('gets it by auto-merge when what is missing is there', async () => {
    await using world = await deployWorld({ autoMerge: true });
    await world.repository.requireMergeQueue('main');
    await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
    const { commit } = await opened(world);

    const tried = ['enqueuePullRequest', 'enablePullRequestAutoMerge'];
    expect(await merging(world)).toEqual({ merged: false, outcome: 'unchanged', tried });
    await world.repository.setStatus({ sha: commit, context: 'deploy-check', state: 'success' });

    expect(world.repository.pullRequests()[0]).toMatchObject({ state: 'open', queued: { by: 'passloop[bot]' } });
    expect(await isMerged(world)).toBe(false);
  });

  it('that takes nothing now is no reason to merge past it', async () => {
    await using world = await deployWorld();
    await opened(world);
    await world.repository.requireMergeQueue('main');
    const errors = [{ type: 'UNPROCESSABLE', message: 'Changes must be made through the merge queue' }];
    world.server.inject({
      match: { operation: 'enqueuePullRequest', nth: 1 },
      fault: { status: 200, body: { errors } },
    });

    expect(await merging(world)).toMatchObject({ merged: false });
    expect(await isMerged(world)).toBe(false);
  });
});
