import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import { refuseEqualNames } from './csv.ts';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';
import { readText } from './text-file.ts';
import { refuseTooWide } from './width.ts';

/**
 * The options by which JSON lines are read, types from all of their rows. Each line is one object: the engine would take
 * an array for a table of one column.
 *
 * @throws ConfigurationError for a line that is no object, too many keys, or two keys that differ in letter case only
 */
export async function readJsonLines(engine: Engine, files: readonly string[]): Promise<string> {
  const options = `format = 'newline_delimited', records = true`;
  const list = `[${files.map(quoteText).join(', ')}]`;
  for (const file of files) refuseTooWide(await keysOfFirst(file), file);
  const describe = (how: string) =>
    engine.rows(
      `SELECT column_name, column_type FROM (DESCRIBE FROM read_json(${list}, ${options}, hive_partitioning = false, sample_size = -1${how}))`,
    );
  const described = await describe('').catch(async (error: unknown) => {
    const broken = (await brokenJsonLine(files)) ?? (await emptyFile(files));
    if (broken !== null || !/non-record JSON/.test((error as Error).message)) throw broken ?? error;
    // Objects of more than 200 keys whose values are alike are maps to the engine, unless it is told not to look for any.
    return describe(', map_inference_threshold = -1');
  });
  refuseTooWide(described.length, files[0] as string);
  const names = described.map(([name]) => String(name));
  await refuseRenamed(engine, list, names, files[0] as string);
  const columns = described.map(([name, type]) => `${quoteText(String(name))}: ${quoteText(String(type))}`);
  return `${options}, columns = {${columns.join(', ')}}`;
}

/** The engine calls the second of `id` and `ID` `ID_1`, and then finds no such key: a column of NULL. */
async function refuseRenamed(engine: Engine, list: string, names: readonly string[], file: string): Promise<void> {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  for (const name of names) {
    const original = name.replace(/_\d+$/, '');
    if (original === name || !lower.has(original.toLowerCase())) continue;
    const keys = `list_contains(json_keys(json), ${quoteText(name)})`;
    const [[found] = []] = await engine.rows(
      `SELECT coalesce(bool_or(${keys}), false) FROM read_json_objects(${list}, format = 'newline_delimited')`,
    );
    if (found === true) continue;
    refuseEqualNames([names.find((other) => other.toLowerCase() === original.toLowerCase()) ?? '', original], file);
  }
}

/** How many keys the first object has; 0 where its line is none, or is cut short. */
async function keysOfFirst(file: string): Promise<number> {
  let text = '';
  for await (const piece of readText(file)) {
    text = (text + piece).trimStart();
    if (text.includes('\n') || text.length > longestLine) break;
  }
  const [line = ''] = text.split('\n', 1);
  return line.length <= longestLine && isObject(line) ? Object.keys(JSON.parse(line || '{}') ?? {}).length : 0;
}

const longestLine = 16 << 20;

/** The first line that is not one JSON object, or null. The engine's own count of lines is off by one. */
async function brokenJsonLine(files: readonly string[]): Promise<ConfigurationError | null> {
  for (const file of files) {
    let line = 0;
    let rest = '';
    for await (const text of readText(file)) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) return null;
      for (const each of lines) {
        line++;
        if (!isObject(each)) return broken(file, line);
      }
    }
    if (!isObject(rest)) return broken(file, line + 1);
  }
  return null;
}

async function emptyFile(files: readonly string[]): Promise<ConfigurationError | null> {
  for (const file of files) {
    for await (const text of readText(file)) if (text.trim() !== '') return null;
  }
  return new ConfigurationError(`${path.basename(files[0] as string)} is empty: it has no row.`, {
    file: files[0],
    hint: objectHint,
  });
}

const objectHint = 'JSON lines hold one object a line, such as {"id": 1, "age": 30}; not an array of them.';

/** A line without anything is passed over, and `null` is a row of NULL, to the engine too. */
function isObject(line: string): boolean {
  const text = line.trim();
  if (text === '' || text === 'null') return true;
  try {
    JSON.parse(text);
    return text.startsWith('{');
  } catch {
    return false;
  }
}

function broken(file: string, line: number): ConfigurationError {
  return new ConfigurationError(`${path.basename(file)} cannot be read as a table: line ${line} is no JSON object.`, {
    file,
    line,
    hint: objectHint,
  });
}
