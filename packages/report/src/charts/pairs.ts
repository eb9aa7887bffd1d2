import type { TopLevelSpec } from 'vega-lite';
import type { Drawing } from './draw.ts';
import { distinct } from './lines.ts';
import { looks } from './theme.ts';

/** A bin with the share of each side, from 0 to 1. */
export type Pair = { name: string; shares: readonly [number, number] };

/** Two lying bars a bin, in the order of the bins: what was before an empty one, what is now a full one. */
export function pairDrawing(sides: readonly [string, string], pairs: readonly Pair[]): Drawing {
  const names = distinct(pairs.map(({ name }) => name));
  const rows = pairs.flatMap(({ shares }, i) =>
    sides.map((side, at) => ({
      name: names[i] as string,
      side,
      share: shares[at] as number,
      text: `${((shares[at] as number) * 100).toFixed(1)} %`,
    })),
  );
  const largest = rows.reduce((most, { share }) => Math.max(most, share), 0);
  const at = {
    y: {
      field: 'name',
      type: 'nominal',
      title: null,
      scale: { domain: names, paddingInner: 0.25 },
      axis: { labelLimit: 170, labelColor: 'var(--text)', grid: false },
    },
    yOffset: { field: 'side', type: 'nominal', scale: { domain: sides } },
    x: {
      field: 'share',
      type: 'quantitative',
      // Room for the numbers beyond the bars' ends.
      scale: { domain: [0, largest > 0 ? largest * 1.25 : 1], nice: false },
      axis: null,
    },
  };
  const ofSide = (range: readonly string[]) => ({ field: 'side', type: 'nominal', scale: { domain: sides, range } });
  const layer = [
    {
      mark: { type: 'bar', strokeWidth: 1.2, height: { band: 0.8 } },
      encoding: {
        ...at,
        stroke: ofSide([looks[0].color, looks[1].color]),
        fill: ofSide(['var(--back)', looks[1].color]),
      },
    },
    {
      mark: { type: 'text', align: 'left', baseline: 'middle', dx: 4, dy: 1.5, fontSize: 10.5 },
      encoding: { ...at, text: { field: 'text', type: 'nominal' } },
    },
  ];
  const spec = {
    width: 420,
    height: { step: 15, for: 'offset' },
    autosize: { type: 'fit-x', contains: 'padding' },
    config: { legend: { symbolType: 'square', symbolSize: 110, symbolStrokeWidth: 1.2 } },
    data: { name: 'pairs' },
    layer,
  };
  return { spec: spec as unknown as TopLevelSpec, rows: { pairs: rows } };
}
