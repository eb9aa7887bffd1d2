import { expect, it } from 'vitest';
import { barDrawing } from './bars.ts';
import { chartSvg, type Drawing } from './draw.ts';
import { lineDrawing, type Point } from './lines.ts';
import { changeDrawing, driftDrawing } from './strips.ts';

function line(points: readonly Point[]): Drawing | null {
  const axis = { label: 'x' };
  return lineDrawing({ description: 'x', x: axis, y: axis, series: [{ name: 'a', look: 1, shape: 'line', points }] });
}

/** What is drawn of numbers at the ends of a double's range: a picture, and no NaN in it. */
it.each<[name: string, drawing: Drawing | null]>([
  [
    'a step of the last bit',
    line([
      [1, 1],
      [2, 1 + Number.EPSILON],
    ]),
  ],
  [
    'steps below what an axis can name',
    line([
      [Number.MIN_VALUE, 0],
      [1e-323, 1e-320],
    ]),
  ],
  [
    'a wide axis',
    line([
      [-1e289, -1e289],
      [1e289, 1e289],
    ]),
  ],
  ['one point', line([[0, 0]])],
  [
    'a far place',
    line([
      [1e15, 1],
      [1e15 + 1, 2],
    ]),
  ],
  [
    'zeros of both signs',
    line([
      [-0, 0],
      [0, -0],
    ]),
  ],
  [
    'wide bars',
    barDrawing([
      { name: 'a', value: 1e308, text: '' },
      { name: 'a', value: -1e308, text: '' },
    ]),
  ],
  ['a bar of nothing', barDrawing([{ name: 'a', value: 0, text: '0' }])],
  ['a wide change', changeDrawing({ low: -1e300, high: 1e300, delta: 0, margin: 1 })],
  ['no change', changeDrawing({ low: 0, high: 0, delta: 0, margin: 0 })],
  ['a drift beyond all', driftDrawing(1e308, 1e-308)],
  ['a drift below zero', driftDrawing(-5, 1)],
])('%s', async (_name, drawing) => {
  const svg = await chartSvg(drawing as Drawing, 'x');
  expect(svg).toMatch(/<(path|line|text) /);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

it('draws nothing where an axis would have no steps, or vega gives up', async () => {
  expect(
    line([
      [1, 1e300],
      [2, 2],
    ]),
  ).toBeNull();
  expect(line([])).toBeNull();
  const broken = { spec: { data: { name: 'a' }, mark: 'nothing' } as never, rows: { a: [{ x: 1 }] } };
  expect(await chartSvg(broken, 'x')).toBeNull();
});
