import { ConfigurationError, isInsidePath, plainText } from '@passloop/core';
import { z } from 'zod';

/** Actions of a Delta log, as far as a reader needs them: https://github.com/delta-io/delta/blob/master/PROTOCOL.md */

const Protocol = z.object({
  minReaderVersion: z.int(),
  readerFeatures: z.array(z.string()).nullish(),
});

const MetaData = z.object({
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  format: z.object({ provider: z.string() }),
  configuration: z.record(z.string(), z.string()).nullish(),
});

const AddFile = z.object({
  path: z.string(),
  size: z.int().min(0),
  partitionValues: z.record(z.string(), z.string().nullable()),
  deletionVector: z.unknown().optional(),
});
type AddFile = z.infer<typeof AddFile>;

export const Action = z.object({
  protocol: Protocol.nullish(),
  metaData: MetaData.nullish(),
  add: AddFile.nullish(),
  remove: z.object({ path: z.string() }).nullish(),
  sidecar: z.unknown().optional(),
});
export type Action = z.infer<typeof Action>;

const Field = z.object({ name: z.string().min(1), type: z.unknown() });
const Schema = z.object({ type: z.literal('struct'), fields: z.array(Field) });

/** A column of the table; `type` as the engine calls it, null where it is made of others (a list, a map, a struct). */
export type DeltaField = { name: string; type: string | null };
/** A file of a version; `path` is the one on disk, below the table's folder. */
type ActiveFile = { path: string; size: number; values: Map<string, string | null> };
export type DeltaSnapshot = {
  version: number;
  fields: DeltaField[];
  partitionColumns: string[];
  files: ActiveFile[];
};

/** What is true of a table after some of its log: actions go in, in order; the snapshot comes out. */
export type Replay = { apply(action: Action): void; snapshot(version: number): DeltaSnapshot };

const mostFiles = 100_000;

/** @param table what messages call the table */
export function replay(table: string): Replay {
  let protocol: z.infer<typeof Protocol> | null = null;
  let metaData: z.infer<typeof MetaData> | null = null;
  const active = new Map<string, AddFile>();
  return {
    apply(action) {
      if (action.sidecar !== undefined && action.sidecar !== null)
        throw unknown(table, 'a checkpoint with sidecar files');
      if (action.protocol) protocol = action.protocol;
      if (action.metaData) metaData = action.metaData;
      if (action.remove) active.delete(action.remove.path);
      if (action.add) active.set(action.add.path, action.add);
    },
    snapshot(version) {
      if (protocol === null || metaData === null)
        throw damaged(table, `its log says neither how to read it nor its columns at version ${version}`);
      refuseProtocol(table, protocol);
      const { format, configuration, partitionColumns, schemaString } = metaData;
      if (format.provider !== 'parquet') throw unknown(table, `files of the format ${plainText(format.provider, 40)}`);
      const mapping = configuration?.['delta.columnMapping.mode'] ?? 'none';
      if (mapping !== 'none') throw unknown(table, `column mapping by ${plainText(mapping, 40)}`);
      if (active.size === 0) throw noFiles(table, version);
      if (active.size > mostFiles) throw unknown(table, `more than ${mostFiles} files`);
      const fields = fieldsOf(table, schemaString);
      for (const name of partitionColumns) {
        const field = fields.find((one) => one.name === name);
        if (field === undefined)
          throw damaged(table, `it is partitioned by ${JSON.stringify(plainText(name))}, which is no column`);
        if (field.type === null || field.type === 'BLOB')
          throw unknown(table, `a partition column that is no plain value: ${JSON.stringify(plainText(name))}`);
      }
      const files = [...active.values()].map((file) => activeFile(table, file, partitionColumns));
      const places = new Set(files.map(({ path }) => path));
      if (places.size !== files.length) throw damaged(table, 'its log names one file in two ways');
      files.sort((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
      return { version, fields, partitionColumns, files };
    },
  };
}

/** Features that change nothing for who reads active files, or that are looked for at each file. */
const harmless = new Set(['timestampNtz', 'vacuumProtocolCheck', 'deletionVectors', 'columnMapping']);

function refuseProtocol(table: string, { minReaderVersion, readerFeatures }: z.infer<typeof Protocol>): void {
  if (minReaderVersion > 3) throw unknown(table, `reader version ${minReaderVersion}`);
  const features = (readerFeatures ?? []).filter((name) => !harmless.has(name));
  if (features.length > 0) throw unknown(table, features.map((name) => plainText(name, 60)).join(', '));
}

function activeFile(table: string, file: AddFile, columns: readonly string[]): ActiveFile {
  if (file.deletionVector !== undefined && file.deletionVector !== null && file.deletionVector !== false)
    throw unknown(table, 'deletion vectors', 'Rewrite the files without them: REORG TABLE … APPLY (PURGE).');
  const given = new Map(Object.entries(file.partitionValues));
  const values = new Map<string, string | null>();
  for (const name of columns) {
    const value = given.get(name);
    if (value === undefined)
      throw damaged(table, `a file has no value of the partition column ${JSON.stringify(plainText(name))}`);
    // The protocol: an empty text is no value, whatever the type.
    values.set(name, value === '' ? null : value);
  }
  return { path: placeOf(table, file.path), size: file.size, values };
}

/** A path of the log, which is a URL below the table's folder, or one to anywhere. */
function placeOf(table: string, path: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw damaged(table, `its log names a file by what is no URL: ${JSON.stringify(plainText(path))}`);
  }
  const isPlain =
    isInsidePath(decoded) && decoded.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (isPlain && !/^[a-z][a-z0-9+.-]*:/i.test(path)) return decoded;
  throw new ConfigurationError(
    `${table} has a file outside of its folder: ${JSON.stringify(plainText(path))}. Only files below it are read.`,
    {
      file: table,
      hint: 'A shallow clone points to the files of another table: copy them (DEEP CLONE), and name the copy.',
    },
  );
}

const plainTypes: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP',
};

function fieldsOf(table: string, schemaString: string): DeltaField[] {
  const parsed = Schema.safeParse(parsedJson(schemaString));
  if (!parsed.success) throw damaged(table, 'its schema can’t be read');
  return parsed.data.fields.map(({ name, type }) => {
    if (typeof type === 'object' && type !== null) return { name, type: null };
    const [, precision, scale] = /^decimal\((\d{1,2}), ?(\d{1,2})\)$/.exec(String(type)) ?? [];
    if (precision !== undefined) return { name, type: `DECIMAL(${precision},${scale})` };
    const plain = Object.hasOwn(plainTypes, String(type)) ? plainTypes[String(type)] : undefined;
    if (plain === undefined)
      throw unknown(table, `the type ${plainText(String(type), 60)} (column ${JSON.stringify(plainText(name))})`);
    return { name, type: plain };
  });
}

/** Null for what is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function damaged(table: string, what: string): ConfigurationError {
  return new ConfigurationError(`${table} is a Delta table that can't be read: ${what}.`, {
    file: table,
    hint: 'Fetch or copy the whole folder again, `_delta_log` included.',
  });
}

function unknown(table: string, what: string, hint?: string): ConfigurationError {
  return new ConfigurationError(`${table} is a Delta table with ${what}, which this version doesn't read.`, {
    file: table,
    hint: hint ?? 'Export the version that you mean to Parquet, and name that.',
  });
}

function noFiles(table: string, version: number): ConfigurationError {
  return new ConfigurationError(`${table} has no file at version ${version}.`, {
    file: table,
    hint: 'An empty table can’t be checked. Name another version as TABLE@v3.',
  });
}
