import { describe, expect, it } from 'vitest';
import { createWorld, octokitFor, pushBranch, type World } from './fixture.ts';
import { ACTIONS_APP_ID } from './state.ts';

const repo = { owner: 'acme', repo: 'deploy' };
const AUTO = `mutation($i: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $i) { pullRequest { autoMergeRequest { mergeMethod } } } }`;

type Conclusion = 'action_required' | 'cancelled' | 'failure' | 'neutral' | 'skipped' | 'success' | 'timed_out';
type Pull = { id: string; number: number; head: string };

/** A pull request on a branch that asks for the check `passloop` of GitHub Actions. */
async function openPull(world: World): Promise<Pull> {
  await world.octokit.rest.repos.updateBranchProtection({
    ...repo,
    branch: 'main',
    required_status_checks: {
      strict: false,
      contexts: [],
      checks: [{ context: 'passloop', app_id: ACTIONS_APP_ID }],
    },
    enforce_admins: true,
    required_pull_request_reviews: null,
    restrictions: null,
  });
  const head = await pushBranch(world.clone, 'topic', [{ a: '1' }]);
  const { data } = await world.octokit.rest.pulls.create({ ...repo, title: 'T', head: 'topic', base: 'main' });
  return { id: data.node_id, number: data.number, head };
}

/** Says what became of the check, as a job with `checks: write` does. */
async function report(world: World, head_sha: string, conclusion: Conclusion | undefined): Promise<void> {
  const permissions = { checks: 'write' } as const;
  const job = await world.server.jobToken({ repository: 'acme/deploy', event: 'pull_request', permissions });
  const state = conclusion === undefined ? ({ status: 'in_progress' } as const) : { conclusion };
  await octokitFor(world.server, job).rest.checks.create({ ...repo, name: 'passloop', head_sha, ...state });
}

async function merge(world: World, { number: pull_number }: Pull): Promise<string> {
  return world.octokit.rest.pulls.merge({ ...repo, pull_number }).then(
    () => 'merged',
    ({ status, response }) => `${status} ${response.data.message}`,
  );
}

describe('a check that is required of GitHub Actions', () => {
  it('refuses a merge while it is missing', async () => {
    await using world = await createWorld();
    expect(await merge(world, await openPull(world))).toBe('405 Required status check "passloop" is expected.');
  });

  it('refuses a merge while it is pending, also after it has passed once', async () => {
    await using world = await createWorld();
    const pull = await openPull(world);
    await report(world, pull.head, undefined);
    const first = await merge(world, pull);
    await report(world, pull.head, 'success');
    await report(world, pull.head, undefined);

    expect([first, await merge(world, pull)]).toEqual([
      '405 Required status check "passloop" is pending.',
      '405 Required status check "passloop" is pending.',
    ]);
  });

  it.each<Conclusion>([
    'failure',
    'cancelled',
    'timed_out',
    'action_required',
  ])('refuses a merge after %s', async (conclusion) => {
    await using world = await createWorld();
    const pull = await openPull(world);
    await report(world, pull.head, 'success');
    await report(world, pull.head, conclusion);

    expect(await merge(world, pull)).toBe('405 Required status check "passloop" is failing.');
  });

  it.each<Conclusion>(['success', 'neutral', 'skipped'])('lets a merge pass after %s', async (conclusion) => {
    await using world = await createWorld();
    const pull = await openPull(world);
    await report(world, pull.head, 'failure');
    await report(world, pull.head, conclusion);

    expect(await merge(world, pull)).toBe('merged');
  });

  it('is not answered by a status, nor by the check of another app', async () => {
    await using world = await createWorld();
    const pull = await openPull(world);
    const token = { login: 'other-app', kind: 'installation', appId: 4711 } as const;
    const other = octokitFor(world.server, await world.server.createToken(token));
    await world.repository.setStatus({ sha: pull.head, context: 'passloop', state: 'success' });
    await other.rest.checks.create({ ...repo, name: 'passloop', head_sha: pull.head, conclusion: 'success' });

    expect(await merge(world, pull)).toBe('405 Required status check "passloop" is expected.');
  });

  it('is not answered by what was said of an earlier head', async () => {
    await using world = await createWorld();
    const pull = await openPull(world);
    await report(world, pull.head, 'success');
    await pushBranch(world.clone, 'topic', [{ a: '2' }]);

    expect(await merge(world, pull)).toBe('405 Required status check "passloop" is expected.');
  });

  it.each<[Conclusion, string]>([
    ['failure', 'open'],
    ['neutral', 'closed'],
  ])('leaves a pull request that waits for it, after %s, %s', async (conclusion, state) => {
    await using world = await createWorld({ autoMerge: true });
    const pull = await openPull(world);
    await world.octokit.graphql(AUTO, { i: { pullRequestId: pull.id, mergeMethod: 'MERGE' } });

    await report(world, pull.head, conclusion);

    expect(world.repository.pullRequests()[0]?.state).toBe(state);
  });

  it('can be asked for by a fixture as well', async () => {
    await using world = await createWorld();
    await world.repository.protectBranch('main', { requiredChecks: [{ context: 'passloop', appId: ACTIONS_APP_ID }] });
    const { data } = await world.octokit.rest.repos.getBranchProtection({ ...repo, branch: 'main' });

    expect(data.required_status_checks?.checks).toEqual([{ context: 'passloop', app_id: ACTIONS_APP_ID }]);
  });
});
