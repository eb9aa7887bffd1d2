import { count, plainText } from '@passloop/core';
import { plotSpecCharacters } from '@passloop/documents';

type Json = Record<string, unknown>;

/** A Vega-Lite specification that a file holds, with DVC's anchors filled as far as the file says what with. */
export type PlotSpec = {
  /** What tells it from others of the same file; null where it is alone. */
  name: string | null;
  spec: Json;
};

/** Of all sources of one specification. */
export const specRows = 5000;
const deepest = 40;
/** Of an anchor inside a longer text. */
const longestPut = 1000;
const mostNodes = 200_000;

/**
 * The specifications in a file's value: one of Vega-Lite (with DVC's anchors or without), or what `dvc plots show --json` and
 * `--split` print.
 * @returns null where it is none of these; a text says why one can't be drawn, as the end of a sentence
 */
export function specsIn(value: unknown): PlotSpec[] | string | null {
  if (!isObject(value)) return null;
  if (isSpec(value)) return isVega(value) ? vegaReason : (refusal(value) ?? [{ name: null, spec: value }]);
  const plots = isObject(value.data) ? value.data : value;
  const found: PlotSpec[] = [];
  for (const [name, entries] of Object.entries(plots)) {
    if (!Array.isArray(entries)) return null;
    for (const entry of entries) {
      if (!isObject(entry) || entry.type !== 'vega') continue;
      const content = typeof entry.content === 'string' ? parsed(entry.content) : entry.content;
      if (!isObject(content) || !isSpec(content)) continue;
      const anchors = isObject(entry.anchor_definitions) ? entry.anchor_definitions : {};
      const refused = refusal([content, anchors]);
      if (refused !== null) return refused;
      const spec = filled(content, new Map(Object.entries(anchors))) as Json;
      // An anchor may stand there many times.
      const grown = refusal(spec);
      if (grown !== null) return grown;
      found.push({ name: plainText(name, 200), spec });
    }
  }
  return found.length === 0 ? null : found;
}

const vegaReason = 'it is a specification of Vega itself; of Vega-Lite it would be drawn';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What stands for an anchor of a DVC template. */
export type Filling = { title: string; x: string | null; y: string | null };

/**
 * Puts names and rows where a DVC template has its anchors. A list or map that is one anchor alone is replaced by it; inside of
 * a text only text is put.
 */
export function filledTemplate(spec: Json, { title, x, y }: Filling, rows: readonly Json[]): Json {
  const anchors = new Map<string, unknown>([
    [anchor('data'), rows],
    [anchor('title'), title],
    [anchor('zoom_and_pan'), { name: 'grid', select: 'interval' }],
    [anchor('plot_width'), 300],
    [anchor('plot_height'), 300],
    [anchor('group_by'), []],
    [anchor('group_by_x'), x === null ? [] : [x]],
    [anchor('group_by_y'), y === null ? [] : [y]],
    [anchor('pivot_field'), "''"],
    [anchor('tooltip'), []],
    ...['color', 'shape', 'stroke_dash', 'row', 'column'].map((name): [string, unknown] => [anchor(name), {}]),
    ...(x === null
      ? []
      : ([
          [anchor('x'), escaped(x)],
          [anchor('x_label'), x],
        ] as [string, unknown][])),
    ...(y === null
      ? []
      : ([
          [anchor('y'), escaped(y)],
          [anchor('y_label'), y],
        ] as [string, unknown][])),
  ]);
  return filled(spec, anchors) as Json;
}

function anchor(name: string): string {
  return `<DVC_METRIC_${name.toUpperCase()}>`;
}

/** A dot or bracket in the name of a field would be a path into it. */
function escaped(name: string): string {
  return name.replace(/[.[\]]/g, '\\$&');
}

export function hasAnchors(spec: Json): boolean {
  return /<DVC_METRIC_\w+>/.test(JSON.stringify(spec));
}

function filled(value: unknown, anchors: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') {
    if (anchors.has(value)) return anchors.get(value);
    return value.replace(/<DVC_METRIC_\w+>/g, (found) => {
      const put = anchors.get(found);
      return typeof put === 'string' && put.length <= longestPut ? put : found;
    });
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, anchors));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, anchors)]));
}

/** Reads the rows of a file that a specification names. @returns why it can't, as the end of a sentence */
export type ReadRows = (url: string) => Promise<Json[] | string>;

/**
 * Puts the rows of each `data.url` into the specification, with the columns alone that it names somewhere. What is written as
 * `{"values": "<text>"}` stays as it is.
 * @returns the specification as JSON, or why it can't be drawn, as the end of a sentence
 */
export async function withRows(spec: Json, read: ReadRows): Promise<{ json: string } | string> {
  const budget = createBudget();
  const refused = tooMuch(spec, 0, budget);
  if (refused !== null) return refused;
  const words = JSON.stringify(spec);
  const copy = structuredClone(spec);
  for (const data of sources(copy)) {
    const { url } = data;
    if (typeof url !== 'string') return 'it names data by something else than a text';
    const rows = await read(url);
    if (typeof rows === 'string') return `its data ${JSON.stringify(plainText(url, 200))} is not read: ${rows}`;
    budget.rows -= rows.length;
    if (budget.rows < 0) return `it has more than ${count(specRows)} rows; sum them up where they are made`;
    const { parse } = isObject(data.format) ? data.format : {};
    delete data.url;
    data.format = parse === undefined ? {} : { parse };
    data.values = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => named(words, name))));
  }
  const json = JSON.stringify(copy);
  return json.length > plotSpecCharacters
    ? `with its data it has ${count(json.length)} characters; ${count(plotSpecCharacters)} is the most`
    : { json };
}

function named(words: string, column: string): boolean {
  const text = JSON.stringify(column).slice(1, -1);
  return words.includes(text) || words.includes(JSON.stringify(escaped(column)).slice(1, -1));
}

type Budget = { nodes: number; rows: number; characters: number };

function createBudget(): Budget {
  return { nodes: mostNodes, rows: specRows, characters: plotSpecCharacters };
}

/** Before anything goes through all of a specification or writes it down: it may be nested, or hold the same part, a million times. */
function refusal(value: unknown): string | null {
  return tooMuch(value, 0, createBudget());
}

function tooMuch(value: unknown, depth: number, budget: Budget): string | null {
  budget.nodes -= 1;
  if (budget.nodes < 0) return `it has more than ${count(mostNodes)} parts`;
  if (depth > deepest) return 'it is nested too deeply';
  if (typeof value === 'string') budget.characters -= value.length;
  if (isObject(value)) {
    for (const name of Object.keys(value)) budget.characters -= name.length;
    if (Array.isArray(value.values)) budget.rows -= value.values.length;
  }
  if (budget.rows < 0) return `it has more than ${count(specRows)} rows; sum them up where they are made`;
  if (budget.characters < 0) return `it has more than ${count(plotSpecCharacters)} characters`;
  if (typeof value !== 'object' || value === null) return null;
  for (const inner of Object.values(value)) {
    const refused = tooMuch(inner, depth + 1, budget);
    if (refused !== null) return refused;
  }
  return null;
}

/** Each `data` that names an address, wherever in the specification. */
function sources(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = isObject(value) && isObject(value.data) && 'url' in value.data ? [value.data] : [];
  const inner = Object.entries(value).flatMap(([name, one]) => (name === 'values' ? [] : sources(one)));
  return [...own, ...inner];
}

function isSpec(value: Json): boolean {
  if (typeof value.$schema === 'string' && /\bvega(?:-lite)?\b/.test(value.$schema)) return true;
  const parts = ['mark', 'layer', 'hconcat', 'vconcat', 'concat', 'repeat', 'facet'];
  return parts.some((part) => part in value) && ['encoding', 'data', 'spec', 'layer'].some((part) => part in value);
}

function isVega(value: Json): boolean {
  return typeof value.$schema === 'string' && /schema\/vega\/v/.test(value.$schema);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
