import { ConfigurationError } from '@passloop/core';
import { isMap, isSeq, type YAMLMap, type YAMLSeq } from 'yaml';
import { type Located, placeName, placeOf } from './address.ts';
import { dashesOf, type Span, spansOf } from './source-range.ts';
import { endOfLine, newlineOf, type Splice, startOfLine } from './yaml-edit.ts';

type Collection = YAMLMap.Parsed | YAMLSeq.Parsed;

/** What has to go so that a pair or an item of a flow collection is gone, with one of the commas beside it. */
export function flowRemoval(at: Located): Splice {
  const { text } = at.document.manifest;
  const spans = spansOf(at.parent?.node as Collection);
  const own = spans[at.position];
  if (own === undefined) throw new RangeError('There is no such entry.');
  const previous = spans[at.position - 1];
  const next = spans[at.position + 1];
  const ranges: Span[] = [];
  if (previous !== undefined) ranges.push({ start: previous.end, end: own.end });
  if (next !== undefined) ranges.push({ start: own.start, end: next.start });
  if (spans.length === 1) ranges.push(own);
  const range = ranges.find(
    ({ start, end }) => !`${text.slice(start, own.start)}${text.slice(own.end, end)}`.includes('#'),
  );
  if (range === undefined) throw commentBeside(at);
  return { ...range, text: '' };
}

/** What has to go so that a pair or an item of a block collection is gone: its lines, where they are its own. */
export function blockRemoval(at: Located): Splice {
  const { text } = at.document.manifest;
  const parent = at.parent?.node as Collection;
  const spans = spansOf(parent);
  const own = spans[at.position];
  if (own === undefined) throw new RangeError('There is no such entry.');
  if (spans.length === 1) {
    throw new ConfigurationError(`${placeName(at)} is the only entry there, and can't be removed alone.`, placeOf(at));
  }
  const start = isSeq(parent) ? (dashesOf(parent)[at.position] ?? own.start) : own.start;
  const lineStart = startOfLine(text, start);
  const before = text.slice(lineStart, start);
  if (/^\ufeff? *$/.test(before))
    return ownLines(text, before.startsWith('\ufeff') ? lineStart + 1 : lineStart, own.end);
  const next = spans[at.position + 1];
  if (!isMap(parent) || next === undefined || !/^\ufeff? *(?:- +)+$/.test(before)) {
    throw new ConfigurationError(`${placeName(at)} can't be removed: its line holds something else too.`, {
      ...placeOf(at),
      hint: 'Write it on a line of its own.',
    });
  }
  // The first pair of an item shares its line with the dash: the next one takes its place there.
  if (text.slice(endOfLine(text, own.end), next.start).includes('#')) throw commentBeside(at);
  return { start, end: next.start, text: '' };
}

function ownLines(text: string, start: number, contentEnd: number): Splice {
  // A block scalar ends behind its line break.
  if (/[\r\n]/.test(text.slice(contentEnd - 1, contentEnd))) return { start, end: contentEnd, text: '' };
  const end = endOfLine(text, contentEnd);
  if (end < text.length) return { start, end: end + newlineOf(text, end).length, text: '' };
  const newline = text.startsWith('\r\n', start - 2) ? 2 : 1;
  return { start: Math.max(0, start - newline), end, text: '' };
}

function commentBeside(at: Located): ConfigurationError {
  return new ConfigurationError(`${placeName(at)} can't be removed without a comment beside it.`, {
    ...placeOf(at),
    hint: 'Remove it by hand.',
  });
}
