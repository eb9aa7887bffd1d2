import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type AvroFileOptions, type AvroSchema, avroFile } from './avro-file.ts';

const goldenData = path.resolve(import.meta.dirname, '../../golden/iceberg/plain/data');

type EntryOverrides = { status?: number; path?: string; format?: string; content?: number; bytes?: number };

export type TableOverrides = {
  /** Fields of the metadata file. */
  metadata?: Record<string, unknown>;
  /** Of the one entry in the manifest; several are several entries. */
  entries?: EntryOverrides[];
  /** Of the one line in the manifest list. */
  manifest?: { content?: number; bytes?: number; path?: string };
  avro?: AvroFileOptions;
};

const location = 's3://bucket/warehouse/table';

function field(name: string, id: number, type: AvroSchema) {
  return { name, type, 'field-id': id };
}

const entrySchema = {
  type: 'record',
  name: 'manifest_entry',
  fields: [
    field('status', 0, 'int'),
    field('snapshot_id', 1, ['null', 'long']),
    field('data_file', 2, {
      type: 'record',
      name: 'r2',
      fields: [
        field('content', 134, 'int'),
        field('path', 100, 'string'),
        field('format', 101, 'string'),
        field('partition', 102, { type: 'record', name: 'r102', fields: [] }),
        field('bytes', 104, 'long'),
      ],
    }),
  ],
};

const listSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    field('path', 500, 'string'),
    field('bytes', 501, 'long'),
    field('spec', 502, 'int'),
    field('content', 517, 'int'),
  ],
};

/** A table of one file and one snapshot, written as by a warehouse that lay elsewhere. */
export async function writeIcebergTable(folder: string, overrides: TableOverrides = {}): Promise<void> {
  for (const name of ['data', 'metadata']) await mkdir(path.join(folder, name), { recursive: true });
  const [source = ''] = (await readdir(goldenData)).sort();
  await copyFile(path.join(goldenData, source), path.join(folder, 'data/a.parquet'));
  const { size } = await stat(path.join(folder, 'data/a.parquet'));
  const entries = (overrides.entries ?? [{}]).map((entry) => ({
    status: entry.status ?? 1,
    snapshot_id: 1,
    data_file: {
      content: entry.content ?? 0,
      path: entry.path ?? `${location}/data/a.parquet`,
      format: entry.format ?? 'PARQUET',
      partition: {},
      bytes: entry.bytes ?? size,
    },
  }));
  const manifest = avroFile(entrySchema, entries, overrides.avro);
  await writeFile(path.join(folder, 'metadata/m0.avro'), manifest);
  const listed = {
    path: `${location}/metadata/m0.avro`,
    bytes: manifest.length,
    spec: 0,
    content: 0,
    ...overrides.manifest,
  };
  await writeFile(path.join(folder, 'metadata/list.avro'), avroFile(listSchema, [listed]));
  const metadata = {
    'format-version': 2,
    location,
    'current-schema-id': 0,
    schemas: [
      {
        'schema-id': 0,
        fields: [
          { id: 1, name: 'id', required: false, type: 'long' },
          { id: 2, name: 'age', required: false, type: 'int' },
        ],
      },
    ],
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'current-snapshot-id': 1,
    snapshots: [{ 'snapshot-id': 1, 'manifest-list': `${location}/metadata/list.avro`, 'schema-id': 0 }],
    ...overrides.metadata,
  };
  await writeFile(path.join(folder, 'metadata/v1.metadata.json'), JSON.stringify(metadata));
}
