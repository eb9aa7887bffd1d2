import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { filledTemplate, hasAnchors, specRows, specsIn, withRows } from './plot-specs.ts';

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, 'fixtures', name), 'utf8'));
}

/** The specification with its data inside, or why there is none. */
async function made(spec: unknown, files: Record<string, Record<string, unknown>[]> = {}): Promise<unknown> {
  const result = await withRows(spec as Record<string, unknown>, async (url) => files[url] ?? 'there is no such file');
  return typeof result === 'string' ? result : JSON.parse(result.json);
}

describe('a file', () => {
  it('holds one specification, with its schema or without', () => {
    for (const spec of [
      { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', data: { values: [] }, mark: 'bar' },
      { mark: 'bar', encoding: {} },
      { layer: [{ mark: 'bar' }], data: {} },
      { hconcat: [], data: {} },
    ])
      expect(specsIn(spec)).toEqual([{ name: null, spec }]);
  });

  it('holds what dvc plots show prints, and the same of it whether split or not', () => {
    const whole = specsIn(fixture('dvc-plots-show.json'));
    expect(whole).toEqual([{ name: 'loss.csv', spec: expect.objectContaining({ width: 300 }) }]);
    expect(specsIn(fixture('dvc-plots-show-split.json'))).toEqual(whole);
    expect(JSON.stringify(whole)).not.toContain('DVC_METRIC');
  });

  it('holds them as texts, as older DVC prints them, and pictures beside them', () => {
    const spec = { mark: 'bar', data: { values: [] } };
    const plots = {
      'a.csv': [{ type: 'vega', content: JSON.stringify(spec) }],
      'b.png': [{ type: 'image', url: 'https://evil.example/b.png' }],
      'c.csv': [{ type: 'vega', content: '{' }],
    };
    expect(specsIn({ data: plots })).toEqual([{ name: 'a.csv', spec }]);
    expect(specsIn(plots)).toEqual([{ name: 'a.csv', spec }]);
  });

  it.each([
    ['records', [{ a: 1 }]],
    ['a map of records', { roc: [{ fpr: 0, tpr: 1 }] }],
    ['numbers', { accuracy: 0.5, data: 1 }],
    ['nothing', null],
    ['pictures alone', { data: { 'b.png': [{ type: 'image' }] } }],
  ])('holds none among %s', (_name, value) => {
    expect(specsIn(value)).toBeNull();
  });

  it('of Vega itself is named as such', () => {
    expect(specsIn({ $schema: 'https://vega.github.io/schema/vega/v6.json', marks: [], data: [] })).toMatch(
      /Vega itself/,
    );
  });

  it('nested without end, or of a million parts, is refused before anything goes through it', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(specsIn({ mark: 'bar', encoding: deep })).toMatch(/nested too deeply/);
    expect(specsIn({ data: { x: [{ type: 'vega', content: { mark: 'bar', encoding: deep } }] } })).toMatch(/deeply/);
    expect(specsIn({ mark: 'bar', encoding: Array(300_000).fill(1) })).toMatch(/parts/);
    expect(specsIn({ mark: 'bar', encoding: 'x'.repeat(300_001) })).toMatch(/300,000 characters/);
  });

  it('that grows where its anchors are filled is refused before it is written down', () => {
    const plot = (content: unknown, anchors: unknown) =>
      specsIn({ x: [{ type: 'vega', content: { mark: 'bar', data: {}, content }, anchor_definitions: anchors }] });
    const many = (text: string) => Array(50_000).fill(text);
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(plot(many('<A>'), { '<A>': 'x'.repeat(200_000) })).toMatch(/characters/);
    expect(plot(many('<A>'), { '<A>': Array(100).fill(1) })).toMatch(/parts|characters/);
    expect(plot(many('<DVC_METRIC_X>.'), { '<DVC_METRIC_X>': 'x'.repeat(1000) })).toMatch(/characters/);
    expect(plot('<A>', { '<A>': deep })).toMatch(/deeply/);
  });
});

describe('a template', () => {
  it('gets names and rows where its anchors are, and a text stays a text', () => {
    const template = {
      data: { values: '<DVC_METRIC_DATA>' },
      title: 'Of <DVC_METRIC_TITLE>',
      mark: 'line',
      params: ['<DVC_METRIC_ZOOM_AND_PAN>'],
      encoding: {
        x: { field: '<DVC_METRIC_X>', title: '<DVC_METRIC_X_LABEL>' },
        y: { field: '<DVC_METRIC_Y>', title: '<DVC_METRIC_Y_LABEL>' },
        color: '<DVC_METRIC_COLOR>',
      },
    };
    expect(hasAnchors(template)).toBe(true);
    const rows = [{ 'a.b': 1, step: 0 }];
    const filled = filledTemplate(template, { title: '"}<DVC_METRIC_DATA>', x: 'step', y: 'a.b' }, rows);
    expect(filled).toEqual({
      data: { values: rows },
      title: 'Of "}<DVC_METRIC_DATA>',
      mark: 'line',
      params: [{ name: 'grid', select: 'interval' }],
      encoding: {
        x: { field: 'step', title: 'step' },
        y: { field: 'a\\.b', title: 'a.b' },
        color: {},
      },
    });
  });
});

describe('the data that a specification names', () => {
  const spec = {
    data: { url: 'loss.csv', format: { type: 'csv', parse: { day: 'date' } } },
    mark: 'line',
    encoding: { x: { field: 'day' }, y: { field: 'a\\.b' } },
  };

  it('is put into it, with the columns that it draws', async () => {
    const row = { day: '2026-01-01', 'a.b': 1, other: 2, __proto__: null };
    expect(await made(spec, { 'loss.csv': [row] })).toEqual({
      ...spec,
      data: { format: { parse: { day: 'date' } }, values: [{ day: '2026-01-01', 'a.b': 1 }] },
    });
  });

  it('is found in layers and look-ups too, and not among the rows', async () => {
    const all = {
      data: { values: [{ data: { url: 'a row that looks like it' } }] },
      layer: [
        { data: { url: 'a' }, mark: 'bar' },
        { mark: 'bar', transform: [{ lookup: 'k', from: { data: { url: 'b' }, key: 'k' } }] },
      ],
    };
    const text = JSON.stringify(await made(all, { a: [{ k: 1 }], b: [{ k: 2 }] }));
    expect(text).toContain('"data":{"format":{},"values":[{"k":1}]}');
    expect(text).toContain('"from":{"data":{"format":{},"values":[{"k":2}]}');
    expect(text).toContain('a row that looks like it');
  });

  it.each([
    ['is missing', spec, {}, /its data "loss\.csv" is not read: there is no such file/],
    ['is no name', { mark: 'bar', data: { url: { signal: 'x' } } }, {}, /something else than a text/],
    ['has too many rows', spec, { 'loss.csv': Array(specRows + 1).fill({ day: 1 }) }, /more than 5,000 rows/],
    [
      'lies in it with too many rows',
      { mark: 'bar', data: { values: Array(specRows + 1).fill(1) } },
      {},
      /more than 5,000 rows/,
    ],
    ['is too large', { mark: 'bar', description: 'x'.repeat(300_001), data: {} }, {}, /more than 300,000 characters/],
  ])('%s: says so', async (_name, of, files, reason) => {
    expect(await made(of, files)).toMatch(reason);
  });
});
