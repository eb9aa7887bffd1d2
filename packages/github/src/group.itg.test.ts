import { parseDocument } from '@passloop/documents';
import {
  type DeployQuery,
  type GroupMember,
  promote,
  type RollbackTarget,
  readDeployState,
  readStatus,
  rollbackTogether,
} from '@passloop/gitops';
import { expect, it } from 'vitest';
import {
  candidate,
  copiedRepository,
  type DeployWorld,
  deployWorld,
  git,
  noWait,
  promotionOf,
} from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const options = { ...auto, hasImage: async () => true };
const shared = 'apps/shared/kustomization.yaml';
const groupless = { branch: null, files: [], folders: [], histories: [], heads: [], closed: [] };
const models = ['churn', 'flight-delay', 'fraud'];

/** Three models, two of which share a manifest. */
function queryOf(model: string): DeployQuery {
  const file = model === 'fraud' ? 'apps/fraud/kustomization.yaml' : shared;
  return {
    model,
    identity: `acme/flights#${model}`,
    environments: [{ name: 'prod', targets: [{ kind: 'kustomize', file, image: `ghcr.io/acme/${model}` }] }],
    branch: null,
  };
}

function candidateOf(model: string, name: string) {
  const made = candidate(`${model}-${name}`);
  const reference = `ghcr.io/acme/${model}@${made.image.digest}`;
  return {
    ...made,
    model,
    identity: `acme/flights#${model}`,
    version: `${model}-${name}`,
    image: { ...made.image, reference },
  };
}

async function threeModels(settings = {}): Promise<DeployWorld> {
  const entries = (names: string[]) =>
    `images:\n${names.map((name) => `  - name: ghcr.io/acme/${name}\n    newTag: v0\n`).join('')}`;
  const files = { [shared]: entries(['churn', 'flight-delay']), 'apps/fraud/kustomization.yaml': entries(['fraud']) };
  const world = await deployWorld({ files, settings, autoMerge: true });
  for (const name of ['a', 'b'])
    for (const model of models) await promote(world.forge, queryOf(model), promotionOf(candidateOf(model, name)), auto);
  return world;
}

function member(model: string, to: RollbackTarget = { kind: 'previous' }): GroupMember {
  const request = { environment: 'prod', to, reason: 'Bad rows of November.', by: 'ada', at: '2026-11-22T12:00:00Z' };
  return { query: queryOf(model), request };
}

async function versions(world: Pick<DeployWorld, 'show'>): Promise<string[]> {
  const found: string[] = [];
  for (const model of models) {
    const file = `.passloop/prod/${model}.json`;
    found.push(parseDocument('record', await world.show(file), file).version);
  }
  return found;
}

it('brings several models back in one commit: manifests they share, records and holds', async () => {
  await using world = await threeModels();
  const before = (await git(world.repository.directory, 'rev-list', '--count', 'main')).trim();
  const from = world.server.log.length;

  const back = await rollbackTogether(
    world.forge,
    'prod',
    models.map((model) => member(model)),
    options,
  );

  const calls = world.server.log.slice(from);
  const reads = calls.filter(({ operations }) => operations.join() === 'repository');
  expect(back).toMatchObject({ outcome: 'created', merged: true, reason: null });
  expect(back.models?.map(({ model, from, to }) => [model, from.version, to.version])).toEqual(
    models.map((model) => [model, `${model}-b`, `${model}-a`]),
  );
  expect(await versions(world)).toEqual(models.map((model) => `${model}-a`));
  expect(Number((await git(world.repository.directory, 'rev-list', '--count', 'main')).trim())).toBe(
    Number(before) + 1,
  );
  const text = await world.show(shared);
  for (const model of ['churn', 'flight-delay']) expect(text).toContain(candidateOf(model, 'a').image.digest);
  for (const model of models) {
    const state = await readDeployState(world.forge, queryOf(model));
    expect(state.environments[0]).toMatchObject({ drift: [], problem: null });
    expect(await promote(world.forge, queryOf(model), promotionOf(candidateOf(model, 'b')), auto)).toMatchObject({
      outcome: 'held',
    });
  }
  // One call that reads everything, and one a model that looks at its older commit.
  expect(reads).toHaveLength(1 + models.length);
  const trailers = await git(
    world.repository.directory,
    'log',
    '-1',
    '--format=%(trailers:key=Reverts-Promotion,valueonly)',
    'main',
  );
  expect(trailers.trim().split('\n')).toHaveLength(3);
});

it('goes back once, and keeps out of it who has nothing to leave', async () => {
  await using world = await threeModels();
  await rollbackTogether(world.forge, 'prod', [member('fraud')], options);
  const back = await rollbackTogether(
    world.forge,
    'prod',
    models.map((model) => member(model)),
    options,
  );
  expect(back.models?.map(({ model }) => model)).toEqual(['churn', 'flight-delay']);
  expect(back.reason).toMatch(/^fraud: prod went back to fraud-a already/);
  const again = await rollbackTogether(
    world.forge,
    'prod',
    models.map((model) => member(model)),
    options,
  );
  expect(again).toMatchObject({ outcome: 'already-promoted', pullRequest: null });
  expect(await versions(world)).toEqual(models.map((model) => `${model}-a`));
});

const review = { merge: 'review' as const, ports: noWait };

it('waits in a pull request that nothing passes by', async () => {
  await using world = await threeModels();
  const group = ['churn', 'fraud'].map((model) => member(model));
  const back = await rollbackTogether(world.forge, 'prod', group, { ...options, ...review });
  const { url, number } = back.pullRequest ?? {};
  expect(back).toMatchObject({ outcome: 'created', merged: false });

  for (const model of ['churn', 'fraud']) {
    const next = await promote(world.forge, queryOf(model), promotionOf(candidateOf(model, 'c')), auto);
    expect(next).toMatchObject({ outcome: 'blocked', reason: `A rollback is open: ${url}. Merge or close it first.` });
  }
  const rows = (await readStatus(world.forge)).rows.map(({ model, openPullRequest }) => [model, openPullRequest]);
  expect(rows).toEqual([
    ['churn', { number, url }],
    ['flight-delay', null],
    ['fraud', { number, url }],
  ]);
  // The branch has the record of every model: the third one doesn't go back by it.
  const third = await promote(
    world.forge,
    queryOf('flight-delay'),
    promotionOf(candidateOf('flight-delay', 'c')),
    auto,
  );
  expect(third).toMatchObject({ outcome: 'created', merged: true });

  await git(world.repository.directory, 'update-ref', '-d', `refs/heads/${back.branch}`);
  const next = await promote(world.forge, queryOf('churn'), promotionOf(candidateOf('churn', 'c')), auto);
  expect(next).toMatchObject({ outcome: 'created', merged: true });
});

it('stops no promotion by a branch of which the rollback landed before', async () => {
  await using world = await threeModels();
  await rollbackTogether(world.forge, 'prod', [member('churn'), member('fraud')], options);
  // Somebody's branch below the same folder has the record of that rollback, which is in the history.
  const text = { title: 'Anything', body: '', head: 'rollback/prod/by-hand', base: 'main' };
  await git(world.repository.directory, 'branch', text.head, 'main');
  const { tree, commit } = await world.forge.read(groupless);
  const made = await world.forge.createCommit({ message: 'More', tree, parents: [commit] });
  await world.forge.updateBranch(text.head, commit, made);
  await world.forge.openPullRequest(text);
  const next = await promote(world.forge, queryOf('churn'), promotionOf(candidateOf('churn', 'c')), auto);
  expect(next).toMatchObject({ outcome: 'created', merged: true });
});

it('brings none back where one of them may not', async () => {
  await using world = await threeModels();
  const gone = candidateOf('fraud', 'a').image.reference;
  const hasImage = async (reference: string) => reference !== gone;
  const back = await rollbackTogether(
    world.forge,
    'prod',
    models.map((model) => member(model)),
    { ...options, hasImage },
  );
  expect(back).toMatchObject({ outcome: 'blocked', reason: expect.stringContaining(gone) });
  expect(await versions(world)).toEqual(models.map((model) => `${model}-b`));
});

it('comes to one pull request wherever its process dies', async () => {
  await using world = await threeModels();
  const group = models.slice(1).map((model) => member(model));
  const later = group.map(({ query, request }) => ({ query, request: { ...request, at: '2026-11-22T13:00:00Z' } }));
  const mortal = { ...options, ports: { ...noWait, attempts: 1, failures: 1 } };
  let points = 0;
  for (let nth = 1; nth <= 12; nth += 1) {
    const copy = await copiedRepository(world, `copy-${nth}`);
    const before = copy.repository.pullRequests().length;
    const fault = world.server.inject({ match: { nth }, fault: { status: 502, after: true } });
    await rollbackTogether(copy.forge, 'prod', group, mortal).catch(() => null);
    fault.remove();
    if (fault.fired === 0) break;
    points += 1;
    await rollbackTogether(copy.forge, 'prod', later, options);
    expect(await rollbackTogether(copy.forge, 'prod', later, options)).toMatchObject({ outcome: 'already-promoted' });
    expect(await versions(copy), `call ${nth}`).toEqual(['churn-b', 'flight-delay-a', 'fraud-a']);
    expect(copy.repository.pullRequests(), `call ${nth}`).toHaveLength(before + 1);
  }
  // Three reads, four writes, and the merge in two steps.
  expect(points).toBe(9);
}, 180_000);
