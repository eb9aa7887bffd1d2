import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openGitRepository, sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { loadModelsAt } from '@passloop/model';
import { type CandidateRecord, openOciStore } from '@passloop/record';
import { trainingKey } from '@passloop/training';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Answer, World } from '../../../test/world/world.ts';
import { createImage, createRun } from '../../record/src/fixtures/documents.ts';
import { deploy, deployedWorld, manifestFile, pushedImage } from './testing/deployed-world.ts';

/** What `passloop explain` verifies, link by link: a real key, a stored run, an image in a registry, each of them broken once. */
let folder: TemporaryFolder;
let world: World;
/** All that is true of the commit's run, its image, and the record of both. */
let record: Partial<CandidateRecord>;
const output = 'the model';

beforeAll(async () => {
  folder = await temporaryFolder('explain');
  world = await deployedWorld(path.join(folder.path, 'world'));
  const repository = await openGitRepository(world.flightsClone, { PATH: process.env.PATH ?? '' });
  const commit = await world.git(world.flightsClone, 'rev-parse', 'HEAD');
  const [model] = await loadModelsAt(repository, commit);
  if (model === undefined) throw new Error('no model');
  const key = await trainingKey(repository, commit, model);
  const file = path.join(folder.path, 'model.joblib');
  await writeFile(file, output);
  const inputs = key.stages.map((stage) => stage.inputs);
  const run = createRun({
    runKey: key.runKey,
    stages: key.stages.map((stage) => ({ name: stage.name, key: stage.key, seconds: '1' })),
    outputs: [{ path: 'out/model.joblib', digest: sha256(output), bytes: output.length }],
    modelDigest: sha256(output),
    data: inputs.flatMap(({ data }) => data.map((one) => ({ ...one, uri: one.name, rows: null }))),
    params: inputs.flatMap(({ params }) => params),
    seeds: inputs.flatMap(({ seeds }) => seeds),
    producer: { repository: 'acme/flights', commit, tree: commit, ref: null, run: null },
  });
  const pushed = await pushedImage(world, 'true');
  const image = createImage({ reference: pushed.reference, digest: pushed.digest, modelDigest: run.modelDigest });
  const store = openOciStore({ repository: `${world.image}-runs`, credentials: null });
  await store.saveRun({ run, files: [{ path: 'out/model.joblib', file }] });
  await store.saveImage(image);
  record = {
    modelDigest: run.modelDigest,
    image: { ...pushed, imageKey: image.imageKey },
    runKey: run.runKey,
    source: run.producer,
    data: run.data,
    params: run.params,
    seeds: run.seeds,
    environment: run.environment,
    code: inputs.flatMap(({ code }) => code.map(({ path: name, digest }) => ({ path: name, digest }))),
    metrics: run.metrics,
  };
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function explain(name: string, exitCode: number): Promise<string> {
  const answer: Answer = await world.passloop(['explain', name, '--quiet']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return answer.stdout.slice(answer.stdout.indexOf('Verified now:'));
}

it('verifies every link of what runs, by any of its names', async () => {
  await deploy(world, 'before');
  await deploy(world, 'true', record);

  const links = await explain('true', 0);

  expect(links.match(/^ {2}(\S+) +(\S+)/gm)).toEqual([
    '  ok    manifest',
    '  ok    record',
    '  ok    image',
    '  ok    built',
    '  ok    run',
    '  ok    key',
  ]);
  expect(links).toContain('it followed before');
  expect(links).toContain('1 outputs restored and verified');
  for (const name of [record.runKey, record.modelDigest, record.image?.digest, record.source?.commit.slice(0, 10)]) {
    expect(await explain(name ?? '', 0)).toBe(links);
  }
  // Of a record without a run there is less to verify, and that is said.
  expect(await explain('before', 0)).toMatch(/^ {2}- {5}run {2,}the record names no run/m);
});

it.each<[string, () => Partial<CandidateRecord>, RegExp]>([
  ['code', () => ({ code: [{ path: 'other.py', digest: sha256('other') }] }), /FAIL {2}key .*otherwise: code/],
  ['params', () => ({ params: [] }), /FAIL {2}run .*otherwise: params/],
  ['metrics', () => ({ metrics: [{ name: 'roc_auc', value: '0.99' }] }), /FAIL {2}run .*otherwise: metrics/],
  ['data', () => ({ data: [] }), /FAIL {2}key .*otherwise: data/],
  ['model', () => ({ modelDigest: sha256('another model') }), /FAIL {2}run .*otherwise: modelDigest/],
  ['predictions', () => ({ predictionsDigest: sha256('others') }), /FAIL {2}run .*predictionsDigest/],
  [
    'commit',
    () => ({ source: { repository: null, commit: 'f'.repeat(40), tree: 'f'.repeat(40), ref: null, run: null } }),
    /FAIL {2}key .*not in this clone/,
  ],
])('fails where a record tells another %s than its run or commit', async (name, change, expected) => {
  const version = `other-${name}`;
  await deploy(world, version, {
    ...record,
    image: { ...(await pushedImage(world, version)), imageKey: null },
    ...change(),
  });
  expect(await explain(version, 1)).toMatch(expected);
});

it('fails where the manifest, the image, or one byte of an output is another', async () => {
  await deploy(world, 'last', {
    ...record,
    image: { ...(await pushedImage(world, 'last')), imageKey: record.image?.imageKey ?? null },
  });
  expect(await explain('last', 1)).toMatch(/FAIL {2}built .*otherwise: image\.digest/);

  await world.git(world.deployClone, 'pull', '-q');
  const manifest = path.join(world.deployClone, manifestFile);
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace(/sha256:[0-9a-f]{64}/, sha256('by hand')));
  await world.git(world.deployClone, 'commit', '-qam', 'By hand');
  await world.git(world.deployClone, 'push', '-q');
  expect(await explain('last', 1)).toMatch(/FAIL {2}manifest/);

  const blob = (digest: string) =>
    path.join(
      world.registry?.storage ?? '',
      'docker/registry/v2/blobs/sha256',
      digest.slice(7, 9),
      digest.slice(7),
      'data',
    );
  await writeFile(blob(sha256(output)), 'The model');
  expect(await explain('true', 1)).toMatch(/FAIL {2}run .*is damaged: .*\./);
  const digest = record.image?.digest ?? '';
  await rm(blob(digest));
  expect(await explain('true', 1)).toMatch(/FAIL {2}image .*is not in its registry$/m);
});
