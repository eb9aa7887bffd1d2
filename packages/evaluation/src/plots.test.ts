import { Plot, plotBars, plotPoints } from '@passloop/documents';
import { describe, expect, it } from 'vitest';
import { type PlotRecords, plotOf, recordsIn } from './plots.ts';

const loss: PlotRecords = {
  columns: ['step', 'train', 'test'],
  rows: [
    [0, '0.9', 1],
    [10, '0.5', 0.8],
    [20, 'nan', 0.7],
  ],
};

function plot(...asked: Parameters<typeof plotOf>): Plot {
  const made = plotOf(...asked);
  expect(Plot.parse(made)).toEqual(made);
  return made;
}

describe('records of a file', () => {
  it('are drawn as DVC draws them by default: the last column by the row', () => {
    expect(plot('out/loss.csv', loss)).toEqual({
      file: 'out/loss.csv',
      title: 'out/loss.csv',
      lines: {
        shape: 'line',
        x: 'step',
        y: 'test',
        rows: 3,
        series: [
          {
            name: 'test',
            points: [
              ['0', '1'],
              ['1', '0.8'],
              ['2', '0.7'],
            ],
          },
        ],
      },
      bars: null,
      matrix: null,
      reason: null,
    });
  });

  it('are drawn as the model file says; what is no number is left out', () => {
    const { lines, title } = plot(
      { path: 'l.csv', title: 'Loss', x: 'step', y: ['train', 'test'], template: 'scatter' },
      loss,
    );
    expect([title, lines?.shape, lines?.x, lines?.y]).toEqual(['Loss', 'scatter', 'step', 'train, test']);
    expect(lines?.series.map(({ points }) => points.map(([x]) => x))).toEqual([
      ['0', '10'],
      ['0', '10', '20'],
    ]);
  });

  it('make bars, the longest first where asked, and a confusion matrix', () => {
    const importance: PlotRecords = {
      columns: ['name', 'importance'],
      rows: [
        ['origin', 0.1],
        ['distance', -0.7],
      ],
    };
    expect(plot({ path: 'i.csv', template: 'bar_horizontal_sorted' }, importance).bars).toEqual([
      { name: 'distance', value: '-0.7' },
      { name: 'origin', value: '0.1' },
    ]);
    const classes: PlotRecords = {
      columns: ['actual', 'predicted'],
      rows: [
        ['a', 'a'],
        ['a', 'b'],
        ['b', 'b'],
        ['b', 'b'],
      ],
    };
    expect(plot({ path: 'c.csv', template: 'confusion', x: 'actual', y: 'predicted' }, classes).matrix).toEqual({
      classes: ['a', 'b'],
      counts: [
        [1, 1],
        [0, 2],
      ],
    });
  });

  it('stay within their bounds, first and last row kept', () => {
    const rows = Array.from({ length: 5000 }, (_, i): (string | number)[] => [`${'n'.repeat(2000)}${i}`, i]);
    const many = plot('m.csv', { columns: ['name', 'value'], rows });
    const points = many.lines!.series[0]!.points;
    expect([points.length, points[0], points.at(-1)]).toEqual([plotPoints, ['0', '0'], ['4999', '4999']]);
    expect(many.lines!.rows).toBe(5000);
    expect(plot({ path: 'm.csv', template: 'bar_horizontal' }, { columns: ['name', 'value'], rows }).bars).toHaveLength(
      plotBars,
    );
    expect(
      plot({ path: 'm.csv', template: 'confusion', x: 'name', y: 'value' }, { columns: ['name', 'value'], rows })
        .reason,
    ).toMatch(/more than 20 classes/);
  });

  it.each<[string, Parameters<typeof plotOf>[0], PlotRecords, RegExp]>([
    ['no rows', 'a.csv', { columns: ['a'], rows: [] }, /no rows/],
    ['no number', 'a.csv', { columns: ['a'], rows: [['x'], [null], [true], ['Infinity']] }, /no row has numbers/],
    ['no such column', { path: 'a.csv', y: 'loss' }, loss, /no column loss; it has step, train, test/],
  ])('with %s are listed with the reason', (_name, file, records, reason) => {
    const made = plot(file, records);
    expect([made.lines, made.bars, made.matrix]).toEqual([null, null, null]);
    expect(made.reason).toMatch(reason);
  });
});

describe('records in JSON', () => {
  it('are a list of objects, or the first one inside an object, with the union of their keys', () => {
    const expected: PlotRecords = {
      columns: ['fpr', 'tpr', '__proto__'],
      rows: [
        [0, 0.1],
        [1, null, 'x'],
      ],
    };
    const list = '[{"fpr": 0, "tpr": 0.1}, {"fpr": 1, "__proto__": "x", "deep": null}]'.replace(', "deep": null', '');
    expect(recordsIn(JSON.parse(list))).toEqual(expected);
    expect(recordsIn(JSON.parse(`{"info": [1, 2], "plots": {"roc": ${list}}}`))).toEqual(expected);
  });

  it.each([
    ['numbers alone', { accuracy: 0.5 }, /no list of records/],
    ['mixed lists', [{ a: 1 }, 5], /something else than records/],
    ['too many rows', Array.from({ length: 100_001 }, () => ({ a: 1 })), /100,001 rows/],
    ['too many columns', [Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`c${i}`, i]))], /columns/],
  ])('%s gives the reason', (_name, value, reason) => {
    expect(recordsIn(value)).toMatch(reason);
  });
});
