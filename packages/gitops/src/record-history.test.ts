import { sha256 } from '@passloop/core';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import {
  ancestorsOf,
  derivedHolds,
  historyProblem,
  isAfterReturn,
  leftByPeople,
  leftByReturns,
  readHistory,
  versionsOf,
} from './record-history.ts';
import { deployed, history, recordFile } from './testing/records.ts';

const place = { file: recordFile, model: 'flight-delay', environment: 'prod' };
const a = deployed(createCandidate('a'), null);
const b = deployed(createCandidate('b'), a);
const c = deployed(createCandidate('c'), b);
const back = deployed(createCandidate('a'), b, { cause: 'rollback' });
const repackaged = deployed(createCandidate('a', { image: createCandidate('a2').image }), a);

function held(...texts: (string | null)[]): string[] {
  const names = new Map(['a', 'b', 'c', 'x'].map((name) => [createCandidate(name).modelDigest, name]));
  return derivedHolds(readHistory(history(...texts), place)).map(
    ({ version }) => names.get(version.record.modelDigest) ?? '?',
  );
}

it.each([
  ['promotions alone', [a, b, c], []],
  ['a revert of the last promotion', [a, b, a], ['b']],
  ['a return over two promotions', [a, b, c, a], ['c']],
  ['two reverts, one after the other', [a, b, c, b, a], ['c', 'b']],
  ['a revert of the revert', [a, b, a, b], []],
  ['a revert, then another promotion', [a, b, a, deployed(createCandidate('c'), a)], ['b']],
  ['a rollback of ours, which has its own file', [a, b, back], []],
  ['a revert of that rollback', [a, b, back, b], []],
  ['a revert of the first promotion', [a, null], ['a']],
  ['an adopted record that is taken away', [deployed(createCandidate('a'), null, { cause: 'adopt' }), null], []],
  ['a record that is taken away, and has an ancestor', [a, b, null], []],
  ['versions that are no records in between', [a, 'broken', b, '{}', a], ['b']],
  ['a change of the text alone', [a, `${a}\n`], []],
])('derives from %s', (_, texts, expected) => {
  expect(held(...texts).sort()).toEqual([...expected].sort());
});

it('holds one image where the model is the same', () => {
  const [hold] = derivedHolds(readHistory(history(a, repackaged, a), place));
  expect(hold?.version.record.image.digest).toBe(createCandidate('a2').image.digest);
});

it('leaves out what does not verify, and follows the chain by digest', () => {
  const forged = c.replace(createCandidate('c').modelDigest, createCandidate('x').modelDigest);
  const versions = versionsOf(readHistory(history(a, b, forged, c), place));
  expect(versions.map(({ record }) => record.version)).toEqual(['c', 'b', 'a']);
  const [newest] = versions;
  expect(newest && ancestorsOf(newest, versions).map(({ digest }) => digest)).toEqual([sha256(b), sha256(a)]);
});

it('does not follow a chain in a circle, or out of what was read', () => {
  const versions = versionsOf(readHistory(history(b, c), place));
  const [newest] = versions;
  expect(newest && ancestorsOf(newest, versions).map(({ record }) => record.version)).toEqual(['b']);
});

const adoptedX = deployed(createCandidate('x'), b, { cause: 'adopt' });
const adoptedA = deployed(createCandidate('a'), b, { cause: 'adopt' });
const forward = deployed(createCandidate('b'), back);
const next = deployed(createCandidate('c'), back);
const onRepackaged = deployed(createCandidate('a'), repackaged, { cause: 'rollback' });

function named(digest: string): string {
  return ['a', 'b', 'c', 'x'].find((name) => createCandidate(name).modelDigest === digest) ?? '?';
}

it.each([
  ['promotions alone', [a, b, c], [], false],
  ['a first record', [a], [], false],
  ['a rollback of ours', [a, b, back], ['b'], true],
  ['a revert by hand', [a, b, a], ['b'], true],
  ['a rollback, and a promotion after it', [a, b, back, next], ['b'], false],
  ['a rollback that was reverted', [a, b, back, b], [], false],
  ['a rollback, and what it left promoted again', [a, b, back, forward], [], false],
  ['a revert of that promotion', [a, b, back, forward, back], ['b'], true],
  ['a promotion over a rollback that was reverted', [a, b, back, next, back], ['b', 'c'], true],
  ['a record that was taken away', [a, null], ['a'], true],
  ['something new that was set by hand and adopted', [a, b, adoptedX], [], false],
  ['what ran before, set by hand and adopted', [a, b, adoptedA], ['b'], true],
])('knows what returns left, and whether the last change was one: %s', (_, texts, left, isReturned) => {
  const entries = readHistory(history(...texts), place);
  expect(leftByReturns(entries).map(({ modelDigest }) => named(modelDigest))).toEqual(left);
  expect(isAfterReturn(entries)).toBe(isReturned);
});

it('leaves one image where the model stayed', () => {
  const left = leftByReturns(readHistory(history(a, repackaged, onRepackaged), place));
  expect(left).toEqual([
    { modelDigest: createCandidate('a').modelDigest, imageDigest: createCandidate('a2').image.digest },
  ]);
});

/** A text that was changed by hand: the same record in other bytes. */
function byHand(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${a}${' '.repeat(index)}`);
}

const later = deployed(createCandidate('c'), a, { at: '2026-12-01T00:00:00Z' });
const newer = a.replace('passloop/record/v1', 'passloop/record/v2');

it.each<[string, (string | null)[], number, RegExp | null]>([
  ['a short history, whoever made it', [a, b, a, b, a], 50, null],
  ['a long one that ends with a promotion', [a, b, ...byHand(60), later], 50, null],
  ['a promotion below a revert', [...byHand(60), later, a], 50, null],
  ['nothing but returns', [a, b, a, b, a, b, a], 5, /last 5 changes .* made by hand/],
  ['nothing but changes of the text', [a, b, ...byHand(60)], 50, /passloop adopt/],
  ['a record of a newer version that was reverted', [a, newer, a], 50, /record\/v2 .* newer Passloop/],
  ['one before a promotion of ours', [a, newer, a, later], 50, null],
  ['one whose version is far away', [a, a.replace('record/v1', 'record/v12'), a], 50, /v12/],
])('tells whether a history is enough to know what is held: %s', (_, texts, limit, problem) => {
  const versions = history(...texts).slice(0, limit);
  const found = historyProblem(versions, limit, place);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toMatch(problem);
});

it('holds what somebody replaced by hand with what ran before, and returns to nothing that was replaced by hand', () => {
  expect(held(a, b, adoptedA)).toEqual(['b']);
  expect(held(a, b, adoptedX)).toEqual([]);
  const left = leftByPeople(readHistory(history(a, b, adoptedX), place));
  expect(left.map(({ modelDigest }) => named(modelDigest))).toEqual(['b']);
});
