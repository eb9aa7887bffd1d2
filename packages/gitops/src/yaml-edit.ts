import { isScalar, parseDocument, type Scalar } from 'yaml';

/** One replacement in a source text: the characters from `start` up to `end` become `text`. */
export type Splice = { start: number; end: number; text: string };

export type QuoteStyle = 'plain' | 'single' | 'double';

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split(/\r\n|\r|\n/).length;
}

/** @throws RangeError where replacements overlap or leave the text: that is a defect of the caller */
export function spliceText(text: string, splices: readonly Splice[]): string {
  let result = '';
  let offset = 0;
  for (const splice of [...splices].sort((left, right) => left.start - right.start || left.end - right.end)) {
    if (splice.start < offset || splice.end < splice.start || splice.end > text.length) {
      throw new RangeError('Replacements overlap.');
    }
    result += text.slice(offset, splice.start) + splice.text;
    offset = splice.end;
  }
  return result + text.slice(offset);
}

export function isFlowScalar(node: unknown): node is Scalar & { range: [number, number, number] } {
  if (!isScalar(node) || !node.range) return false;
  const styles: unknown[] = ['PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE'];
  return styles.includes(node.type) && node.range[1] > node.range[0];
}

export function quoteStyleOf(node: Scalar): QuoteStyle {
  if (node.type === 'QUOTE_SINGLE') return 'single';
  return node.type === 'QUOTE_DOUBLE' ? 'double' : 'plain';
}

/** A string as a YAML scalar in the style that stands there; a plain one that would read as anything else is quoted. */
export function scalarText(value: string, style: QuoteStyle): string {
  if (style === 'plain' && isPlainString(value)) return value;
  if (style === 'single' && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(value)) {
    return `'${value.replaceAll("'", "''")}'`;
  }
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** True where the text, written plain in block or flow style, is this string to readers of YAML 1.1 and of 1.2. */
export function isPlainString(value: string): boolean {
  if (!/^[A-Za-z0-9_./+][A-Za-z0-9_./+@:=-]*$/.test(value) || value.endsWith(':')) return false;
  if (/^(?:\.{3}|y|n|yes|no|on|off|true|false|null)$/i.test(value)) return false;
  return (['1.1', '1.2'] as const).every(
    (version) => parseDocument(value, { version, logLevel: 'silent' }).toJS() === value,
  );
}

export function startOfLine(text: string, offset: number): number {
  return Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
}

/** Where the line ends, before its break. */
export function endOfLine(text: string, offset: number): number {
  const found = text.slice(offset).search(/[\r\n]/);
  return found < 0 ? text.length : offset + found;
}

/** The line break at an offset; where the text ends without one, the file's first. */
export function newlineOf(text: string, offset: number): string {
  return /^(?:\r\n|\r|\n)/.exec(text.slice(offset, offset + 2))?.[0] ?? /\r\n|\r|\n/.exec(text)?.[0] ?? '\n';
}
