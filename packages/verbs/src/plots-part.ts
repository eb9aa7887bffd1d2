import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, isMissing, PassloopError, parseYaml } from '@passloop/core';
import { type Plot, plotsOfModel } from '@passloop/documents';
import {
  type Cell,
  filledTemplate,
  hasAnchors,
  type PlotRecords,
  type PlotSpec,
  plotNotShown,
  plotOf,
  plotOfSpec,
  plotRows,
  recordsIn,
  recordsOf,
  specsIn,
  templateRows,
  withRows,
} from '@passloop/evaluation';
import type { LoadedModel, PlotFile } from '@passloop/model';
import { quoteIdentifier, type TableSession } from '@passloop/tables';

const maxBytes = 5_000_000;
const mostColumns = 1000;

/** Where the files of plots lie: the run's outputs, each under its path, and the model file's folder, for templates alone. */
export type PlotFolders = { outputs: string; model: string };

/**
 * The plots that a model file names, from the run's outputs. The files are a stranger's: what is too large, no file or no
 * table of numbers is listed with its reason, and fails nothing. Nothing is fetched, and a specification is taken as data: it is
 * drawn when the page is made, apart.
 *
 * @returns nothing where the model file names no plots
 */
export async function plotsOf(
  session: TableSession,
  model: Pick<LoadedModel, 'plots'>,
  folders: PlotFolders,
): Promise<{ plots?: Plot[] }> {
  if (model.plots === undefined || model.plots.length === 0) return {};
  const plots: Plot[] = [];
  for (const plot of model.plots) plots.push(...(await plotsFrom({ session, plot, folders })));
  return { plots: withinReport(plots.slice(0, plotsOfModel)) };
}

/** A report holds the specifications of all models. */
const specCharacters = 500_000;

function withinReport(plots: readonly Plot[]): Plot[] {
  let left = specCharacters;
  return plots.map(({ spec, ...plot }) => {
    if (spec === undefined) return plot;
    left -= spec.length;
    return left >= 0
      ? { ...plot, spec }
      : { ...plot, reason: 'the specifications before it leave no room in the report' };
  });
}

type Asked = { session: TableSession; plot: PlotFile; folders: PlotFolders };

async function plotsFrom(asked: Asked): Promise<Plot[]> {
  const { plot, folders } = asked;
  const name = typeof plot === 'string' ? plot : plot.path;
  try {
    const file = await insidePath(folders.outputs, name, 'a plot');
    const template = typeof plot === 'string' ? undefined : plot.template;
    if (template?.endsWith('.json')) return [await fromTemplate(asked, name, file, template)];
    if (path.extname(name).toLowerCase() === '.json') {
      const value = parseJson(await boundedText(file, name), name);
      const specs = specsIn(value);
      if (typeof specs === 'string') return [plotNotShown(plot, specs)];
      if (specs !== null) return await Promise.all(specs.map((spec) => fromSpec(asked, name, spec)));
      return [drawn(plot, recordsIn(value))];
    }
    return [drawn(plot, await numbersOf(asked.session, name, file))];
  } catch (error) {
    return [plotNotShown(plot, whyNot(error))];
  }
}

/** @throws what is no fault of the file */
function whyNot(error: unknown): string {
  if (isMissing(error)) return 'there is no such file among the outputs of the stages';
  if (!(error instanceof PassloopError)) throw error;
  return error.message;
}

function drawn(plot: PlotFile, records: PlotRecords | string): Plot {
  return typeof records === 'string' ? plotNotShown(plot, records) : plotOf(plot, records);
}

/** The data that a specification names lies beside it, among the outputs. */
async function fromSpec({ session, plot, folders }: Asked, name: string, { name: one, spec }: PlotSpec): Promise<Plot> {
  if (hasAnchors(spec))
    return plotNotShown(plot, 'it is a template of DVC: name it as `template` of the file with the numbers');
  const made = await withRows(spec, async (url) => {
    if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(url)) return 'it is an address, and nothing is fetched';
    const relative = path.posix.join(path.posix.dirname(name), url);
    try {
      const file = await insidePath(folders.outputs, relative, 'the data of a plot');
      const records = await numbersOf(session, relative, file);
      return typeof records === 'string' ? records : recordsOf(records);
    } catch (error) {
      return whyNot(error);
    }
  });
  return typeof made === 'string' ? plotNotShown(plot, made) : plotOfSpec(plot, made.json, one);
}

/** A template of the team's own: among the outputs, or committed beside the model file. */
async function fromTemplate(
  { session, plot, folders }: Asked,
  name: string,
  file: string,
  template: string,
): Promise<Plot> {
  const records = await numbersOf(session, name, file);
  if (typeof records === 'string') return plotNotShown(plot, records);
  const filling = templateRows(plot, records);
  if (typeof filling === 'string') return plotNotShown(plot, filling);
  const specs = specsIn(parseJson(await templateText(folders, template), template));
  const [found] = typeof specs === 'string' ? [] : (specs ?? []);
  if (found === undefined) return plotNotShown(plot, `its template ${template} is no Vega-Lite specification`);
  const spec = filledTemplate(found.spec, filling, filling.rows);
  const made = await withRows(spec, async () => 'a template gets its data from the file that it is named for');
  return typeof made === 'string' ? plotNotShown(plot, made) : plotOfSpec(plot, made.json);
}

async function templateText({ outputs, model }: PlotFolders, template: string): Promise<string> {
  try {
    return await boundedText(await insidePath(outputs, template, 'a template'), template);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return await boundedText(await insidePath(model, template, 'a template'), template);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigurationError(`Its template ${template} is neither among the outputs nor beside the model file.`);
  }
}

async function numbersOf(session: TableSession, name: string, file: string): Promise<PlotRecords | string> {
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
