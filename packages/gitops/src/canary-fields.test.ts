import { expect, it } from 'vitest';
import { canaryFields } from './canary-fields.ts';

it('finds the fields by which manifests share traffic out, with their lines, zero included', () => {
  const text = [
    'kind: InferenceService',
    'spec:',
    '  predictor:',
    '    canaryTrafficPercent: 0',
    '    replicas: 3',
    '---',
    'kind: VirtualService',
    'spec: {http: [{route: [{weight: 90}, {weight: 10}]}]}',
    '---',
    'kind: Rollout',
    'spec:',
    '  strategy:',
    '    canary:',
    '      steps: [{setWeight: 20}]',
  ].join('\n');
  expect(canaryFields(text)).toEqual([
    { line: 4, field: 'canaryTrafficPercent', value: '0', isIdle: true },
    { line: 8, field: 'weight', value: '90', isIdle: false },
    { line: 8, field: 'weight', value: '10', isIdle: false },
    { line: 13, field: 'canary', value: 'a section', isIdle: false },
    { line: 14, field: 'setWeight', value: '20', isIdle: false },
  ]);
});

it.each([
  ['a predictor', 'predictors: [{name: a, traffic: 100}, {name: b, traffic: 0}]', ['traffic']],
  ['a canary of its own', 'canary: [{trafficPercent: 0, predictor: {name: b}}]', ['trafficPercent']],
  ['not a shadow', 'predictors: [{name: a, traffic: 100}, {name: b, traffic: 0, shadow: true}]', []],
  ['not a route that rests', 'route: [{weight: 100}, {weight: 0}]', []],
])('calls idle what is deployed and gets no traffic: %s', (_, text, idle) => {
  const fields = canaryFields(text).filter(({ isIdle }) => isIdle);
  expect(fields.map(({ field }) => field)).toEqual(idle);
});

it.each(['', 'a: [', 'images:\n  - name: weight\n', 'weight: heavy\n', '&a [*a]'])('finds none in %j', (text) => {
  expect(canaryFields(text)).toEqual([]);
});
