import type { TopLevelSpec } from 'vega-lite';
import type { Drawing } from './draw.ts';

// Pictures of a table's row. Each kind is one specification, which is compiled once however many rows there are.

const across = (field: string) => ({
  field,
  type: 'quantitative',
  scale: { domain: [0, 1], nice: false, zero: false },
  axis: null,
});

function strip(width: number, height: number, name: string, layer: object[]): TopLevelSpec {
  return { width, height, data: { name }, layer } as TopLevelSpec;
}

const edge = { type: 'rule', color: 'var(--fail)', strokeDash: [3, 2], strokeWidth: 1 };

const zero = { mark: { type: 'rule', color: 'var(--soft)' }, encoding: { x: across('zero') } };
const interval = {
  mark: { type: 'rule', color: 'currentColor', strokeWidth: 3, strokeCap: 'round', y: { expr: 'height / 2' } },
  encoding: { x: across('low'), x2: { field: 'high' } },
};
const estimate = {
  mark: { type: 'point', filled: true, color: 'currentColor', opacity: 1, size: 64, y: { expr: 'height / 2' } },
  encoding: { x: across('delta') },
};
const forbidden = {
  mark: { type: 'rect', color: 'var(--fail)', opacity: 0.12 },
  encoding: { x: across('begin'), x2: { field: 'margin' } },
};
const withMargin = strip(180, 22, 'change', [
  forbidden,
  { mark: edge, encoding: { x: across('margin') } },
  zero,
  interval,
  estimate,
]);
const withoutMargin = strip(180, 22, 'change', [zero, interval, estimate]);

/** Where better lies to the right; of the same unit. */
export type Change = { low: number; high: number; delta: number; margin: number | null };

/** The interval of a change: zero (solid), what is not allowed (shaded), the estimate (dot). */
export function changeDrawing({ low, high, delta, margin }: Change): Drawing {
  const left = Math.min(low, margin ?? 0, 0);
  const right = Math.max(high, 0);
  const space = (right - left) * 0.12 || 1;
  const place = (value: number) => (value - left + space) / (right - left + 2 * space);
  const row = { low: place(low), high: place(high), delta: place(delta), zero: place(0) };
  return margin === null
    ? { spec: withoutMargin, rows: { change: [row] } }
    : { spec: withMargin, rows: { change: [{ ...row, begin: 0, margin: place(margin) }] } };
}

const drift = strip(120, 16, 'drift', [
  {
    mark: { type: 'bar', color: 'currentColor', height: 8, y: { expr: 'height / 2' } },
    encoding: { x: across('from'), x2: { field: 'to' } },
  },
  { mark: edge, encoding: { x: across('threshold') } },
]);

/** A statistic as a bar, its threshold as a line at two thirds of the room; what is longer than the room ends at its border. */
export function driftDrawing(statistic: number, threshold: number): Drawing {
  const at = 2 / 3;
  const to = Math.min(1, Math.max(0.01, (statistic / threshold) * at));
  return { spec: drift, rows: { drift: [{ from: 0, to, threshold: at }] } };
}
