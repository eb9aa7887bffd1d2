import { parseDocument } from '@passloop/documents';
import { hold, promote, type RetryPorts, rollback } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  candidate,
  deployWorld,
  git,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

/** Chance from a fixed stream, and pauses long enough that others get their turn. */
function ports(seed: number): RetryPorts {
  let state = seed;
  return {
    attempts: 40,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 40))),
    random() {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    },
  };
}

it('loses no promotion of eight models into one kustomization at once', { timeout: 120_000 }, async () => {
  const models = Array.from({ length: 8 }, (_, index) => `model-${index}`);
  const images = models.map((model) => `ghcr.io/acme/${model}`);
  // One line an image: changes of neighbours conflict as text, and not as fields.
  const lines = images.map((name) => `  - {name: ${name}, newTag: v0} # kept\n`).join('');
  await using world = await deployWorld({ files: { [manifest]: `images:\n${lines}` } });

  const results = await Promise.all(
    models.map((model, index) => {
      const environment = {
        name: 'prod',
        targets: [{ kind: 'kustomize' as const, file: manifest, image: images[index] ?? '' }],
      };
      const identity = `acme/models#${model}`;
      const request = promotionOf(candidate(model, { model, identity }));
      return promote(world.forgeWith({}), query({ model, identity, environments: [environment] }), request, {
        merge: 'auto',
        ports: ports(index + 1),
      });
    }),
  );

  expect(results.map(({ outcome, merged }) => [outcome, merged])).toEqual(models.map(() => ['created', true]));
  const text = await world.show(manifest);
  expect((parse(text) as { images: { name: string; digest: string }[] }).images).toEqual(
    models.map((model, index) => ({ name: images[index], digest: candidate(model).image.digest })),
  );
  expect(text.match(/# kept/g)).toHaveLength(8);
  for (const model of models) {
    const file = `.passloop/prod/${model}.json`;
    expect(parseDocument('record', await world.show(file), file).modelDigest).toBe(candidate(model).modelDigest);
  }
  expect(world.repository.pullRequests()).toHaveLength(8);
  const staleReads = world.server.counts().byOperation.repository ?? 0;
  expect(staleReads, 'the promoters met').toBeGreaterThan(8);
});

it('leaves one pull request, whole, where four candidates of one model race for its field', async () => {
  await using world = await deployWorld();
  const names = ['a', 'b', 'c', 'd'];

  const results = await Promise.all(
    names.map((name, index) =>
      promote(world.forgeWith({}), query(), promotionOf(candidate(name)), {
        merge: 'review',
        ports: ports(index + 11),
      }),
    ),
  );

  expect(results.every(({ outcome }) => outcome === 'created' || outcome === 'updated')).toBe(true);
  expect(world.repository.pullRequests()).toHaveLength(1);
  const branch = 'promote/flight-delay/prod';
  const record = parseDocument('record', await world.show('.passloop/prod/flight-delay.json', branch), 'record');
  expect(names.map((name) => candidate(name).modelDigest)).toContain(record.modelDigest);
  expect(await world.show(manifest, branch)).toContain(record.image.digest);
});

it('says conflict where the same field moved meanwhile, and re-applies where another did', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('a')), { merge: 'auto', ports: noWait });
  const branch = 'promote/flight-delay/prod';
  let step: (() => Promise<void>) | null = null;
  // Between the read and the compare-and-swap somebody else pushes.
  const meddled: typeof world.forge = {
    ...world.forge,
    async createTree(base, files) {
      const now = step;
      step = null;
      await now?.();
      return world.forge.createTree(base, files);
    },
  };

  step = async () => {
    await pull(world.clone);
    const text = await world.show(manifest);
    await pushFiles(world.clone, { [manifest]: `${text}namespace: flights\n` }, 'Another field');
    await git(world.clone, 'push', '--quiet', '--force', 'origin', `main:${branch}`);
  };
  const applied = await promote(meddled, query(), promotionOf(candidate('b')), { merge: 'auto', ports: noWait });
  expect(applied).toMatchObject({ merged: true });
  expect(await world.show(manifest)).toMatch(/namespace: flights\n$/);

  step = async () => {
    await promote(world.forge, query(), promotionOf(candidate('x')), { merge: 'auto', ports: noWait });
  };
  const conflict = await promote(meddled, query(), promotionOf(candidate('c')), { merge: 'auto', ports: noWait });
  expect(conflict).toMatchObject({ outcome: 'conflict', reason: expect.stringContaining('2026.11.22-x') });
  expect(await world.show(manifest)).toContain(candidate('x').image.digest);
});

it('yields to a candidate of a later commit, in a pull request or in production', async () => {
  await using world = await deployWorld();
  await promote(world.forge, query(), promotionOf(candidate('newer')), { merge: 'review', ports: noWait });
  const isNewer = async ({ commit }: { commit: string }) => commit === candidate('newer').source?.commit;

  const late = await promote(world.forge, query(), promotionOf(candidate('older')), {
    merge: 'review',
    ports: noWait,
    isNewer,
  });

  expect(late).toMatchObject({ outcome: 'superseded' });
  expect(world.repository.pullRequests()[0]?.title).toContain('newer');
});

it('leaves no text of its own on the pull request of a newer candidate that took its branch', async () => {
  await using world = await deployWorld();
  const isNewer = async ({ commit }: { commit: string }) => commit === candidate('newer').source?.commit;
  const options = { merge: 'review' as const, ports: noWait, isNewer };
  for (const kind of ['createPullRequest', 'updatePullRequest']) {
    let step: (() => Promise<unknown>) | null = () =>
      promote(world.forge, query(), promotionOf(candidate('newer')), options);
    const take = async () => {
      const now = step;
      step = null;
      await now?.();
    };
    // The newer run comes between the branch and the text of the older one, and is over by then.
    const meddled: typeof world.forge = {
      ...world.forge,
      openPullRequest: async (request) => {
        if (kind === 'createPullRequest') await take();
        return world.forge.openPullRequest(request);
      },
      updatePullRequest: async (id, text) => {
        if (kind === 'updatePullRequest') await take();
        return world.forge.updatePullRequest(id, text);
      },
    };

    const late = await promote(meddled, query(), promotionOf(candidate('older')), options);

    expect(late, kind).toMatchObject({ outcome: 'superseded' });
    const branch = 'promote/flight-delay/prod';
    const record = parseDocument('record', await world.show('.passloop/prod/flight-delay.json', branch), 'record');
    const [pull, ...more] = world.repository.pullRequests();
    expect(more).toEqual([]);
    expect(record.version).toBe(candidate('newer').version);
    expect(pull?.title, kind).toContain(record.version);
    expect(pull?.body, kind).toContain(`<!-- passloop promotion ${record.deployment.promotionId} -->`);
    expect(pull?.body, kind).not.toContain(candidate('older').version);
    // The run of the newer one, once more, has all that there is to say.
    await promote(world.forge, query(), promotionOf(candidate('newer')), options);
    expect(world.repository.pullRequests()[0]?.body).toContain('image probed');
    // For the second round, an open pull request of an earlier one.
    await promote(world.forge, query(), promotionOf(candidate('earlier')), { merge: 'review', ports: noWait });
  }
});

it('writes and lifts holds, a derived one too', async () => {
  await using world = await deployWorld();
  const auto = { merge: 'auto' as const, ports: noWait };
  await promote(world.forge, query(), promotionOf(candidate('a')), auto);
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  await pull(world.clone);
  await git(world.clone, 'revert', '--no-edit', 'HEAD');
  await git(world.clone, 'push', '--quiet', 'origin', 'main');
  const request = {
    modelDigest: candidate('b').modelDigest,
    environment: 'prod',
    reason: 'it was the data',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  expect(await promote(world.forge, query(), promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'held' });

  const lifted = await hold(world.forge, query(), { ...request, action: 'lift' }, auto);
  expect(lifted).toMatchObject({ outcome: 'created', merged: true, hold: null });
  expect(await hold(world.forge, query(), { ...request, action: 'lift' }, auto)).toMatchObject({
    outcome: 'unchanged',
  });
  // In production again, and its return is a rollback: its record is in the history.
  const again = await rollback(
    world.forge,
    query(),
    {
      environment: 'prod',
      to: { kind: 'named', name: candidate('b').version },
      reason: 'lifted',
      by: 'ada',
      at: request.at,
    },
    { ...auto, hasImage: async () => true },
  );
  expect(again).toMatchObject({ merged: true, to: { version: candidate('b').version } });

  const held = await hold(
    world.forge,
    query(),
    { ...request, modelDigest: candidate('z').modelDigest, action: 'hold' },
    auto,
  );
  expect(held).toMatchObject({ outcome: 'created', merged: true, hold: { reason: 'it was the data' } });
  expect(await promote(world.forge, query(), promotionOf(candidate('z')), auto)).toMatchObject({ outcome: 'held' });
  const twice = await hold(
    world.forge,
    query(),
    { ...request, modelDigest: candidate('z').modelDigest, action: 'hold' },
    auto,
  );
  expect(twice).toMatchObject({ outcome: 'unchanged' });
});
