import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentProgress, temporaryFolder } from '@passloop/core';
import { parseModelFile } from '@passloop/model';
import { openDirectoryStore } from '@passloop/record';
import { openTables } from '@passloop/tables';
import { describe, expect, it } from 'vitest';
import { type CompareStage, compareStage, type Production } from './compare-stage.ts';

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

/** Compares a candidate whose scores are those of its file; `scores` says what is in it. */
async function compareCandidate(overrides: Partial<CompareStage>, scores = (row: number) => `${(row % 50) / 50}`) {
  await using folder = await temporaryFolder('compare-stage');
  const lines = (header: string, cell: (row: number) => string | number) =>
    [header, ...Array.from({ length: 200 }, (_, row) => `${row},${cell(row)}`)].join('\n');
  await writeFile(
    path.join(folder.path, 'test.csv'),
    lines('id,y', (row) => (row % 50 > 25 ? 1 : 0)),
  );
  await writeFile(path.join(folder.path, 'p.csv'), lines('id,s', scores));
  await using session = await openTables();
  const table = await session.open({ uri: 'test.csv', root: folder.path });
  const now = () => new Date('2026-11-25T00:00:00Z');
  return await compareStage({
    context: { cwd: folder.path, env: {}, now, progress: silentProgress, version: '0' },
    session,
    store: openDirectoryStore(path.join(folder.path, 'store')),
    scoredBy: 'stage',
    engine: async () => {
      throw new Error('no engine is asked for');
    },
    model: model!,
    environment: 'prod',
    signature: null,
    dataset: { table, digest: digest('d') },
    candidate: { modelDigest: digest('c'), imageDigest: null, predictions: path.join(folder.path, 'p.csv') },
    production: unknown,
    productionProblem: null,
    probe: null,
    imageBytes: null,
    inconclusive: 'warn',
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
