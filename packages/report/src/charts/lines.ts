import { plainText } from '@passloop/core';
import type { TopLevelSpec } from 'vega-lite';
import type { Drawing } from './draw.ts';
import { looks } from './theme.ts';

export type Point = readonly [x: number, y: number];

/** One line of a chart; a dash and a mark tell it from the others, not its colour alone. */
export type Series = {
  name: string;
  /** Of the page's looks: 0 is production, 1 the candidate. */
  look: number;
  shape: 'line' | 'steps' | 'dots' | 'dotted-line';
  points: readonly Point[];
  /** An area around the line: x, low, high. */
  band?: readonly (readonly [x: number, low: number, high: number])[];
};

export type Axis = { label: string; from?: number; to?: number };

export type Lines = {
  /** What a reader who sees nothing is told: the title and what the lines say. */
  description: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** A line to compare with, such as the diagonal. */
  reference?: readonly [Point, Point] | undefined;
};

/** @returns null where there is nothing that can be drawn */
export function lineDrawing({ x, y, series, reference }: Lines): Drawing | null {
  const names = distinct(series.map(({ name }) => name));
  const points = series.flatMap(({ points }, i) => points.map(([x, y]) => ({ s: names[i] as string, x, y })));
  const bands = series.map(({ band = [] }) => band.map(([x, low, high]) => ({ x, low, high })));
  const across = domain(
    x,
    [...points, ...bands.flat()].map((point) => point.x),
  );
  const up = domain(y, [...points.map((point) => point.y), ...bands.flat().flatMap(({ low, high }) => [low, high])]);
  if (points.length === 0 || across === null || up === null) return null;

  const shape = series[0]?.shape ?? 'line';
  const isMarked = shape === 'dots' || shape === 'dotted-line' || series.some((one) => one.points.length === 1);
  const look = (i: number) => looks[(series[i]?.look ?? 0) % looks.length] ?? looks[0];
  const looksOf = (what: 'color' | 'dash' | 'shape', legend: boolean) => ({
    field: 's',
    type: 'nominal',
    scale: { domain: names, range: names.map((_, i) => look(i)[what]) },
    legend: legend ? { symbolSize: isMarked ? 80 : 350, symbolStrokeWidth: isMarked ? 0 : 2, symbolOpacity: 1 } : null,
  });
  const place = {
    x: { field: 'x', type: 'quantitative', title: plainText(x.label, 45), scale: across },
    y: { field: 'y', type: 'quantitative', title: plainText(y.label, 35), scale: up },
  };
  const layer: object[] = [];
  const rows: Drawing['rows'] = { points };
  for (const [i, band] of bands.entries()) {
    if (band.length < 2) continue;
    layer.push({
      data: { name: `band${i}` },
      mark: { type: 'area', opacity: 0.14, color: look(i).color },
      encoding: { x: place.x, y: { ...place.y, field: 'low' }, y2: { field: 'high' } },
    });
    rows[`band${i}`] = band;
  }
  if (reference !== undefined) {
    layer.push({
      data: { name: 'reference' },
      mark: { type: 'line', color: 'var(--soft)', strokeDash: [1, 3], strokeWidth: 1.2 },
      encoding: place,
    });
    rows.reference = reference.map(([x, y]) => ({ x, y }));
  }
  if (shape !== 'dots') {
    layer.push({
      data: { name: 'points' },
      mark: { type: 'line', strokeWidth: 2, ...(shape === 'steps' ? { interpolate: 'step-after' } : {}) },
      encoding: {
        ...place,
        color: looksOf('color', true),
        strokeDash: looksOf('dash', !isMarked),
        order: { value: null },
      },
    });
  }
  if (isMarked) {
    layer.push({
      data: { name: 'points' },
      mark: { type: 'point', filled: true, size: 45, opacity: 1 },
      encoding: { ...place, color: looksOf('color', true), shape: looksOf('shape', true) },
    });
  }
  const size = { width: 420, height: 300, autosize: { type: 'fit', contains: 'padding' } };
  return { spec: { ...size, layer } as TopLevelSpec, rows };
}

/** Where the axis begins and ends; null where the numbers are too far apart. */
function domain(axis: Axis, values: readonly number[]): { domain: [number, number]; nice: boolean } | null {
  const low = axis.from ?? values.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY);
  const high = axis.to ?? values.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY);
  if (!(Math.abs(low) < farthest) || !(Math.abs(high) < farthest)) return null;
  if (high - low > nearest) return { domain: [low, high], nice: axis.to === undefined };
  const around = Math.abs(low) > nearest ? Math.abs(low) / 2 : 0.5;
  return { domain: [axis.from ?? low - around, low + around], nice: true };
}

/** Beyond them the steps of an axis are no numbers any more. */
const farthest = 1e290;
const nearest = 1e-290;

/** Names as a legend or an axis shows them, no two alike. */
export function distinct(names: readonly string[], limit = 40): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const shown = plainText(name, limit);
    const before = seen.get(shown) ?? 0;
    seen.set(shown, before + 1);
    return before === 0 ? shown : `${shown} (${before + 1})`;
  });
}
