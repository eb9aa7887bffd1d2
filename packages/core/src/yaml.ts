import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml';
import { ConfigurationError } from './errors.ts';

export type YamlPath = readonly (string | number)[];

export type YamlSource = {
  file: string;
  value: unknown;
  /** The 1-based line of the value at a path, or of its nearest ancestor that exists. For `key: value`, the key's line. */
  lineOf(path: YamlPath): number;
  /** Whole numbers that are read as others, since no double is them. */
  rounded: readonly { text: string; line: number }[];
};

const maxBytes = 4 * 1024 * 1024;
const maxEvents = 200_000;
const maxAliases = 32;
const maxDepth = 40;

/**
 * Reads one YAML 1.2 document of an untrusted author. Size, depth, events and aliases are bounded before anything is built:
 * a YAML bomb is refused, duplicate keys and other tags than the core schema's too.
 * @throws ConfigurationError with file and line
 */
export function parseYaml(text: string, file: string): YamlSource {
  const { documents, source, events } = readDocuments(text, file);
  if (documents.length > 1) {
    throw new ConfigurationError(`${file} holds ${documents.length} YAML documents; one is expected.`, { file });
  }
  const value = documents[0] ?? null;
  const { lines, rounded } = pathLines(source, events);
  return {
    file,
    value,
    rounded,
    lineOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const line = lines.get(pathKey(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

/** @throws ConfigurationError where a whole number would be taken for another one */
export function refuseRounded({ file, rounded: [first] }: YamlSource): void {
  if (first === undefined) return;
  const text = first.text.slice(0, 60);
  throw new ConfigurationError(`${file}:${first.line}: ${text} would be read as ${BigInt(Number(text))}.`, {
    file,
    line: first.line,
    hint: `Put it into quotes: "${text}".`,
  });
}

/** Reads all documents of a file, each bounded as `parseYaml` bounds its one. @throws ConfigurationError with file and line */
export function parseYamlDocuments(text: string, file: string): unknown[] {
  return readDocuments(text, file).documents;
}

function readDocuments(text: string, file: string): { documents: unknown[]; source: string; events: Event[] } {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigurationError(`${file} is larger than ${maxBytes} bytes.`, { file });
  }
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  try {
    const events = parseEvents(source, { filename: file, maxDepth });
    if (events.length > maxEvents)
      throw new ConfigurationError(`${file} has more than ${maxEvents} YAML nodes.`, { file });
    const documents = constructFromEvents(events, { source, filename: file, maxAliases });
    boundExpansion(documents, file);
    return { documents, source, events };
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    if (error instanceof YAMLException) {
      throw new ConfigurationError(`${file} is not valid YAML: ${error.reason}`, {
        file,
        line: error.mark === undefined ? undefined : error.mark.line + 1,
        hint: /alias/i.test(error.reason)
          ? `At most ${maxAliases} aliases are read, since nested ones can blow up.`
          : undefined,
      });
    }
    throw error;
  }
}

/** Aliases are shared objects: what a reader would walk is bounded, and a circle is refused. */
function boundExpansion(root: unknown, file: string): void {
  let nodes = 0;
  const ancestors = new Set<object>();
  function walk(value: unknown): void {
    nodes += 1;
    if (nodes > maxEvents)
      throw new ConfigurationError(`${file} expands to more than ${maxEvents} YAML nodes.`, { file });
    if (typeof value !== 'object' || value === null) return;
    if (ancestors.has(value))
      throw new ConfigurationError(`${file} has an alias to a node that contains it.`, { file });
    ancestors.add(value);
    for (const child of Object.values(value)) walk(child);
    ancestors.delete(value);
  }
  walk(root);
}

function pathKey(path: YamlPath): string {
  return JSON.stringify(path.map(String));
}

function pathLines(
  source: string,
  events: readonly Event[],
): { lines: Map<string, number>; rounded: { text: string; line: number }[] } {
  const starts = [0];
  for (let index = source.indexOf('\n'); index >= 0; index = source.indexOf('\n', index + 1)) starts.push(index + 1);
  function lineAt(offset: number): number {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  const lines = new Map<string, number>();
  const rounded: { text: string; line: number }[] = [];
  type Frame = {
    path: (string | number)[];
    kind: 'document' | 'sequence' | 'mapping';
    index: number;
    key: string | null;
  };
  const stack: Frame[] = [];

  /** Path of the node that begins now, and whether it is a mapping's key. */
  function enter(offset: number, keyText: string | null): (string | number)[] {
    const parent = stack.at(-1);
    if (parent === undefined || parent.kind === 'document') return parent?.path ?? [];
    if (parent.kind === 'sequence') {
      const path = [...parent.path, parent.index];
      parent.index += 1;
      lines.set(pathKey(path), lineAt(offset));
      return path;
    }
    if (parent.key === null) {
      parent.key = keyText ?? '?';
      const path = [...parent.path, parent.key];
      lines.set(pathKey(path), lineAt(offset));
      return path;
    }
    const path = [...parent.path, parent.key];
    parent.key = null;
    return path;
  }

  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        stack.push({ path: [], kind: 'document', index: 0, key: null });
        break;
      case EVENT_ID.SEQUENCE:
        stack.push({ path: enter(event.start, null), kind: 'sequence', index: 0, key: null });
        break;
      case EVENT_ID.MAPPING:
        stack.push({ path: enter(event.start, null), kind: 'mapping', index: 0, key: null });
        break;
      case EVENT_ID.SCALAR: {
        const text = getScalarValue(source, event);
        enter(event.valueStart, text);
        if (event.style === SCALAR_STYLE.PLAIN && isRounded(text))
          rounded.push({ text, line: lineAt(event.valueStart) });
        break;
      }
      case EVENT_ID.ALIAS:
        enter(event.anchorStart, null);
        break;
      case EVENT_ID.POP:
        stack.pop();
        break;
    }
  }
  return { lines, rounded };
}

/**
 * Whether a whole number is another one as soon as it is a double: written again, its digits differ. (What a program writes of a double has digits that come back.)
 * More than 309 of them are no number of anybody's.
 */
function isRounded(text: string): boolean {
  if (text.length < 16 || text.length > 309 || !/^[-+]?\d+$/.test(text)) return false;
  const digits = text.replace('+', '');
  return String(Number(digits)) !== digits && BigInt(Number(digits)) !== BigInt(digits);
}
