import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';
import { readText } from './text-file.ts';
import { longestLine, refuseTooWide } from './width.ts';

/** How a delimited file is read, decided once: every later query parses it the same way. */
export type Delimited = {
  columns: { name: string; engineType: string }[];
  options: string;
};

type Sniffed = { columns: { name: string; type: string }[]; dateFormat: string | null; timestampFormat: string | null };

const quoting = `quote = '"', escape = '"', header = true, skip = 0, comment = '', strict_mode = true`;

/**
 * Names and types of delimited files, from all of their rows: a type holds for the whole column, not for a sample.
 * Dates and timestamps have the year first. The dialect is RFC 4180 with a header line; the delimiter is the one of , ; tab | that comes most often in the header.
 *
 * @throws ConfigurationError for an empty file, a header with two equal names or too many, files with different headers, a broken row
 */
export async function readDelimited(engine: Engine, files: readonly string[], tab: boolean): Promise<Delimited> {
  const delimiter = tab ? '\t' : sniffDelimiter((await headerRecord(files[0] as string)).text);
  const dialect = `delim = ${quoteText(delimiter)}, ${quoting}`;
  let merged: Sniffed | null = null;
  for (const file of files) {
    const header = checkHeader(await headerRecord(file), delimiter, file);
    const found = await sniff(engine, file, dialect, header);
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

async function sniff(engine: Engine, file: string, dialect: string, header: readonly string[]): Promise<Sniffed> {
  const query = `SELECT to_json(Columns)::VARCHAR, DateFormat, TimestampFormat
    FROM sniff_csv(${quoteText(file)}, ${dialect}, sample_size = -1)`;
  const rows = await engine.rows(query).catch(async (error: unknown) => {
    if (!(error instanceof ConfigurationError)) throw error;
    throw await brokenRow(engine, file, dialect, header, error);
  });
  const [columns, dateFormat, timestampFormat] = rows[0] as [string, string | null, string | null];
  const guessed = new Set([
    ...(isYearFirst(dateFormat) ? [] : ['DATE']),
    ...(isYearFirst(timestampFormat) ? [] : ['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE']),
  ]);
  const typed = (JSON.parse(columns) as Sniffed['columns']).map(({ name, type }, at, { length }) => ({
    // The engine's own word for a name could be another: it gives new ones to what it takes for the same.
    name: length === header.length ? (header[at] as string) : name,
    type: guessed.has(type) ? 'VARCHAR' : type,
  }));
  const others = await misread(engine, file, dialect, typed);
  return {
    columns: typed.map(({ name, type }, at) => ({ name, type: others.get(at) ?? type })),
    dateFormat: guessed.has('DATE') ? null : dateFormat,
    timestampFormat: guessed.has('TIMESTAMP') ? null : timestampFormat,
  };
}

const firstRows = 1000;

/**
 * What the sniffer takes for another type: whole numbers beyond 64 bits for doubles, which makes one id of many, and infinities alone for dates. Their types by the
 * columns' places, of those that all rows fit; all rows are read only where the first ones do.
 */
async function misread(
  engine: Engine,
  file: string,
  dialect: string,
  columns: Sniffed['columns'],
): Promise<Map<number, string>> {
  const texts = columns.map((_, at) => `'c${at}': 'VARCHAR'`).join(', ');
  const reader = `read_csv(${quoteText(file)}, ${dialect}, auto_detect = false, columns = {${texts}})`;
  const likely = (at: number) =>
    `coalesce(bool_and(regexp_full_match(c${at}, '${columns[at]?.type === 'DOUBLE' ? '[-+]?[0-9]+' : '(?i)[-+]?inf(inity)?'}')), false)`;
  const places = columns.flatMap(({ type }, at) => (/^(DOUBLE|DATE|TIMESTAMP.*)$/.test(type) ? [at] : []));
  if (places.length === 0) return new Map();
  const first = `(SELECT * FROM ${reader} LIMIT ${firstRows})`;
  const [found = []] = await engine.rows(`SELECT ${places.map(likely).join(', ')} FROM ${first}`);
  const suspects = places.filter((_, i) => found[i] === true);
  if (suspects.length === 0) return new Map();
  const fitting = suspects.map((at) => {
    const fits = (type: string) => `WHEN count(c${at}) = count(TRY_CAST(c${at} AS ${type})) THEN '${type}'`;
    const types = columns[at]?.type === 'DOUBLE' ? ['UBIGINT', 'HUGEINT'] : ['DOUBLE'];
    return `CASE WHEN NOT ${likely(at)} THEN NULL ${types.map(fits).join(' ')} END`;
  });
  const [types = []] = await engine.rows(`SELECT ${fitting.join(', ')} FROM ${reader}`);
  return new Map(suspects.flatMap((at, i) => (types[i] == null ? [] : [[at, String(types[i])] as const])));
}

/** 01/02/2001 is the first of February or the second of January: the engine guesses, so that it stays text here. */
function isYearFirst(format: string | null): boolean {
  return format === null || format.startsWith('%Y');
}

/** The sniffer only says that no dialect fits. Reading the rows as text says which line it was. */
async function brokenRow(
  engine: Engine,
  file: string,
  dialect: string,
  header: readonly string[],
  sniffed: ConfigurationError,
): Promise<ConfigurationError> {
  const columns = header.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const name = path.basename(file);
  const query = `SELECT count(COLUMNS(*)) FROM read_csv(${quoteText(file)}, ${dialect}, auto_detect = false, columns = {${columns}})`;
  const error = await engine.rows(query).catch((thrown: unknown) => thrown);
  const known = brokenLine(error, name, file) ?? brokenLine(sniffed, name, file);
  if (known !== null) return known;
  if (await hasTwoLineEnds(file))
    return new ConfigurationError(`${name} cannot be read as a table: its lines end in two ways, CRLF and LF.`, {
      file,
      hint: 'Save it with one kind of line end.',
      cause: sniffed,
    });
  const message = `${name} cannot be read as a table: ${sniffed.message.slice(0, 120)}`;
  return new ConfigurationError(message, { file, hint: brokenHint, cause: sniffed });
}

async function hasTwoLineEnds(file: string): Promise<boolean> {
  const ends = new Set<boolean>();
  let last = '';
  for await (const piece of readText(file)) {
    const text = last + piece;
    for (const [end] of text.matchAll(/\r?\n/g)) ends.add(end === '\r\n');
    if (ends.size > 1) return true;
    last = piece.endsWith('\r') ? '\r' : '';
  }
  return false;
}

const brokenHint =
  'Each row needs as many fields as the header; quote a field with a delimiter, quote or newline in it.';

/** The engine's word about a broken line of a delimited file in ours, or null when the error is another one. */
export function brokenLine(error: unknown, name: string, file: string): ConfigurationError | null {
  if (!(error instanceof ConfigurationError) || error.line === null) return null;
  if (/Invalid unicode/.test(error.message)) {
    const message = `${name} cannot be read as a table: line ${error.line} is not UTF-8.`;
    return new ConfigurationError(message, { file, line: error.line, hint: 'Save the file as UTF-8.', cause: error });
  }
  // Behind the line itself, which may be long.
  const whole = error.cause instanceof Error ? error.cause.message : error.message;
  if (/^Maximum line size of \d+ bytes exceeded/m.test(whole)) return tooLong(name, file, error.line, error);
  const fields = /^Expected Number of Columns: (\d+) Found: (\d+)/m.exec(whole);
  const what = fields === null ? 'is broken' : `has ${fields[2]} fields, the header ${fields[1]}`;
  const message = `${name} cannot be read as a table: line ${error.line} ${what}.`;
  return new ConfigurationError(message, { file, line: error.line, hint: brokenHint, cause: error });
}

function tooLong(name: string, file: string, line: number, cause?: unknown): ConfigurationError {
  const message = `${name} cannot be read as a table: line ${line} is longer than ${longestLine.toLocaleString('en')} bytes.`;
  const hint =
    'Perhaps a quote is never closed. Where a field really is that long, write the table as Parquet, or keep the field in a file of its own.';
  return new ConfigurationError(message, { file, line, hint, cause });
}

/**
 * The names of the columns, without the spaces around them, as the engine reads them too. Two that differ in case only are one to
 * the engine, which would rename the second without a word.
 */
function checkHeader({ text, isWhole }: HeaderRecord, delimiter: string, file: string): string[] {
  if (text === '') {
    throw new ConfigurationError(`${path.basename(file)} is empty: it has no header line.`, {
      file,
      hint: 'The first line names the columns, such as: id,age',
    });
  }
  if (text.includes('\0')) {
    const message = `${path.basename(file)} cannot be read as a table: line 1 is not UTF-8.`;
    throw new ConfigurationError(message, { file, line: 1, hint: 'Save the file as UTF-8.' });
  }
  const names = splitRecord(text, delimiter).map((name) => name.trim());
  refuseTooWide(names.length, file);
  if (!isWhole) throw tooLong(path.basename(file), file, 1);
  refuseEqualNames(names, file);
  return names;
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
  const whole = ['BIGINT', 'UBIGINT', 'HUGEINT'];
  if (whole.includes(left) && whole.includes(right)) return 'HUGEINT';
  return [left, right].every((type) => type === 'DOUBLE' || whole.includes(type)) ? 'DOUBLE' : 'VARCHAR';
}

function sniffDelimiter(record: string): string {
  const bare = record.replaceAll(/"(?:[^"]|"")*"/g, '');
  let best = ',';
  for (const candidate of [',', ';', '\t', '|']) {
    if (bare.split(candidate).length > bare.split(best).length) best = candidate;
  }
  return best;
}

/** The fields of one record by RFC 4180. */
function splitRecord(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const character = record[i] as string;
    if (character === '"' && quoted && record[i + 1] === '"') {
      field += '"';
      i++;
    } else if (character === '"' && (quoted || field === '')) quoted = !quoted;
    else if (character === delimiter && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field];
}

type HeaderRecord = { text: string; isWhole: boolean };

/** The first record: up to the first line end outside quotes, without the byte order mark; its beginning, where it is too long. */
async function headerRecord(file: string): Promise<HeaderRecord> {
  let text = '';
  let quoted = false;
  for await (const piece of readText(file)) {
    for (let i = 0; i < piece.length; i++) {
      if (piece[i] === '"') quoted = !quoted;
      else if (piece[i] === '\n' && !quoted) {
        text += piece.slice(0, i);
        return { text: text.replace(/\r$/, ''), isWhole: text.length < longestLine };
      }
    }
    text += piece;
    if (text.length > longestLine) return { text, isWhole: false };
  }
  return { text: text.replace(/\r$/, ''), isWhole: true };
}
