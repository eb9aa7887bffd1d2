import { decide, hold, promote, readDeployState, rollback } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { closedPullRequests } from './snapshot.ts';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  noWait,
  promotionOf,
  pull,
  query,
} from './testing/deploy-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const branch = 'promote/flight-delay/prod';

async function closeAs(world: DeployWorld, number: number, state: 'open' | 'closed' = 'closed'): Promise<void> {
  const token = await world.server.createToken({ login: 'ada', repositories: ['acme/deploy'] });
  const answer = await fetch(`${world.server.restUrl}/repos/acme/deploy/pulls/${number}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ state }),
  });
  expect(answer.status).toBe(200);
}

it('remembers a pull request that people closed, in the one call that it reads with', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  const opened = await promote(world.forge, query(), promotionOf(candidate('b')), review);
  await closeAs(world, opened.pullRequest?.number ?? 0);

  const from = world.server.log.length;
  const refused = await promote(world.forge, query(), promotionOf(candidate('b')), review);

  expect(refused).toMatchObject({ outcome: 'blocked', pullRequest: null });
  expect(refused.reason).toMatch(
    new RegExp(`^ada closed the pull request of this very promotion to prod on .* UTC: ${opened.pullRequest?.url}\\. `),
  );
  expect(world.server.counts(from)).toMatchObject({ total: 1, writes: 0 });
  // Another candidate comes through, and takes nothing of the refusal away.
  const other = await promote(world.forge, query(), promotionOf(candidate('c')), review);
  expect(other).toMatchObject({ outcome: 'created' });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'blocked',
  });
});

it('remembers it where the branch was deleted, which closes its pull request', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('b')), review);
  await git(world.clone, 'push', '--quiet', 'origin', '--delete', branch);

  const refused = await promote(world.forge, query(), promotionOf(candidate('b')), review);

  expect(refused).toMatchObject({ outcome: 'blocked', reason: expect.stringMatching(/closed the pull request/) });
});

it('goes on where it is reopened, and where somebody asks for it again', async () => {
  await using world = await deployWorld();
  const opened = await promote(world.forge, query(), promotionOf(candidate('b')), review);
  const number = opened.pullRequest?.number ?? 0;
  await closeAs(world, number);
  await closeAs(world, number, 'open');
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'unchanged',
    pullRequest: { number },
  });

  await closeAs(world, number);
  const again = await promote(world.forge, query(), promotionOf(candidate('b'), { again: true }), review);
  expect(again).toMatchObject({ outcome: 'created', pullRequest: { number: number + 1 } });
  // While that one is open nobody has to say it once more.
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'unchanged',
  });
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ merged: true });
});

it('brings nothing back by itself whose rollback people closed; a command is a decision of its own', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  const request = {
    environment: 'prod',
    to: { kind: 'named' as const, name: candidate('a').version },
    reason: 'The default branch is back.',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  const options = { ...review, hasImage: async () => true };
  const opened = await rollback(world.forge, query(), request, options);
  await closeAs(world, opened.pullRequest?.number ?? 0);

  expect(await rollback(world.forge, query(), request, options)).toMatchObject({
    outcome: 'blocked',
    reason: expect.stringMatching(/closed the pull request of this very promotion to prod/),
  });
  expect(await rollback(world.forge, query(), { ...request, again: true }, options)).toMatchObject({
    outcome: 'created',
  });
});

it('takes no refusal from a fork, whatever its pull request says', async () => {
  await using world = await deployWorld();
  const opened = await promote(world.forge, query(), promotionOf(candidate('b')), review);
  const body = world.repository.pullRequests()[0]?.body ?? '';
  await git(world.clone, 'fetch', '--quiet', 'origin', branch);
  const head = (await git(world.clone, 'rev-parse', 'FETCH_HEAD')).trim();
  const fork = await world.repository.fork({ owner: 'mallory' });
  const mallory = await world.server.createToken({ login: 'mallory' });
  await pull(world.clone);
  await git(world.clone, 'push', '--quiet', '--force', fork.cloneUrlWith(mallory), `${head}:refs/heads/${branch}`);
  const headers = { authorization: `Bearer ${mallory}`, 'content-type': 'application/json' };
  const pulls = `${world.server.restUrl}/repos/acme/deploy/pulls`;
  const made = await fetch(pulls, {
    method: 'POST',
    headers,
    body: JSON.stringify({ title: 'mine', head: `mallory:${branch}`, base: 'main', body }),
  });
  expect(made.status).toBe(201);
  const { number } = (await made.json()) as { number: number };
  await closeAs(world, number);

  const state = await readDeployState(world.forge, query());
  expect(state.environments[0]?.refusals).toEqual([]);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'unchanged',
    pullRequest: opened.pullRequest,
  });
  const { modelDigest, runKey, image } = candidate('b');
  const known = { modelDigest, runKey, imageKey: image.imageKey, imageDigest: image.digest, inStore: true };
  expect(state.environments[0] && decide(state.environments[0], known)).toEqual({ kind: 'promote' });
});

it('takes no refusal from a stranger who opened a pull request of our branch', () => {
  const node = {
    number: 7,
    url: 'https://github.com/acme/deploy/pull/7',
    body: 'forged',
    merged: false,
    closedAt: '2026-11-24T09:00:00Z',
    baseRefName: 'main',
    isCrossRepository: false,
    authorAssociation: 'NONE',
    viewerDidAuthor: false,
    author: { __typename: 'User' },
    timelineItems: { nodes: [{ actor: { login: 'mallory' } }] },
  };
  const taken = (changes: Partial<typeof node>) =>
    closedPullRequests({ nodes: [{ ...node, ...changes }] }, 'main').length;
  expect(taken({})).toBe(0);
  expect(taken({ authorAssociation: 'CONTRIBUTOR' })).toBe(0);
  expect(taken({ authorAssociation: 'COLLABORATOR' })).toBe(1);
  expect(taken({ author: { __typename: 'Bot' } })).toBe(1);
  expect(taken({ author: { __typename: 'Bot' }, isCrossRepository: true })).toBe(0);
  expect(taken({ author: { __typename: 'Bot' }, baseRefName: 'other' })).toBe(0);
  expect(taken({ viewerDidAuthor: true })).toBe(1);
});

it("closes the open pull request of a model that is held, which is nobody's refusal, though the process died before", async () => {
  await using world = await deployWorld({ autoMerge: true });
  await world.repository.protectBranch('main', { requiredChecks: ['deploy-check'] });
  const waiting = await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  expect(waiting).toMatchObject({ outcome: 'created', merged: false });
  const by = { reason: 'It prices <b>nothing</b> @all.', by: 'ada', at: '2026-11-22T12:00:00Z' };
  const request = { ...by, action: 'hold' as const, environment: null, modelDigest: candidate('b').modelDigest };
  const fault = world.server.inject({ match: { operation: 'updatePullRequest' }, fault: { status: 502 }, times: 9 });
  await expect(hold(world.forge, query(), request, review)).rejects.toThrow();
  expect(fault.fired).toBeGreaterThan(0);
  fault.remove();

  const held = await hold(world.forge, query(), request, review);

  expect(held).toMatchObject({ reason: `Closed what would have promoted it: ${waiting.pullRequest?.url}` });
  const [closed] = world.repository.pullRequests();
  expect(closed).toMatchObject({ state: 'closed', mergedAt: null });
  expect(closed?.body).toMatch(/^\*\*Closed\*\*: model `sha256:[0-9a-f]+…` is held by `\.passloop\/holds\//);
  expect(closed?.body).not.toContain('<b>nothing');
  // The hold's own pull request waits for its check, is merged, and is lifted: then nothing stands in the way.
  const land = async (commit: string | null) => {
    await world.repository.setStatus({ sha: commit ?? '', context: 'deploy-check', state: 'success' });
  };
  await land(held.commit);
  await hold(world.forge, query(), request, auto);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });
  const lifted = await hold(world.forge, query(), { ...request, action: 'lift' }, auto);
  await land(lifted.commit);
  await hold(world.forge, query(), { ...request, action: 'lift' }, auto);
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), review)).toMatchObject({
    outcome: 'created',
  });
});
