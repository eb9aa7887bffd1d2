import { createHash } from 'node:crypto';
import { sha256 } from '@passloop/core';
import { formatDocument, type RecordDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createCandidate } from './fixtures/documents.ts';
import { deployRecord, readRecord, verifyRecord } from './record.ts';

const place = { file: '.passloop/prod/flight-delay.json', model: 'flight-delay', environment: 'prod' };

function deployed(name: string, previous: RecordDocument | null): RecordDocument {
  const from = createCandidate(name);
  const targets = [{ kind: 'kustomize', file: 'k.yaml', address: 'flight', value: from.image.digest }];
  return deployRecord(
    from,
    { environment: 'prod', cause: 'promotion', targets, at: '2026-11-22T10:10:00Z' },
    previous === null ? null : { record: previous, digest: sha256(formatDocument('record', previous)) },
  );
}

const first = deployed('a', null);
const second = deployed('b', first);

it('has the id of what it deploys and what it follows, and of nothing else', () => {
  // RFC 8785 by hand: keys in order, no spaces.
  const id = (record: RecordDocument, previous: string) =>
    `sha256:${createHash('sha256')
      .update(
        `{"environment":"prod","identity":"acme/flights#flight-delay","imageDigest":"${record.image.digest}","modelDigest":"${record.modelDigest}","previous":${previous}}`,
      )
      .digest('hex')}`;
  expect(first.deployment.promotionId).toBe(id(first, 'null'));
  expect(second.deployment.promotionId).toBe(id(second, `"${first.deployment.promotionId}"`));
  const later = { ...second, version: 'other', deployment: { ...second.deployment, at: '2027-01-01T00:00:00Z' } };
  expect(verifyRecord(later, place)).toBeNull();
});

it('is known by the digest of its bytes', () => {
  const text = formatDocument('record', second);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  expect(readRecord(text, place)).toEqual({ record: second, digest });
  expect(readRecord(`${text}\n`, place).digest).not.toBe(digest);
  expect(second.deployment.previous?.record).toBe(sha256(formatDocument('record', first)));
});

it.each<[string, (record: RecordDocument) => unknown, string]>([
  ['another model', (record) => ({ ...record, model: 'other' }), 'model other'],
  [
    'another environment',
    (record) => ({ ...record, deployment: { ...record.deployment, environment: 'staging' } }),
    'record of staging',
  ],
  ['another model digest', (record) => ({ ...record, modelDigest: sha256('x') }), 'promotion id'],
  ['another identity', (record) => ({ ...record, identity: 'evil/flights#flight-delay' }), 'promotion id'],
  [
    'a target that carries another image',
    (record) => ({
      ...record,
      deployment: {
        ...record.deployment,
        targets: [{ kind: 'kustomize', file: 'k.yaml', address: 'flight', value: sha256('x') }],
      },
    }),
    'target k.yaml',
  ],
  [
    'a reference to an image that is there, for one that is not',
    (record) => ({ ...record, image: { ...record.image, reference: `ghcr.io/acme/flight@${sha256('good')}` } }),
    'image reference',
  ],
  [
    'a reference by tag',
    (record) => ({ ...record, image: { ...record.image, reference: 'ghcr.io/acme/flight:latest' } }),
    'image reference',
  ],
  [
    'another predecessor',
    (record) => ({
      ...record,
      deployment: { ...record.deployment, previous: { ...record.deployment.previous, promotionId: sha256('x') } },
    }),
    'promotion id',
  ],
])('does not verify with %s', (_, change, problem) => {
  const text = JSON.stringify(change(second));
  expect(() => readRecord(text, place)).toThrow(
    expect.objectContaining({ code: 'configuration', file: place.file, message: expect.stringContaining(problem) }),
  );
});

it('takes a share of the traffic for no image, and nothing else for a share', () => {
  const from = createCandidate('a');
  const weight = {
    kind: 'istio',
    file: 'r.yaml',
    address: 'subset=canary',
    value: 'canary=10',
    declared: { weight: 10 },
  };
  const image = { kind: 'workload', file: 'd.yaml', address: 'container', value: from.image.digest, declared: {} };
  const verified = (...targets: RecordDocument['deployment']['targets']) =>
    verifyRecord(
      deployRecord(from, { environment: 'prod', cause: 'promotion', targets, at: '2026-11-22T10:10:00Z' }, null),
      place,
    );
  expect(verified(weight, image)).toBeNull();
  expect(verified({ ...weight, kind: 'seldon-v2', declared: { experiment: 'e' } })).toBeNull();
  expect(verified({ ...weight, kind: 'seldon-v2' })).toMatch(/carries another image/);
  expect(verified(weight, { ...image, value: 'canary=10' })).toMatch(/carries another image/);
});
