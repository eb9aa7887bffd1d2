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
    { line: 4, field: 'canaryTrafficPercent', value: '0' },
    { line: 8, field: 'weight', value: '90' },
    { line: 8, field: 'weight', value: '10' },
    { line: 13, field: 'canary', value: 'a section' },
    { line: 14, field: 'setWeight', value: '20' },
  ]);
});

it.each(['', 'a: [', 'images:\n  - name: weight\n', 'weight: heavy\n', '&a [*a]'])('finds none in %j', (text) => {
  expect(canaryFields(text)).toEqual([]);
});
