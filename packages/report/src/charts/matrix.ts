import { count } from '@passloop/core';
import type { TopLevelSpec } from 'vega-lite';
import type { Drawing } from './draw.ts';
import { distinct } from './lines.ts';

/** More classes leave no room for numbers in the cells; the table has them. */
const withNumbers = 7;

/**
 * A confusion matrix: each cell shaded by its share of the label's rows, what is right in another colour than what is wrong.
 * @param counts rows by label (outer) and prediction (inner), as many as there are names
 */
export function matrixDrawing(names: readonly string[], counts: readonly (readonly number[])[]): Drawing {
  const classes = distinct(names, 24);
  const cells = classes.flatMap((label, i) => {
    const row = classes.map((_, j) => counts[i]?.[j] ?? 0);
    const total = row.reduce((sum, rows) => sum + rows, 0);
    return row.map((rows, j) => ({
      label,
      prediction: classes[j] as string,
      share: total === 0 ? 0 : rows / total,
      kind: i === j ? 'right' : 'wrong',
      rows: count(rows),
      percent: `${(total === 0 ? 0 : (rows / total) * 100).toFixed(1)} %`,
    }));
  });
  const band = { domain: classes, paddingInner: 0.04, paddingOuter: 0 };
  const axis = { grid: false, labelLimit: 140, labelColor: 'var(--text)' };
  const at = {
    x: {
      field: 'prediction',
      type: 'nominal',
      title: 'predicted',
      scale: band,
      axis: { ...axis, orient: 'top', labelAngle: classes.length > 4 ? -90 : 0 },
    },
    y: { field: 'label', type: 'nominal', title: 'label', scale: band, axis },
  };
  const cell = {
    mark: { type: 'rect', stroke: 'var(--line)', strokeWidth: 0.7 },
    encoding: {
      ...at,
      fill: {
        field: 'kind',
        type: 'nominal',
        legend: null,
        scale: { domain: ['right', 'wrong'], range: ['var(--pass)', 'var(--fail)'] },
      },
      fillOpacity: {
        field: 'share',
        type: 'quantitative',
        legend: null,
        scale: { domain: [0, 1], range: [0, 0.4] },
      },
    },
  };
  const words = (field: string, mark: object) => ({
    mark: { type: 'text', ...mark },
    encoding: { ...at, text: { field, type: 'nominal' } },
  });
  const layer = [
    cell,
    ...(classes.length > withNumbers
      ? []
      : [
          words('rows', { dy: -6, fontSize: 13, color: 'var(--text)' }),
          words('percent', { dy: 9, fontSize: 11, color: 'var(--text)' }),
        ]),
  ];
  const size = { width: 420, height: 300, autosize: { type: 'fit', contains: 'padding' } };
  const shown = classes.length > withNumbers ? cells.filter(({ share }) => share > 0) : cells;
  return { spec: { ...size, data: { name: 'cells' }, layer } as TopLevelSpec, rows: { cells: shown } };
}
