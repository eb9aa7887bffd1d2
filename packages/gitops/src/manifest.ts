import { ConfigurationError, parseYamlDocuments, plainText } from '@passloop/core';
import { type Document, isMap, isScalar, type ParsedNode, parseAllDocuments } from 'yaml';
import { plainReading, type Reading } from './manifest-reading.ts';
import { lineAt } from './yaml-edit.ts';

const maxBytes = 1024 * 1024;
const maxAliases = 32;

/** A file of one or several YAML documents, opened for reading and for edits at its source ranges. */
export type Manifest = {
  file: string;
  text: string;
  documents: readonly ManifestDocument[];
};

export type ManifestDocument = {
  manifest: Pick<Manifest, 'file' | 'text'>;
  index: number;
  /** As YAML 1.2, with source tokens. */
  contents: ParsedNode | null;
  /** What readers get, with aliases and merge keys resolved. */
  reading: Reading;
  /** The same as a reader of YAML 1.1 has it, of the same shape; null where it isn't valid there. Parsed when it is asked for. */
  older(): { contents: ParsedNode | null; reading: Reading } | null;
  /** `apps` of `apps/v1`, empty for the core group; null where the document says none. */
  group: string | null;
  kind: string | null;
  name: string | null;
};

/**
 * Opens a manifest. Size, depth, nodes and aliases are bounded before anything is built.
 * @throws ConfigurationError with file and line: not YAML, duplicate keys, a YAML bomb
 */
export function openManifest(text: string, file: string): Manifest {
  if (Buffer.byteLength(text) > maxBytes) {
    throw new ConfigurationError(`${file} is larger than ${maxBytes} bytes, too large for a manifest.`, { file });
  }
  try {
    // js-yaml bounds depth, nodes and aliases before anything is built.
    parseYamlDocuments(text, file);
  } catch (error) {
    if (error instanceof ConfigurationError && error.hint === null && /\{\{/.test(text)) {
      const hint = 'A template is no YAML: name the values that it takes, not the template.';
      throw new ConfigurationError(error.message, { file, line: error.line ?? undefined, hint, cause: error });
    }
    throw error;
  }
  const parsed = parsedDocuments(text, '1.2');
  const problem = parsed.flatMap(({ errors }) => errors)[0];
  if (problem !== undefined) {
    throw new ConfigurationError(`${file} is not valid YAML: ${problem.message.split('\n')[0]}`, {
      file,
      line: problem.linePos?.[0].line,
    });
  }
  const manifest = { file, text };
  let older: Document.Parsed<ParsedNode>[] | null = null;
  return {
    ...manifest,
    documents: parsed.map((document, index) => {
      const reading = readingOf(document, file);
      return {
        manifest,
        index,
        contents: document.contents,
        reading,
        older() {
          older ??= parsedDocuments(text, '1.1');
          return older.length === parsed.length ? olderOf(older[index]) : null;
        },
        ...identity(reading),
      };
    }),
  };
}

function parsedDocuments(text: string, version: '1.1' | '1.2'): Document.Parsed<ParsedNode>[] {
  // Duplicate keys were refused above, in time that doesn't grow with the square of them.
  const options = {
    merge: true,
    version,
    keepSourceTokens: version === '1.2',
    logLevel: 'silent',
    uniqueKeys: false,
  } as const;
  const documents = parseAllDocuments(text, options);
  return Array.isArray(documents) ? (documents as Document.Parsed<ParsedNode>[]) : [];
}

function readingOf(document: Document.Parsed, file: string): Reading {
  try {
    return plainReading(document.toJS({ maxAliasCount: maxAliases }));
  } catch (error) {
    throw new ConfigurationError(`${file} is not valid YAML: ${(error as Error).message}`, { file, cause: error });
  }
}

/** What only a reader of 1.1 trips over (a merge of no map, say) is no reason to refuse the file. */
function olderOf(document: Document.Parsed<ParsedNode> | undefined): ReturnType<ManifestDocument['older']> {
  if (document === undefined || document.errors.length > 0) return null;
  try {
    return { contents: document.contents, reading: plainReading(document.toJS({ maxAliasCount: maxAliases })) };
  } catch {
    return null;
  }
}

/** The line on which a document begins. */
export function lineOfDocument({ manifest, contents }: ManifestDocument): number {
  return lineAt(manifest.text, contents?.range?.[0] ?? 0);
}

function identity(reading: Reading): Pick<ManifestDocument, 'group' | 'kind' | 'name'> {
  const root = fieldsOf(reading);
  const text = (value: Reading | undefined) => (typeof value === 'string' ? value : null);
  const version = text(root.apiVersion);
  const group = version === null ? null : version.includes('/') ? version.slice(0, version.indexOf('/')) : '';
  return { group, kind: text(root.kind), name: text(fieldsOf(root.metadata).name) };
}

/** The fields of a map; nothing of anything else. */
export function fieldsOf(reading: Reading | undefined): Record<string, Reading> {
  return typeof reading === 'object' && reading !== null && !Array.isArray(reading) ? reading : {};
}

/** Which documents a target means. */
export type DocumentQuery = {
  kinds: readonly { group: string; kind: string }[];
  name?: string | undefined;
};

/**
 * The one document of these kinds, by `metadata.name` where there are several.
 * @throws ConfigurationError with what the file does hold, and where
 */
export function selectDocument(manifest: Manifest, { kinds, name }: DocumentQuery): ManifestDocument {
  const { file } = manifest;
  const wanted = [...new Set(kinds.map(({ kind }) => kind))].join(', ');
  const fitting = manifest.documents.filter((one) =>
    kinds.some(({ group, kind }) => one.group === group && one.kind === kind),
  );
  const found = name === undefined ? fitting : fitting.filter((one) => one.name === name);
  const [first, second] = found;
  if (first === undefined) {
    const others = fitting.length > 0 ? fitting : manifest.documents;
    const named = name === undefined ? '' : ` named ${plainText(name)}`;
    const shape = kinds.map(({ group, kind }) => (group === '' ? kind : `${kind} of ${group}`)).join(', ');
    throw new ConfigurationError(`${file} holds no ${wanted}${named}; it holds ${listed(others)}.`, {
      file,
      line: others[0] === undefined ? 1 : lineOfDocument(others[0]),
      hint: fitting.length > 0 ? '`name` of the target must equal `metadata.name`.' : `Looked for: ${shape}.`,
    });
  }
  if (second === undefined) return first;
  throw new ConfigurationError(`${file} holds several that fit: ${listed(found)}.`, {
    file,
    line: lineOfDocument(second),
    hint:
      name === undefined
        ? 'Say which by `name` of the target, the `metadata.name`.'
        : 'Keep one of that name: which of them runs is an accident.',
  });
}

/** The file's only document. @throws ConfigurationError where there are several */
export function onlyDocument(manifest: Manifest): ManifestDocument {
  const [first, second] = manifest.documents;
  if (second !== undefined) {
    throw new ConfigurationError(
      `${manifest.file} holds ${manifest.documents.length} YAML documents; one is expected.`,
      { file: manifest.file, line: lineOfDocument(second) },
    );
  }
  if (first === undefined || !isMap(first.contents)) {
    throw new ConfigurationError(`${manifest.file} holds no mapping.`, { file: manifest.file, line: 1 });
  }
  return first;
}

function listed(documents: readonly ManifestDocument[]): string {
  const texts = documents
    .filter(({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null))
    .slice(0, 200)
    .map((document) => {
      const { kind, name } = document;
      const what = plainText(kind ?? 'a document without kind', 64);
      return `${what}${name === null ? '' : ` ${plainText(name, 64)}`} (line ${lineOfDocument(document)})`;
    });
  const rest = texts.length - 10;
  return texts.length === 0 ? 'nothing' : `${texts.slice(0, 10).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
