import type { RecordDocument } from '@passloop/documents';
import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import type { CommitFiles } from './forge.ts';
import { changesSince, restorationOf } from './restored-files.ts';
import { deployed, file, history, kustomization, manifest, stateOf } from './testing/records.ts';

const a = deployed(createCandidate('a'), null);
const b = deployed(createCandidate('b'), a, { at: '2026-11-22T10:11:00Z' });
const elsewhere = deployed(createCandidate('c'), null);
const other = deployed(createCandidate('d'), null);
const imageOf = (text: string) => (JSON.parse(text) as RecordDocument).image.digest;
/** What each side's commit left, and what the newer one found. */
type Texts = { older: string; found: string; left: string; now: string };
const plain: Texts = {
  older: kustomization(imageOf(a)),
  found: kustomization(imageOf(a)),
  left: kustomization(imageOf(b)),
  now: kustomization(imageOf(b)),
};

function restored(texts: Partial<Texts>) {
  const { older, found, left, now } = { ...plain, ...texts };
  const versions = history(a, b);
  const state = stateOf({ record: b, versions, manifest: file(manifest, now) });
  const [environment] = state.environments;
  const [from, to] = environment?.history.flatMap(({ version }) => version ?? []) ?? [];
  if (environment === undefined || from === undefined || to === undefined) throw new Error('there are two records');
  const chain = changesSince(versions, to);
  const blobs = new Map([[manifest, file(manifest, found).blob]]);
  const commits = new Map<string, CommitFiles | null>([
    [
      chain[0] ?? '',
      { commit: 'b', files: new Map([[manifest, file(manifest, left)]]), parent: { commit: 'p', blobs } },
    ],
    [chain[1] ?? '', { commit: 'a', files: new Map([[manifest, file(manifest, older)]]), parent: null }],
  ]);
  return restorationOf(state.snapshot, environment, { from, to }, { chain, commits });
}

it('brings a file back whole that only the promotion changed', () => {
  expect(restored({})).toEqual({ files: new Map([[manifest, plain.older]]), ranThere: true });
  // A part beside the image that the promotion took away comes back with it.
  const more = `${plain.older}# more than a field\n`;
  expect(restored({ older: more, found: more }).files.get(manifest)).toBe(more);
});

it.each<[string, Partial<Texts>, boolean]>([
  ['somebody changed since', { now: `${plain.now}# since\n` }, true],
  ['somebody changed between', { found: `${plain.found}# between\n` }, true],
  [
    'still names the image that is left, as a canary beside it does',
    { older: `${plain.older}# ${imageOf(b)}\n`, found: `${plain.older}# ${imageOf(b)}\n` },
    true,
  ],
  // Files that several models share: their records stay as they are, so their images must too.
  [
    'brought other images of other models before',
    {
      older: `${plain.older}# ${imageOf(elsewhere)}\n`,
      found: `${plain.older}# ${imageOf(elsewhere)}\n`,
      left: `${plain.left}# ${imageOf(other)}\n`,
      now: `${plain.now}# ${imageOf(other)}\n`,
    },
    true,
  ],
  ['never carried the older image', { older: plain.now, found: plain.now }, false],
])('brings no file back that %s', (_, texts, ranThere) => {
  expect(restored(texts)).toEqual({ files: new Map(), ranThere });
});
