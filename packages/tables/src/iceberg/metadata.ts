import { gunzipSync } from 'node:zlib';
import { ConfigurationError, plainText } from '@passloop/core';
import { z } from 'zod';
import { damaged, unread } from './refusals.ts';
import { fieldsOf, type IcebergField, IcebergSchema } from './schema.ts';

/** Table metadata of Iceberg, https://iceberg.apache.org/spec/#table-metadata, as far as a reader needs it. */

/** 64 bits: as text where a number would lose some. */
const SnapshotId = z.union([z.int(), z.string().regex(/^-?\d{1,19}$/)]).transform(String);

const Snapshot = z.object({
  'snapshot-id': SnapshotId,
  'manifest-list': z.string().optional(),
  'schema-id': z.int().nullish(),
});

const PartitionField = z.object({
  'source-id': z.int(),
  'field-id': z.int().optional(),
  transform: z.string(),
  name: z.string(),
});

const Metadata = z.object({
  'format-version': z.int(),
  location: z.string().min(1),
  'current-schema-id': z.int().optional(),
  schemas: z.array(IcebergSchema).optional(),
  schema: IcebergSchema.optional(),
  'partition-specs': z.array(z.object({ 'spec-id': z.int(), fields: z.array(PartitionField) })).optional(),
  'partition-spec': z.array(PartitionField).optional(),
  'current-snapshot-id': SnapshotId.nullish(),
  snapshots: z.array(Snapshot).nullish(),
  refs: z.record(z.string(), z.object({ 'snapshot-id': SnapshotId, type: z.enum(['tag', 'branch']) })).optional(),
});

/** A partition field of a data file, by its id, that holds a column's own value. */
type IdentityField = { id: number; source: number };

/** What a table's metadata says of one snapshot. */
export type IcebergSnapshot = {
  id: string;
  location: string;
  /** The address of the snapshot's list of manifests. */
  manifestList: string;
  fields: IcebergField[];
  /** By the specs' ids. */
  identities: Map<number, IdentityField[]>;
};

const largestMetadata = 128 << 20;

/**
 * The metadata file of a table: the one that `version-hint.text` names or, where later ones follow it without a gap, the last of
 * them; the highest where there is no hint.
 *
 * @param names of the files in the table's folder `metadata`
 * @param hint the text of `version-hint.text`
 * @throws ConfigurationError where none is there, and where several could be meant
 */
export function currentMetadata(table: string, names: readonly string[], hint: string | null): string {
  const files = names.flatMap((name) => {
    // `v3.metadata.json` or, where a catalog counts, `00003-<uuid>.metadata.json`.
    const [, plain, counted] = /^(?:v(\d{1,9})|(\d{5,9})-[\w-]+)(?:\.gz)?\.metadata\.json(?:\.gz)?$/.exec(name) ?? [];
    const version = plain ?? counted;
    return version === undefined ? [] : [{ name, version: Number(version), isCounted: counted !== undefined }];
  });
  const of = (version: number) => files.filter((file) => file.version === version);
  if (hint !== null) {
    const hinted = /^v?(\d{1,9})$/.exec(hint.trim())?.[1];
    if (hinted === undefined) {
      const named = names.find((name) => name === hint.trim() || name === `${hint.trim()}.metadata.json`);
      if (named === undefined) throw damaged(table, 'its version-hint.text names no metadata file');
      return named;
    }
    let version = Number(hinted);
    if (of(version).length === 0)
      throw damaged(table, `its version-hint.text says ${version}, and there is no such file`);
    while (of(version + 1).length > 0) version++;
    return only(table, of(version));
  }
  if (files.length === 0) throw damaged(table, 'it has no metadata file');
  if (files.some(({ isCounted }) => isCounted) && !files.every(({ isCounted }) => isCounted))
    throw ambiguous(table, files);
  return only(table, of(Math.max(...files.map(({ version }) => version))));
}

function only(table: string, files: readonly { name: string }[]): string {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) throw ambiguous(table, files);
  return file.name;
}

function ambiguous(table: string, files: readonly { name: string }[]): ConfigurationError {
  const [first = '', second = ''] = files.map(({ name }) => plainText(name, 100));
  return new ConfigurationError(
    `${table} is an Iceberg table whose catalog knows what is current: ${first} and ${second} both could be.`,
    { file: table, hint: `Name the metadata file: ${table.replace(/\/$/, '')}/metadata/${second}.` },
  );
}

/**
 * One snapshot of a table.
 *
 * @param file the bytes of its metadata file; gzip is told by its first bytes
 * @param asked a snapshot's id, or the name of a tag or branch; null for the current one
 * @param locked the id that a lock says, which is read in the way of the current one as long as it is that; null for none
 * @throws ConfigurationError for a snapshot that isn't there, and whatever would be read wrongly
 */
export function snapshotOf(
  table: string,
  file: Buffer,
  asked: string | null,
  locked: string | null = null,
): IcebergSnapshot {
  const metadata = parsedMetadata(table, file);
  const version = metadata['format-version'];
  if (version < 1 || version > 2) throw unread(table, `format version ${version}`);
  const isCurrent = locked === (metadata['current-snapshot-id'] ?? null);
  const { id, isOld } = idOf(table, metadata, asked ?? (isCurrent ? null : locked));
  const snapshot = metadata.snapshots?.find((one) => one['snapshot-id'] === id);
  if (snapshot === undefined) throw damaged(table, `its metadata lacks the snapshot ${id}`);
  const manifestList = snapshot['manifest-list'];
  if (manifestList === undefined) throw unread(table, 'a snapshot without a manifest list');
  const fields = fieldsOf(table, schemaOf(table, metadata, isOld ? (snapshot['schema-id'] ?? null) : null));
  return { id, location: metadata.location, manifestList, fields, identities: identitiesOf(table, metadata, fields) };
}

function parsedMetadata(table: string, file: Buffer): z.infer<typeof Metadata> {
  let json: unknown;
  try {
    const isPacked = file[0] === 0x1f && file[1] === 0x8b;
    json = JSON.parse(
      (isPacked ? gunzipSync(file, { maxOutputLength: largestMetadata }) : file).toString('utf8'),
      exact,
    );
  } catch {
    throw damaged(table, 'its metadata file is no JSON');
  }
  const parsed = Metadata.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(table, `its metadata file has a wrong ${plainText(issue?.path.join('.') || 'content', 100)}`);
}

/** Snapshots' ids are of 64 bits; as numbers they would be others. */
function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '');
  return isRounded ? context?.source : value;
}

/** `isOld` where the snapshot's own schema counts, and not the table's. */
function idOf(
  table: string,
  { refs, snapshots, 'current-snapshot-id': current }: z.infer<typeof Metadata>,
  asked: string | null,
): { id: string; isOld: boolean } {
  if (asked === null) {
    if (current === null || current === undefined || current === '-1') throw noRows(table, 'no snapshot');
    return { id: current, isOld: false };
  }
  const ref = refs !== undefined && Object.hasOwn(refs, asked) ? refs[asked] : undefined;
  const known = (snapshots ?? []).map((one) => one['snapshot-id']);
  if (ref !== undefined && known.includes(asked) && ref['snapshot-id'] !== asked)
    throw damaged(table, `${asked} is the id of a snapshot, and the name of another one`);
  if (ref !== undefined) return { id: ref['snapshot-id'], isOld: ref.type === 'tag' };
  if (known.includes(asked)) return { id: asked, isOld: true };
  const last = known.slice(-5).map((id) => plainText(id, 20));
  throw new ConfigurationError(`${table} has no snapshot, tag or branch ${plainText(asked, 100)}.`, {
    file: table,
    hint: known.length === 0 ? 'It has no snapshot at all.' : `Its last snapshots are ${last.join(', ')}.`,
  });
}

function schemaOf(table: string, metadata: z.infer<typeof Metadata>, asked: number | null): IcebergSchema {
  const id = asked ?? metadata['current-schema-id'];
  const schema =
    metadata.schemas === undefined || id === undefined
      ? metadata.schema
      : metadata.schemas.find((one) => one['schema-id'] === id);
  if (schema === undefined) throw damaged(table, 'its metadata lacks the schema');
  return schema;
}

/** Columns that a file may lack, since its partition says their value. */
function identitiesOf(
  table: string,
  { 'partition-specs': specs, 'partition-spec': only }: z.infer<typeof Metadata>,
  fields: readonly IcebergField[],
): Map<number, IdentityField[]> {
  const identities = new Map<number, IdentityField[]>();
  for (const { 'spec-id': id, fields: parts } of specs ?? [{ 'spec-id': 0, fields: only ?? [] }]) {
    if (identities.has(id)) throw damaged(table, `its metadata has the partition spec ${id} twice`);
    const found = parts.flatMap((part, place) => {
      const column = fields.find((field) => field.id === part['source-id']);
      if (part.transform !== 'identity' || column === undefined) return [];
      const { type } = column;
      if (type.kind !== 'plain' || type.plain === 'binary' || type.plain === 'fixed')
        throw unread(
          table,
          `a partition by a column that is no plain value: ${JSON.stringify(plainText(column.name))}`,
        );
      // Version 1 may leave the ids out, and counts from 1000.
      return [{ id: part['field-id'] ?? 1000 + place, source: part['source-id'] }];
    });
    identities.set(id, found);
  }
  return identities;
}

export function noRows(table: string, what: string): ConfigurationError {
  return new ConfigurationError(`${table} has ${what}: there are no rows to read.`, {
    file: table,
    hint: 'An empty table can’t be checked. Name another snapshot as TABLE@ID, or a tag as TABLE@NAME.',
  });
}
