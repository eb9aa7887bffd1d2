import type { StageInputs } from '@passloop/documents';
import { expect, it } from 'vitest';
import { explainKeys } from './explain.ts';
import { keyDocument, stageKey } from './run-key.ts';

const digest = (character: string) => `sha256:${character.repeat(64)}`;

function createInputs(overrides: Partial<StageInputs> = {}): StageInputs {
  return {
    schema: 'runkey/1',
    stage: 'fit',
    command: ['python', '-m', 'train', 'a b'],
    code: [
      { path: 'src/a.py', mode: '100644', digest: digest('1') },
      { path: 'src/b.py', mode: '100644', digest: digest('2') },
    ],
    data: [{ name: 'train', digest: digest('3') }],
    params: [{ name: 'fit.depth', value: '8' }],
    environment: { image: null, lock: digest('4'), python: '3.11', platform: 'linux/amd64' },
    variables: [{ name: 'MODE', value: 'fast' }],
    seeds: [{ name: 'framework', value: '7' }],
    outputs: ['out/model.joblib'],
    upstream: [],
    ...overrides,
  };
}

function keyOf(...stages: StageInputs[]) {
  return keyDocument(
    'toy',
    stages.map((inputs) => ({ inputs, key: stageKey(inputs) })),
  );
}

function explain(from: Partial<StageInputs>, to: Partial<StageInputs>) {
  return explainKeys(keyOf(createInputs(from)), keyOf(createInputs(to)));
}

function list(...values: string[]) {
  return { params: values.map((value, place) => ({ name: `features[${place}]`, value })) };
}

it('tells what a list lost and gained, and not which places moved up', () => {
  expect(explain(list('a', 'b', 'c', 'd'), list('b', 'd', 'e'))).toEqual([
    { kind: 'params', subject: 'features', from: 'a', to: null },
    { kind: 'params', subject: 'features', from: 'c', to: null },
    { kind: 'params', subject: 'features', from: null, to: 'e' },
  ]);
  expect(explain(list('a', 'b'), list('b', 'a'))).toEqual([
    { kind: 'params', subject: 'order of features', from: 'a, b', to: 'b, a' },
  ]);
  expect(explain(list('a', 'a'), list('a'))).toEqual([{ kind: 'params', subject: 'features', from: 'a', to: null }]);
  expect(explain(list('a'), list('a'))).toEqual([]);
});

it('finds nothing between equal keys', () => {
  expect(explain({}, {})).toEqual([]);
});

it.each<[Partial<StageInputs>, ReturnType<typeof explain>]>([
  [
    { command: ['python', 'x.py'] },
    [{ kind: 'command', subject: 'command', from: 'python -m train "a b"', to: 'python x.py' }],
  ],
  [{ params: [{ name: 'fit.depth', value: '12' }] }, [{ kind: 'params', subject: 'fit.depth', from: '8', to: '12' }]],
  [
    {
      params: [
        { name: 'fit.depth', value: '8' },
        { name: 'fit.rate', value: '0.1' },
      ],
    },
    [{ kind: 'params', subject: 'fit.rate', from: null, to: '0.1' }],
  ],
  [
    {
      code: [
        { path: 'src/a.py', mode: '100755', digest: digest('1') },
        { path: 'src/c.py', mode: '100644', digest: digest('2') },
      ],
    },
    [
      { kind: 'code', subject: 'src/a.py', from: digest('1'), to: `${digest('1')} (executable)` },
      { kind: 'code', subject: 'src/b.py', from: digest('2'), to: null },
      { kind: 'code', subject: 'src/c.py', from: null, to: digest('2') },
    ],
  ],
  [
    { data: [{ name: 'train', digest: digest('9') }] },
    [{ kind: 'data', subject: 'train', from: digest('3'), to: digest('9') }],
  ],
  [
    { environment: { image: null, lock: digest('5'), python: '3.12', platform: 'linux/amd64' } },
    [
      { kind: 'environment', subject: 'lock', from: digest('4'), to: digest('5') },
      { kind: 'environment', subject: 'python', from: '3.11', to: '3.12' },
    ],
  ],
  [{ variables: [] }, [{ kind: 'variables', subject: 'MODE', from: 'fast', to: null }]],
  [{ seeds: [{ name: 'framework', value: '8' }] }, [{ kind: 'seeds', subject: 'framework', from: '7', to: '8' }]],
  [
    { outputs: ['out/model.joblib', 'out/log.txt'] },
    [
      {
        kind: 'command',
        subject: 'outputs',
        from: 'out/model.joblib',
        to: 'out/model.joblib, out/log.txt',
      },
    ],
  ],
  [
    { stage: 'learn' },
    [
      { kind: 'command', subject: 'stage fit', from: 'python -m train "a b"', to: null },
      { kind: 'command', subject: 'stage learn', from: null, to: 'python -m train "a b"' },
    ],
  ],
])('names what changed: %j', (to, expected) => {
  expect(explain({}, to)).toEqual(expected);
});

it('says once what all stages share, and names the stage for what is its own', () => {
  const stages = (rate: string, lock: string) =>
    keyOf(
      createInputs({ stage: 'prepare', environment: { image: null, lock, python: '3.11', platform: null } }),
      createInputs({
        environment: { image: null, lock, python: '3.11', platform: null },
        params: [{ name: 'rate', value: rate }],
      }),
    );
  expect(explainKeys(stages('0.1', digest('4')), stages('0.2', digest('5')))).toEqual([
    { kind: 'environment', subject: 'lock', from: digest('4'), to: digest('5') },
    { kind: 'params', subject: 'fit: rate', from: '0.1', to: '0.2' },
  ]);
});

it('names an order that changed', () => {
  const one = createInputs({ stage: 'a' });
  const two = createInputs({ stage: 'b' });
  expect(explainKeys(keyOf(one, two), keyOf(two, one))).toEqual([
    { kind: 'command', subject: 'order of the stages', from: 'a, b', to: 'b, a' },
  ]);
});
