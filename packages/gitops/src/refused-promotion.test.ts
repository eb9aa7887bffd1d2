import { sha256 } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { decide } from './decision.ts';
import type { ClosedPullRequest } from './forge.ts';
import { closedBody, promotionMarker, refusalAgainst, refusedPromotions } from './refused-promotion.ts';
import { deployed, history, stateOf } from './testing/records.ts';

const bodyOf = (name: string) =>
  `**flight-delay** moves.\n\n${promotionMarker(JSON.parse(deployed(createCandidate(name), null)) as RecordDocument)}\n`;

function closed(number: number, name: string, overrides: Partial<ClosedPullRequest> = {}): ClosedPullRequest {
  const url = `https://github.com/acme/deploy/pull/${number}`;
  return { number, url, body: bodyOf(name), isMerged: false, by: 'ada', at: '2026-11-24T09:00:00Z', ...overrides };
}

function queryOf(name: string) {
  const { modelDigest, image, runKey } = createCandidate(name);
  return { modelDigest, imageDigest: image.digest, imageKey: image.imageKey, runKey, inStore: true };
}

const [environment] = stateOf({
  record: deployed(createCandidate('a'), null),
  versions: history(deployed(createCandidate('a'), null)),
  closed: [closed(5, 'b')],
}).environments;
if (environment === undefined) throw new Error('there is an environment');

it('blocks what people closed, says who, when and where, and how to take it back', () => {
  expect(decide(environment, queryOf('b'))).toEqual({
    kind: 'blocked',
    reason:
      'ada closed the pull request of this very promotion to prod on 2026-11-24 09:00 UTC: https://github.com/acme/deploy/pull/5. Reopen #5 to go on with it, or ask for it anew: `passloop promote --again`, or the input `again` of the workflow.',
  });
  expect(decide(environment, queryOf('b'), { again: true })).toEqual({ kind: 'promote' });
});

it('knows it before the image is built, by its key, and lets another image or model through', () => {
  const unbuilt = { ...queryOf('b'), imageDigest: null };
  expect(decide(environment, unbuilt)).toMatchObject({ kind: 'blocked' });
  expect(decide(environment, { ...unbuilt, imageKey: null })).toEqual({ kind: 'promote' });
  expect(decide(environment, { ...queryOf('b'), imageDigest: sha256('other'), imageKey: null })).toEqual({
    kind: 'promote',
  });
  expect(decide(environment, queryOf('c'))).toEqual({ kind: 'promote' });
});

it.each<[string, ClosedPullRequest[], boolean]>([
  ['closed', [closed(5, 'b')], true],
  ['merged', [closed(5, 'b', { isMerged: true })], false],
  ['closed, then opened anew and merged', [closed(5, 'b'), closed(7, 'b', { isMerged: true })], false],
  ['merged, then opened anew and closed', [closed(7, 'b'), closed(5, 'b', { isMerged: true })], true],
  ['closed here', [closed(5, 'b', { body: closedBody(bodyOf('b'), 'Held.') })], false],
  [
    'closed with a body that somebody edited on the web',
    [closed(5, 'b', { body: bodyOf('b').replaceAll('\n', '\r\n') })],
    true,
  ],
  ['closed without a marker', [closed(5, 'b', { body: 'We talked about it.' })], false],
  [
    'closed with a marker inside of text',
    [closed(5, 'b', { body: `> ${bodyOf('b').trim().split('\n').at(-2)}` })],
    false,
  ],
  ['closed with a forged marker before ours', [closed(5, 'b', { body: `${bodyOf('b')}\n${bodyOf('c')}` })], false],
])('takes one that was %s', (_, pulls, isRefused) => {
  expect(refusalAgainst(refusedPromotions(pulls), queryOf('b')) !== null).toBe(isRefused);
});
