import { count, plainText, toDecimal } from '@passloop/core';
import { type Plot, plotBars, plotClasses, plotPoints, plotSeries } from '@passloop/documents';
import type { PlotFile } from '@passloop/model';

export type Cell = number | bigint | string | boolean | null;

/** A file of numbers, read: what DVC calls a list of records. */
export type PlotRecords = { columns: string[]; rows: Cell[][] };

type Declared = { path: string; title: string; x?: string; y?: string[]; template?: string };
type Drawn = Pick<Plot, 'lines' | 'bars' | 'matrix'>;

const nothing: Drawn = { lines: null, bars: null, matrix: null };
const longestName = 100;

/** A plot that can't be shown, and why: it is listed, never left out. */
export function plotNotShown(file: PlotFile, reason: string): Plot {
  const { path, title } = declared(file);
  return { file: path, title, ...nothing, reason: plainText(reason, 2000) };
}

/**
 * Draws a file of records as DVC would: the last column against the row's number, unless the model file names columns or a
 * template. Of more rows than make a plot, evenly many are shown.
 */
export function plotOf(file: PlotFile, records: PlotRecords): Plot {
  const plot = declared(file);
  const drawn = draw(plot, records);
  if (typeof drawn === 'string') return plotNotShown(file, drawn);
  return { file: plot.path, title: plot.title, ...nothing, ...drawn, reason: null };
}

/** A plot that is drawn from its specification when the page is made. @param name where one file has several */
export function plotOfSpec(file: PlotFile, json: string, name: string | null = null): Plot {
  const { path, title } = declared(file);
  const shown = name === null ? title : title === path ? name : `${title}: ${name}`;
  return { file: path, title: plainText(shown, 200), ...nothing, spec: json, reason: null };
}

/** The columns that a template draws, by DVC's defaults: the last one by the number of the row. */
export function templateRows(
  file: PlotFile,
  records: PlotRecords,
): { title: string; x: string; y: string; rows: Record<string, Cell>[] } | string {
  const { title, x, y } = declared(file);
  const up = y?.[0] ?? records.columns.at(-1);
  if (up === undefined || records.rows.length === 0) return 'it has no rows';
  const missing = [x, up].find((name) => name !== undefined && !records.columns.includes(name));
  if (missing !== undefined) return `it has no column ${missing}`;
  const rows = recordsOf(records);
  const step = (row: Record<string, Cell>, i: number) => ({ ...row, step: i });
  return { title, x: x ?? 'step', y: up, rows: x === undefined ? rows.map(step) : rows };
}

/** Each row as a map of its columns. */
export function recordsOf({ columns, rows }: PlotRecords): Record<string, Cell>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])));
}

function declared(file: PlotFile): Declared {
  if (typeof file === 'string') return { path: file, title: file };
  const { path, title, x, y, template } = file;
  return {
    path,
    title: title ?? path,
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y: typeof y === 'string' ? [y] : y }),
    ...(template === undefined ? {} : { template }),
  };
}

function draw(plot: Declared, { columns, rows }: PlotRecords): Partial<Drawn> | string {
  if (rows.length === 0) return 'it has no rows';
  const last = columns.at(-1);
  if (last === undefined) return 'it has no columns';
  const missing = [plot.x, ...(plot.y ?? [])].find((name) => name !== undefined && !columns.includes(name));
  if (missing !== undefined) return `it has no column ${missing}; it has ${columns.slice(0, 20).join(', ')}`;
  const column = (name: string) => {
    const at = columns.indexOf(name);
    return rows.map((row) => row[at] ?? null);
  };
  const ys = plot.y ?? [last];
  const [y = last] = ys;
  if (plot.template?.startsWith('confusion')) {
    const x = plot.x ?? columns.find((name) => name !== y);
    return x === undefined
      ? 'a confusion matrix needs two columns: `x` the actual class, `y` the predicted'
      : confusion(column(x), column(y));
  }
  if (plot.template?.startsWith('bar')) {
    // DVC's bars lie: the value is x, the name is y.
    const [names, values] = plot.x === undefined ? [columns[0] ?? y, last] : [y, plot.x];
    return bars(column(names), column(values), plot.template.endsWith('sorted'));
  }
  const xs = plot.x === undefined ? rows.map((_, row) => row) : column(plot.x);
  const series = ys.slice(0, plotSeries).map((name) => ({ name: cut(name), points: points(xs, column(name)) }));
  if (series.every((one) => one.points.length === 0))
    return `no row has numbers in both ${plot.x ?? 'its place'} and ${ys.join(', ')}`;
  const shape = plot.template === 'scatter' ? ('scatter' as const) : ('line' as const);
  return {
    lines: { shape, x: cut(plot.x ?? 'step'), y: cut(ys.join(', ')), series, rows: rows.length },
  };
}

function points(xs: readonly Cell[], ys: readonly Cell[]): [string, string][] {
  const found: [string, string][] = [];
  for (const [row, x] of xs.entries()) {
    const [left, right] = [numberOf(x), numberOf(ys[row] ?? null)];
    if (left !== null && right !== null) found.push([toDecimal(left), toDecimal(right)]);
  }
  if (found.length <= plotPoints) return found;
  return Array.from(
    { length: plotPoints },
    (_, i) => found[Math.round((i * (found.length - 1)) / (plotPoints - 1))] as [string, string],
  );
}

function bars(names: readonly Cell[], values: readonly Cell[], isSorted: boolean): Partial<Drawn> | string {
  const found = names.flatMap((name, row) => {
    const value = numberOf(values[row] ?? null);
    return value === null ? [] : [{ name: cut(String(name ?? '')), value }];
  });
  if (found.length === 0) return 'no row has a number to draw';
  if (isSorted || found.length > plotBars) found.sort((left, right) => Math.abs(right.value) - Math.abs(left.value));
  return { bars: found.slice(0, plotBars).map(({ name, value }) => ({ name, value: toDecimal(value) })) };
}

function confusion(actual: readonly Cell[], predicted: readonly Cell[]): Partial<Drawn> | string {
  const names = new Set<string>();
  for (const cell of [...actual, ...predicted]) if (names.size <= plotClasses) names.add(cut(String(cell ?? '')));
  if (names.size > plotClasses) return `it has more than ${plotClasses} classes`;
  const classes = [...names].sort();
  const counts = classes.map(() => classes.map(() => 0));
  for (const [row, cell] of actual.entries()) {
    const from = classes.indexOf(cut(String(cell ?? '')));
    const to = classes.indexOf(cut(String(predicted[row] ?? '')));
    counts[from]![to]! += 1;
  }
  return { matrix: { classes, counts } };
}

function numberOf(cell: Cell): number | null {
  if (cell === null || typeof cell === 'boolean' || (typeof cell === 'string' && cell.trim() === '')) return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : null;
}

function cut(text: string): string {
  return plainText(text, longestName);
}

/** Rows of a file that are looked at. */
export const plotRows = 100_000;
const mostColumns = 1000;

/**
 * The records in JSON or YAML as DVC finds them: a list of objects, or the first such list inside an object.
 * @returns why there are none, as the end of a sentence
 */
export function recordsIn(value: unknown): PlotRecords | string {
  const list = listIn(value);
  if (list === null) return 'it holds no list of records';
  const columns: string[] = [];
  const places = new Map<string, number>();
  const rows: Cell[][] = [];
  if (list.length > plotRows) return `it has ${count(list.length)} rows; ${count(plotRows)} is the most`;
  for (const record of list) {
    if (!isObject(record)) return 'it holds a list of something else than records';
    const row: Cell[] = [];
    for (const [name, cell] of Object.entries(record)) {
      let place = places.get(name);
      if (place === undefined) {
        if (columns.length === mostColumns) return `it has more than ${count(mostColumns)} columns`;
        place = columns.push(name) - 1;
        places.set(name, place);
      }
      row[place] = typeof cell === 'object' || cell === undefined ? null : (cell as Cell);
    }
    rows.push(Array.from(row, (cell) => cell ?? null));
  }
  return { columns, rows };
}

function listIn(value: unknown, depth = 0): unknown[] | null {
  if (Array.isArray(value)) return value.some(isObject) ? value : null;
  if (!isObject(value) || depth > 4) return null;
  for (const inner of Object.values(value)) {
    const found = listIn(inner, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
