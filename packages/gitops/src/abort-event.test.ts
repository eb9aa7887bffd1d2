import { ConfigurationError } from '@passloop/core';
import { expect, it } from 'vitest';
import { parseAbortEvent } from './abort-event.ts';

const digest = `sha256:${'a'.repeat(64)}`;

function read(value: unknown) {
  return parseAbortEvent(typeof value === 'string' ? value : JSON.stringify(value), 'event.json');
}

const flagger = {
  name: 'flight-delay',
  namespace: 'flights',
  phase: 'Failed',
  checksum: '85d557f47b',
  metadata: {
    eventMessage: 'Canary failed! Scaling down flight-delay.flights',
    eventType: 'Warning',
    timestamp: '1795341600000',
    environment: 'prod',
  },
};
const flux = {
  involvedObject: { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'flight-delay', namespace: 'flights' },
  severity: 'error',
  timestamp: '2026-11-22T10:00:00Z',
  message: 'Canary failed! Scaling down flight-delay.flights',
  reason: 'Synced',
  reportingController: 'flagger',
};
const rollout = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name: 'flight-delay', namespace: 'flights', annotations: { 'passloop.dev/environment': 'prod' } },
  spec: {
    replicas: 3,
    template: {
      spec: { containers: [{ name: 'model', image: `ghcr.io/acme/flight@${digest}` }, { image: 'envoy:v1' }] },
    },
  },
  status: {
    abort: true,
    abortedAt: '2026-11-22T10:00:00Z',
    phase: 'Degraded',
    message: 'RolloutAborted: metric failed',
  },
};
const run = {
  kind: 'AnalysisRun',
  metadata: {
    name: 'flight-delay-5f-2',
    namespace: 'flights',
    ownerReferences: [{ kind: 'Rollout', name: 'flight-delay' }],
  },
  status: {
    phase: 'Failed',
    message: 'errors above 1 %',
    startedAt: '2026-11-22T09:00:00Z',
    completedAt: '2026-11-22T10:00:00Z',
  },
};

it.each([
  ['Flagger', flagger, { by: 'Flagger', digests: [], environment: 'prod', at: '2026-11-22T10:00:00.000Z' }],
  ['Flagger by Flux', flux, { by: 'Flagger', digests: [], at: '2026-11-22T10:00:00.000Z' }],
  [
    'a Rollout',
    rollout,
    { by: 'Argo Rollouts', digests: [digest], environment: 'prod', message: 'RolloutAborted: metric failed' },
  ],
  [
    'an AnalysisRun',
    run,
    { by: 'Argo Rollouts', digests: [], at: '2026-11-22T10:00:00.000Z', message: 'errors above 1 %' },
  ],
  [
    'a template',
    { event: 'aborted', namespace: 'flights', name: 'flight-delay', images: [`x@${digest}`] },
    { digests: [digest] },
  ],
  ['a repository_dispatch', { action: 'passloop-abort', client_payload: rollout }, { digests: [digest] }],
])('reads %s', (_, value, expected) => {
  expect(read(value)).toMatchObject({ namespace: 'flights', name: 'flight-delay', ...expected });
});

it.each([
  ['that progresses', { ...flagger, phase: 'Progressing' }, 'Flagger says Progressing of flights/flight-delay'],
  ['that succeeded', { ...flagger, phase: 'Succeeded' }, 'Flagger says Succeeded of flights/flight-delay'],
  ['that failed one check', { ...flux, message: 'Halt flight-delay.flights advancement' }, /^Flux says of Canary/],
  ['of information', { ...flux, severity: 'info' }, /^Flux says/],
  [
    'of another kind',
    { ...flux, involvedObject: { kind: 'Kustomization', name: 'x' } },
    /^Flux says of Kustomization x/,
  ],
  ['that was not aborted', { ...rollout, status: {} }, 'the Rollout flights/flight-delay was not aborted'],
  ['that says abort as text', { ...rollout, status: { abort: 'true' } }, null],
  ['that is inconclusive', { ...run, status: { phase: 'Inconclusive' } }, /^the AnalysisRun .* is Inconclusive$/],
])('takes one %s for no abort', (_, value, said) => {
  if (said === null) expect(() => read(value)).toThrow(ConfigurationError);
  else
    expect(read(value)).toEqual({
      aborted: false,
      said: typeof said === 'string' ? said : expect.stringMatching(said),
    });
});

it.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['a list', '[]'],
  ['null', 'null'],
  ['another object', '{"zen": "Keep it logically awesome."}'],
  ['an object of lies', JSON.stringify({ name: {}, namespace: 1, phase: [] })],
  ['a name that is a book', JSON.stringify({ ...flagger, name: 'x'.repeat(600) })],
  ['too much', JSON.stringify({ ...flagger, metadata: { eventMessage: 'x'.repeat(300_000) } })],
])('refuses %s, and says what it reads', (_, text) => {
  expect(() => read(text)).toThrow(ConfigurationError);
  try {
    read(text);
  } catch (error) {
    expect((error as ConfigurationError).hint).toMatch(/docs\/chains\.md/);
  }
});

it('believes no moment that is none, and no tag for a digest', () => {
  expect(read({ ...flagger, metadata: { timestamp: 'soon' } })).toMatchObject({ at: null });
  expect(read({ ...flagger, metadata: { timestamp: '1e999' } })).toMatchObject({ at: null });
  expect(read({ event: 'aborted', images: ['x:latest', 'x@sha256:abc', `x@${digest}\n`] })).toMatchObject({
    digests: [],
  });
});
