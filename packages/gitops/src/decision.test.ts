import { sha256 } from '@passloop/core';
import { formatDocument, type HoldDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { type Candidate, decide } from './decision.ts';
import { deployed, file, history, kustomization, manifest, stateOf } from './testing/records.ts';

const a = deployed(createCandidate('a'), null);
const b = deployed(createCandidate('b'), a);

/** A commit of which only the keys are known. */
function keys(name: string, overrides: Partial<Candidate> = {}): Candidate {
  const { runKey, image } = createCandidate(name);
  return { runKey, imageKey: image.imageKey, modelDigest: null, imageDigest: null, inStore: false, ...overrides };
}

function decideOn(content: Parameters<typeof stateOf>[0], asked: Candidate) {
  const [environment] = stateOf(content).environments;
  if (environment === undefined) throw new Error('no environment');
  return decide(environment, asked);
}

function holdFile(overrides: Partial<HoldDocument> = {}, path?: string) {
  const hold: HoldDocument = {
    schema: 'passloop/hold/v1',
    model: 'flight-delay',
    modelDigest: createCandidate('x').modelDigest,
    imageDigest: null,
    environment: 'prod',
    by: 'ada',
    reason: 'bad',
    at: '2026-11-22T10:10:00Z',
    ...overrides,
  };
  const digest = hold.imageDigest ?? hold.modelDigest;
  return file(path ?? `.passloop/holds/flight-delay/${digest.replace(':', '-')}.json`, formatDocument('hold', hold));
}

const now = { record: b, versions: history(a, b) };
const back = deployed(createCandidate('a'), b, { cause: 'rollback' });
const again = deployed(createCandidate('b'), back);
const adopted = deployed(createCandidate('x'), b, { cause: 'adopt' });
const byHand = deployed(createCandidate('a'), b, { cause: 'adopt' });
const lifted = file(`.passloop/holds/flight-delay/lifted-${sha256(b).replace(':', '-')}.json`, '{}');

it.each([
  ['is production', keys('b'), now, { kind: 'already-promoted' }],
  [
    'is production, by digests',
    keys('z', { modelDigest: createCandidate('b').modelDigest, imageDigest: createCandidate('b').image.digest }),
    now,
    { kind: 'already-promoted' },
  ],
  ['is production in another image', keys('b', { imageKey: `ik1-${'0'.repeat(64)}` }), now, { kind: 'same-model' }],
  ['ran here before', keys('a'), now, { kind: 'rollback', to: { record: { version: 'a' } } }],
  ['is in the store', keys('c', { inStore: true }), now, { kind: 'promote' }],
  ['is unknown', keys('c'), now, { kind: 'train' }],
  ['is unknown, nothing runs', keys('a'), {}, { kind: 'train' }],
  [
    'is held',
    keys('x', { modelDigest: createCandidate('x').modelDigest }),
    { ...now, holds: [holdFile()] },
    { kind: 'held', hold: { source: 'file' } },
  ],
  [
    'is held everywhere',
    keys('x', { modelDigest: createCandidate('x').modelDigest }),
    { ...now, holds: [holdFile({ environment: null })] },
    { kind: 'held' },
  ],
  [
    'is held elsewhere',
    keys('x', { modelDigest: createCandidate('x').modelDigest, inStore: true }),
    { ...now, holds: [holdFile({ environment: 'staging' })] },
    { kind: 'promote' },
  ],
  [
    'ran before and is held',
    keys('a'),
    { ...now, holds: [holdFile({ modelDigest: createCandidate('a').modelDigest })] },
    { kind: 'held' },
  ],
  [
    'is held in that image only',
    keys('x', { modelDigest: createCandidate('x').modelDigest, imageDigest: sha256('fixed'), inStore: true }),
    { ...now, holds: [holdFile({ imageDigest: createCandidate('x').image.digest })] },
    { kind: 'promote' },
  ],
  [
    'was reverted by hand',
    keys('b'),
    { record: a, versions: history(a, b, a) },
    { kind: 'held', hold: { source: 'history' } },
  ],
  [
    'was reverted by hand, trained again',
    keys('b', { modelDigest: sha256('new') }),
    { record: a, versions: history(a, b, a) },
    { kind: 'held' },
  ],
  [
    'was left by a rollback, and nothing holds it any more',
    keys('b', { inStore: true }),
    { record: back, versions: history(a, b, back) },
    { kind: 'promote' },
  ],
  [
    'was left by a rollback, nothing holds it, and nobody has its run',
    keys('b'),
    { record: back, versions: history(a, b, back) },
    { kind: 'train' },
  ],
  [
    'was reverted by hand, and whose hold was lifted',
    keys('b', { inStore: true }),
    { record: a, versions: history(a, b, a), holds: [lifted] },
    { kind: 'promote' },
  ],
  [
    'was replaced by what had been held: an honest return',
    keys('a'),
    { record: again, versions: history(a, b, back, again) },
    { kind: 'rollback', to: { record: { version: 'a' } } },
  ],
  [
    'was replaced by hand, and something new adopted: nothing that undoes it by itself',
    keys('b', { inStore: true }),
    { record: adopted, versions: history(a, b, adopted) },
    { kind: 'promote' },
  ],
  [
    'was replaced by hand with what ran before, and that adopted',
    keys('b', { inStore: true }),
    { record: byHand, versions: history(a, b, byHand) },
    { kind: 'held', hold: { source: 'history' } },
  ],
  [
    'meets a changed manifest',
    keys('c'),
    { ...now, manifest: file(manifest, kustomization(sha256('hand'))) },
    { kind: 'blocked', reason: expect.stringContaining('drifted') },
  ],
  ['meets no manifest', keys('c'), { ...now, manifest: null }, { kind: 'blocked' }],
  [
    'meets a manifest that is a link',
    keys('c'),
    { ...now, manifest: file(manifest, null, '120000') },
    { kind: 'blocked' },
  ],
  [
    'meets a record that is no JSON',
    keys('c'),
    { record: '{"image":{"digest":"x"}}' },
    { kind: 'blocked', reason: expect.stringContaining('expected passloop/record/v1') },
  ],
  [
    'meets a record of another repository',
    keys('c'),
    { record: deployed(createCandidate('a', { identity: 'evil/flights#flight-delay' }), null) },
    { kind: 'blocked', reason: expect.stringContaining('belongs to evil/flights#flight-delay') },
  ],
])('a candidate that %s', (_, asked, content, expected) => {
  expect(decideOn(content, asked)).toMatchObject(expected);
});

it.each([
  [
    'its model digest',
    (record: string) => record.replace(createCandidate('b').modelDigest, createCandidate('x').modelDigest),
  ],
  [
    'its image',
    (record: string) => record.replaceAll(createCandidate('b').image.digest, createCandidate('x').image.digest),
  ],
  ['a target', (record: string) => record.replace(/"value": "sha256:[0-9a-f]{64}"/, `"value": "${sha256('x')}"`)],
  ['its promotion id', (record: string) => record.replace(JSON.parse(b).deployment.promotionId, sha256('x'))],
  ['its environment', (record: string) => record.replace('"environment": "prod"', '"environment": "staging"')],
  ['its model', (record: string) => record.replace('"model": "flight-delay"', '"model": "other"')],
])('believes no record after %s was changed', (_, change) => {
  const changed = change(b);
  expect(changed).not.toBe(b);
  expect(decideOn({ record: changed, versions: history(a, changed) }, keys('c'))).toMatchObject({
    kind: 'blocked',
    reason: expect.stringContaining('does not verify'),
  });
});

it('promotes nothing while a hold cannot be read', () => {
  const folder = '.passloop/holds/flight-delay';
  const hex = createCandidate('x').modelDigest.slice(7);
  for (const broken of [
    file(`${folder}/sha256-${hex}.json`, 'not json'),
    file(`${folder}/sha256-${hex}.json`, null, '120000'),
    holdFile({ model: 'other' }, `${folder}/sha256-${hex}.json`),
    holdFile({}, `${folder}/sha256-${'0'.repeat(64)}.json`),
  ]) {
    expect(() => stateOf({ ...now, holds: [broken] })).toThrow(/holds/);
  }
  expect(stateOf({ ...now, holds: [file(`${folder}/README.md`, 'why')] }).holds).toEqual([]);
});
