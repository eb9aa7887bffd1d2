import { ConfigurationError, plainText } from '@passloop/core';
import { refuseEqualNames } from '../csv.ts';
import type { Engine } from '../engine.ts';
import { partitionValue } from '../hive.ts';
import { quoteIdentifier, quoteText } from '../quote.ts';
import { shownFile, type TableFiles } from '../source.ts';
import { refuseTooWide } from '../width.ts';
import type { DeltaTable } from './delta-files.ts';

/**
 * The rows of a version: the columns of its schema, in that order and of these types, from its active files. A file that was
 * written before a column was added has NULL there.
 *
 * @throws ConfigurationError where a file's values don't fit the schema's type, or a name stands in the way
 */
export async function deltaQuery(
  engine: Engine,
  found: TableFiles,
  delta: DeltaTable,
): Promise<{ query: string; printed: string }> {
  const { fields } = delta;
  refuseTooWide(fields.length, found.uri);
  refuseEqualNames(
    fields.map(({ name }) => name),
    found.uri,
  );
  const described = await engine.rows(`SELECT column_name FROM (DESCRIBE SELECT * FROM ${readerOf(found.files)})`);
  const inFiles = new Set(described.map(([name]) => String(name).toLowerCase()));
  if (found.partitions.length > 0 && inFiles.has('file_index')) {
    throw new ConfigurationError(
      `${plainText(found.uri)} is partitioned and has a column \`file_index\`, the name by which the engine knows a row's file.`,
      { file: found.uri, hint: 'Rename the column.' },
    );
  }
  const columns = fields.map(({ name, type }) => {
    const partition = found.partitions.find((one) => one.name === name);
    const isThere = inFiles.has(name.toLowerCase());
    if (partition !== undefined) return `${partitionValue(partition)} AS ${quoteIdentifier(name)}`;
    if (isThere && type === null) return quoteIdentifier(name);
    return `CAST(${isThere ? quoteIdentifier(name) : 'NULL'} AS ${type ?? 'VARCHAR'}) AS ${quoteIdentifier(name)}`;
  });
  const select = `SELECT ${columns.join(', ')} FROM`;
  const shown = found.files.map((file) => shownFile(found, file));
  return {
    query: `${select} ${readerOf(found.files)}`,
    printed: shown.length > mostPrinted ? scanOf(found, delta) : `(${select} ${readerOf(shown)})`,
  };
}

/** A list of more files is nothing for people, and too long for documents. */
const mostPrinted = 16;

/** The table by the engine's own reader of Delta, which is an extension that has to be there. */
function scanOf({ uri }: TableFiles, { place, version }: DeltaTable): string {
  return `delta_scan(${quoteText(place)}${place === uri ? '' : `, version => ${version}`})`;
}

function readerOf(files: readonly string[]): string {
  return `read_parquet([${files.map(quoteText).join(', ')}], hive_partitioning = false, union_by_name = true)`;
}
