import { isMap, isScalar, isSeq, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml';
import { isEmpty, type MapPair, pairsOf } from './address.ts';

/** Characters of the source, from `start` up to `end`. */
export type Span = { start: number; end: number };

type Token = { type: string; offset: number };
type EntryToken = { start?: Token[]; sep?: Token[] };

/** A pair or an item with its anchors and tags; of a block list's item without its dash. */
export function spanOfPair(pair: MapPair): Span {
  const token = (pair as unknown as { srcToken?: EntryToken }).srcToken;
  return { start: propertiesStart(token) ?? pair.key.range[0], end: endOfPair(pair) };
}

export function spansOf(node: YAMLMap.Parsed | YAMLSeq.Parsed): Span[] {
  if (isMap(node)) return pairsOf(node).map(spanOfPair);
  return (node.items as ParsedNode[]).map((item, index) => ({
    start: propertiesStart(entryTokens(node)[index]) ?? item.range[0],
    end: contentEnd(item),
  }));
}

/** Where the dashes of a block list stand. */
export function dashesOf(node: YAMLSeq.Parsed): (number | null)[] {
  return node.items.map((_, index) => {
    const dash = entryTokens(node)[index]?.start?.find(({ type }) => type === 'seq-item-ind');
    return dash?.offset ?? null;
  });
}

/** Behind the colon of a pair; null where it has none, as in `{a}`. */
export function behindColon(pair: MapPair): number | null {
  const token = (pair as unknown as { srcToken?: EntryToken }).srcToken;
  const colon = token?.sep?.find(({ type }) => type === 'map-value-ind');
  return colon === undefined ? null : colon.offset + 1;
}

/** Where a node's last character stands, without the comments and blank lines behind a block collection. */
export function contentEnd(node: ParsedNode): number {
  const last = (isMap(node) || isSeq(node)) && node.flow !== true ? node.items.at(-1) : undefined;
  if (last === undefined) return node.range[1];
  return isMap(node) ? endOfPair(last as unknown as MapPair) : contentEnd(last as ParsedNode);
}

function endOfPair(pair: MapPair): number {
  const { value } = pair;
  if (value === null || (isEmpty(value) && isScalar(value) && value.range[1] === value.range[0])) {
    return behindColon(pair) ?? pair.key.range[1];
  }
  return contentEnd(value);
}

function entryTokens(node: YAMLSeq.Parsed): EntryToken[] {
  return (node.srcToken as unknown as { items?: EntryToken[] } | undefined)?.items ?? [];
}

function propertiesStart(token: EntryToken | undefined): number | undefined {
  return token?.start?.find(({ type }) => ['anchor', 'tag', 'explicit-key-ind'].includes(type))?.offset;
}
