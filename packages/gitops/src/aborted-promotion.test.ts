import { sha256 } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import type { AbortEvent } from './abort-event.ts';
import { abortedRecord, type PlacedRecord } from './aborted-promotion.ts';
import { objectsOf, resourcesOf } from './manifest-objects.ts';

function placed(environment: string, image: string, overrides: Partial<PlacedRecord> = {}): PlacedRecord {
  return {
    file: `.passloop/${environment}/flight-delay.json`,
    model: 'flight-delay',
    environment,
    digest: sha256(`record ${environment}`),
    imageDigest: sha256(image),
    version: `v-${image}`,
    objects: [{ namespace: `flights-${environment}`, name: 'flight-delay' }],
    landedAt: '2026-11-22T10:00:00Z',
    ...overrides,
  };
}

function event(overrides: Partial<AbortEvent> = {}): AbortEvent {
  return {
    by: 'Flagger',
    namespace: 'flights-prod',
    name: 'flight-delay',
    digests: [sha256('new')],
    model: null,
    environment: null,
    at: '2026-11-22T11:00:00Z',
    message: null,
    ...overrides,
  };
}

const prod = placed('prod', 'new');
const staging = placed('staging', 'new');
const anywhere = [{ namespace: null, name: 'flight-delay' }];
const found = { kind: 'found', environment: 'prod', record: prod.digest };

it.each([
  ['the image that runs there', event(), [staging, prod], found],
  ['another image', event({ digests: [sha256('old')] }), [staging, prod], { kind: 'stale', environment: 'prod' }],
  ['one of several images', event({ digests: [sha256('old'), sha256('new')] }), [prod], found],
  ['no image, after the landing', event({ digests: [] }), [staging, prod], found],
  ['no image, before the landing', event({ digests: [], at: '2026-11-22T09:59:59Z' }), [prod], { kind: 'stale' }],
  ['no image and no time', event({ digests: [], at: null }), [prod], { kind: 'unclear' }],
  [
    'no image, of a landing that nobody knows',
    event({ digests: [] }),
    [placed('prod', 'new', { landedAt: null })],
    { kind: 'unclear' },
  ],
  ['an object that no manifest makes', event({ name: 'other' }), [staging, prod], { kind: 'unclear' }],
  ['another namespace', event({ namespace: 'elsewhere' }), [staging, prod], { kind: 'unclear' }],
  ['a name alone', event({ namespace: null }), [prod], found],
  ['a name that two environments have', event({ namespace: null }), [staging, prod], { kind: 'unclear' }],
  ['a namespace that no manifest tells', event(), [placed('prod', 'new', { objects: anywhere })], found],
  ['neither, with an image that two run', event({ namespace: null, name: null }), [staging, prod], { kind: 'unclear' }],
  [
    'neither, with an image that one runs',
    event({ namespace: null, name: null }),
    [placed('staging', 'old'), prod],
    found,
  ],
  [
    'neither, without an image',
    event({ namespace: null, name: null, digests: [] }),
    [staging, prod],
    { kind: 'unclear' },
  ],
  [
    'an image, where a chart names the objects',
    event(),
    [placed('prod', 'new', { objects: [{ namespace: null, name: null }] })],
    found,
  ],
  [
    'no image, where a chart names the objects',
    event({ digests: [] }),
    [placed('prod', 'new', { objects: [] })],
    { kind: 'unclear' },
  ],
  [
    'no image, of an environment by name',
    event({ digests: [], environment: 'prod' }),
    [placed('prod', 'new', { objects: [] })],
    found,
  ],
  ['a repository without records', event(), [], { kind: 'unclear' }],
])('an event of %s', (_, asked, records, expected) => {
  expect(abortedRecord(asked, records)).toMatchObject(expected);
});

it('lists what it can not tell apart, and says how to', () => {
  const answer = abortedRecord(event({ namespace: null }), [staging, prod]);
  expect(answer).toMatchObject({
    reason: expect.stringMatching(
      /may be any of flight-delay in staging, flight-delay in prod\. Name them in the event/,
    ),
  });
});

describe('the objects of manifests', () => {
  const none = () => null;

  it('are those of a kustomization, with its namespace, prefix and suffix', () => {
    const text =
      'namespace: flights\nnamePrefix: a-\nnameSuffix: -z\nresources: [rollout.yaml, ../base, https://x.y/z.yaml, ../../../etc/x.yaml]\n';
    expect(resourcesOf('apps/prod/kustomization.yaml', text)).toEqual(['apps/prod/rollout.yaml']);
    const rollout =
      'kind: Rollout\nmetadata: {name: flight, namespace: other}\n---\nkind: Service\nmetadata: {name: flight-svc}\n';
    expect(objectsOf('apps/prod/kustomization.yaml', text, () => rollout)).toEqual([
      { namespace: 'flights', name: 'a-flight-z' },
      { namespace: 'flights', name: 'a-flight-svc-z' },
    ]);
    expect(objectsOf('kustomization.yml', 'namespace: flights\n', none)).toEqual([
      { namespace: 'flights', name: null },
    ]);
  });

  it.each([
    [
      'a Rollout',
      'kind: Rollout\nmetadata: {name: flight, namespace: flights}\n',
      [{ namespace: 'flights', name: 'flight' }],
    ],
    [
      'an Application',
      'kind: Application\nmetadata: {name: x}\nspec: {destination: {namespace: flights}}\n',
      [{ namespace: 'flights', name: null }],
    ],
    [
      'a HelmRelease',
      'kind: HelmRelease\nmetadata: {name: flight, namespace: flux}\nspec: {targetNamespace: flights}\n',
      [{ namespace: 'flights', name: 'flight' }],
    ],
    ['values of a chart', 'image: {tag: "1"}\n', []],
    ['broken YAML', 'kind: [', []],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`)
        .join('\n')}\n`,
      [],
    ],
  ])('are those of %s', (_, text, expected) => expect(objectsOf('apps/x.yaml', text, none)).toEqual(expected));
});
