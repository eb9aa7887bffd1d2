import { ConfigurationError, isDigest, plainText } from '@passloop/core';
import { closest } from 'fastest-levenshtein';
import { isMap, isScalar, isSeq, type ParsedNode, type Scalar } from 'yaml';
import {
  documentValue,
  editText,
  isFlowScalar,
  lineAt,
  parseEditable,
  quoteStyleOf,
  type Splice,
  scalarText,
} from './yaml-edit.ts';

/**
 * The `images` entry of a kustomization (kustomize.config.k8s.io: `name`, `newName`, `newTag`, `digest`, `tagSuffix`).
 * kustomize writes `name:tag@digest` when both are set, so an entry keeps one of them.
 */
export type KustomizeImage = { digest: string | null; tag: string | null; newName: string | null };

type EntryPair = { key: Scalar & { range: [number, number, number] }; value: ParsedNode | null };
type Entry = { index: number; flow: boolean; pairs: EntryPair[]; offset: number };

/** @throws ConfigurationError with file, line, and the names which the file does have */
export function readImage(text: string, image: string, file = 'kustomization.yaml'): KustomizeImage {
  const entry = findEntry(text, image, file);
  return {
    digest: stringOf(entry, 'digest', text, file),
    tag: stringOf(entry, 'newTag', text, file),
    newName: stringOf(entry, 'newName', text, file),
  };
}

/**
 * Sets the digest of one image and removes its tag; not one byte beside them changes. A tag without a digest becomes the
 * digest in its place; an entry with neither gets a line below its name.
 * @param digest `sha256:<64 hex>`
 * @returns the new text, and what stood there
 * @throws ConfigurationError where the entry is missing, ambiguous, or written in a way that can't be edited alone
 */
export function editImageDigest(
  text: string,
  { image, digest }: { image: string; digest: string },
  file = 'kustomization.yaml',
): { text: string; before: KustomizeImage } {
  if (!isDigest(digest)) {
    throw new ConfigurationError(`${JSON.stringify(plainText(digest))} is no digest.`, {
      hint: 'Name the image by digest, sha256:<64 hex>: a tag can be moved to another image.',
    });
  }
  const before = readImage(text, image, file);
  if (before.digest === digest && before.tag === null) return { text, before };
  const entry = findEntry(text, image, file);
  const digestPair = pairOf(entry, 'digest');
  const tagPair = pairOf(entry, 'newTag');
  const path = ['images', entry.index];
  const edited = editText(text, file, splicesFor(text, file, entry, digestPair, tagPair, digest), [
    { path: [...path, 'digest'], value: digest },
    ...(tagPair === undefined ? [] : [{ path: [...path, 'newTag'], value: undefined }]),
  ]);
  if (readImage(edited, image, file).tag !== null || 'newTag' in entryValue(edited, image, file)) {
    throw new ConfigurationError(`${file} takes the tag of ${image} from a merge key, which an edit can't remove.`, {
      file,
      line: lineAt(text, entry.offset),
      hint: 'Write the entry out, without `<<`.',
    });
  }
  return { text: edited, before };
}

function splicesFor(
  text: string,
  file: string,
  entry: Entry,
  digestPair: EntryPair | undefined,
  tagPair: EntryPair | undefined,
  digest: string,
): Splice[] {
  if (digestPair === undefined && tagPair === undefined) return [insertion(text, entry, digest)];
  if (digestPair === undefined || tagPair === undefined) {
    const pair = (digestPair ?? tagPair) as EntryPair;
    return replacement(text, file, pair, digest);
  }
  // The pair that stays is the first of the map when one of them is: a removed line never carries the entry's dash.
  const [kept, removed] = entry.pairs[0] === tagPair ? [tagPair, digestPair] : [digestPair, tagPair];
  return [...replacement(text, file, kept, digest), removal(text, file, entry, removed)];
}

function replacement(text: string, file: string, pair: EntryPair, digest: string): Splice[] {
  const { value } = pair;
  if (!isFlowScalar(value)) {
    throw new ConfigurationError(`${file}: ${pair.key.value} must be a plain or quoted string on its own line.`, {
      file,
      line: lineAt(text, pair.key.range[0]),
      hint: 'Write the value there, without an alias, a block scalar or an empty value.',
    });
  }
  const splices = [
    { start: value.range[0], end: value.range[1], text: scalarText(digest, quoteStyleOf(value)) },
    { start: pair.key.range[0], end: pair.key.range[1], text: scalarText('digest', quoteStyleOf(pair.key)) },
  ];
  return pair.key.value === 'digest' ? splices.slice(0, 1) : splices;
}

function insertion(text: string, entry: Entry, digest: string): Splice {
  const name = pairOf(entry, 'name') as EntryPair;
  const value = name.value as Scalar & { range: [number, number, number] };
  const style = quoteStyleOf(name.key);
  if (entry.flow) {
    const written = `${scalarText('digest', style)}: ${scalarText(digest, style)}`;
    return { start: value.range[1], end: value.range[1], text: `, ${written}` };
  }
  const lineStart = startOfLine(text, name.key.range[0]);
  const indent = text.slice(lineStart, name.key.range[0]).replace(/[^\t]/g, ' ');
  const end = endOfLine(text, value.range[1]);
  const line = `${indent}${scalarText('digest', style)}: ${scalarText(digest, quoteStyleOf(value))}`;
  return { start: end, end, text: `${newlineOf(text, end)}${line}` };
}

function removal(text: string, file: string, entry: Entry, pair: EntryPair): Splice {
  const index = entry.pairs.indexOf(pair);
  if (!isFlowScalar(pair.value)) {
    throw new ConfigurationError(`${file}: ${pair.key.value} must be a plain or quoted string on its own line.`, {
      file,
      line: lineAt(text, pair.key.range[0]),
    });
  }
  if (!entry.flow) {
    const start = startOfLine(text, pair.key.range[0]);
    const end = endOfLine(text, pair.value.range[1]);
    if (end < text.length) return { start, end: end + newlineOf(text, end).length, text: '' };
    const newline = text.startsWith('\r\n', start - 2) ? 2 : 1;
    return { start: start - newline, end, text: '' };
  }
  const previous = entry.pairs[index - 1];
  const next = entry.pairs[index + 1];
  const ranges: [number, number][] = [];
  if (previous !== undefined) ranges.push([endOfPair(previous), pair.value.range[1]]);
  if (next !== undefined) ranges.push([pair.key.range[0], next.key.range[0]]);
  const range = ranges.find(([start, end]) => !/#/.test(outsideScalar(text, start, end, pair)));
  if (range === undefined) {
    throw new ConfigurationError(`${file}: ${pair.key.value} can't be removed without a comment beside it.`, {
      file,
      line: lineAt(text, pair.key.range[0]),
      hint: `Remove ${pair.key.value} by hand; the digest alone decides.`,
    });
  }
  return { start: range[0], end: range[1], text: '' };
}

/** The text of a range without the pair's own value, in which a `#` would be no comment. */
function outsideScalar(text: string, start: number, end: number, pair: EntryPair): string {
  const value = pair.value as Scalar & { range: [number, number, number] };
  return text.slice(start, value.range[0]) + text.slice(Math.min(value.range[1], end), end);
}

function endOfPair(pair: EntryPair): number {
  return (pair.value?.range ?? pair.key.range)[1];
}

function startOfLine(text: string, offset: number): number {
  return Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
}

function endOfLine(text: string, offset: number): number {
  const found = text.slice(offset).search(/[\r\n]/);
  return found < 0 ? text.length : offset + found;
}

/** The line break at an offset; where the text ends without one, the file's first. */
function newlineOf(text: string, offset: number): string {
  return /^(?:\r\n|\r|\n)/.exec(text.slice(offset, offset + 2))?.[0] ?? /\r\n|\r|\n/.exec(text)?.[0] ?? '\n';
}

function findEntry(text: string, image: string, file: string): Entry {
  const document = parseEditable(text, file);
  const root = document.contents;
  if (!isMap(root)) {
    throw new ConfigurationError(`${file} is no kustomization: it holds no mapping.`, { file, line: 1 });
  }
  const kind: unknown = root.get('kind');
  if (kind !== undefined && kind !== 'Kustomization' && kind !== 'Component') {
    throw new ConfigurationError(`${file} is a ${plainText(String(kind))}, not a Kustomization.`, { file });
  }
  const images = root.get('images', true) as unknown;
  if (images === undefined || (isScalar(images) && images.value === null)) throw missing(file, image, []);
  if (!isSeq(images)) {
    throw new ConfigurationError(`${file}: \`images\` must be a list.`, {
      file,
      line: lineAt(text, (images as { range?: [number, number, number] }).range?.[0] ?? 0),
      hint: 'An alias there is not followed.',
    });
  }
  const found: Entry[] = [];
  const names: string[] = [];
  for (const [index, item] of images.items.entries()) {
    if (!isMap(item)) continue;
    const offset = item.range?.[0] ?? 0;
    const pairs = item.items as unknown as EntryPair[];
    const entry = { index, flow: item.flow === true, pairs, offset };
    const name = pairOf(entry, 'name')?.value;
    const text = isScalar(name) ? String(name.value) : null;
    if (text !== null) names.push(text);
    if (text === image && isFlowScalar(name)) found.push(entry);
  }
  const [entry, second] = found;
  if (entry === undefined) throw missing(file, image, names);
  if (second !== undefined) {
    const lines = found.map((one) => `line ${lineAt(text, one.offset)}`).join(', ');
    throw new ConfigurationError(`${file} has ${found.length} images entries named ${image}: ${lines}.`, {
      file,
      line: lineAt(text, second.offset),
      hint: 'Keep one of them: which of them wins is an accident.',
    });
  }
  return entry;
}

function missing(file: string, image: string, names: readonly string[]): ConfigurationError {
  const listed = [...new Set(names)].map((name) => plainText(name, 128));
  const near = listed.length === 0 ? null : closest(image, listed);
  return new ConfigurationError(
    listed.length === 0
      ? `${file} has no images entry named ${image}; it has none at all.`
      : `${file} has no images entry named ${image}. It has: ${listed.slice(0, 20).join(', ')}.`,
    {
      file,
      hint:
        near === null
          ? `Add it:\nimages:\n  - name: ${image}`
          : `Did you mean ${near}? \`image\` of the target must equal the entry's \`name\`.`,
    },
  );
}

function pairOf(entry: Entry, key: string): EntryPair | undefined {
  return entry.pairs.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function stringOf(entry: Entry, key: string, text: string, file: string): string | null {
  const node = pairOf(entry, key)?.value;
  if (node === undefined || node === null || (isScalar(node) && node.value === null)) return null;
  if (isScalar(node) && typeof node.value === 'string') return node.value;
  throw new ConfigurationError(`${file}: ${key} of the image must be a string.`, {
    file,
    line: lineAt(text, node.range?.[0] ?? entry.offset),
    hint: 'Put it in quotes; kustomize refuses numbers, and an alias is not followed.',
  });
}

function entryValue(text: string, image: string, file: string): Record<string, unknown> {
  const entry = findEntry(text, image, file);
  const value = documentValue(parseEditable(text, file), file) as { images: Record<string, unknown>[] };
  return value.images[entry.index] ?? {};
}
