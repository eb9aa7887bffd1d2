import { beforeAll, describe, expect, it } from 'vitest';
import { type DrawnPlot, drawApart } from './draw-apart.ts';

/** The real program: each plot is drawn, or ends within its bounds and is told why. */
const small = { plotMs: 60_000, allMs: 120_000, memoryMegabytes: 64 };
const values = [
  { a: 1, b: 'x' },
  { a: 2, b: 'y' },
];
const data = { values };
const x = { field: 'a', type: 'quantitative' };
const calculated = (calculate: string) => ({
  data,
  mark: 'point',
  transform: [{ calculate, as: 'c' }],
  encoding: { x: { field: 'c' } },
});

const cases: [name: string, spec: unknown, reason: RegExp][] = [
  [
    'an address',
    { data: { url: 'https://evil.example/x.csv' }, mark: 'bar', encoding: { x } },
    /names https:\/\/evil\.example/,
  ],
  [
    'a file',
    { data: { url: 'file:///etc/passwd', format: { type: 'csv' } }, mark: 'bar', encoding: { x } },
    /names file:\/\/\/etc\/passwd, and nothing is loaded/,
  ],
  ['a path', { data: { url: '/etc/passwd' }, mark: 'bar', encoding: { x } }, /nothing is loaded/],
  [
    'an address to look up',
    {
      data,
      transform: [{ lookup: 'a', from: { data: { url: 'https://evil.example' }, key: 'a', fields: ['z'] } }],
      mark: 'bar',
      encoding: { x },
    },
    /nothing is loaded/,
  ],
  ['pictures', { data, mark: 'image', encoding: { x, url: { value: 'https://evil.example/x.png' } } }, /<image>/],
  ['a constructor', calculated("constructor.constructor('return process')().env"), /cannot be drawn: Illegal callee/],
  ['the constructor of a number', calculated("datum.a.constructor.constructor('return process')()"), /Illegal callee/],
  ['a name that is nobody’s', calculated('process.env'), /cannot be drawn/],
  [
    'another kind of specification',
    { $schema: 'https://vega.github.io/schema/vega/v6.json', marks: [] },
    /cannot be drawn: Invalid specification/,
  ],
  ['a list', [], /cannot be drawn: Invalid specification/],
  ['a giant', { data, mark: 'bar', width: 1e6, encoding: { x } }, /larger than 4000 pixels/],
  [
    'more marks than a page takes',
    { data: { sequence: { start: 0, stop: 6000 } }, mark: 'tick', encoding: { x: { field: 'data' } } },
    /elements|characters/,
  ],
];
const endings: [name: string, spec: unknown, reason: RegExp][] = [
  ['more rows than memory', { data: { sequence: { start: 0, stop: 1e9, step: 1 } }, mark: 'point' }, /64 MB/],
];
const harmless = [
  { data, mark: 'bar', encoding: { x, y: { field: 'b', type: 'nominal' } } },
  {
    data,
    mark: { type: 'text', href: 'javascript:alert(1)', tooltip: true },
    encoding: { x, text: { value: '<script>alert(1)</script>' }, href: { value: 'https://evil.example' } },
  },
  { data, mark: { type: 'bar', fill: 'url(https://evil.example/x)' }, encoding: { x } },
];

describe('a list of plots', () => {
  let drawn: DrawnPlot[];
  const all = [...cases.map(([, spec]) => spec), ...endings.map(([, spec]) => spec), ...harmless];
  beforeAll(async () => {
    drawn = await drawApart(
      all.map((spec) => JSON.stringify(spec)),
      small,
    );
  });

  it('has an answer for each', () => {
    expect(drawn).toHaveLength(all.length);
  });

  it.each(
    [...cases, ...endings].map(([name, , reason], i) => [name, reason, i] as const),
  )('with %s says why it is not drawn', (_name, reason, i) => {
    expect(drawn[i]).toEqual({ reason: expect.stringMatching(reason) });
  });

  it('draws the ones after one that ended the program, and nothing of theirs that links or loads', () => {
    const pictures = drawn.slice(-harmless.length).map((one) => ('inner' in one ? one.inner : one.reason));
    expect(pictures[0]).toMatch(/<path [^>]*fill="#4c78a8"/);
    expect(pictures[1]).toContain('&#60;script&#62;alert(1)&#60;/script&#62;</text>');
    for (const picture of pictures) expect(picture).not.toMatch(/evil|javascript|href|<a\b|style=|<script/);
  });
});

it('gives up a list of which one after another ends the program, or all of which takes too long', async () => {
  const spec = JSON.stringify(harmless[0]);
  const given = { reason: expect.stringMatching(/the plots before it/) };
  // No time at all, as an endless loop would leave none.
  const slow = await drawApart([spec, spec, spec, spec], { ...small, plotMs: 1 });
  expect(slow).toEqual([...Array(3).fill({ reason: 'drawing it takes too long' }), given]);
  const late = await drawApart([spec, spec, spec], { ...small, allMs: 1 });
  expect(late).toEqual([{ reason: 'drawing all takes too long' }, given, given]);
});
