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
    const parts = partsOf(group.changes);
    const shown = parts.slice(0, each);
    const told = shown.reduce((sum, part) => sum + part.changes, 0);
    const rest = group.changes.length - told;
    const between = shown.some(({ isList }) => isList) ? '; ' : ', ';
    groups.push(
      `${group.word} ${shown.map(({ text }) => text).join(between)}${rest > 0 ? ` and ${count(rest)} more` : ''}`,
    );
  }
  if (found.every(({ word }) => word !== 'data')) groups.push('data unchanged');
  return `**What changed** ${groups.join(' · ')}`;
}

type Part = { text: string; changes: number; isList: boolean };

/** A change each, but for a list's entries that came or went: those are one, "`features`: `hub`, `origin` removed, `late` added". */
function partsOf(changes: readonly Change[]): Part[] {
  const bySubject = new Map<string, Change[]>();
  for (const change of changes) bySubject.set(change.subject, [...(bySubject.get(change.subject) ?? []), change]);
  return [...bySubject].flatMap(([subject, of]): Part[] => {
    const entries = of.filter((change) => isValue(change) && (change.from === null) !== (change.to === null));
    const rest = of.filter((change) => !entries.includes(change));
    const parts = rest.map((change) => ({ text: changeText(change), changes: 1, isList: false }));
    if (entries.length === 0) return parts;
    const listed = [valuesText(entries, 'from', 'removed'), valuesText(entries, 'to', 'added')].filter(
      (text) => text !== null,
    );
    const text = `${codeSpan(subject, 100)}: ${listed.join(', ')}`;
    return [{ text, changes: entries.length, isList: entries.length > 1 }, ...parts];
  });
}

function valuesText(entries: readonly Change[], side: 'from' | 'to', word: string): string | null {
  const values = entries.flatMap((change) => change[side] ?? []);
  if (values.length === 0) return null;
  const shown = values.slice(0, mostOfKind).map(valueText);
  const rest = values.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${count(rest)} more` : ''} ${word}`;
}

function isValue({ kind }: Change): boolean {
  return kind !== 'code' && kind !== 'data';
}

function changeText(change: Change): string {
  const { subject, from, to } = change;
  const name = codeSpan(subject, 100);
  if (!isValue(change)) return `${name}${from === null ? ' (new)' : to === null ? ' (removed)' : ''}`;
  return `${name} ${from === null ? 'none' : valueText(from)} → ${to === null ? 'none' : valueText(to)}`;
}

function valueText(text: string): string {
  return codeSpan(/^sha256:/.test(text) ? shortDigest(text) : text, 60);
}
