import type { TopLevelSpec } from 'vega-lite';
import type { Drawing } from './draw.ts';
import { distinct } from './lines.ts';
import { looks } from './theme.ts';

/** Named numbers as lying bars, in their order; what is below zero in another colour. */
export function barDrawing(bars: readonly { name: string; value: number; text: string }[]): Drawing {
  const names = distinct(bars.map(({ name }) => name));
  const largest = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const rows = bars.map(({ value, text }, i) => ({
    name: names[i] as string,
    // As a share: no step of an axis is needed, and no number is too large.
    value: largest > 0 ? value / largest : 0,
    text,
    side: value < 0 ? 'below' : 'above',
  }));
  const below = rows.some(({ value }) => value < 0);
  const above = rows.some(({ value }) => value > 0) || !below;
  const at = {
    y: {
      field: 'name',
      type: 'nominal',
      title: null,
      scale: { domain: names },
      axis: { labelLimit: 200, labelColor: 'var(--text)' },
    },
    x: {
      field: 'value',
      type: 'quantitative',
      // Room for the numbers beyond the bars' ends.
      scale: { domain: [below ? -1.5 : 0, above ? 1.5 : 0], nice: false },
      axis: null,
    },
  };
  const words = (side: 'below' | 'above') => ({
    transform: [{ filter: { field: 'side', equal: side } }],
    mark: { type: 'text', align: side === 'above' ? 'left' : 'right', dx: side === 'above' ? 4 : -4, fontSize: 11 },
    encoding: { ...at, text: { field: 'text', type: 'nominal' } },
  });
  const layer = [
    {
      mark: { type: 'bar', height: { band: 0.7 } },
      encoding: {
        ...at,
        color: {
          field: 'side',
          type: 'nominal',
          legend: null,
          scale: { domain: ['above', 'below'], range: [looks[1].color, looks[2].color] },
        },
      },
    },
    words('above'),
    words('below'),
  ];
  const spec = {
    width: 420,
    height: { step: 20 },
    autosize: { type: 'fit-x', contains: 'padding' },
    data: { name: 'bars' },
    layer,
  };
  return { spec: spec as TopLevelSpec, rows: { bars: rows } };
}
