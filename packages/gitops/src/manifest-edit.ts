import { ConfigurationError, type YamlPath } from '@passloop/core';
import { isMap, isScalar, isSeq, type ParsedNode, type YAMLSeq } from 'yaml';
import { childOf, isEmpty, type Located, lineOf, olderPathOf, pairOf, pairsOf, placeName, placeOf } from './address.ts';
import { type Manifest, openManifest } from './manifest.ts';
import { differingPaths, type MeantChange, meant, type Reading } from './manifest-reading.ts';
import { blockRemoval, flowRemoval } from './removal.ts';
import { behindColon, contentEnd, dashesOf, spanOfPair, spansOf } from './source-range.ts';
import {
  endOfLine,
  isFlowScalar,
  newlineOf,
  quoteStyleOf,
  type Splice,
  scalarText,
  spliceText,
  startOfLine,
} from './yaml-edit.ts';
import { blockLines, flowText, pairLines } from './yaml-text.ts';

/** One edit: what it does to the source, and what it is meant to do to what readers get. */
export type Change = { splices: readonly Splice[]; meant: readonly Meant[] };

type Meant = { at: Located; change: MeantChange; older: MeantChange };

/** Writes a scalar in the style that stands there; a text that would read as anything else is quoted. */
export function setScalar(at: Located, value: string | number): Change {
  const { node } = at;
  const change = setAt(at, value);
  if (isFlowScalar(node)) {
    if (node.value === value) return { splices: [], meant: [] };
    const text = typeof value === 'number' ? String(value) : scalarText(value, quoteStyleOf(node));
    return { splices: [{ start: node.range[0], end: node.range[1], text }], meant: [change] };
  }
  const pair = pairOf(at);
  const behind = pair === null ? null : behindColon(pair);
  const isNothing = node === null || (isScalar(node) && node.value === null && node.range[0] === node.range[1]);
  if (behind === null || !isNothing) throw noScalar(at);
  const text = ` ${typeof value === 'number' ? value : scalarText(value, 'plain')}`;
  return { splices: [{ start: behind, end: behind, text }], meant: [change] };
}

/** Puts another key and value in the place of a pair, such as `digest` in that of `newTag`. */
export function replacePair(at: Located, key: string, value: string): Change {
  const pair = pairOf(at);
  if (pair === null || at.parent === null) throw new RangeError('Only a pair of a map has a key.');
  const { splices } = setScalar(at, value);
  const path = [...at.parent.path, key];
  return {
    splices: [
      ...splices,
      { start: pair.key.range[0], end: pair.key.range[1], text: scalarText(key, quoteStyleOf(pair.key)) },
    ],
    meant: [
      removeAt(at),
      {
        at,
        change: { kind: 'set', path, value },
        older: { kind: 'set', path: [...olderPathOf(at.parent), key], value },
      },
    ],
  };
}

/** Adds a key to a map, behind another key or at its end. */
export function insertKey(at: Located, key: string, value: Reading, after?: string): Change {
  const { node } = at;
  const { text } = at.document.manifest;
  const path = [...at.path, key];
  const added: Meant = {
    at,
    change: { kind: 'set', path, value },
    older: { kind: 'set', path: [...olderPathOf(at), key], value },
  };
  if (!isMap(node) || isEmpty(node)) throw noPlace(at, `a map that could take ${key}`);
  if (childOf(at, key) !== null) throw new RangeError(`There is a ${key} already.`);
  const pairs = pairsOf(node);
  const position = after === undefined ? -1 : (childOf(at, after)?.position ?? -1);
  const beside = pairs.at(position);
  if (node.flow === true || beside === undefined) {
    if (node.flow !== true) throw noPlace(at, `a map that could take ${key}`);
    const style = beside === undefined ? 'plain' : quoteStyleOf(beside.key);
    const written = `${scalarText(key, style)}: ${flowText(value, style)}`;
    const start = beside === undefined ? node.range[0] + 1 : spanOfPair(beside).end;
    return { splices: [{ start, end: start, text: beside === undefined ? written : `, ${written}` }], meant: [added] };
  }
  const { start, end } = spanOfPair(beside);
  const style = quoteStyleOf(beside.key);
  const valueStyle = isFlowScalar(beside.value) ? quoteStyleOf(beside.value) : 'plain';
  const lines =
    typeof value === 'string'
      ? [`${scalarText(key, style)}: ${scalarText(value, valueStyle)}`]
      : pairLines(key, value, style);
  return { splices: [insertedLines(text, end, indentBefore(text, start), lines)], meant: [added] };
}

/** Adds an item to the end of a list. */
export function appendItem(at: Located, value: Reading): Change {
  const { node } = at;
  const { text } = at.document.manifest;
  const added: Meant = {
    at,
    change: { kind: 'append', path: at.path, value },
    older: { kind: 'append', path: olderPathOf(at), value },
  };
  if (!isSeq(node)) throw noPlace(at, 'a list');
  const last = spansOf(node as YAMLSeq.Parsed).at(-1);
  if (node.flow === true) {
    const start = last?.end ?? node.range[0] + 1;
    const written = flowText(value, 'plain');
    return { splices: [{ start, end: start, text: last === undefined ? written : `, ${written}` }], meant: [added] };
  }
  const dash = dashesOf(node as YAMLSeq.Parsed).at(-1);
  if (dash == null) throw noPlace(at, 'a list with a dash for each item');
  return {
    splices: [insertedLines(text, contentEnd(node as ParsedNode), indentBefore(text, dash), blockLines([value]))],
    meant: [added],
  };
}

/** Removes a pair of a map or an item of a list, with its lines where they are its own. */
export function remove(at: Located): Change {
  const parent = at.parent?.node;
  if (parent == null || !(isMap(parent) || isSeq(parent))) throw new RangeError('The root of a document stays.');
  const splice = parent.flow === true ? flowRemoval(at) : blockRemoval(at);
  return { splices: [splice], meant: [removeAt(at)] };
}

/**
 * Writes changes, reads the result again as YAML 1.2 and as 1.1, and makes sure that exactly what was meant differs: an anchor
 * that is used elsewhere, or a reader's surprise, ends in a refusal and not in a broken manifest.
 */
export function applyChanges(manifest: Manifest, ...changes: readonly Change[]): string {
  const splices = changes.flatMap((change) => change.splices);
  const all = changes.flatMap((change) => change.meant);
  const [first] = all;
  if (first === undefined || splices.length === 0) return manifest.text;
  const edited = spliceText(manifest.text, splices);
  const after = reopened(manifest, edited, first.at);
  if (after.documents.length !== manifest.documents.length) throw unreadable(first.at);
  for (const before of manifest.documents) {
    const own = all.filter(({ at }) => at.document.index === before.index);
    const now = after.documents[before.index];
    compare(
      first.at,
      own.map(({ change }) => change),
      before.reading,
      now?.reading,
    );
    const older = before.older();
    if (older !== null) {
      compare(
        first.at,
        own.map(({ older }) => older),
        older.reading,
        now?.older()?.reading,
      );
    }
  }
  return edited;
}

/** Applies edits one after the other, each on what the one before left. */
export function editInSteps(
  text: string,
  file: string,
  ...steps: readonly ((manifest: Manifest) => Change | null)[]
): string {
  let current = text;
  for (const step of steps) {
    const manifest = openManifest(current, file);
    const change = step(manifest);
    if (change !== null) current = applyChanges(manifest, change);
  }
  return current;
}

function reopened(manifest: Manifest, edited: string, at: Located): Manifest {
  try {
    return openManifest(edited, manifest.file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw unreadable(at, error);
  }
}

function compare(at: Located, changes: readonly MeantChange[], before: Reading, now: Reading | undefined): void {
  const wanted = changes.reduce(meant, before);
  if (now === undefined) throw unreadable(at);
  const other = differingPaths(wanted, now)[0];
  if (other === undefined) return;
  const isOwn = changes.some(({ path }) => isWithin(other, path));
  const { file, line } = placeOf(at);
  if (isOwn) {
    throw new ConfigurationError(`${file} would not read back ${other.join('.')} as it was written.`, {
      file,
      line,
      hint: 'Write the entry out, without merge keys and tags.',
    });
  }
  throw new ConfigurationError(`${file} can't be edited alone there: ${other.join('.')} would change too.`, {
    file,
    line,
    hint: 'An anchor or alias ties the two values together; write them out.',
  });
}

function isWithin(path: YamlPath, place: YamlPath): boolean {
  return place.every((key, index) => String(path[index]) === String(key));
}

function setAt(at: Located, value: string | number): Meant {
  return { at, change: { kind: 'set', path: at.path, value }, older: { kind: 'set', path: olderPathOf(at), value } };
}

function removeAt(at: Located): Meant {
  return { at, change: { kind: 'remove', path: at.path }, older: { kind: 'remove', path: olderPathOf(at) } };
}

/** What stands before a place on its line, as blanks. */
function indentBefore(text: string, offset: number): string {
  return text.slice(startOfLine(text, offset), offset).replace('\ufeff', '').replace(/[^\t]/g, ' ');
}

/** Lines below the one on which something ends. */
function insertedLines(text: string, end: number, indent: string, lines: readonly string[]): Splice {
  // A block scalar ends behind its line break.
  if (/[\r\n]/.test(text.slice(end - 1, end))) {
    const newline = newlineOf(text, text.startsWith('\r\n', end - 2) ? end - 2 : end - 1);
    return { start: end, end, text: lines.map((line) => `${indent}${line}${newline}`).join('') };
  }
  const start = endOfLine(text, end);
  const newline = newlineOf(text, start);
  return { start, end: start, text: lines.map((line) => `${newline}${indent}${line}`).join('') };
}

function noScalar(at: Located): ConfigurationError {
  return new ConfigurationError(`${placeName(at)} must be a plain or quoted string on its own line.`, {
    ...placeOf(at),
    hint: 'Write the value there, without an alias or a block scalar.',
  });
}

function noPlace(at: Located, wanted: string): ConfigurationError {
  return new ConfigurationError(`${placeName(at)} is not ${wanted}.`, {
    ...placeOf(at),
    hint: 'An alias there is not followed, and nothing is added to what is empty.',
  });
}

function unreadable(at: Located, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`${placeName(at)} can't be edited as it is written (line ${lineOf(at)}).`, {
    ...placeOf(at),
    hint: 'Write the entry as `key: value` on a line of its own.',
    cause,
  });
}
