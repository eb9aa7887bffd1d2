import type { Reading } from './manifest-reading.ts';
import { type QuoteStyle, scalarText } from './yaml-edit.ts';

/** A value as lines of block style, each without the indentation of its parent. */
export function blockLines(value: Reading): string[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item) => {
      const [first = '', ...rest] = blockLines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, child]) => pairLines(key, child, 'plain'));
  }
  return [flowText(value, 'plain')];
}

/** `key: value` as lines of block style. */
export function pairLines(key: string, value: Reading, style: QuoteStyle): string[] {
  const name = scalarText(key, style);
  const isNested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isNested) return [`${name}: ${flowText(value, style)}`];
  return [`${name}:`, ...blockLines(value).map((line) => `  ${line}`)];
}

/** A value in flow style, on one line. */
export function flowText(value: Reading, style: QuoteStyle): string {
  if (typeof value === 'string') return scalarText(value, style);
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, style)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, child]) => `${scalarText(key, style)}: ${flowText(child, style)}`);
  return `{${pairs.join(', ')}}`;
}
