import { escapeHtml, plainText } from '@passloop/core';

export type Point = readonly [x: number, y: number];

/** One line of a chart; a dash and a mark tell it from the others, not its colour alone. */
export type Series = {
  name: string;
  /** Of the page's look: 0 is production, 1 the candidate. */
  look: number;
  shape: 'line' | 'steps' | 'dots' | 'dotted-line';
  points: readonly Point[];
  /** An area around the line: x, low, high. */
  band?: readonly (readonly [number, number, number])[];
};

export type Axis = { label: string; from?: number; to?: number };

export type Chart = {
  /** What a reader who sees nothing is told: the title and what the lines say. */
  description: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** A line to compare with, such as the diagonal. */
  reference?: readonly [Point, Point] | undefined;
};

const looks = 6;
const width = 420;
const height = 300;
const edge = { left: 54, right: 12, top: 10, bottom: 42 };

/** A chart as SVG that needs no script; its colours are the page's. Null where there is nothing that can be drawn. */
export function chartSvg(chart: Chart): string | null {
  const points = chart.series.flatMap(({ points, band }) => [
    ...points,
    ...(band ?? []).flatMap(([x, low, high]): Point[] => [
      [x, low],
      [x, high],
    ]),
  ]);
  const xs = scale(
    chart.x,
    points.map(([x]) => x),
    edge.left,
    width - edge.right,
  );
  const ys = scale(
    chart.y,
    points.map(([, y]) => y),
    height - edge.bottom,
    edge.top,
  );
  if (points.length === 0 || xs === null || ys === null) return null;
  const at = ([x, y]: Point) => `${round(xs.place(x))} ${round(ys.place(y))}`;
  const parts = [
    ...ys.ticks.map(
      (tick) =>
        `<path class="grid" d="M${edge.left} ${round(ys.place(tick))}H${width - edge.right}"/><text class="tick" x="${edge.left - 6}" y="${round(ys.place(tick) + 4)}" text-anchor="end">${tickText(tick, ys.step)}</text>`,
    ),
    ...xs.ticks.map(
      (tick) =>
        `<path class="grid" d="M${round(xs.place(tick))} ${edge.top}V${height - edge.bottom}"/><text class="tick" x="${round(xs.place(tick))}" y="${height - edge.bottom + 16}" text-anchor="middle">${tickText(tick, xs.step)}</text>`,
    ),
    `<text class="axis" x="${(edge.left + width - edge.right) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(plainText(chart.x.label, 60))}</text>`,
    `<text class="axis" transform="translate(13 ${(edge.top + height - edge.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plainText(chart.y.label, 45))}</text>`,
    ...(chart.reference === undefined
      ? []
      : [`<path class="reference" d="M${at(chart.reference[0])}L${at(chart.reference[1])}"/>`]),
    ...chart.series.map((series) => seriesSvg(series, at)),
  ];
  return `<svg class="chart" role="img" aria-label="${escapeHtml(plainText(chart.description, 600))}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`;
}

function seriesSvg({ look, shape, points, band }: Series, at: (point: Point) => string): string {
  const kind = `s${Math.min(look, looks - 1)}`;
  const parts: string[] = [];
  if (band !== undefined && band.length > 1) {
    const upper = band.map(([x, , high]) => at([x, high]));
    const lower = [...band].reverse().map(([x, low]) => at([x, low]));
    parts.push(`<path class="band" d="M${[...upper, ...lower].join('L')}Z"/>`);
  }
  if (shape !== 'dots' && points.length > 1) {
    const corners = shape === 'steps' ? steps(points) : points;
    parts.push(`<path class="line" d="M${corners.map(at).join('L')}"/>`);
  }
  if (shape === 'dots' || shape === 'dotted-line' || points.length === 1)
    for (const point of points) parts.push(mark(look, at(point)));
  return `<g class="${kind}">${parts.join('')}</g>`;
}

/** A circle, a square or a diamond. */
function mark(look: number, at: string): string {
  const shape = ['m-3.5 -3.5h7v7h-7z', 'm-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z', 'm0 -5l5 5l-5 5l-5-5z'][look % 3];
  return `<path class="mark" d="M${at}${shape}"/>`;
}

/** A point holds until the next one. */
function steps(points: readonly Point[]): Point[] {
  return points.flatMap((point, i): Point[] => {
    const before = points[i - 1];
    return before === undefined ? [point] : [[point[0], before[1]], point];
  });
}

/** The sign of a series for its legend: how it is drawn, beside its name. */
export function legendSign(look: number): string {
  return `<svg class="key s${Math.min(look, looks - 1)}" aria-hidden="true" width="30" height="12" viewBox="0 0 30 12"><path class="line" d="M1 6H29"/>${mark(look, '15 6')}</svg>`;
}

type Scale = { place(value: number): number; ticks: number[]; step: number };

function scale(axis: Axis, values: readonly number[], start: number, end: number): Scale | null {
  const low = axis.from ?? values.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY);
  const high = axis.to ?? values.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY);
  const wide = high > low ? high - low : Math.abs(low) || 1;
  if (!Number.isFinite(low) || !Number.isFinite(wide)) return null;
  const step = niceStep(wide / 5);
  const from = axis.from ?? Math.floor(low / step) * step;
  const to = axis.to ?? Math.max(Math.ceil(high / step) * step, from + step);
  if (!(step > 0) || !Number.isFinite(to - from) || !(to > from)) return null;
  const ticks: number[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9 && ticks.length < 12; k += 1)
    ticks.push(k * step);
  const place = (value: number) => start + ((Math.min(to, Math.max(from, value)) - from) / (to - from)) * (end - start);
  return { place, ticks, step };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(about: number): number {
  const power = 10 ** Math.floor(Math.log10(about));
  const share = about / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

function tickText(value: number, step: number): string {
  const size = Math.max(Math.abs(value), step);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const text = size >= 1e6 || step < 1e-6 ? value.toExponential(1) : value.toFixed(digits);
  return (Number(text) === 0 ? '0' : text).replaceAll('-', '−');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
