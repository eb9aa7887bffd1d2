import { promote, readDeployState, readStatus, rollback, StaleError } from '@passloop/gitops';
import { expect, it } from 'vitest';
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

/** A GitHub Enterprise Server: its API below /api/v3 and /api/graphql, and the schema of an older release. */
const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const branch = 'promote/flight-delay/prod';
const cutOff = [
  'Mutation.updateRefs',
  'Mutation.enablePullRequestAutoMerge',
  'PullRequest.mergeStateStatus',
  'PullRequest.autoMergeRequest',
];

function operations(world: DeployWorld, from: number): string[] {
  return world.server.log.slice(from).map((call) => call.operations.join());
}

it.each([
  ['3.9', 'one call more, which tells that it has no merge queue', ['repository']],
  ['3.12', 'as many calls as on github.com', []],
  ['3.13', 'as many calls as on github.com', []],
  ['3.20', 'as many calls as on github.com', []],
])('promotes and supersedes on %s in %s', async (ghes, _, learning) => {
  await using world = await deployWorld({ ghes });
  const notes: string[] = [];
  const forge = world.forgeWith({ note: (line) => notes.push(line) });
  const from = world.server.log.length;

  expect(await promote(forge, query(), promotionOf(candidate('a')), review)).toMatchObject({ outcome: 'created' });
  expect(await promote(forge, query(), promotionOf(candidate('b')), review)).toMatchObject({ outcome: 'updated' });

  const calls = ['repository', 'git/create-tree', 'git/create-commit', 'updateRefs'];
  expect(operations(world, from)).toEqual([...learning, ...calls, 'createPullRequest', ...calls, 'updatePullRequest']);
  expect(world.server.log.slice(from).map(({ path }) => path.split('?')[0])).toContain('/api/graphql');
  expect(notes).toEqual([]);
});

it('promotes, supersedes, merges and rolls back without what the server lacks, and says each thing once', async () => {
  await using world = await deployWorld({ ghes: { version: '3.0', without: cutOff } });
  const notes: string[] = [];
  const forge = world.forgeWith({ note: (line) => notes.push(line) });

  const first = await promote(forge, query(), promotionOf(candidate('a')), review);
  expect(first).toMatchObject({ outcome: 'created', pullRequest: { number: 1 } });
  expect(await promote(forge, query(), promotionOf(candidate('a')), review)).toMatchObject({ outcome: 'unchanged' });
  const second = await promote(forge, query(), promotionOf(candidate('b')), review);
  expect(second).toMatchObject({ outcome: 'updated', pullRequest: { number: 1 } });
  expect(await git(world.repository.directory, 'rev-parse', branch)).toBe(`${second.commit}\n`);
  expect(await git(world.repository.directory, 'rev-list', '--count', `main..${branch}`)).toBe('1\n');
  expect(world.repository.pullRequests()).toHaveLength(1);
  expect(await promote(forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ merged: true });
  expect(await promote(forge, query(), promotionOf(candidate('c')), auto)).toMatchObject({ merged: true });
  const back = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    reason: 'bad',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  const returned = await rollback(forge, query(), back, { ...auto, hasImage: async () => true });
  expect(returned).toMatchObject({ merged: true, to: { version: '2026.11.22-b' } });
  expect(await world.show(manifest)).toContain(candidate('b').image.digest);

  const host = new URL(world.server.url).host;
  expect(notes).toHaveLength(4);
  expect(new Set(notes).size).toBe(4);
  for (const note of notes) expect(note).toMatch(new RegExp(`^${host} (has no|doesn’t tell) `));
  expect(notes.join()).toContain('nothing is forced');
});

it('never moves a branch that is not where it was read, and finds its own push again', async () => {
  await using world = await deployWorld({ ghes: { version: '2.19', without: cutOff } });
  const [mine, other] = [world.forgeWith({}), world.forgeWith({})];
  await promote(other, query(), promotionOf(candidate('a')), review);
  const seen = (await readDeployState(mine, query())).environments[0]?.head?.commit ?? null;
  await promote(other, query(), promotionOf(candidate('b')), review);
  const theirs = await git(world.repository.directory, 'rev-parse', branch);
  const main = (await git(world.repository.directory, 'rev-parse', 'main')).trim();
  await expect(mine.updateBranch(branch, null, main)).rejects.toThrow(StaleError);
  await expect(mine.updateBranch(branch, seen, main)).rejects.toThrow(StaleError);
  expect(await git(world.repository.directory, 'rev-parse', branch)).toBe(theirs);

  const fault = world.server.inject({ match: { operation: 'git/receive-pack' }, fault: 'drop-after' });
  const done = await promote(mine, query(), promotionOf(candidate('c')), review);
  expect(fault.fired).toBe(1);
  expect(done).toMatchObject({ outcome: 'updated' });
  expect(await git(world.repository.directory, 'rev-list', '--count', `main..${branch}`)).toBe('1\n');
  expect(world.repository.pullRequests()).toHaveLength(1);
});

it('comes to one state where four promoters race without `updateRefs`', async () => {
  await using world = await deployWorld({ ghes: { version: '2.19', without: cutOff } });
  const done = await Promise.all(
    [...'abcd'].map((name) => promote(world.forgeWith({}), query(), promotionOf(candidate(name)), review)),
  );
  expect(done.map(({ pullRequest }) => pullRequest?.number)).toEqual([1, 1, 1, 1]);
  expect(await git(world.repository.directory, 'rev-list', '--count', `main..${branch}`)).toBe('1\n');
  const tip = (await git(world.repository.directory, 'rev-parse', branch)).trim();
  expect(done.map(({ commit }) => commit)).toContain(tip);
  expect(await readStatus(world.forgeWith({}))).toMatchObject({ rows: [] });
});

it('names the permission where the token may not push', async () => {
  await using world = await deployWorld({ ghes: { version: '2.19', without: cutOff } });
  await promote(world.forgeWith({}), query(), promotionOf(candidate('a')), review);
  const permissions = { contents: 'read', pull_requests: 'write', metadata: 'read' } as const;
  const token = await world.server.createToken({ login: 'reader[bot]', kind: 'installation', permissions });
  const head = (await git(world.repository.directory, 'rev-parse', branch)).trim();
  const main = (await git(world.repository.directory, 'rev-parse', 'main')).trim();
  await expect(world.forgeWith({ token }).updateBranch(branch, head, main)).rejects.toThrow(
    /lacks `contents: write` for git/,
  );
});

it('says what it can not do without', async () => {
  await using world = await deployWorld({ ghes: { version: '3.11', without: ['Repository.squashMergeAllowed'] } });
  await expect(readDeployState(world.forge, query())).rejects.toThrow(
    /This GitHub has no Repository\.squashMergeAllowed/,
  );
});
