import { escapeHtml, plainText } from '@passloop/core';
import { type Loader, parse, View } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile, type TopLevelSpec } from 'vega-lite';
import { drawnSvg } from './svg.ts';
import { theme } from './theme.ts';

type Row = Record<string, number | string | null>;
type Parsed = ReturnType<typeof parse>;

/** A chart as data: what Vega-Lite draws, and the rows of its named sources. */
export type Drawing = {
  spec: TopLevelSpec;
  rows: Record<string, readonly Row[]>;
};

/** Nothing is fetched and no file is read: whatever a specification names, the answer is this. */
export const noLoader: Loader = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
} as unknown as Loader;

function refuse(): Promise<never> {
  return Promise.reject(new Error('it names an address, and nothing is loaded'));
}

const bounds = { elements: 20_000, characters: 400_000 };
const compiled = new WeakMap<TopLevelSpec, Parsed>();

/** @returns SVG as vega writes it */
export async function vegaSvg(spec: TopLevelSpec, rows: Drawing['rows']): Promise<string> {
  let runtime = compiled.get(spec);
  if (runtime === undefined) {
    runtime = parse(compile(spec, { config: theme, logger: silent }).spec, undefined, { ast: true });
    compiled.set(spec, runtime);
  }
  const view = new View(runtime, { expr: expressionInterpreter, renderer: 'none', loader: noLoader, logger: silent });
  try {
    for (const [name, values] of Object.entries(rows)) view.data(name, [...values]);
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** What a warning says is of no use to who reads a page, and its text may be a stranger's. */
const silent = {
  level: () => silent,
  error: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
} as never;

/**
 * Draws one of our own charts as SVG that needs no script and takes its colours from the page.
 * @param label what a reader who sees nothing is told; null where the numbers stand beside the picture
 */
export async function chartSvg({ spec, rows }: Drawing, label: string | null, kind = 'chart'): Promise<string> {
  const { width, height, inner } = drawnSvg(await vegaSvg(spec, rows), '', bounds);
  return svgOf({ width, height, inner }, label, kind);
}

export function svgOf(
  { width, height, inner }: ReturnType<typeof drawnSvg>,
  label: string | null,
  kind: string,
): string {
  const said = label === null ? 'aria-hidden="true"' : `role="img" aria-label="${escapeHtml(plainText(label, 600))}"`;
  const size = kind === 'strip' ? ` width="${width}" height="${height}"` : '';
  return `<svg class="${kind}" ${said}${size} viewBox="0 0 ${width} ${height}" fill="none">${inner}</svg>`;
}
