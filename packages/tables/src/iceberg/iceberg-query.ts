import { ConfigurationError, plainText } from '@passloop/core';
import { refuseEqualNames } from '../csv.ts';
import type { Engine } from '../engine.ts';
import { type PartitionColumn, partitionValue } from '../hive.ts';
import { quoteIdentifier, quoteText } from '../quote.ts';
import { shownFile, type TableFiles } from '../source.ts';
import { missingColumns } from './footers.ts';
import type { IcebergTable } from './iceberg-files.ts';
import { engineType } from './schema.ts';

/**
 * The rows of a snapshot: the columns of its schema, in that order and of these types, from its files, whatever those call them.
 * A file that lacks a column has its partition's value there, or NULL.
 *
 * @throws ConfigurationError where a file's types don't fit the schema's, or a name stands in the way
 */
export async function icebergQuery(
  engine: Engine,
  found: TableFiles,
  iceberg: IcebergTable,
): Promise<{ query: string; printed: string }> {
  const { fields } = iceberg;
  const names = fields.map(({ name }) => name);
  refuseEqualNames(names, found.uri);
  const missing = await missingColumns(engine, found.uri, found.files, fields);
  const told: string[] = [];
  const columns = fields.map(({ id, name }) => {
    const quoted = quoteIdentifier(name);
    const without = missing.get(id) ?? new Set();
    const partition = found.partitions.find((one) => one.name === name);
    if (partition === undefined || without.size === 0) return quoted;
    told.push(name);
    return `${inFileOrPartition(quoted, partition, found.files, without)} AS ${quoted}`;
  });
  if (told.length > 0 && names.some((name) => name.toLowerCase() === 'file_index')) {
    throw new ConfigurationError(
      `${plainText(found.uri)} is partitioned and has a column \`file_index\`, the name by which the engine knows a row's file.`,
      { file: found.uri, hint: 'Rename the column.' },
    );
  }
  const select = `SELECT ${columns.join(', ')} FROM`;
  const shown = found.files.map((file) => shownFile(found, file));
  return {
    query: `${select} ${readerOf(found.files, iceberg)}`,
    printed: shown.length > mostPrinted ? scanOf(found, iceberg) : `(${select} ${readerOf(shown, iceberg)})`,
  };
}

function inFileOrPartition(
  quoted: string,
  partition: PartitionColumn,
  files: readonly string[],
  without: ReadonlySet<string>,
): string {
  if (without.size === files.length) return partitionValue(partition);
  const flags = files.map((file) => !without.has(file)).join(', ');
  return `CASE WHEN [${flags}][file_index::BIGINT + 1] THEN ${quoted} ELSE ${partitionValue(partition)} END`;
}

/** A list of more files is nothing for people, and too long for documents. */
const mostPrinted = 16;

/** The table by the engine's own reader of Iceberg, which is an extension that has to be there. */
function scanOf(found: TableFiles, { metadata, snapshot }: IcebergTable): string {
  const file = shownFile(found, metadata[0] as string);
  return `iceberg_scan(${quoteText(file)}, allow_moved_paths => true, snapshot_from_id => ${snapshot})`;
}

function readerOf(files: readonly string[], { fields }: IcebergTable): string {
  const columns = fields.map(
    ({ id, name, type }) =>
      `${id}: {name: ${quoteText(name)}, type: ${quoteText(engineType(type))}, default_value: NULL}`,
  );
  const list = files.map(quoteText).join(', ');
  return `read_parquet([${list}], hive_partitioning = false, schema = MAP {${columns.join(', ')}})`;
}
