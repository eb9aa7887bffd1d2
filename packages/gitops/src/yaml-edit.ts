import { ConfigurationError, parseYaml, type YamlPath } from '@passloop/core';
import { type Document, isScalar, type ParsedNode, parseDocument, type Scalar } from 'yaml';

/** One replacement in a source text: the characters from `start` up to `end` become `text`. */
export type Splice = { start: number; end: number; text: string };

export type QuoteStyle = 'plain' | 'single' | 'double';

const maxBytes = 1024 * 1024;
const maxAliases = 32;

/**
 * Parses one document for an edit at its source ranges. Size, depth, nodes and aliases are bounded first.
 * @throws ConfigurationError with file and line: not YAML, several documents, duplicate keys, a YAML bomb
 */
export function parseEditable(text: string, file: string): Document.Parsed<ParsedNode> {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigurationError(`${file} is larger than ${maxBytes} bytes, too large for a manifest.`, { file });
  }
  // js-yaml bounds depth, nodes and aliases before anything is built.
  parseYaml(text, file);
  const document = parseDocument(text, { merge: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw new ConfigurationError(`${file} is not valid YAML: ${problem.message.split('\n')[0]}`, {
      file,
      line: problem.linePos?.[0].line,
    });
  }
  return document;
}

/** The value with merge keys and aliases resolved. @throws ConfigurationError where one leads nowhere, or there are too many */
export function documentValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    throw new ConfigurationError(`${file} is not valid YAML: ${(error as Error).message}`, { file, cause: error });
  }
}

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
  if (!/^[A-Za-z0-9_./+][A-Za-z0-9_./+@:-]*$/.test(value) || value.endsWith(':')) return false;
  if (/^(?:\.{3}|y|n|yes|no|on|off|true|false|null)$/i.test(value)) return false;
  return (['1.1', '1.2'] as const).every(
    (version) => parseDocument(value, { version, logLevel: 'silent' }).toJS() === value,
  );
}

/** Every path at which two plain values differ; a path that one side lacks counts once, at its top. */
export function differingPaths(before: unknown, after: unknown, path: YamlPath = []): YamlPath[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      index < before.length && index < after.length
        ? differingPaths(before[index], after[index], [...path, index])
        : [[...path, index]],
    );
  }
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      Object.hasOwn(before, key) && Object.hasOwn(after, key)
        ? differingPaths(before[key], after[key], [...path, key])
        : [[...path, key]],
    );
  }
  return [path];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Applies replacements, reads the result again and makes sure that exactly the expected paths differ: an anchor that is
 * used elsewhere, or a reader's surprise, ends in a refusal and not in a broken manifest.
 * @param expected path -> the value that must be there afterwards; undefined means that the path must be gone
 */
export function editText(
  text: string,
  file: string,
  splices: readonly Splice[],
  expected: readonly { path: YamlPath; value: unknown }[],
): string {
  const before = documentValue(parseEditable(text, file), file);
  const edited = spliceText(text, splices);
  const after = documentValue(parseEditable(edited, file), file);
  const wanted = new Set(expected.map((one) => JSON.stringify(one.path)));
  const other = differingPaths(before, after).find((path) => !wanted.has(JSON.stringify(path)));
  if (other !== undefined) {
    throw new ConfigurationError(`${file} can't be edited alone there: ${other.join('.')} would change too.`, {
      file,
      line: lineAt(text, splices[0]?.start ?? 0),
      hint: 'An anchor or alias ties the two values together; write them out.',
    });
  }
  for (const { path, value } of expected) {
    if (!Object.is(valueAt(after, path), value)) {
      throw new ConfigurationError(`${file} would not read back ${path.join('.')} as it was written.`, {
        file,
        line: lineAt(text, splices[0]?.start ?? 0),
        hint: 'Write the entry out, without merge keys and tags.',
      });
    }
  }
  return edited;
}

function valueAt(value: unknown, path: YamlPath): unknown {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isObject(current) && Object.hasOwn(current, String(key))) current = current[String(key)];
    else return undefined;
  }
  return current;
}
