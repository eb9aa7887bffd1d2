import { count, fromDecimal, measured } from '@passloop/core';
import type { Plot } from '@passloop/documents';
import type { Point } from './chart.ts';
import { confusionFigure } from './confusion-figure.ts';
import { figure, gallery } from './curve-figures.ts';
import { code, table, text } from './page-text.ts';

const shownRows = 20;

/** What the team draws itself, of the candidate alone; what can't be shown is listed with its reason. `h` is the level of the heading. */
export function plotSection(plots: readonly Plot[], h: string): string {
  if (plots.length === 0) return '';
  const figures = plots.map(plotFigure);
  const unseen = plots.flatMap((plot, i) =>
    figures[i] === ''
      ? [`<li>${code(plot.file)}: ${text(plot.reason ?? 'its numbers are too far apart to be drawn')}</li>`]
      : [],
  );
  const list = unseen.length === 0 ? '' : `<p class="note">Not shown:</p><ul>${unseen.join('')}</ul>`;
  return `<${h}>Plots of the model repository</${h}>
<p class="note">Files of the candidate's own training, as <code>plots</code> of the model file names them. They decide nothing.</p>
${gallery(figures)}
${list}`;
}

function plotFigure(plot: Plot): string {
  if (plot.matrix !== null) return confusionFigure(plot.title, plot.matrix.classes, 0, plot.matrix.counts);
  if (plot.bars !== null) return barFigure(plot.title, plot.bars);
  return plot.lines === null ? '' : lineFigure(plot.title, plot.lines);
}

function lineFigure(title: string, lines: NonNullable<Plot['lines']>): string {
  const drawn = lines.series.filter(({ points }) => points.length > 0);
  const longest = Math.max(0, ...drawn.map(({ points }) => points.length));
  const rows = drawn.flatMap(({ name, points }) =>
    evenly(points).map(([x, y]) => [`${drawn.length > 1 ? `${name}, ` : ''}${measured(x, 3)}`, measured(y)]),
  );
  const part = lines.rows > longest ? `${count(longest)} of ${count(lines.rows)} rows are drawn.` : '';
  return figure(
    title,
    {
      description: `${title}: ${lines.y} by ${lines.x}, ${count(longest)} points.`,
      x: { label: lines.x },
      y: { label: lines.y },
      series: drawn.map(({ name, points }, i) => ({
        name,
        // Never as production is drawn.
        look: i + 1,
        shape: lines.shape === 'scatter' ? ('dots' as const) : ('line' as const),
        points: points.map(([x, y]): Point => [fromDecimal(x), fromDecimal(y)]),
      })),
    },
    { head: [lines.x, lines.y], rows },
    part,
  );
}

function evenly<T>(points: readonly T[]): T[] {
  if (points.length <= shownRows) return [...points];
  return Array.from(
    { length: shownRows },
    (_, i) => points[Math.round((i * (points.length - 1)) / (shownRows - 1))] as T,
  );
}

const barWidth = 160;

function barFigure(title: string, bars: NonNullable<Plot['bars']>): string {
  const largest = bars.reduce((most, { value }) => Math.max(most, Math.abs(fromDecimal(value))), 0);
  const rows = bars.map(({ name, value }) => {
    const share = largest > 0 ? Math.abs(fromDecimal(value)) / largest : 0;
    const kind = fromDecimal(value) < 0 ? 's2' : 's1';
    const bar = `<svg class="strip ${kind}" aria-hidden="true" width="${barWidth}" height="14" viewBox="0 0 ${barWidth} 14"><rect class="drift" x="0" y="2" width="${(share * barWidth).toFixed(1)}" height="10"/></svg>`;
    return `<tr><th scope="row">${text(name, 100)}</th><td>${bar}</td><td class="n">${measured(value)}</td></tr>`;
  });
  return `<figure>
<figcaption><strong>${text(title, 200)}</strong></figcaption>
${table(title, ['name', 'bar', { number: 'value' }], rows)}
</figure>`;
}
