import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, isMissing, PassloopError, parseYaml } from '@passloop/core';
import type { Plot } from '@passloop/documents';
import { type Cell, type PlotRecords, plotNotShown, plotOf, plotRows, recordsIn } from '@passloop/evaluation';
import type { LoadedModel, PlotFile } from '@passloop/model';
import { quoteIdentifier, type TableSession } from '@passloop/tables';

const maxBytes = 5_000_000;
const mostColumns = 1000;

/**
 * The plots that a model file names, from the run's outputs. The files are a stranger's: what is too large, no file or no
 * table of numbers is listed with its reason, and fails nothing. No specification is run and nothing is fetched.
 *
 * @param outputs the folder that holds the run's outputs, each under its path
 * @returns nothing where the model file names no plots
 */
export async function plotsOf(session: TableSession, model: LoadedModel, outputs: string): Promise<{ plots?: Plot[] }> {
  if (model.plots === undefined || model.plots.length === 0) return {};
  const plots: Plot[] = [];
  for (const plot of model.plots) plots.push(await plotFrom(session, plot, outputs));
  return { plots };
}

async function plotFrom(session: TableSession, plot: PlotFile, outputs: string): Promise<Plot> {
  const name = typeof plot === 'string' ? plot : plot.path;
  try {
    const records = await recordsOf(session, name, await insidePath(outputs, name, 'a plot'));
    return typeof records === 'string' ? plotNotShown(plot, records) : plotOf(plot, records);
  } catch (error) {
    if (isMissing(error)) return plotNotShown(plot, 'there is no such file among the outputs of the stages');
    if (!(error instanceof PassloopError)) throw error;
    return plotNotShown(plot, error.message);
  }
}

async function recordsOf(session: TableSession, name: string, file: string): Promise<PlotRecords | string> {
  switch (path.extname(name).toLowerCase()) {
    case '.csv':
    case '.tsv':
    case '.jsonl':
    case '.ndjson':
    case '.parquet':
      // A reader of tables takes these for a pattern.
      if (/[*?[\]{}]/.test(name)) return 'its name has a character of a pattern';
      await requirePlain(file, name);
      return await tableRecords(session, name, file);
    case '.json':
      return recordsIn(parseJson(await boundedText(file, name), name));
    case '.yaml':
    case '.yml':
      return recordsIn(parseYaml(await boundedText(file, name), name).value);
    default:
      return 'it is no CSV, TSV, JSON, JSON lines, YAML or Parquet file';
  }
}

async function tableRecords(session: TableSession, name: string, file: string): Promise<PlotRecords | string> {
  const table = await session.open({ uri: path.basename(file), root: path.dirname(file), name });
  if (table.rows > plotRows) return `it has ${table.rows} rows; ${plotRows} is the most`;
  if (table.columns.length > mostColumns) return `it has more than ${mostColumns} columns`;
  const cells = table.columns.map(({ name, type }) => {
    const cell = quoteIdentifier(name);
    return type === 'integer' || type === 'float' ? `${cell}::DOUBLE` : `${cell}::VARCHAR`;
  });
  const rows = await session.rows(`SELECT ${cells.join(', ')} FROM ${table.relation}`);
  return { columns: table.columns.map((column) => column.name), rows: rows as Cell[][] };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigurationError(`${name} is not JSON.`, { file: name });
  }
}

async function boundedText(file: string, name: string): Promise<string> {
  await requirePlain(file, name);
  return await readFile(file, 'utf8');
}

/** A pipe would be read for ever. */
async function requirePlain(file: string, name: string): Promise<void> {
  const found = await stat(file);
  if (!found.isFile()) throw new ConfigurationError('It is no regular file.', { file: name });
  if (found.size > maxBytes)
    throw new ConfigurationError(`It has ${found.size} bytes; ${maxBytes} is the most for a plot.`, { file: name });
}
