import type { ComparedMetric, ComparisonDocument } from '@passloop/documents';
import { type DeployEnvironment, promote } from '@passloop/gitops';
import { expect, it } from 'vitest';
import { candidate, deployWorld, image, manifest, noWait, promotionOf, query } from './testing/deploy-world.ts';

const review = { merge: 'review' as const, ports: noWait };
const auto = { merge: 'auto' as const, ports: noWait };
const staging = 'apps/flight/staging/kustomization.yaml';
const environments: DeployEnvironment[] = [
  { name: 'staging', targets: [{ kind: 'kustomize', file: staging, image }] },
  { name: 'prod', targets: [{ kind: 'kustomize', file: manifest, image }] },
];

function metric(name: string, overrides: Partial<ComparedMetric>): ComparedMetric {
  return {
    name,
    direction: 'higher',
    production: null,
    candidate: null,
    delta: null,
    interval: null,
    level: '0.95',
    method: 'bootstrap',
    margin: null,
    min: null,
    max: null,
    severity: 'error',
    verdict: 'within',
    gate: 'pass',
    rowsNeeded: null,
    reason: null,
    ...overrides,
  };
}

const comparison: ComparisonDocument = {
  schema: 'passloop/comparison/v1',
  outcome: 'compared',
  verdict: 'pass',
  reason: null,
  rows: 12_000,
  evaluationDigest: null,
  production: { digest: candidate('a').modelDigest, scoredBy: 'image' },
  candidate: { digest: candidate('b').modelDigest, scoredBy: 'image' },
  metrics: [
    metric('roc_auc', {
      production: '0.7508',
      candidate: '0.7531',
      delta: '0.0023',
      interval: ['-0.0012', '0.0058'],
      margin: '0.005',
      verdict: 'non-inferior',
    }),
    metric('log_loss', {
      direction: 'lower',
      production: '0.4112',
      candidate: '0.4058',
      delta: '-0.0054',
      interval: ['-0.0081', '-0.0027'],
      margin: '0.003',
      verdict: 'better',
    }),
    metric('latency_p95_ms', { direction: 'lower', candidate: '3.1', max: '40' }),
  ],
  slices: [],
  fairness: [],
  resamples: 2000,
  seed: 7,
};

it('says what a promotion is, in the pull request that a reviewer opens: docs/promotion-body.md', async () => {
  await using world = await deployWorld();
  const gates = comparison.metrics.map(({ name, gate, candidate: value, delta, interval }) => ({
    metric: name,
    slice: null,
    verdict: gate,
    value,
    delta,
    interval,
  }));
  const next = candidate('b', { gates });
  const chain = query({ environments });
  await promote(world.forge, chain, promotionOf(candidate('a')), auto);
  await promote(world.forge, chain, promotionOf(next, { environment: 'staging' }), auto);
  const evidence = {
    comparison,
    changes: [
      { kind: 'code' as const, subject: 'src/features.py', from: null, to: null },
      { kind: 'params' as const, subject: 'fit.max_depth', from: '8', to: '12' },
    ],
    facts: ['trained from this commit', 'reproduced: bitwise', 'image scanned and probed'],
    previousImage: 'present' as const,
    data: [
      { dataset: 'train', rows: 48_211, executed: 14, passed: 14 },
      { dataset: 'test', rows: 12_000, executed: 9, passed: 8 },
    ],
  };

  const promoted = await promote(world.forge, chain, promotionOf(next, { evidence }), review);

  const pull = world.repository.pullRequests().find(({ number }) => number === promoted.pullRequest?.number);
  const body = (pull?.body ?? '')
    .replace(/came with [0-9a-f]{40}/, `came with ${'4c1f0e9b7a'.repeat(4)}`)
    .replace(/since 20\d\d-\d\d-\d\d \d\d:\d\d UTC/, 'since 2026-11-24 08:10 UTC');
  await expect(`# ${pull?.title}\n\n${body}`).toMatchFileSnapshot('../../../docs/promotion-body.md');
});
