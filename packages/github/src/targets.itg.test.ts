import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from '@passloop/documents';
import {
  adopt,
  type DeployEnvironment,
  editTarget,
  imageOfRecord,
  planDocument,
  planPromotion,
  promote,
  readDeployState,
  readStatus,
  rollback,
} from '@passloop/gitops';
import { expect, it } from 'vitest';
import {
  candidate,
  deployWorld,
  git,
  image,
  noWait,
  promotionOf,
  pull,
  pushFiles,
  query,
} from './testing/deploy-world.ts';

const auto = { merge: 'auto' as const, ports: noWait };
const review = { merge: 'review' as const, ports: noWait };
const record = '.passloop/prod/flight-delay.json';

/** Files as public deploy repositories have them: the same that each kind is tested with. */
function fixture(name: string): string {
  return readFileSync(path.resolve(import.meta.dirname, '../../gitops/src/targets/fixtures', name), 'utf8');
}

const files = {
  'apps/flight/kustomization.yaml': fixture('overlay-kustomization.yaml'),
  'apps/flight/values.yaml': fixture('chart-values.yaml'),
  'apps/flight/release.yaml': fixture('helmrelease.yaml'),
  'apps/flight/all.yaml': fixture('deployment.yaml').replaceAll('\n', '\r\n'),
  'apps/flight/models.yaml': fixture('seldon-v2.yaml'),
  'apps/flight/routes.yaml': fixture('virtual-service.yaml'),
  'argocd/flight.yaml': fixture('application-helm.yaml'),
  'apps/flight/README.md': 'Not touched.\n',
};

const prod: DeployEnvironment = {
  name: 'prod',
  targets: [
    { kind: 'kustomize', file: 'apps/flight/kustomization.yaml', image },
    { kind: 'helm-values', file: 'apps/flight/values.yaml', address: 'image' },
    { kind: 'flux-helmrelease', file: 'apps/flight/release.yaml', address: 'server.image' },
    // Two places of one file, and two kinds of one document.
    { kind: 'workload', file: 'apps/flight/all.yaml', name: 'flight', container: 'model' },
    { kind: 'workload', file: 'apps/flight/all.yaml', name: 'flight-batch' },
    { kind: 'argocd', file: 'argocd/flight.yaml', parameter: 'image.digest' },
    { kind: 'argocd', file: 'argocd/flight.yaml', address: 'sidecar.image' },
    { kind: 'seldon-v2', file: 'apps/flight/models.yaml' },
    {
      kind: 'seldon-v2',
      file: 'apps/flight/models.yaml',
      experiment: 'flight',
      candidate: 'flight-next',
      weight: 10,
    },
    { kind: 'istio', file: 'apps/flight/routes.yaml', route: 'predict', subset: 'canary', weight: 10 },
  ],
};
const mixed = query({ environments: [prod] });

/** Each file as a promotion of the candidate must leave it. */
function expectedFiles(name: string): Record<string, string> {
  const expected: Record<string, string> = { ...files };
  for (const target of prod.targets) {
    const text = expected[target.file] ?? '';
    expected[target.file] = editTarget(text, target, imageOfRecord(candidate(name)));
  }
  return expected;
}

it('promotes into ten targets of seven kinds by one commit, and back byte for byte', async () => {
  await using world = await deployWorld({ files });
  const from = world.server.log.length;

  const first = await promote(world.forge, mixed, promotionOf(candidate('a')), review);

  expect(first).toMatchObject({ outcome: 'created', change: 'first' });
  expect(world.server.counts(from)).toMatchObject({ total: 5, writes: 4 });
  const branch = 'promote/flight-delay/prod';
  const changed = await git(world.repository.directory, 'diff', '--name-only', 'main', branch);
  expect(changed.trim().split('\n').sort()).toEqual([record, ...new Set(prod.targets.map(({ file }) => file))].sort());
  expect((await git(world.repository.directory, 'rev-list', '--count', `main..${branch}`)).trim()).toBe('1');
  const expected = expectedFiles('a');
  for (const name of Object.keys(files)) expect(await world.show(name, branch), name).toBe(expected[name]);
  const numbers = await git(world.repository.directory, 'diff', '--numstat', 'main', branch, '--', 'apps', 'argocd');
  expect(
    numbers
      .trim()
      .split('\n')
      .map((line) => line.split('\t').join(' ')),
  ).toEqual([
    '2 2 apps/flight/all.yaml',
    '1 1 apps/flight/kustomization.yaml',
    '4 3 apps/flight/models.yaml',
    '1 1 apps/flight/release.yaml',
    '2 2 apps/flight/routes.yaml',
    '2 2 apps/flight/values.yaml',
    '3 3 argocd/flight.yaml',
  ]);
  expect(world.repository.pullRequests()[0]?.body).toContain('image automation writes this field too');
  const written = parseDocument('record', await world.show(record, branch), record);
  expect(written.deployment.targets.map(({ value }) => value)).toEqual([
    ...Array(8).fill(candidate('a').image.digest),
    'flight-next=10',
    'canary=10',
  ]);
  const again = world.server.log.length;
  expect(await promote(world.forge, mixed, promotionOf(candidate('a')), review)).toMatchObject({
    outcome: 'unchanged',
  });
  expect(world.server.counts(again)).toMatchObject({ total: 1, writes: 0 });

  expect(await promote(world.forge, mixed, promotionOf(candidate('a')), auto)).toMatchObject({ merged: true });
  expect(await promote(world.forge, mixed, promotionOf(candidate('b')), auto)).toMatchObject({ merged: true });
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'pass', rows: [{ state: 'recorded' }] });
  const request = {
    environment: 'prod',
    to: { kind: 'previous' as const },
    reason: 'precision fell',
    by: 'ada',
    at: '2026-11-22T12:00:00Z',
  };
  expect(await rollback(world.forge, mixed, request, { ...auto, hasImage: async () => true })).toMatchObject({
    merged: true,
  });
  for (const name of Object.keys(files)) expect(await world.show(name), name).toBe(expected[name]);
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'pass', rows: [{ version: '2026.11.22-a' }] });
});

it('sees drift in each of them, and brings them together by adopting what runs', async () => {
  await using world = await deployWorld({ files });
  await promote(world.forge, mixed, promotionOf(candidate('a')), auto);
  const hand = candidate('hand').image.digest;
  const values = await world.show('apps/flight/values.yaml');
  const routes = await world.show('apps/flight/routes.yaml');
  await pull(world.clone);
  await pushFiles(
    world.clone,
    {
      'apps/flight/values.yaml': values.replace(candidate('a').image.digest, hand),
      'apps/flight/routes.yaml': routes.replace('weight: 90', 'weight: 50').replace('weight: 10 ', 'weight: 50 '),
    },
    'By hand',
  );

  expect(await readStatus(world.forge)).toMatchObject({
    verdict: 'fail',
    rows: [
      {
        state: 'drifted',
        drift: [
          { file: 'apps/flight/values.yaml', found: hand },
          { file: 'apps/flight/routes.yaml', recorded: 'canary=10', found: 'canary=50' },
        ],
      },
    ],
  });
  expect(await promote(world.forge, mixed, promotionOf(candidate('b')), auto)).toMatchObject({ outcome: 'blocked' });
  const request = {
    environment: 'prod',
    modelDigest: candidate('hand').modelDigest,
    version: 'by-hand',
    repository: image,
    imageDigest: null,
    known: {},
    at: '2026-11-22T13:00:00Z',
  };
  await expect(adopt(world.forge, mixed, request, auto)).rejects.toThrow(/run different images/);
  await pull(world.clone);
  await pushFiles(world.clone, { 'apps/flight/values.yaml': values }, 'Back');
  const back = { ...request, modelDigest: candidate('a').modelDigest, version: 'adopted' };
  expect(await adopt(world.forge, mixed, back, auto)).toMatchObject({ outcome: 'created', merged: true });
  // A share of the traffic is what the model file says; the images stay as they ran.
  expect(await world.show('apps/flight/routes.yaml')).toBe(routes);
  expect(await world.show('apps/flight/values.yaml')).toBe(values);
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'pass' });
});

it.each([
  'kserve-knative.yaml',
  'kserve-standard.yaml',
])('takes a canary to stable through two environments: %s', async (name) => {
  const file = 'apps/flight/service.yaml';
  await using world = await deployWorld({ files: { [file]: fixture(name) } });
  const environments: DeployEnvironment[] = [
    { name: 'prod-canary', targets: [{ kind: 'kserve', file, slot: 'canary', percent: 10 }] },
    { name: 'prod', targets: [{ kind: 'kserve', file, slot: 'stable' }] },
  ];
  const canary = query({ environments });
  const into = (environment: string, of: string) =>
    promote(world.forge, canary, promotionOf(candidate(of), { environment }), auto);
  const states = async () =>
    (await readDeployState(world.forge, canary)).environments.map(({ drift, problem }) => ({ drift, problem }));
  const sound = { drift: [], problem: null };

  expect(await into('prod', 'a')).toMatchObject({ merged: true });
  expect(await into('prod-canary', 'b')).toMatchObject({ merged: true });
  const rolling = await world.show(file);
  expect(rolling).toContain(candidate('b').image.digest);
  expect(rolling).toMatch(/(?:canaryTrafficPercent|trafficPercent): 10/);
  expect(await states()).toEqual([sound, sound]);
  expect(await into('prod', 'b')).toMatchObject({ merged: true });
  const promoted = await world.show(file);
  expect(promoted).not.toMatch(/rafficPercent/);
  expect(promoted).not.toContain(candidate('a').image.digest);
  expect(await states()).toEqual([sound, sound]);
  // The next one, and its return before it became stable.
  expect(await into('prod-canary', 'c')).toMatchObject({ merged: true });
  const request = { environment: 'prod-canary', to: { kind: 'previous' as const }, reason: 'slow', by: 'ada' };
  const back = { ...request, at: '2026-11-22T14:00:00Z' };
  expect(await rollback(world.forge, canary, back, { ...auto, hasImage: async () => true })).toMatchObject({
    merged: true,
  });
  expect(await world.show(file)).not.toContain(candidate('c').image.digest);
  expect(await states()).toEqual([sound, sound]);
});

it('refuses a target that is a link', async () => {
  await using world = await deployWorld({ files });
  await pull(world.clone);
  await git(world.clone, 'rm', '--quiet', 'apps/flight/values.yaml');
  const { symlink } = await import('node:fs/promises');
  await symlink('../../argocd/flight.yaml', path.join(world.clone, 'apps/flight/values.yaml'));
  await git(world.clone, 'add', '--all');
  await git(world.clone, 'commit', '--quiet', '-m', 'A link');
  await git(world.clone, 'push', '--quiet', 'origin', 'HEAD:main');

  await expect(promote(world.forge, mixed, promotionOf(candidate('a')), auto)).rejects.toThrow(/no regular text file/);
  expect(world.repository.pullRequests()).toEqual([]);
});

it('refuses two targets of one place', async () => {
  await using world = await deployWorld({ files });
  const weight = { kind: 'istio', file: 'apps/flight/routes.yaml', route: 'predict', subset: 'canary' } as const;
  const targets = [
    { ...weight, weight: 10 },
    { ...weight, weight: 20 },
  ];
  const twice = query({ environments: [{ name: 'prod', targets }] });
  await expect(promote(world.forge, twice, promotionOf(candidate('a')), auto)).rejects.toThrow(
    /another target of prod writes route=predict subset=canary too, so that it carries canary=20 and not canary=10/,
  );
});

it('adopts into an environment of weights only where the image is named', async () => {
  await using world = await deployWorld({ files });
  const targets = [{ kind: 'istio', file: 'apps/flight/routes.yaml', route: 'predict', subset: 'canary', weight: 10 }];
  const weights = query({ environments: [{ name: 'prod', targets: targets as DeployEnvironment['targets'] }] });
  const request = {
    environment: 'prod',
    modelDigest: candidate('a').modelDigest,
    version: 'adopted',
    repository: image,
    imageDigest: null,
    known: {},
    at: '2026-11-22T13:00:00Z',
  };
  await expect(adopt(world.forge, weights, request, auto)).rejects.toMatchObject({
    message: 'No target of prod names an image now.',
    hint: expect.stringContaining('--image-digest'),
  });
  const named = { ...request, imageDigest: candidate('a').image.digest };
  expect(await adopt(world.forge, weights, named, auto)).toMatchObject({ outcome: 'created', merged: true });
  expect(await world.show('apps/flight/routes.yaml')).toMatch(/weight: 90\n[\s\S]*weight: 10 /);
  expect(await readStatus(world.forge)).toMatchObject({ verdict: 'pass', rows: [{ cause: 'adopt' }] });
  expect(await promote(world.forge, weights, promotionOf(candidate('b')), auto)).toMatchObject({ merged: true });
});

it('plans the same edits, with what to look at, and writes nothing', async () => {
  await using world = await deployWorld({ files });
  const from = world.server.log.length;
  const plan = planPromotion(await readDeployState(world.forge, mixed), promotionOf(candidate('a')));
  const document = planDocument('flight-delay', 'prod', plan);
  expect(document.edits.map(({ file }) => file)).toEqual([
    record,
    'apps/flight/all.yaml',
    'apps/flight/kustomization.yaml',
    'apps/flight/models.yaml',
    'apps/flight/release.yaml',
    'apps/flight/routes.yaml',
    'apps/flight/values.yaml',
    'argocd/flight.yaml',
  ]);
  expect(document.edits.find(({ file }) => file === 'apps/flight/routes.yaml')?.diff).toContain(
    '+          weight: 90',
  );
  expect(document.reason).toBe('A plan: nothing was written.');
  expect(document.notes?.[0]).toMatch(/^apps\/flight\/release\.yaml:13: Flux's image/);
  expect(world.server.counts(from)).toMatchObject({ total: 1, writes: 0 });
});
