import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { DeniedError } from '@passloop/record';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type TestRegistry } from '../../../test/fixtures/registry.ts';
import { type PlanJobRequest, planJob } from './plan-job.ts';
import { sealCandidate } from './seal-candidate.ts';
import { filesBelow, type SealedWorld, sealedWorld } from './testing/sealed-world.ts';
import { trainCandidate } from './train-candidate.ts';

/** Anybody's password is another one. */
const htpasswd = 'ada:$2y$05$yTlGlQ0lv4QNlzH6KGQY/eHqK0GkSZq5sCX0qO3vZ1yWq6S0rVx7e';
let folder: TemporaryFolder;
let world: SealedWorld;
let registry: TestRegistry;
let base: string;

beforeAll(async () => {
  folder = await temporaryFolder('plan-job');
  world = await sealedWorld(folder.path);
  registry = await startRegistry({ htpasswd });
  base = await store(`{oci: ${registry.address}/acme/runs}`);
}, 120_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** Makes a base whose model file names this store, and a change on it. */
async function store(text: string): Promise<string> {
  const file = await readFile(path.join(world.repository.folder, 'passloop.yaml'), 'utf8');
  await world.repository.write('passloop.yaml', file.replace(/store: \{.*\}/, `store: ${text}`));
  const commit = await world.repository.commit();
  await world.repository.write('params.json', `{"scale": ${8.5 + Math.random()}}\n`);
  await world.repository.commit();
  return commit;
}

const plan = (request: PlanJobRequest) => planJob(world.context, request);

describe('a store that this job may not read', () => {
  it('is an error that names the permission', async () => {
    const failure = await plan({ against: base }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeniedError);
    expect((failure as DeniedError).hint).toMatch(/permissions: \{packages: read\}/);
  });

  it("is said, in a fork's job, and no row travels", async () => {
    expect(await plan({ against: base, mayBeDenied: true })).toMatchObject({
      models: [{ name: 'toy', stored: 'none' }],
      recipients: {},
      plan: { models: [{ store: 'unknown' }] },
    });
  });

  it("leaves a fork's candidate uncompared, whether its rows were handed over or not", async () => {
    const reasons: string[] = [];
    for (const shareRows of [false, true]) {
      const out = path.join(folder.path, `trained-${shareRows}`);
      const trained = await trainCandidate(world.context, { model: 'toy', against: base, shareRows, out });
      expect(await filesBelow(trained.folder)).toHaveLength(shareRows ? 4 : 1);
      const { report, saved } = await sealCandidate(world.context, {
        model: 'toy',
        against: base,
        candidate: { folder: trained.folder },
        store: false,
        compare: true,
        isPullRequest: true,
        mayBeDenied: true,
      });
      expect(saved).toEqual({ run: null, proof: null });
      const missing = report.models[0]?.missing.find(({ part }) => part === 'comparison');
      expect(missing?.verdict).toBe('inconclusive');
      reasons.push(missing?.reason ?? '');
    }
    expect(reasons[0]).toMatch(/`share-rows: true`/);
    expect(reasons[1]).toMatch(/can't read the store/);
  });
});

describe('a folder as store', () => {
  it.each([
    '{directory: .passloop/store}',
    '{directory: .}',
    '{directory: a/../b}',
  ])('of the workspace is refused in a workflow: %s', async (text) => {
    const against = await store(text);
    const context = { ...world.context, env: { ...world.context.env, GITHUB_ACTIONS: 'true' } };
    await expect(planJob(context, { against })).rejects.toThrow(
      /^The store of toy is the folder .* of the workspace\.$/,
    );
    const sealed = sealCandidate(context, {
      model: 'toy',
      against,
      candidate: null,
      store: true,
      compare: true,
      isPullRequest: true,
    });
    await expect(sealed).rejects.toThrow(/of the workspace/);
  });

  it('that outlives the workspace is taken', async () => {
    const against = await store(`{directory: ${path.join(folder.path, 'shared')}}`);
    const context = { ...world.context, env: { ...world.context.env, GITHUB_ACTIONS: 'true' } };
    const planned = await planJob(context, { against });
    expect(planned.recipients.toy).toMatch(/^age1/);
    expect((await planJob(context, { against })).recipients).toEqual(planned.recipients);
  });
});

describe('the commit that an event is about', () => {
  it("is the checked-out one or the branch that it merges; a branch's own head is not held to its own last commit", async () => {
    const { repository } = world;
    const main = await repository.git('rev-parse', 'HEAD');
    await repository.git('checkout', '-q', '-b', 'change');
    await repository.write('params.json', '{"scale": 7.5}\n');
    const head = await repository.commit();
    await expect(plan({ against: 'HEAD^1', head })).rejects.toThrow(/is not the merge of/);
    expect((await plan({ against: main, head })).plan.commit).toBe(head);

    await repository.git('checkout', '-q', main);
    await repository.git('merge', '-q', '--no-ff', '-m', 'Merge', 'change');
    const merged = await plan({ against: 'HEAD^1', head });
    expect(merged.plan).toMatchObject({ base: { commit: main }, models: [{ affected: true }] });
    await expect(plan({ against: 'HEAD^1', head: main })).rejects.toThrow(/is not the merge of/);
    await expect(plan({ against: main, head: '0'.repeat(40) })).rejects.toThrow(/is neither 000000000000/);
  });
});

it('a model that the change removes has nothing to train, and its report says so', async () => {
  const against = await world.repository.git('rev-parse', 'HEAD');
  const file = await readFile(path.join(world.repository.folder, 'passloop.yaml'), 'utf8');
  await world.repository.write('passloop.yaml', file.replace('name: toy', 'name: other'));
  await world.repository.commit();
  const { models } = await plan({ against });
  expect(models.map(({ name }) => name).sort()).toEqual(['other', 'toy']);
  const out = path.join(folder.path, 'removed');
  const trained = await trainCandidate(world.context, { model: 'toy', against, out });
  const candidate = { folder: trained.folder };
  const request = { model: 'toy', against, candidate, store: true, compare: true, isPullRequest: true };
  const { report } = await sealCandidate(world.context, request);
  expect(report.models).toMatchObject([
    { name: 'toy', verdict: 'fail', run: null, missing: [{ part: 'run' }, { part: 'comparison' }] },
  ]);
});
