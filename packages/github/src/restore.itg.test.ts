import { sha256 } from '@passloop/core';
import { formatDocument } from '@passloop/documents';
import { promote, type RollbackTarget, readDeployState, rollback } from '@passloop/gitops';
import { type CandidateRecord, deployRecord } from '@passloop/record';
import { expect, it } from 'vitest';
import {
  candidate,
  type DeployWorld,
  deployWorld,
  git,
  image,
  manifest,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const options = { ...auto, hasImage: async () => true };
const record = '.passloop/prod/flight-delay.json';

function request(to: RollbackTarget = { kind: 'previous' }, more = {}) {
  return { environment: 'prod', to, reason: 'it is bad', by: 'ada', at: '2026-11-22T12:00:00Z', ...more };
}

async function inProduction(names: readonly string[], settings = {}): Promise<DeployWorld> {
  const world = await deployWorld({ settings });
  for (const name of names) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  return world;
}

function signed(name: string, inputs: readonly string[], runtime = '1.2.0'): CandidateRecord {
  const tensors = inputs.map((input) => ({ name: input, datatype: 'FP64' }));
  const signature = {
    digest: sha256(inputs.join()),
    runtime,
    inputs: tensors,
    outputs: [{ name: 'score', datatype: 'FP64' }],
  };
  const made = candidate(name);
  return { ...made, image: { ...made.image, signature } };
}

/** What `git revert` of the last commits gives, without committing it; the manifests' tree. */
async function revertedTree(world: DeployWorld, ...commits: string[]): Promise<string> {
  await pull(world.clone);
  await git(world.clone, 'checkout', '--quiet', '--detach');
  await git(world.clone, 'revert', '--no-edit', ...commits);
  return (await git(world.clone, 'rev-parse', 'HEAD:apps')).trim();
}

async function appsTree(world: DeployWorld): Promise<string> {
  return (await git(world.repository.directory, 'rev-parse', 'main:apps')).trim();
}

it.each([
  ['squash', {}],
  ['merge', { allowSquashMerge: false, allowRebaseMerge: false }],
])('leaves the very tree of manifests that git revert leaves, where nothing else touched them (%s)', async (method, settings) => {
  await using world = await inProduction(['a', 'b'], settings);
  const expected = await revertedTree(world, ...(method === 'merge' ? ['-m', '1'] : []), 'HEAD');

  const back = await rollback(world.forge, query(), request(), options);

  expect(back).toMatchObject({ outcome: 'created', merged: true, reason: null });
  expect(await appsTree(world)).toBe(expected);
});

it('does the same for a promotion that others were built on', async () => {
  await using world = await inProduction(['a', 'b', 'c']);
  const expected = await revertedTree(world, 'HEAD', 'HEAD~1');
  const named = request({ kind: 'named', name: candidate('a').version });
  expect(await rollback(world.forge, query(), named, options)).toMatchObject({ merged: true });
  expect(await appsTree(world)).toBe(expected);
});

it('edits the field where somebody changed the manifest since, before or between, and keeps what they wrote', async () => {
  await using world = await inProduction(['a']);
  const comment = async (text: string) => {
    await pull(world.clone);
    await pushFiles(world.clone, { [manifest]: `${await world.show(manifest)}# ${text}\n` }, text);
  };
  await comment('between a and b');
  await promote(world.forge, query(), promotionOf(candidate('b')), auto);
  await comment('after b');

  expect(await rollback(world.forge, query(), request(), options)).toMatchObject({ merged: true, reason: null });

  const text = await world.show(manifest);
  expect(text).toContain(candidate('a').image.digest);
  expect(text).toContain('# between a and b\n# after b\n');
});

it('waits for people where the older record never ran: a record that somebody wrote beside the manifests', async () => {
  await using world = await inProduction(['a']);
  await pull(world.clone);
  const before = await world.show(record);
  const targets = [{ kind: 'kustomize', file: manifest, address: image, value: candidate('planted').image.digest }];
  const planted = deployRecord(
    candidate('planted'),
    { environment: 'prod', cause: 'promotion', targets, at: '2026-11-22T10:11:00Z' },
    { record: JSON.parse(before), digest: sha256(before) },
  );
  await pushFiles(world.clone, { [record]: formatDocument('record', planted) }, 'Plant a record');
  const over = { record: planted, digest: sha256(formatDocument('record', planted)) };
  const next = deployRecord(
    candidate('b'),
    {
      environment: 'prod',
      cause: 'promotion',
      targets: targets.map((target) => ({ ...target, value: candidate('b').image.digest })),
      at: '2026-11-22T10:12:00Z',
    },
    over,
  );
  const running = (await world.show(manifest)).replace(candidate('a').image.digest, candidate('b').image.digest);
  await pushFiles(world.clone, { [record]: formatDocument('record', next), [manifest]: running }, 'And one over it');

  const back = await rollback(world.forge, query(), request(), options);

  expect(back).toMatchObject({
    outcome: 'created',
    merged: false,
    to: { version: candidate('planted').version },
    reason: expect.stringMatching(/^Nobody can tell that .*planted ran in prod/),
  });
  expect(await world.show(manifest)).toContain(candidate('b').image.digest);
  expect(world.repository.pullRequests().at(-1)).toMatchObject({ state: 'open', autoMerge: null });
});

it('takes a merge commit, and any later one, for the record that ran after it', async () => {
  await using world = await inProduction(['a', 'b', 'c'], { allowSquashMerge: false, allowRebaseMerge: false });
  const merges = (await git(world.repository.directory, 'log', '--first-parent', '--format=%H', 'main'))
    .trim()
    .split('\n');
  const name = merges[2]?.slice(0, 12) ?? '';
  expect(
    (await readDeployState(world.forge, query())).environments[0]?.history.map(({ commit }) => commit),
  ).not.toContain(merges[2]);

  const back = await rollback(world.forge, query(), request({ kind: 'named', name }), options);

  expect(back).toMatchObject({ outcome: 'created', to: { version: candidate('a').version } });
  const nowhere = request({ kind: 'named', name: 'f'.repeat(40) });
  await expect(rollback(world.forge, query(), nowhere, options)).rejects.toThrow(/has no earlier record/);
});

it('goes back over another signature only where somebody says so, and tells what callers will notice', async () => {
  await using world = await deployWorld();
  for (const made of [signed('a', ['distance', 'carrier']), signed('b', ['distance', 'origin'])])
    await promote(world.forge, query(), promotionOf(made), auto);

  const refused = await rollback(world.forge, query(), request(), options);
  expect(refused).toMatchObject({
    outcome: 'blocked',
    reason: `Callers of ${candidate('a').version} send or get something else than now: input \`origin\` goes; input \`carrier\` comes. If they can, say so: --allow-signature-change.`,
  });

  const back = await rollback(world.forge, query(), request(undefined, { allowSignatureChange: true }), options);
  expect(back).toMatchObject({ outcome: 'created', merged: true });
  expect(world.repository.pullRequests().at(-1)?.body).toContain('**Look at** Callers send or get something else');
});

it('leaves only what it was sent to leave', async () => {
  await using world = await inProduction(['a', 'b', 'c']);
  const sent = request(undefined, { leave: candidate('b').version });
  expect(await rollback(world.forge, query(), sent, options)).toMatchObject({
    outcome: 'already-promoted',
    reason: expect.stringContaining('no longer what was to be left'),
  });
  expect(await world.show(manifest)).toContain(candidate('c').image.digest);
});

it('names the traffic that the manifest shares out', async () => {
  await using world = await deployWorld({ files: { [manifest]: `images:\n  - name: ${image}\n    newTag: v0\n` } });
  for (const name of ['a', 'b']) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  await pull(world.clone);
  const annotated = `${await world.show(manifest)}replicas:\n  - {name: flight, count: 2}\ncommonAnnotations:\n  weight: 0\n`;
  await pushFiles(world.clone, { [manifest]: annotated }, 'Share traffic out');

  await rollback(world.forge, query(), request(), options);

  expect(world.repository.pullRequests().at(-1)?.body).toMatch(
    /\*\*Look at\*\* apps\/flight\/prod\/kustomization\.yaml shares traffic out, and still does after this: weight: 0 \(line \d+\)/,
  );
});

it('leaves the merge to people where a canary without traffic stays beside what comes back', async () => {
  await using world = await deployWorld({ files: { [manifest]: `images:\n  - name: ${image}\n    newTag: v0\n` } });
  for (const name of ['a', 'b']) await promote(world.forge, query(), promotionOf(candidate(name)), auto);
  await pull(world.clone);
  const patched = `${await world.show(manifest)}patches:\n  - patch: |-\n      - op: add\n    target: {kind: InferenceService}\nconfigurations: [{canaryTrafficPercent: 0}]\n`;
  await pushFiles(world.clone, { [manifest]: patched }, 'Forget a canary');

  const back = await rollback(world.forge, query(), request(), options);

  expect(back).toMatchObject({
    outcome: 'created',
    merged: false,
    reason: expect.stringMatching(/keeps a canary without traffic \(canaryTrafficPercent: 0 in line \d+\)/),
  });
});
