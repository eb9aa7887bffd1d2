import path from 'node:path';
import { ConfigurationError, plainText } from '@passloop/core';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';
import { shownFile, type TableFiles } from './source.ts';

/**
 * The option by which several Parquet files are read as one table. The engine would take the first file's types for all, and make
 * whole numbers of a later file's fractions; it would leave out the columns that the first one lacks.
 *
 * @returns '' where all files have the same types, or the option by which each column has a type that holds the values of all
 * @throws ConfigurationError where a file has other columns than the first one
 */
export async function parquetUnion(engine: Engine, found: TableFiles): Promise<string> {
  const [first = '', ...others] = found.files;
  if (others.length === 0) return '';
  const list = `[${found.files.map(quoteText).join(', ')}]`;
  const node = `concat_ws(chr(31), name, type, type_length, num_children, converted_type, scale, precision, logical_type)`;
  const kinds = await engine.rows(
    `SELECT min(file) FROM (SELECT file_name AS file, list(${node} ORDER BY column_id) AS nodes FROM parquet_schema(${list}) GROUP BY 1) GROUP BY nodes ORDER BY 1`,
  );
  if (kinds.length < 2) return '';
  const columns = await typesIn(engine, first);
  let isSame = true;
  for (const [file] of kinds) {
    const types = await typesIn(engine, String(file));
    refuseOthers(columns, types, [shownFile(found, first), shownFile(found, String(file))]);
    isSame &&= [...types].every(([name, type]) => columns.get(name) === type);
  }
  return isSame ? '' : 'union_by_name = true';
}

/** Types by name, which has one letter case to the engine. */
async function typesIn(engine: Engine, file: string): Promise<ReadonlyMap<string, string>> {
  const described = await engine.rows(
    `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${quoteText(file)}, hive_partitioning = false))`,
  );
  return new Map(described.map(([name, type]) => [String(name).toLowerCase(), String(type)]));
}

function refuseOthers(
  columns: ReadonlyMap<string, string>,
  types: ReadonlyMap<string, string>,
  [first, file]: readonly [string, string],
): void {
  const missing = [...columns.keys()].filter((name) => !types.has(name));
  const more = [...types.keys()].filter((name) => !columns.has(name));
  if (missing.length + more.length === 0) return;
  const listed = (names: readonly string[]) =>
    `${names
      .slice(0, 10)
      .map((name) => plainText(name, 60))
      .join(', ')}${names.length > 10 ? ' and more' : ''}`;
  const what = [
    ...(missing.length === 0 ? [] : [`lacks ${listed(missing)}`]),
    ...(more.length === 0 ? [] : [`has ${listed(more)} besides`]),
  ].join(' and ');
  throw new ConfigurationError(`${path.basename(file)} has other columns than ${path.basename(first)}: it ${what}.`, {
    file,
    hint: 'All files of a table have the same columns: write it again, or leave it out by a glob.',
  });
}
