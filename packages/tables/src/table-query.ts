import type { TableColumn } from './column-types.ts';
import { readDelimited, refuseEqualNames } from './csv.ts';
import { deltaQuery } from './delta/delta-query.ts';
import type { Engine } from './engine.ts';
import { type PartitionColumn, partitionColumns } from './hive.ts';
import { readJsonLines } from './json-lines.ts';
import { parquetUnion } from './parquet-files.ts';
import { keysAbove, partitionsBeside } from './partitions.ts';
import { quoteIdentifier, quoteText } from './quote.ts';
import type { TableFiles, TableFormat } from './source.ts';
import { refuseTooWide } from './width.ts';

/** The query that gives a table's rows in this session, and the expression for FROM that anybody can paste. */
export type TableQuery = { query: string; printed: string };

/** @throws ConfigurationError for files that are no table, or that contradict each other or their folders */
export async function tableQuery(engine: Engine, found: TableFiles): Promise<TableQuery> {
  if (found.delta !== null) return deltaQuery(engine, found, found.delta);
  if (found.iceberg !== null) {
    const { icebergQuery } = await import('./iceberg/iceberg-query.ts');
    return icebergQuery(engine, found, found.iceberg);
  }
  const reader = await readerOf(engine, found);
  const files = reader(`[${found.files.map(quoteText).join(', ')}]`, 'hive_partitioning = false');
  const partitions = await partitionsBeside(engine, found, files);
  return {
    query: `SELECT *${partitionColumns(partitions.added)} FROM ${files}`,
    printed: printedReader(reader, found, partitions.all),
  };
}

type Reader = (files: string, hive: string) => string;

function call(name: string, ...given: readonly string[]): string {
  return `${name}(${given.filter((one) => one !== '').join(', ')})`;
}

/** The table function of a format, with every option that decides how bytes become values. */
async function readerOf(engine: Engine, found: TableFiles): Promise<Reader> {
  if (found.format === 'parquet') {
    const file = found.files[0] as string;
    const [[columns] = []] = await engine.rows(`SELECT max(num_children) FROM parquet_schema(${quoteText(file)})`);
    refuseTooWide(Number(columns), file);
    const union = await parquetUnion(engine, found);
    return (files, hive) => call('read_parquet', files, union, hive);
  }
  if (found.format === 'jsonl') {
    const options = await readJsonLines(engine, found.files);
    return (files, hive) => call('read_json', files, options, hive);
  }
  const delimited = await readDelimited(engine, found.files, found.format === 'tsv');
  return (files, hive) => call('read_csv', files, delimited.options, hive);
}

/** @throws ConfigurationError where the engine gave a column another name, since two differ in letter case only */
export async function refuseRenamed(engine: Engine, found: TableFiles, columns: readonly TableColumn[]): Promise<void> {
  // Its columns have the names of its schema, which were compared.
  if (found.iceberg !== null) return;
  const lower = new Set(columns.map((column) => column.name.toLowerCase()));
  const suspects = columns.filter((column) => lower.has(column.name.toLowerCase().replace(/_\d+$/, '')));
  if (!suspects.some((column) => /_\d+$/.test(column.name))) return;
  const file = found.files[0] as string;
  const rows = await engine.rows(`SELECT name FROM parquet_schema(${quoteText(file)})`);
  const stored = new Set(rows.map(([name]) => String(name)));
  if (columns.some((column) => !stored.has(column.name))) {
    refuseEqualNames(
      [...stored].filter((name) => lower.has(name.toLowerCase())),
      file,
    );
  }
}

const endingOf: Record<TableFormat, string> = { parquet: 'parquet', csv: 'csv', tsv: 'tsv', jsonl: 'jsonl' };

/** The expression for people. Where the path has no `=`, an option about partitions would be noise. */
function printedReader(reader: Reader, found: TableFiles, partitions: readonly PartitionColumn[]): string {
  const files = quoteText(pasteable(found));
  if (partitions.length === 0) return reader(files, found.uri.includes('=') ? 'hive_partitioning = false' : '');
  const types = partitions.map(({ name, type }) => `${quoteText(name)}: ${type}`).join(', ');
  const printed = reader(files, `hive_partitioning = true, hive_types = {${types}}`);
  const above = keysAbove(found);
  return above.length === 0 ? printed : `(SELECT * EXCLUDE (${above.map(quoteIdentifier).join(', ')}) FROM ${printed})`;
}

function pasteable(found: TableFiles): string {
  const isFolder = found.folder !== null && !/[*?[\]{}]/.test(found.uri);
  if (!isFolder) return found.uri;
  return `${found.uri.replace(/\/$/, '')}/**/*.${endingOf[found.format]}`;
}
