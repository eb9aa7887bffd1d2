import { type ConfigurationError, plainText } from '@passloop/core';
import { type AvroRecord, avroRecords } from './avro.ts';
import { damaged, unread } from './refusals.ts';

/** Manifests of Iceberg, https://iceberg.apache.org/spec/#manifests. Fields are known by their ids there. */

export type Manifest = { address: string; bytes: number; spec: number; isOfDeletes: boolean };
/** A data file, and the values of its partition by their fields' ids. */
export type DataFile = { address: string; bytes: number; spec: number; partition: AvroRecord };

const mostManifests = 10_000;
const mostManifestBytes = 1 << 30;
const mostFiles = 100_000;
const mostEntries = 2_000_000;

/** @param bytes of a snapshot's list of manifests */
export function manifestsOf(table: string, bytes: Buffer): Manifest[] {
  const fail = (what: string) => damaged(table, `of its manifest list, ${what}`);
  const manifests: Manifest[] = [];
  let total = 0;
  for (const record of avroRecords(bytes, fail)) {
    const content = record.has(517) ? whole(record, 517, fail) : 0;
    if (content !== 0 && content !== 1) throw unread(table, `manifests of the content ${content}`);
    const manifest = {
      address: text(record, 500, fail),
      bytes: whole(record, 501, fail),
      spec: whole(record, 502, fail),
      isOfDeletes: content === 1,
    };
    total += manifest.bytes;
    manifests.push(manifest);
    if (manifests.length > mostManifests || total > mostManifestBytes)
      throw unread(table, `more than ${mostManifests} manifests, or 1 GiB of them`, 'Rewrite its manifests first.');
  }
  return manifests;
}

/** Collects the files that are a part of the snapshot, manifest by manifest. */
export function fileCollector(table: string): {
  add(manifest: Manifest, bytes: Buffer): void;
  files: readonly DataFile[];
} {
  const files: DataFile[] = [];
  let entries = 0;
  return {
    files,
    add(manifest, bytes) {
      const fail = (what: string) => damaged(table, `of a manifest, ${what}`);
      for (const record of avroRecords(bytes, fail)) {
        if (++entries > mostEntries) throw unread(table, `more than ${mostEntries} entries in its manifests`);
        const status = whole(record, 0, fail);
        if (status > 2) throw fail(`an entry has the status ${status}`);
        // 2: deleted by the snapshot that wrote the manifest.
        if (status === 2) continue;
        if (manifest.isOfDeletes) throw deletes(table);
        const file = record.get(2);
        if (!(file instanceof Map)) throw fail('an entry has no file');
        files.push(dataFile(table, file, manifest.spec, fail));
        if (files.length > mostFiles) throw unread(table, `more than ${mostFiles} files`);
      }
    },
  };
}

function dataFile(table: string, file: AvroRecord, spec: number, fail: (what: string) => Error): DataFile {
  if (file.has(134) && whole(file, 134, fail) !== 0) throw deletes(table);
  const format = text(file, 101, fail);
  if (format.toUpperCase() !== 'PARQUET') throw unread(table, `files of the format ${plainText(format, 40)}`);
  const partition = file.get(102);
  if (!(partition instanceof Map)) throw fail('a file has no partition');
  return { address: text(file, 100, fail), bytes: whole(file, 104, fail), spec, partition };
}

function deletes(table: string): ConfigurationError {
  return unread(
    table,
    'delete files',
    'Its rows were deleted without their files being rewritten. Compact it first: `rewrite_data_files` in Spark, with `delete-file-threshold` 1.',
  );
}

function text(record: AvroRecord, id: number, fail: (what: string) => Error): string {
  const value = record.get(id);
  if (typeof value === 'string' && value !== '') return value;
  throw fail(`the field ${id} is no text`);
}

function whole(record: AvroRecord, id: number, fail: (what: string) => Error): number {
  const value = Number(record.get(id) ?? Number.NaN);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw fail(`the field ${id} is no whole number`);
}
