import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InfrastructureError, silentProgress, temporaryFolder } from '@passloop/core';
import type { RunDocument } from '@passloop/documents';
import { parseModelFile } from '@passloop/model';
import type { Engine } from '@passloop/packaging';
import { openDirectoryStore } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { describe, expect, it } from 'vitest';
import { createResult, createRun } from '../../record/src/fixtures/documents.ts';
import { type CompareStage, compareStage, type Production } from './compare-stage.ts';
import { checkPolicy, promotionPolicy } from './gate-policy.ts';

const [model] = parseModelFile(
  `version: 1
models:
  - name: m
    task: binary
    columns: {key: [id], label: y, score: s, positive: 1}
    data: {test: {path: test.csv}}
    evaluate: {dataset: test, scoring: stage, predictions: p.csv, metrics: m.json}
    gates: [{metric: roc_auc, direction: higher, margin: 0.005, min: 0.6}]
`,
  'passloop.yaml',
);
const digest = (character: string) => `sha256:${character.repeat(64)}`;
/** In production, from a run that nobody knows: it can't be scored any more. */
const unknown: Production = {
  modelDigest: digest('a'),
  imageDigest: digest('b'),
  imageReference: `localhost/m@${digest('b')}`,
  runKey: null,
  at: '2026-11-01T00:00:00Z',
  evaluatedOn: null,
  history: [],
  held: [],
};

const probed: CompareStage['probe'] = {
  schema: 'passloop/probe/v1',
  target: digest('e'),
  verdict: 'pass',
  executed: 1,
  checks: [],
  readySeconds: '1',
  latency: { requests: 100, p50Ms: '2', p95Ms: '3.1' },
  predictions: null,
};

/** Compares a candidate whose scores are those of its file; `scores` says what is in it. */
async function compareCandidate(
  overrides: Partial<CompareStage>,
  scores = (row: number) => `${(row % 50) / 50}`,
  productionMetrics?: RunDocument['metrics'],
) {
  await using folder = await temporaryFolder('compare-stage');
  const lines = (header: string, cell: (row: number) => string | number) =>
    [header, ...Array.from({ length: 200 }, (_, row) => `${row},${cell(row)}`)].join('\n');
  await writeFile(
    path.join(folder.path, 'test.csv'),
    lines('id,y', (row) => (row % 50 > 25 ? 1 : 0)),
  );
  await writeFile(path.join(folder.path, 'p.csv'), lines('id,s', scores));
  const store = openDirectoryStore(path.join(folder.path, 'store'));
  if (productionMetrics !== undefined) {
    const made = await createResult(path.join(folder.path, 'made'), { 'out/x': 'x' }, { metrics: productionMetrics });
    await store.saveRun(made);
  }
  await using session = await openTables();
  const table = await session.open({ uri: 'test.csv', root: folder.path });
  const now = () => new Date('2026-11-25T00:00:00Z');
  return await compareStage({
    context: { cwd: folder.path, env: {}, now, progress: silentProgress, version: '0' },
    session,
    store,
    scoredBy: 'stage',
    engine: async () => {
      throw new Error('no engine is asked for');
    },
    model: model!,
    environment: 'prod',
    signature: null,
    dataset: { table, digest: digest('d') },
    candidate: {
      modelDigest: digest('c'),
      imageDigest: null,
      image: null,
      predictions: path.join(folder.path, 'p.csv'),
      metrics: [{ name: 'test.auc', value: '0.81' }],
    },
    production: unknown,
    productionProblem: null,
    probe: null,
    imageBytes: null,
    policy: checkPolicy(overrides.model ?? model!),
    folder: folder.path,
    ...overrides,
  });
}

describe('production that cannot be scored any more', () => {
  const returning = { ...unknown, history: [{ modelDigest: digest('c'), imageDigest: digest('e'), runKey: null }] };

  it('does not stop the way back from it, and the gates are shown', async () => {
    const comparison = await compareCandidate({ production: returning });

    expect(comparison).toMatchObject({
      outcome: 'rollback',
      verdict: 'pass',
      reason: expect.stringContaining('Production could not be scored'),
      metrics: [{ name: 'roc_auc', candidate: '1', verdict: 'within' }],
    });
  });

  it('blocks a new candidate', async () => {
    expect(await compareCandidate({})).toMatchObject({ outcome: 'not-comparable', verdict: 'fail' });
  });

  it('excuses no return whose own scores are broken', async () => {
    const broken = await compareCandidate({ production: returning }, (row) => (row === 7 ? 'NaN' : '0.5'));

    expect(broken).toMatchObject({ outcome: 'not-comparable', verdict: 'fail' });
  });
});

it('is inconclusive where what is known of production is too old', async () => {
  const productionProblem = 'What is known of production is 40 days old.';

  expect(await compareCandidate({ productionProblem })).toMatchObject({
    outcome: 'not-comparable',
    verdict: 'inconclusive',
    reason: productionProblem,
  });
});

describe('gates on the numbers of metrics files', () => {
  const known = { ...unknown, runKey: createRun().runKey };
  const [auc, sensitivity] = ['roc_auc', 'sensitivity'].map((metric) => ({
    ...model!.gates[0]!,
    metric,
    margin: 0.02,
  }));
  const numbers: CompareStage['model'] = {
    ...model!,
    metrics: { sensitivity: { kind: 'file', name: 'test.auc' } },
    gates: [sensitivity!],
  };
  const baseline: CompareStage['model'] = {
    ...model!,
    evaluate: { ...model!.evaluate!, baseline: 'metrics' },
    gates: [auc!],
  };

  const [prod] = parseModelFile(
    `version: 1
models:
  - name: m
    task: binary
    columns: {key: [id], label: y, score: s, positive: 1}
    data: {test: {path: test.csv}}
    deploy:
      repository: acme/deploy
      environments: [{name: prod, targets: [{kind: kustomize, file: k.yaml, image: m}]}]
`,
    'passloop.yaml',
  )[0]!.deploy!.environments;

  it.each([
    ['0.83', { verdict: 'within', gate: 'pass', delta: '-0.02', interval: null }],
    ['0.8301', { verdict: 'outside', gate: 'fail', delta: '-0.0201', interval: null }],
  ])("holds the candidate's file against production's, %s", async (value, expected) => {
    const production = [{ name: 'test.auc', value }];
    // Production can be scored by nobody: no row of it is asked for where all gates are on files.
    const comparison = await compareCandidate(
      { production: known, model: { ...numbers, evaluate: { ...model!.evaluate!, baseline: 'metrics' } } },
      undefined,
      production,
    );

    expect(comparison.metrics).toMatchObject([{ ...expected, method: 'unpaired: two numbers, no interval' }]);
    expect(comparison.verdict).toBe(expected.gate);
  });

  it("reads what only an environment's gate asks for, and holds a promotion there to it", async () => {
    const deploy = { repository: 'acme/deploy', environments: [{ ...prod!, gates: [{ ...sensitivity!, min: 0.9 }] }] };
    const asked = { ...baseline, metrics: numbers.metrics, deploy };
    const production = [
      { name: 'roc_auc', value: '0.9' },
      { name: 'test.auc', value: '0.8' },
    ];
    const [check, promotion] = [
      await compareCandidate({ production: known, model: asked }, undefined, production),
      await compareCandidate(
        { production: known, model: asked, policy: promotionPolicy(asked, 'prod') },
        undefined,
        production,
      ),
    ];

    expect(check).toMatchObject({ verdict: 'pass', metrics: [{ name: 'roc_auc' }] });
    expect(check.environments).toMatchObject([{ name: 'prod', after: null, own: ['sensitivity'], verdict: 'fail' }]);
    expect(promotion).toMatchObject({
      verdict: 'fail',
      metrics: [...check.metrics, ...check.environments![0]!.metrics],
    });
    expect(promotion).not.toHaveProperty('environments');
    expect(promotion.metrics[1]).toMatchObject({ production: '0.8', candidate: '0.81', verdict: 'outside' });
  });

  it("asks a promotion for nothing that only another environment's gate reads", async () => {
    const image: CompareStage['model']['gates'] = [{ ...auc!, metric: 'image_bytes', margin: undefined, max: 100 }];
    const environments = [
      { ...prod!, name: 'staging' },
      { ...prod!, gates: [sensitivity!] },
    ];
    const asked = { ...baseline, ...numbers, evaluate: baseline.evaluate, gates: image };
    const later = { ...asked, deploy: { repository: 'acme/deploy', environments } };
    const promote = (environment: string) =>
      compareCandidate({ model: later, imageBytes: 90, policy: promotionPolicy(later, environment) });

    // The run that made production is not known.
    expect(await promote('staging')).toMatchObject({ outcome: 'compared', verdict: 'pass' });
    expect(await promote('prod')).toMatchObject({ outcome: 'not-comparable', verdict: 'fail' });
  });

  it("measures the candidate on the rows, where production's own numbers are its baseline", async () => {
    const comparison = await compareCandidate({ production: known, model: baseline }, undefined, [
      { name: 'roc_auc', value: '0.9' },
    ]);

    expect(comparison).toMatchObject({
      outcome: 'compared',
      verdict: 'pass',
      rows: 200,
      metrics: [{ production: '0.9', candidate: '1', delta: '0.1', verdict: 'within' }],
    });
  });

  it.each<[string, RunDocument['metrics'] | undefined, Partial<Production>]>([
    ['lacks the number', [{ name: 'auc', value: '0.9' }], {}],
    ['is of a run that the store has not', undefined, {}],
    ['is of a run that nobody knows', [{ name: 'roc_auc', value: '0.9' }], { runKey: null }],
  ])("never passes where production's file %s", async (_, metrics, more) => {
    const comparison = await compareCandidate(
      { production: { ...known, ...more }, model: baseline },
      undefined,
      metrics,
    );

    expect(comparison.verdict).toBe('fail');
  });
});

describe("a latency against production's image", () => {
  const timed = (overrides: Partial<CompareStage>, gate: object = { relative: 0.1, max: 40 }) =>
    compareCandidate({
      model: {
        ...model!,
        evaluate: { ...model!.evaluate!, baseline: 'metrics' },
        gates: [
          {
            ...model!.gates[0]!,
            metric: 'latency_p95_ms',
            direction: 'lower',
            margin: undefined,
            min: undefined,
            ...gate,
          },
        ],
      },
      probe: probed,
      signature: { inputs: [{ name: 's', datatype: 'FP64' }], outputs: [{ name: 's', datatype: 'FP64' }] },
      ...overrides,
    });

  it("is left to the promotion where the candidate's image was built by another job, and `max` holds", async () => {
    const { metrics } = await timed({});
    expect(metrics[0]).toMatchObject({
      candidate: '3.1',
      verdict: 'within',
      gate: 'pass',
      measuredAtPromotion: true,
      reason: expect.stringContaining('the promotion times them side by side'),
    });
    expect((await timed({}, { relative: 0.1 })).metrics[0]).toMatchObject({
      verdict: 'not-comparable',
      gate: 'skipped',
    });
  });

  it('is not comparable, and says why, where the images cannot be started', async () => {
    const engine = async () => {
      throw new InfrastructureError('No Docker engine answers.');
    };
    const candidate = {
      modelDigest: digest('c'),
      imageDigest: null,
      image: digest('e'),
      predictions: 'x',
      metrics: [],
    };
    expect((await timed({ engine, candidate }, { relative: 0.1 })).metrics[0]).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: "not timed beside production's image: No Docker engine answers.",
    });

    // A tag may be another image by now, and on this engine anybody's. The engine is not asked.
    const production = { ...unknown, imageReference: 'localhost/m:latest' };
    const untouched = async () => ({}) as Engine;
    const [latency] = (await timed({ engine: untouched, candidate, production }, { relative: 0.1 })).metrics;
    expect(latency?.reason).toContain(`names the image localhost/m:latest, and its digest ${digest('b')}`);
  });

  it("takes the size of production's image from the engine where the record lacks it, and says so where there is none", async () => {
    const engine = async () => {
      throw new InfrastructureError('No Docker engine answers.');
    };
    const size = { metric: 'image_bytes', relative: 0.1 };
    const known = { production: { ...unknown, imageBytes: 100 }, imageBytes: 109 };
    expect((await timed(known, size)).metrics[0]).toMatchObject({ verdict: 'within', production: '100' });
    expect((await timed({ ...known, production: unknown, engine }, size)).metrics[0]).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: "the size of production's image is not known",
    });
  });

  it('starts nothing for a gate that has `max` alone', async () => {
    const candidate = {
      modelDigest: digest('c'),
      imageDigest: null,
      image: digest('e'),
      predictions: 'x',
      metrics: [],
    };
    expect((await timed({ candidate }, { max: 40 })).metrics[0]).toMatchObject({ verdict: 'within', reason: null });
  });
});
