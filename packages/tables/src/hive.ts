import { ConfigurationError } from '@passloop/core';
import { quoteIdentifier, quoteText } from './quote.ts';

/** A column whose values are no part of the files: each file has one, in the order of the table's files. */
export type PartitionColumn = {
  name: string;
  /** As the engine calls it. */
  type: string;
  /** As text; null where a partition has none. */
  values: (string | null)[];
};

const nothing = '__HIVE_DEFAULT_PARTITION__';

/**
 * The columns that folders named `key=value` make, in the order of their names. Only folders below the table's own count: what
 * lies above it is where somebody put the table.
 *
 * @param paths of the table's files below its folder, with `/`
 * @throws ConfigurationError where some files lie in such folders and others don't
 */
export function hivePartitions(paths: readonly string[], uri: string): PartitionColumn[] {
  const [first = ''] = paths;
  const keys = keysOf(first);
  const values: (string | null)[][] = [];
  for (const file of paths) {
    const found = foldersOf(file);
    const names = found.map(([key]) => key);
    if (names.join('\n') !== keys.join('\n')) throw uneven(uri, [first, keys], [file, names]);
    values.push(found.map(([, value]) => folderValue(value)));
  }
  refuseNames(keys, first, uri);
  return keys
    .map((name, place) => {
      const column = values.map((row) => row[place] ?? null);
      return { name, type: typeOf(column), values: column };
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The keys of `key=value` folders in a path, its last part aside. */
export function keysOf(file: string): string[] {
  return foldersOf(file).map(([key]) => key);
}

function foldersOf(file: string): [string, string][] {
  return file
    .split('/')
    .slice(0, -1)
    .flatMap((folder): [string, string][] => {
      // A second "=" makes it a name like any other to the engine; writers encode it in a value.
      const [key = '', value, ...more] = folder.split('=');
      return key === '' || value === undefined || more.length > 0 ? [] : [[key, value]];
    });
}

function folderValue(text: string): string | null {
  if (text === nothing) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A whole number without leading zeros, or a date; else text, which loses nothing. */
function typeOf(values: readonly (string | null)[]): string {
  const given = values.filter((value) => value !== null);
  if (given.length === 0) return 'VARCHAR';
  if (given.every((value) => /^(0|-?[1-9]\d{0,17})$/.test(value))) return 'BIGINT';
  if (given.every((value) => /^\d{4}-\d\d-\d\d$/.test(value) && isDate(value))) return 'DATE';
  return 'VARCHAR';
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(text);
}

function refuseNames(keys: readonly string[], file: string, uri: string): void {
  for (const [place, key] of keys.entries()) {
    const twin = keys.findIndex((other) => other.toLowerCase() === key.toLowerCase());
    const what =
      twin !== place
        ? `${JSON.stringify(keys[twin])} and ${JSON.stringify(key)}, one column to the engine`
        : key.includes('%')
          ? `${JSON.stringify(key)}, an encoded name`
          : null;
    if (what === null) continue;
    throw new ConfigurationError(`The folders of ${file} name ${what}.`, { file: uri, hint: 'Rename the folders.' });
  }
}

type KeysAt = [file: string, keys: readonly string[]];

function uneven(uri: string, left: KeysAt, right: KeysAt): ConfigurationError {
  const say = ([file, keys]: KeysAt) => `${file} ${keys.length === 0 ? 'in none' : `in ${keys.join(', ')}`}`;
  return new ConfigurationError(
    `${uri} is partitioned unevenly: by its \`key=value\` folders, ${say(left)}, but ${say(right)}.`,
    {
      file: uri,
      hint: 'Let all files lie in folders of the same keys, in the same order, or none; a glob may leave files out.',
    },
  );
}

/** A partition's value in the row's file. `file_index` is the engine's count of the files that it was given. */
export function partitionValue({ type, values }: PartitionColumn): string {
  const list = values.map((value) => (value === null ? 'NULL' : quoteText(value))).join(', ');
  return `CAST(([${list}]::VARCHAR[])[file_index::BIGINT + 1] AS ${type})`;
}

/** The names of the values in a query. */
export function partitionColumns(columns: readonly PartitionColumn[]): string {
  return columns.map((column) => `, ${partitionValue(column)} AS ${quoteIdentifier(column.name)}`).join('');
}
