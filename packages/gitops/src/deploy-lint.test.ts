import { expect, it } from 'vitest';
import { createCandidate } from '../../record/src/fixtures/documents.ts';
import { fileEditor } from './deploy-change.ts';
import { lintNotes, lintRefusal, lintTargets } from './deploy-lint.ts';
import { planPromotion } from './promotion.ts';
import { planRollback } from './rollback-plan.ts';
import { deployed, file, history, kustomization, manifest, stateOf } from './testing/records.ts';

const [one, two] = [createCandidate('one'), createCandidate('two')];
const first = deployed(one, null);
const second = deployed(two, first);
const evidence = { comparison: null, changes: null, facts: [], previousImage: null };
const at = '2026-11-23T10:10:00Z';

/** A manifest that has been wrong for long: that blocks nothing, and people are told. */
function odd(digest: string) {
  return file(manifest, kustomization(digest).replace('    digest', '    newDigest: x\n    digest'));
}

function lintOf(after: string) {
  const state = stateOf({ record: first, versions: history(first) });
  const editor = fileEditor(state.snapshot);
  editor.write(manifest, after);
  const [environment] = state.environments;
  if (environment === undefined) throw new Error('no environment');
  return lintTargets(environment, editor);
}

it('blocks what a change would leave, with file, line and what to do', () => {
  const findings = lintOf(`${kustomization(two.image.digest)}    newDigest: x\n`);
  expect(lintRefusal(findings)).toEqual({
    kind: 'refused',
    outcome: 'blocked',
    reason: expect.stringMatching(
      /^The manifests would not do what they say\. apps\/flight\/prod\/kustomization\.yaml:4: .*newDigest.*`digest:`\.$/,
    ),
  });
});

it('lets pass, and says nothing of, what is right', () => {
  const findings = lintOf(kustomization(two.image.digest));
  expect(findings).toEqual([]);
  expect(lintRefusal(findings)).toBeNull();
});

it('escapes what a manifest says, and lists ten', () => {
  const entries = Array.from({ length: 12 }, (_, index) => `  - name: "<b>${index}|@x"\n    newTag: v1\n`).join('');
  const notes = lintNotes(lintOf(`${kustomization(two.image.digest)}${entries}`));
  expect(notes).toHaveLength(11);
  expect(notes[0]).not.toContain('<b>');
  expect(notes[10]).toBe('… 2 more of the kind.');
});

it('is in the text of a promotion', () => {
  const state = stateOf({ record: first, versions: history(first), manifest: odd(one.image.digest) });
  const plan = planPromotion(state, { environment: 'prod', candidate: two, evidence, at });
  if (plan.kind !== 'change') throw new Error(plan.reason);
  expect(plan.change.text.body).toContain(`**Look at** \`${manifest}:3\``);
});

it('is in the text of a rollback', () => {
  const state = stateOf({ record: second, versions: history(first, second), manifest: odd(two.image.digest) });
  const request = { environment: 'prod', to: { kind: 'previous' as const }, reason: 'slow', by: 'ada', at };
  const plan = planRollback(state, request);
  if (plan.kind !== 'change') throw new Error(plan.reason);
  expect(plan.change.text.body).toContain(`**Look at** \`${manifest}:3\``);
});

it('tells of a rollback too who else writes the field, and will undo it', () => {
  const marked = kustomization(two.image.digest).replace(
    /(digest: \S+)/,
    '$1 # {"$imagepolicy": "flux-system:flight"}',
  );
  const state = stateOf({ record: second, versions: history(first, second), manifest: file(manifest, marked) });
  const request = { environment: 'prod', to: { kind: 'previous' as const }, reason: 'slow', by: 'ada', at };
  const plan = planRollback(state, request);
  if (plan.kind !== 'change') throw new Error(plan.reason);
  expect(plan.notes[0]).toMatch(/^apps\/flight\/prod\/kustomization\.yaml:3: Flux's image automation writes this/);
  expect(plan.change.text.body).toContain('will undo the promotion');
});
