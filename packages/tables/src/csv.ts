import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { ConfigurationError } from '@passloop/core';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';

/** How a delimited file is read, decided once: every later query parses it the same way. */
export type Delimited = {
  columns: { name: string; engineType: string }[];
  options: string;
};

type Sniffed = { columns: { name: string; type: string }[]; dateFormat: string | null; timestampFormat: string | null };

const quoting = `quote = '"', escape = '"', header = true, skip = 0, comment = '', strict_mode = true`;

/**
 * Names and types of delimited files, from all of their rows: a type holds for the whole column, not for a sample.
 * The dialect is RFC 4180 with a header line; the delimiter is the one of , ; tab | that comes most often in the header.
 *
 * @throws ConfigurationError for an empty file, a header with two equal names, files with different headers, a broken row
 */
export async function readDelimited(engine: Engine, files: readonly string[], tab: boolean): Promise<Delimited> {
  const delimiter = tab ? '\t' : await sniffDelimiter(files[0] as string);
  const dialect = `delim = ${quoteText(delimiter)}, ${quoting}`;
  let merged: Sniffed | null = null;
  for (const file of files) {
    await checkHeader(engine, file, delimiter);
    const found = await sniff(engine, file, dialect);
    merged = merged === null ? found : merge(merged, found, files[0] as string, file);
  }
  const { columns, dateFormat, timestampFormat } = merged as Sniffed;
  const options = [
    dialect,
    `auto_detect = false`,
    `columns = {${columns.map((column) => `${quoteText(column.name)}: ${quoteText(column.type)}`).join(', ')}}`,
    ...(dateFormat === null ? [] : [`dateformat = ${quoteText(dateFormat)}`]),
    ...(timestampFormat === null ? [] : [`timestampformat = ${quoteText(timestampFormat)}`]),
  ].join(', ');
  return { columns: columns.map((column) => ({ name: column.name, engineType: column.type })), options };
}

async function sniff(engine: Engine, file: string, dialect: string): Promise<Sniffed> {
  const [row] = await engine
    .rows(
      `SELECT to_json(Columns)::VARCHAR, DateFormat, TimestampFormat
       FROM sniff_csv(${quoteText(file)}, ${dialect}, sample_size = -1)`,
    )
    .catch((error: unknown) => {
      throw error instanceof ConfigurationError
        ? new ConfigurationError(`${path.basename(file)} cannot be read as a table: ${error.message}`, {
            file,
            line: error.line ?? undefined,
            hint: 'Each row needs as many fields as the header; quote a field that holds the delimiter.',
            cause: error,
          })
        : error;
    });
  const [columns, dateFormat, timestampFormat] = row as [string, string | null, string | null];
  return { columns: JSON.parse(columns) as Sniffed['columns'], dateFormat, timestampFormat };
}

/** Two names that differ in case only are one to the engine, which would rename the second without a word. */
async function checkHeader(engine: Engine, file: string, delimiter: string): Promise<void> {
  const rows = await engine.rows(
    `SELECT * FROM read_csv(${quoteText(file)}, delim = ${quoteText(delimiter)}, quote = '"', escape = '"',
       header = false, skip = 0, comment = '', all_varchar = true, null_padding = true, strict_mode = false) LIMIT 1`,
  );
  const names = (rows[0] ?? []) as (string | null)[];
  const header = names.map((name) => name ?? '');
  if (header.length === 0) {
    throw new ConfigurationError(`${path.basename(file)} is empty: it has no header line.`, { file });
  }
  refuseEqualNames(header, file);
}

/** @throws ConfigurationError where two columns have one name, letter case aside, or none */
export function refuseEqualNames(names: readonly string[], file: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    if (name === '') {
      throw new ConfigurationError(`${path.basename(file)} has a column without a name.`, { file, line: 1 });
    }
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new ConfigurationError(
        other === name
          ? `${path.basename(file)} has two columns \`${name}\`.`
          : `${path.basename(file)} has columns \`${other}\` and \`${name}\`, which differ in letter case only.`,
        { file, hint: 'Rename one of them.' },
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}

function merge(left: Sniffed, right: Sniffed, first: string, file: string): Sniffed {
  const names = (sniffed: Sniffed) => sniffed.columns.map((column) => column.name).join(', ');
  if (names(left) !== names(right)) {
    throw new ConfigurationError(
      `${path.basename(file)} has other columns than ${path.basename(first)}: ${names(right)} against ${names(left)}.`,
      { file, line: 1 },
    );
  }
  return {
    columns: left.columns.map((column, i) => ({
      name: column.name,
      type: commonType(column.type, (right.columns[i] as { type: string }).type),
    })),
    dateFormat: left.dateFormat ?? right.dateFormat,
    timestampFormat: left.timestampFormat ?? right.timestampFormat,
  };
}

function commonType(left: string, right: string): string {
  if (left === right) return left;
  const numbers = ['BIGINT', 'DOUBLE'];
  return numbers.includes(left) && numbers.includes(right) ? 'DOUBLE' : 'VARCHAR';
}

async function sniffDelimiter(file: string): Promise<string> {
  const header = (await headerLine(file)).replaceAll(/"(?:[^"]|"")*"/g, '');
  let best = ',';
  for (const candidate of [',', ';', '\t', '|']) {
    if (header.split(candidate).length > header.split(best).length) best = candidate;
  }
  return best;
}

async function headerLine(file: string): Promise<string> {
  if (file.toLowerCase().endsWith('.zst')) return '';
  const raw = createReadStream(file, { end: 1 << 16 });
  const stream = file.toLowerCase().endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  let text = '';
  try {
    for await (const chunk of stream) {
      text += (chunk as Buffer).toString('utf8');
      if (text.includes('\n')) break;
    }
  } catch {
    // A gzip stream that ends early is no matter here: its head is what counts, and the engine reads it all later.
  }
  raw.destroy();
  return text.split('\n')[0] ?? '';
}
