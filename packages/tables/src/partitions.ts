import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { Engine } from './engine.ts';
import { keysOf, type PartitionColumn, partitionValue } from './hive.ts';
import { quoteIdentifier } from './quote.ts';
import { shownFile, type TableFiles } from './source.ts';

/** `added` are the columns that the files lack; `all` are those and the ones that the files have too, with the same values. */
export type Partitions = { added: PartitionColumn[]; all: PartitionColumn[] };

/**
 * The partition columns of a table beside those in its files.
 *
 * @param reader the expression that reads the files without their folders
 * @throws ConfigurationError where a file has the column with another value than its folder, or a name stands in the way
 */
export async function partitionsBeside(engine: Engine, found: TableFiles, reader: string): Promise<Partitions> {
  if (found.partitions.length === 0) return { added: [], all: [] };
  const described = await engine.rows(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${reader})`);
  const inFiles = new Map(
    described.map(([name, type]) => [String(name).toLowerCase(), { name: String(name), type: String(type) }]),
  );
  refuseInTheWay(found, inFiles);
  const added: PartitionColumn[] = [];
  const all: PartitionColumn[] = [];
  for (const partition of found.partitions) {
    const column = inFiles.get(partition.name.toLowerCase());
    if (column === undefined) {
      added.push(partition);
      all.push(partition);
      continue;
    }
    await refuseContradiction(engine, found, reader, partition, column);
    all.push({ ...partition, type: column.type });
  }
  return { added, all };
}

function refuseInTheWay(found: TableFiles, inFiles: ReadonlyMap<string, unknown>): void {
  if (inFiles.has('file_index')) {
    throw new ConfigurationError(
      `${found.uri} is partitioned and has a column \`file_index\`, the name by which the engine knows a row's file.`,
      { file: found.uri, hint: 'Rename the column.' },
    );
  }
  for (const key of keysAbove(found)) {
    const lower = key.toLowerCase();
    if (!inFiles.has(lower) && !found.partitions.some(({ name }) => name.toLowerCase() === lower)) continue;
    throw new ConfigurationError(
      `${found.uri} is partitioned below a folder ${key}=…, and has a column of that name itself.`,
      { file: found.uri, hint: 'Name the table by the folder above that one, or rename the folder.' },
    );
  }
}

/** Keys of `key=value` folders in the part of the path that is the table's own place: no columns of it. */
export function keysAbove({ uri, folder }: TableFiles): string[] {
  if (folder === null) return [];
  const parts = uri.split('/');
  const glob = parts.findIndex((part) => /[*?[\]{}]/.test(part));
  return keysOf(`${(glob < 0 ? parts : parts.slice(0, glob)).join('/')}/x`);
}

async function refuseContradiction(
  engine: Engine,
  found: TableFiles,
  reader: string,
  partition: PartitionColumn,
  column: { name: string; type: string },
): Promise<void> {
  const value = `TRY_CAST(${partitionValue({ ...partition, type: 'VARCHAR' })} AS ${column.type})`;
  const [[index] = []] = await engine.rows(
    `SELECT min(file_index) FROM ${reader} WHERE ${quoteIdentifier(column.name)} IS DISTINCT FROM ${value}`,
  );
  if (index === null || index === undefined) return;
  const file = found.files[Number(index)] as string;
  throw new ConfigurationError(
    `${path.basename(file)} has a column \`${column.name}\` with another value than its folder ${partition.name}=….`,
    {
      file: shownFile(found, file),
      hint: 'Mend the folder or the file, or rename one of them: both would be the column of that name.',
    },
  );
}
