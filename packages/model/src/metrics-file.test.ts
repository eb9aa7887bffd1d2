import { ConfigurationError } from '@passloop/core';
import { expect, it } from 'vitest';
import { parseMetricsFile, parseMetricsFolder } from './metrics-file.ts';

const metricsOf = (text: string, name: string) => Object.fromEntries(parseMetricsFile(text, name).metrics);

it.each([
  [
    'metrics.json',
    '{"roc_auc": 0.75, "test": {"f1": 5e-1, "rows": 100}}',
    { roc_auc: 0.75, 'test.f1': 0.5, 'test.rows': 100 },
  ],
  ['metrics.yaml', 'roc_auc: 0.75\ntest:\n  f1: .5\n', { roc_auc: 0.75, 'test.f1': 0.5 }],
  ['metrics.toml', 'roc_auc = 0.75\nrows = 1_000\n[test]\nf1 = 5e-1\n', { roc_auc: 0.75, rows: 1000, 'test.f1': 0.5 }],
  ['dvclive/metrics.json', '{\n\t"train": {"loss": 0.1},\n\t"step": 4\n}\n', { 'train.loss': 0.1, step: 4 }],
  [
    'dvc.json',
    '{"": {"data": {"out/metrics.json": {"data": {"auc": 0.8, "by": {"hub": 1}}}}}}',
    { auc: 0.8, 'by.hub': 1 },
  ],
  [
    'dvc.json',
    '{"workspace": {"data": {"a.json": {"data": {"auc": 0.8}}, "b.json": {"data": {"f1": 0.5}}}}}',
    { auc: 0.8, f1: 0.5 },
  ],
  [
    'benchmark.json',
    '[{"name": "auc", "unit": "share", "value": 0.8}, {"name": "time / ms", "unit": "ms", "value": 12, "extra": "x"}]',
    { auc: 0.8, 'time / ms': 12 },
  ],
  ['data.json', '{"data": {"auc": 0.8}}', { 'data.auc': 0.8 }],
])('reads %s: %s', (name, text, expected) => {
  expect(metricsOf(text, name)).toEqual(expected);
});

it.each([
  ['python.json', '{"a": NaN, "b": Infinity, "c": -Infinity}'],
  ['text.json', '{"a": "nan", "b": "inf", "c": "-inf"}'],
  ['metrics.yaml', 'a: .nan\nb: .inf\nc: -.Inf\n'],
  ['metrics.toml', 'a = nan\nb = +inf\nc = -inf\n'],
  ['list.json', '[{"name": "a", "value": NaN}, {"name": "b", "value": "Infinity"}, {"name": "c", "value": -Infinity}]'],
])('understands NaN and Infinity in %s', (name, text) => {
  expect(metricsOf(text, name)).toEqual({
    a: Number.NaN,
    b: Number.POSITIVE_INFINITY,
    c: Number.NEGATIVE_INFINITY,
  });
});

it('keeps what is no number apart, by its text', () => {
  const { metrics, others } = parseMetricsFile(
    '{"auc": 0.5, "model": "gbm", "cm": [[1, 2]], "n": null, "ok": true}',
    'x.json',
  );
  expect([...metrics.keys()]).toEqual(['auc']);
  expect(Object.fromEntries(others)).toEqual({ model: '"gbm"', cm: '[[1,2]]', n: 'null', ok: 'true' });
});

it("reads an MLflow run's last step, and DVCLive's folder", () => {
  const run = new Map([
    ['meta.yaml', 'run_id: x\n'],
    ['params/depth', '8'],
    ['metrics/auc', '1700000000000 0.5 0\n1700000000002 0.8 2\n1700000000001 0.7 1\n'],
    ['metrics/val/loss', '1700000000000 nan 0\n'],
    ['metrics/again', '1700000000000 1 3\n1700000000009 2 3\n'],
  ]);
  expect(Object.fromEntries(parseMetricsFolder(run, 'mlruns/0/x').metrics)).toEqual({
    auc: 0.8,
    'val/loss': Number.NaN,
    again: 2,
  });
  const live = new Map([
    ['metrics.json', '{"auc": 0.25}'],
    ['plots/metrics/auc.tsv', 'step\tauc\n0\t0.25\n'],
  ]);
  expect(parseMetricsFolder(live, 'dvclive').metrics.get('auc')).toBe(0.25);
});

it.each([
  ['metrics.json', '{"auc": ', 'metrics.json'],
  ['metrics.toml', 'auc == 1', 'metrics.toml: is not TOML'],
  ['metrics.yaml', 'a: 1\na: 2\n', 'metrics.yaml'],
  ['metrics.yaml', 'a: &a [*a]\n', 'metrics.yaml'],
  ['metrics.yaml', 'a: !!python/object:os.system x\n', 'metrics.yaml'],
  ['list.json', '[{"name": "a", "value": 1}, {"name": "a", "value": 2}]', 'has the metric a twice'],
  ['metrics.json', '{"a": {"b": 1}, "a.b": 2}', 'has the metric a.b twice'],
  ['metrics.json', '{"auc": 0.5, "auc": 0.9}', 'has the metric auc twice'],
  ['metrics.json', '{"a": {"x": ["}", {"b": 1}], "x\\u0079": 0, "xy" : 1}}', 'has the metric xy twice'],
  ['metrics.json', `{"${'x'.repeat(257)}": 1}`, 'too long names'],
  ['metrics.json', JSON.stringify(Array.from({ length: 1001 }, (_, i) => ({ name: `m${i}`, value: i }))), 'too many'],
  ['metrics.json', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 'is deeper than 32'],
  ['metrics.json', `"${'x'.repeat(1 << 20)}"`, 'is larger than 1048576 bytes'],
])('refuses %s: %.60s', (name, text, message) => {
  const thrown = (() => {
    try {
      return parseMetricsFile(text, name);
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as Error).message).toContain(message);
});

it.each([
  [new Map([['metrics/auc', 'now 0.5 0\n']]), 'has a line 1 that is no "timestamp value step"'],
  [new Map([['metrics/auc', '']]), 'metrics/auc: is empty'],
  [new Map([['readme.txt', '']]), 'neither a run of MLflow'],
])('refuses a folder', (files, message) => {
  expect(() => parseMetricsFolder(files, 'run')).toThrow(message);
});

it('takes no name from what every object inherits', () => {
  const { metrics } = parseMetricsFile('{"__proto__": {"x": 1}, "constructor": 2}', 'x.json');
  expect([...metrics]).toEqual([
    ['__proto__.x', 1],
    ['constructor', 2],
  ]);
});
