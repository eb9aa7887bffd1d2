import { codeSpan, count, shortDigest } from '@passloop/core';
import type { Change } from '@passloop/documents';

/** The kinds in the order in which they explain a number best; what a person changed by hand before what came along. */
const kinds: [word: string, of: Change['kind'][]][] = [
  ['data', ['data']],
  ['params', ['params']],
  ['seeds', ['seeds']],
  ['environment', ['environment', 'package', 'variables']],
  ['command', ['command']],
  ['code', ['code']],
];
const mostOfKind = 6;
const mostOfAll = 12;

/**
 * What changed, by kind, so that a hundred files of code hide no new parameter: "params `fit.max_depth` `8` → `12` · code
 * `src/features.py`; data unchanged". Null where nothing did.
 */
export function changedLine(changes: readonly Change[]): string | null {
  if (changes.length === 0) return null;
  const groups: string[] = [];
  const found = kinds
    .map(([word, of]) => ({ word, changes: changes.filter((change) => of.includes(change.kind)) }))
    .filter((group) => group.changes.length > 0);
  const each = Math.min(mostOfKind, Math.max(2, Math.floor(mostOfAll / found.length)));
  for (const group of found) {
    const shown = group.changes.slice(0, each).map(changeText);
    const rest = group.changes.length - shown.length;
    groups.push(`${group.word} ${shown.join(', ')}${rest > 0 ? ` and ${count(rest)} more` : ''}`);
  }
  if (found.every(({ word }) => word !== 'data')) groups.push('data unchanged');
  return `**What changed** ${groups.join(' · ')}`;
}

function changeText({ kind, subject, from, to }: Change): string {
  const name = codeSpan(subject, 100);
  if (kind === 'code' || kind === 'data') return `${name}${from === null ? ' (new)' : to === null ? ' (removed)' : ''}`;
  const value = (text: string | null) =>
    text === null ? 'none' : codeSpan(/^sha256:/.test(text) ? shortDigest(text) : text, 60);
  return `${name} ${value(from)} → ${value(to)}`;
}
