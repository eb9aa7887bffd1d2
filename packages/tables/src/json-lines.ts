import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import { refuseEqualNames } from './csv.ts';
import type { Engine } from './engine.ts';
import { quoteText } from './quote.ts';
import { readText } from './text-file.ts';

/**
 * The options by which JSON lines are read, types from all of their rows. Each line is one object: the engine would take
 * an array for a table of one column.
 *
 * @throws ConfigurationError for a line that is no object, or two keys that differ in letter case only
 */
export async function readJsonLines(engine: Engine, files: readonly string[]): Promise<string> {
  const options = `format = 'newline_delimited', records = true`;
  const list = `[${files.map(quoteText).join(', ')}]`;
  const query = `SELECT column_name, column_type FROM (DESCRIBE FROM read_json(${list}, ${options}, hive_partitioning = false, sample_size = -1))`;
  const described = await engine.rows(query).catch(async (error: unknown) => {
    throw (await brokenJsonLine(files)) ?? error;
  });
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
    hint: 'JSON lines hold one object a line, such as {"id": 1, "age": 30}; not an array of them.',
  });
}
