import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, jsonDigest } from '@passloop/core';
import type { PartitionColumn } from '../hive.ts';
import { splitVersion } from '../versioned.ts';
import { type DeltaField, damaged } from './actions.ts';
import { type DeltaLog, readDeltaLog } from './log.ts';

/** What a Delta table has beside its files. */
export type DeltaTable = {
  /** The table's folder, as the user wrote it. */
  place: string;
  version: number;
  fields: DeltaField[];
  /** The files of the log that tell this version, absolute. */
  log: string[];
};

/**
 * The active files of a version (the newest where it is null), each verified to be there with the size that the log says.
 * @throws ConfigurationError as {@link readDeltaLog}, and for files that are gone, cut off, or links
 */
export async function deltaFiles(
  uri: string,
  folder: string,
  version: number | null,
): Promise<{ files: string[]; partitions: PartitionColumn[]; delta: DeltaTable }> {
  const log = await readDeltaLog(folder, version, uri);
  const files: string[] = [];
  for (const { path: relative, size } of log.files) {
    const file = path.join(folder, ...relative.split('/'));
    const real = await realpath(file).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    const shown = `${relative} of version ${log.version}`;
    if (real === null) throw damaged(uri, `${shown} isn't there; it was vacuumed, or not fetched`);
    if (real !== file) {
      throw new ConfigurationError(
        `${relative} is or lies behind a symbolic link; a table of ${uri} has regular files only.`,
        {
          file: uri,
        },
      );
    }
    const { size: found } = await stat(file);
    if (found !== size) throw damaged(uri, `${shown} has ${found} bytes, and ${size} in the log`);
    files.push(file);
  }
  return {
    files,
    partitions: partitionsOf(log),
    delta: tableOf(log, folder, version === null ? uri : splitVersion(uri).place),
  };
}

function tableOf({ version, fields, logFiles }: DeltaLog, folder: string, place: string): DeltaTable {
  return { place, version, fields, log: logFiles.map((name) => path.join(folder, '_delta_log', name)) };
}

function partitionsOf({ fields, partitionColumns, files }: DeltaLog): PartitionColumn[] {
  return partitionColumns.map((name) => {
    const type = fields.find((field) => field.name === name)?.type ?? 'VARCHAR';
    const values = files.map(({ values }) => values.get(name) ?? null);
    return { name, type, values: type === 'TIMESTAMP WITH TIME ZONE' ? values.map(inUtc) : values };
  });
}

/** The log writes moments without a zone and means UTC; whoever pastes a query may be in another one. */
function inUtc(value: string | null): string | null {
  return value === null || /(Z|[+-]\d\d(:?\d\d)?)$/.test(value.slice(10)) ? value : `${value}+00`;
}

/** Digest of what a version says beside the bytes of its files: columns, and values of partitions, file by file. */
export function deltaDigest({ fields }: DeltaTable, partitions: readonly PartitionColumn[]): string {
  return jsonDigest({
    fields: fields.map(({ name, type }) => [name, type]),
    partitions: partitions.map(({ name, values }) => [name, values]),
  });
}
