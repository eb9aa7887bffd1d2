import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { octokitForge } from '@passloop/github';
import { type DeployQuery, planDocument, planPromotion, promote, readDeployState } from '@passloop/gitops';
import { parseModelFile } from '@passloop/model';
import { expect, it } from 'vitest';
import { createWorld, type World } from '../../../test/world/world.ts';
import { command, pushedImage, versionOfImage } from './testing/deployed-world.ts';

const at = '2026-11-22T10:10:00Z';
const ports = { sleep: async () => {}, random: () => 0.5 };
const evidence = { comparison: null, changes: [], facts: [], previousImage: null };

/** The example's model, which a graph serves from now on, and which runs nowhere yet. */
async function withGraph(world: World, graph: string): Promise<void> {
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/ {6}environments:\n(?: {8}.*\n)+/, `      graph: ${graph}\n`));
}

/** What the command prints, put where it says. */
async function withEnvironments(world: World, printed: string): Promise<DeployQuery> {
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const lines = printed.slice(printed.indexOf('environments:')).trimEnd().split('\n');
  const entries = lines.map((line) => `      ${line}`.replace(/^( +)- name: (\S+)$/, '$1- name: $2\n$1  merge: auto'));
  const text = (await readFile(file, 'utf8')).replace(/ {6}graph: .*\n/, (found) => `${found}${entries.join('\n')}\n`);
  await writeFile(file, text);
  await world.git(world.flightsClone, 'commit', '-qam', 'Deploy');
  const [model] = parseModelFile(text, 'passloop.yaml');
  const environments = model?.deploy?.environments ?? [];
  return { model: 'flight-delay', identity: 'acme/flights#flight-delay', environments, branch: null };
}

function forgeOf(world: World) {
  return octokitForge({
    repository: 'acme/deploy',
    token: world.tokens.deploy,
    baseUrl: world.github.restUrl,
    sleep: async () => {},
  });
}

it.each([
  ['plain', '{kind: plain, folder: models/flight}', 'kustomization.yaml', ['live']],
  ['kserve', '{kind: kserve, folder: models/flight}', 'inferenceservice.yaml', ['live-canary', 'live']],
  [
    'seldon-v1',
    '{kind: seldon-v1, folder: models/flight, canary: 10}',
    'seldondeployment.yaml',
    ['live-canary', 'live'],
  ],
  ['istio', '{kind: istio, folder: models/flight}', 'deployment-stable.yaml', ['live-canary', 'live']],
])(
  'writes manifests that are adopted, promoted into, and come back: %s',
  async (_, graph, file, environments) => {
    await using folder = await temporaryFolder('manifests');
    await using world = await createWorld({ folder: folder.path, command });
    await withGraph(world, graph);
    const first = await pushedImage(world, 'first');
    const place = `models/flight/live/${file}`;
    const show = async () => {
      await world.git(world.deployClone, 'pull', '-q');
      return readFile(path.join(world.deployClone, place), 'utf8');
    };

    const args = ['manifests', '--environment', 'live', '--image', first.reference, '--out', world.deployClone];
    const wrote = await world.passloop(args);
    expect(wrote.exitCode, wrote.stderr).toBe(0);
    await world.git(world.deployClone, 'add', '--all');
    await world.git(world.deployClone, 'commit', '-qm', 'Serve the model');
    await world.git(world.deployClone, 'push', '-q');
    const query = await withEnvironments(world, wrote.stdout);
    expect(query.environments.map(({ name }) => name)).toEqual(environments);

    const adopted = ['--model-digest', sha256('model first'), '--version', 'first', '--json', '-'];
    const answer = await world.passloop(['adopt', '--environment', 'live', ...adopted]);
    expect(answer.exitCode, answer.stderr).toBe(0);
    const { outcome, branch } = parseDocument('promotion', answer.stdout, 'adopt');
    expect(outcome).toBe('created');
    await world.git(world.deployClone, 'fetch', '-q');
    await world.git(world.deployClone, 'merge', '-q', `origin/${branch}`);
    await world.git(world.deployClone, 'push', '-q');

    const forge = forgeOf(world);
    const candidate = await versionOfImage(world, 'second');
    for (const environment of environments) {
      const request = { environment, candidate, evidence, at };
      const state = await readDeployState(forge, query);
      const plan = planDocument('flight-delay', environment, planPromotion(state, request));
      const edited = plan.edits.filter((edit) => edit.file.startsWith('models/flight/live/'));
      expect(edited.map(({ diff }) => diff).join('')).toContain(candidate.image.digest);
      const promoted = await promote(forge, query, request, { merge: 'auto', ports });
      expect(promoted, promoted.reason ?? '').toMatchObject({ outcome: 'created', merged: true });
    }
    expect(await show()).toContain(candidate.image.digest);

    const back = await world.passloop(['rollback', '--environment', 'live', '--plan', '--json', '-']);
    expect(back.exitCode, back.stderr).toBe(0);
    const plan = parseDocument('rollback', back.stdout, 'rollback');
    expect(plan.edits.find((edit) => edit.file === place)?.diff).toContain(`+`);
    expect(plan.edits.find((edit) => edit.file === place)?.diff).toContain(first.digest);
    const status = await world.passloop(['status', '--json', '-']);
    expect(parseDocument('status', status.stdout, 'status').verdict).toBe('pass');
    // What promotions left is still what it says.
    const lint = await world.passloop(['manifests', 'lint', path.join(world.deployClone, 'models')]);
    expect(lint.exitCode, lint.stdout).toBe(0);
  },
  120_000,
);

it('blocks a promotion whose manifests KServe would refuse, and writes nothing', async () => {
  await using folder = await temporaryFolder('manifests');
  await using world = await createWorld({ folder: folder.path, command });
  const { image } = await versionOfImage(world, 'first');
  const file = 'models/flight.yaml';
  const text = `apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: flight, annotations: {serving.kserve.io/deploymentMode: Standard}}
spec:
  predictor:
    name: stable
    containers:
      - name: kserve-container
        env: [{name: PROTOCOL, value: v2}]
        image: ${image.reference}
`;
  await mkdir(path.join(world.deployClone, 'models'));
  await writeFile(path.join(world.deployClone, file), text);
  await world.git(world.deployClone, 'add', '--all');
  await world.git(world.deployClone, 'commit', '-qm', 'Serve by a container');
  await world.git(world.deployClone, 'push', '-q');
  const query: DeployQuery = {
    model: 'flight-delay',
    identity: 'acme/flights#flight-delay',
    environments: [{ name: 'live-canary', targets: [{ kind: 'kserve', file, slot: 'canary', percent: 10 }] }],
    branch: null,
  };
  const candidate = await versionOfImage(world, 'second');
  const request = { environment: 'live-canary', candidate, evidence, at };

  const blocked = await promote(forgeOf(world), query, request, { merge: 'auto', ports });

  expect(blocked).toMatchObject({ outcome: 'blocked', branch: null, commit: null, pullRequest: null });
  expect(blocked.reason).toMatch(/^The manifests would not do what they say\. models\/flight\.yaml:5: A canary needs/);
  expect(await world.git(world.deployClone, 'ls-remote', '--heads', 'origin')).not.toContain('promote/');
}, 60_000);

it('overwrites nothing, follows no link out, and leaves nothing half written', async () => {
  await using folder = await temporaryFolder('manifests');
  const text = `version: 1
models:
  - name: flight
    task: binary
    columns: {key: [id], label: late}
    data: {test: {path: test.parquet}}
    deploy: {repository: acme/deploy, graph: {kind: plain, folder: apps/flight}}
`;
  await writeFile(path.join(folder.path, 'passloop.yaml'), text);
  const out = path.join(folder.path, 'deploy');
  const outside = path.join(folder.path, 'outside');
  await mkdir(path.join(out, 'apps'), { recursive: true });
  await mkdir(outside);
  const { manifests } = await import('./manifests.ts');
  const { silentProgress } = await import('@passloop/core');
  const context = {
    cwd: folder.path,
    env: {},
    now: () => new Date(at),
    progress: silentProgress,
    version: '0.0.0',
  };
  const image = `ghcr.io/acme/flight@${sha256('image')}`;
  const request = { environment: 'prod', image, out: 'deploy' };

  await symlink(outside, path.join(out, 'apps/flight'));
  await expect(manifests(context, request)).rejects.toThrow(/not a path inside/);
  expect(await readdir(outside)).toEqual([]);

  await writeFile(path.join(out, 'apps/other'), '');
  await expect(manifests(context, { ...request, environment: '../prod' })).rejects.toThrow(/no name of an environment/);
  await expect(manifests(context, { ...request, image: 'ghcr.io/acme/flight:latest' })).rejects.toThrow(/no digest/);
  await expect(manifests(context, { ...request, image: `a/b@sha256:${'0'.repeat(64)}` })).rejects.toThrow(
    /placeholder/,
  );
  await expect(manifests(context, { ...request, image: undefined })).rejects.toThrow(/No image of flight is known/);
  await expect(manifests(context, { ...request, out: 'nowhere' })).rejects.toThrow(/no folder nowhere/);
  await expect(manifests(context, { ...request, out: undefined })).rejects.toThrow(/where the deploy repository is/);

  await mkdir(path.join(out, 'real'));
  await writeFile(path.join(folder.path, 'passloop.yaml'), text.replace('apps/flight', 'real'));
  expect((await manifests(context, { ...request, plan: true })).written).toBe(false);
  expect(await readdir(path.join(out, 'real'))).toEqual([]);
  await mkdir(path.join(out, 'real/prod'));
  await writeFile(path.join(out, 'real/prod/service.yaml'), 'mine\n');
  await expect(manifests(context, request)).rejects.toThrow(/^real\/prod\/service\.yaml is there already in deploy\.$/);
  expect(await readdir(path.join(out, 'real/prod'))).toEqual(['service.yaml']);
  expect(await readFile(path.join(out, 'real/prod/service.yaml'), 'utf8')).toBe('mine\n');
});
