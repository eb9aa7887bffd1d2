import { count, fromDecimal, measured } from '@passloop/core';
import type { Plot } from '@passloop/documents';
import { barDrawing } from './charts/bars.ts';
import { svgOf } from './charts/draw.ts';
import type { DrawnPlot, DrawPlots } from './charts/draw-apart.ts';
import { lineDrawing, type Point } from './charts/lines.ts';
import { confusionFigure } from './confusion-figure.ts';
import { figure, framed, gallery } from './figure.ts';
import { code, text } from './page-text.ts';

const shownRows = 20;

/** By the plot that specifies it. */
export type DrawnPlots = ReadonlyMap<Plot, DrawnPlot>;

export async function drawnPlots(plots: readonly Plot[], draw: DrawPlots): Promise<DrawnPlots> {
  const specified = plots.flatMap((plot) => (plot.spec === undefined ? [] : [{ plot, spec: plot.spec }]));
  const drawn = await draw(specified.map(({ spec }) => spec));
  return new Map(specified.map(({ plot }, i) => [plot, drawn[i] ?? { reason: 'it was not drawn' }]));
}

/** What the team draws itself, of the candidate alone; what can't be shown is listed with its reason. `h` is the level of the heading. */
export async function plotSection(plots: readonly Plot[], h: string, drawn: DrawnPlots): Promise<string> {
  if (plots.length === 0) return '';
  const shown = await Promise.all(
    plots.map((plot) => {
      const picture = drawn.get(plot);
      return picture === undefined ? plotFigure(plot) : specFigure(plot, picture);
    }),
  );
  const unseen = plots.flatMap((plot, i) => {
    const figure = shown[i];
    if (typeof figure === 'string' && figure !== '') return [];
    const reason = typeof figure === 'object' ? figure.reason : plot.reason;
    return [`<li>${code(plot.file)}: ${text(reason ?? 'its numbers are too far apart to be drawn')}</li>`];
  });
  const list = unseen.length === 0 ? '' : `<p class="note">Not shown:</p><ul>${unseen.join('')}</ul>`;
  return `<${h}>Plots of the model repository</${h}>
<p class="note">Files of the candidate's own training, as <code>plots</code> of the model file names them. They decide nothing.</p>
${gallery(shown.map((figure) => (typeof figure === 'string' ? figure : '')))}
${list}`;
}

async function plotFigure(plot: Plot): Promise<string> {
  if (plot.matrix !== null) return await confusionFigure(plot.title, plot.matrix.classes, 0, plot.matrix.counts);
  if (plot.bars !== null) return await barFigure(plot.title, plot.bars);
  return plot.lines === null ? '' : await lineFigure(plot.title, plot.lines);
}

/** On white paper: nobody knows which colours a stranger counts on. */
function specFigure({ title, file, spec }: Plot, drawn: DrawnPlot): string | { reason: string } {
  if ('reason' in drawn) return drawn;
  const label = `${title}: ${descriptionOf(spec) ?? `a picture that the model repository draws itself, from ${file}`}.`;
  return framed(title, `<div class="paper">${svgOf(drawn, label, 'drawn')}</div>`, '', null);
}

/** What its author says to who doesn't see it. */
function descriptionOf(spec: string | undefined): string | null {
  try {
    const { description } = JSON.parse(spec ?? '') as { description?: unknown };
    return typeof description === 'string' && description.trim() !== '' ? description : null;
  } catch {
    return null;
  }
}

function lineFigure(title: string, lines: NonNullable<Plot['lines']>): Promise<string> {
  const drawn = lines.series.filter(({ points }) => points.length > 0);
  const longest = Math.max(0, ...drawn.map(({ points }) => points.length));
  const rows = drawn.flatMap(({ name, points }) =>
    evenly(points).map(([x, y]) => [`${drawn.length > 1 ? `${name}, ` : ''}${measured(x, 3)}`, measured(y)]),
  );
  const part = lines.rows > longest ? `${count(longest)} of ${count(lines.rows)} rows are drawn.` : '';
  const description = `${title}: ${lines.y} by ${lines.x}, ${count(longest)} points.`;
  const drawing = lineDrawing({
    description,
    x: { label: lines.x },
    y: { label: lines.y },
    series: drawn.map(({ name, points }, i) => ({
      name,
      // Never as production is drawn.
      look: i + 1,
      shape: lines.shape === 'scatter' ? ('dots' as const) : ('line' as const),
      points: points.map(([x, y]): Point => [fromDecimal(x), fromDecimal(y)]),
    })),
  });
  return figure({ title, description, drawing, numbers: { head: [lines.x, lines.y], rows }, note: part });
}

function evenly<T>(points: readonly T[]): T[] {
  if (points.length <= shownRows) return [...points];
  return Array.from(
    { length: shownRows },
    (_, i) => points[Math.round((i * (points.length - 1)) / (shownRows - 1))] as T,
  );
}

function barFigure(title: string, bars: NonNullable<Plot['bars']>): Promise<string> {
  return figure({
    title,
    description: `${title}: ${count(bars.length)} bars, of ${bars
      .slice(0, 3)
      .map(({ name, value }) => `${name} ${measured(value)}`)
      .join(', ')}${bars.length > 3 ? ' and others' : ''}.`,
    drawing: barDrawing(bars.map(({ name, value }) => ({ name, value: fromDecimal(value), text: measured(value) }))),
    numbers: { head: ['name', 'value'], rows: bars.map(({ name, value }) => [name, measured(value)]) },
  });
}
