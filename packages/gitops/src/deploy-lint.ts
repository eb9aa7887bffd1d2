import { codeSpan, escapeMarkdown } from '@passloop/core';
import type { Refusal } from './apply-change.ts';
import type { FileEditor } from './deploy-change.ts';
import type { EnvironmentState } from './deploy-state.ts';
import type { LintFinding } from './lint/finding.ts';
import { lintChange, lintLine } from './lint/lint.ts';

const noteLimit = 10;

/** What a change would leave in the manifests of an environment, all of its targets together. */
export function lintTargets({ targets }: EnvironmentState, editor: FileEditor): LintFinding[] {
  const files = new Map(targets.map(({ target, file }) => [target.file, file?.text ?? '']));
  const before = [...files].map(([file, text]) => ({ file, text }));
  const after = before.map(({ file, text }) => ({ file, text: editor.read(file) ?? text }));
  return lintChange(before, after);
}

/** Manifests that won't do what they say aren't written; null where none is so. */
export function lintRefusal(findings: readonly LintFinding[]): Refusal | null {
  const [first, ...more] = findings.filter(({ verdict }) => verdict === 'fail').map(lintLine);
  if (first === undefined) return null;
  const rest = more.length === 0 ? '' : ` And ${more.length} more: ${more.slice(0, 3).join(' ')}`;
  return {
    kind: 'refused',
    outcome: 'blocked',
    reason: `The manifests would not do what they say. ${first}${rest}`,
  };
}

/** What people should look at, as lines of a pull request. */
export function lintNotes(findings: readonly LintFinding[]): string[] {
  // The edit itself tells of the marker on a line that it changes; one elsewhere doesn't concern it.
  const told = findings.filter(({ rule }) => rule !== 'image-policy');
  const notes = told.slice(0, noteLimit).map(({ file, line, message, hint }) => {
    const text = `${escapeMarkdown(message, 600)}${hint === null ? '' : ` ${escapeMarkdown(hint, 300)}`}`;
    return `**Look at** ${codeSpan(`${file}:${line}`, 300)}: ${text}`;
  });
  const more = told.length - notes.length;
  return more > 0 ? [...notes, `… ${more} more of the kind.`] : notes;
}
