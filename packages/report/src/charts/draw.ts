import { escapeHtml, plainText } from '@passloop/core';
import { type Loader, type LoggerInterface, parse, View } from 'vega';
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

const bounds = { elements: 20_000, characters: 400_000 };
const compiled = new WeakMap<TopLevelSpec, Parsed>();

/**
 * @returns SVG as vega writes it
 * @throws Error where the specification can't be drawn, or names something to load
 */
export async function vegaSvg(spec: TopLevelSpec, rows: Drawing['rows'], config = theme): Promise<string> {
  const problems: string[] = [];
  const note = (problem: string) => problems.push(problem);
  const logger = listening(note);
  let runtime = compiled.get(spec);
  if (runtime === undefined) {
    runtime = parse(compile(spec, { config, logger }).spec, undefined, { ast: true });
    compiled.set(spec, runtime);
  }
  const loader = refusing(note);
  const view = new View(runtime, { expr: expressionInterpreter, renderer: 'none', loader, logger });
  try {
    for (const [name, values] of Object.entries(rows)) view.data(name, [...values]);
    const svg = await view.toSVG();
    if (problems[0] !== undefined) throw new Error(problems[0]);
    return svg;
  } finally {
    view.finalize();
  }
}

/** Nothing is fetched and no file is read, whatever a specification names. */
function refusing(note: (problem: string) => void): Loader {
  async function refuse(name: unknown): Promise<never> {
    note(`it names ${String(name)}, and nothing is loaded`);
    throw new Error('Nothing is loaded.');
  }
  // A link leads nowhere; what is put into the page has none.
  const sanitize = async () => ({ href: '#' });
  return { load: refuse, http: refuse, file: refuse, sanitize } as unknown as Loader;
}

/** Vega tells of an error while it works on the data to its log alone, and warns of much that is as it should be. */
function listening(note: (problem: string) => void): LoggerInterface {
  const logger = {
    error(...said: unknown[]) {
      note(said.map((one) => (one instanceof Error ? one.message : String(one))).join(' '));
      return logger;
    },
    level: () => logger,
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return logger as unknown as LoggerInterface;
}

/**
 * Draws one of our own charts as SVG that needs no script and takes its colours from the page.
 * @param label what a reader who sees nothing is told; null where the numbers stand beside the picture
 * @returns null where vega can't draw it: the numbers of a report may be a stranger's, and no picture is worth a report
 */
export async function chartSvg({ spec, rows }: Drawing, label: string | null, kind = 'chart'): Promise<string | null> {
  try {
    return svgOf(drawnSvg(await vegaSvg(spec, rows), '', bounds), label, kind);
  } catch {
    return null;
  }
}

export function svgOf(
  { width, height, inner }: ReturnType<typeof drawnSvg>,
  label: string | null,
  kind: string,
): string {
  const said = label === null ? 'aria-hidden="true"' : `role="img" aria-label="${escapeHtml(plainText(label, 600))}"`;
  const size = kind !== 'chart' ? ` width="${width}" height="${height}"` : '';
  return `<svg class="${kind}" ${said}${size} viewBox="0 0 ${width} ${height}" fill="none">${inner}</svg>`;
}
