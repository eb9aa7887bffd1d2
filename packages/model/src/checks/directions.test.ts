import { describe, expect, it } from 'vitest';
import type { Check } from '../checks.ts';
import { parseChecks } from '../load.ts';
import { checkLoosens } from './directions.ts';

function check(text: string): Check {
  const [parsed] = parseChecks(`- {${text}}\n`, 'checks.yaml');
  if (parsed === undefined) throw new Error('no check');
  return parsed;
}

/** What all share, and a field with a tighter and a looser value than the one in the middle. */
it.each<[string, string, string, string]>([
  ['kind: columns, types: {a: integer}', 'exact: true, ordered: true', 'exact: true', 'ordered: true'],
  ['kind: column-count', 'min: 3', 'min: 2', 'min: 1'],
  ['kind: column-count', 'max: 3', 'max: 4', 'max: 5'],
  ['kind: type, column: a', 'types: [float]', 'types: [float, decimal]', 'types: [float, decimal, string]'],
  ['kind: null-like, column: a', 'values: [x, y]', 'values: [x]', 'values: [z]'],
  ['kind: finite, column: a', 'mostly: 1', 'mostly: 0.9', 'mostly: 0.8'],
  ['kind: range, column: a', 'min: "2001-02-03"', 'min: "2001-01-31"', 'min: "2000-12-31"'],
  ['kind: range, column: a', 'min: 0, max: 1', 'max: 1', 'min: 0'],
  ['kind: not-in-set, column: a', 'values: [x, y]', 'values: [x]', 'values: [y]'],
  ['kind: regex, column: a, pattern: x', 'full: true', 'full: false', 'mostly: 0.5'],
  ['kind: regex, column: a, pattern: x, not: true', 'full: false', 'full: true', 'full: true, mostly: 0.5'],
  ['kind: like, column: a, pattern: x', 'mostly: 1', 'mostly: 0.9', 'mostly: 0.8'],
  ['kind: length, column: a', 'min: 1, max: 5', 'max: 6', 'max: 7'],
  ['kind: expression, expression: a > b', 'mostly: 1', 'mostly: 0.9', 'mostly: 0.8'],
  ['kind: aggregate, column: a, function: mean', 'max: 3', 'max: 4', 'max: 5'],
  ['kind: quantile, column: a, at: 0.5', 'min: 1', 'min: 0.5', 'max: 9'],
  ['kind: constant, column: a', 'below: 0.5', 'below: 0.9', 'below: 1'],
  ['kind: class-balance, column: a', 'min: 0.2', 'min: 0.1', 'min: 0.05'],
  ['kind: monotonic, column: a, by: b', 'strict: true', 'strict: false', 'direction: decreasing'],
  ['kind: freshness, column: a', 'within: 23h', 'within: 1d', 'within: 90000s'],
  ['kind: correlation, columns: [a, b]', 'min: 0, max: 0.5', 'max: 0.9', 'max: 1'],
  ['kind: association, columns: [a, b]', 'max: 0.5', 'max: 0.9', 'max: 1'],
  ['kind: outliers, column: a', 'k: 2', 'k: 3', 'k: 4'],
  ['kind: identifier-like', 'below: 0.5', 'below: 0.9', 'below: 1'],
  ['kind: duplicate-rows', 'max: 0', 'max: 0.1', 'max: 0.2'],
  ['kind: references, columns: [a], dataset: d', 'mostly: 1', 'mostly: 0.9', 'mostly: 0.8'],
  ['kind: known-values, column: a, dataset: d', 'mostly: 1', 'mostly: 0.9', 'mostly: 0.8'],
  ['kind: row-ratio, dataset: d', 'min: 0.5, max: 2', 'max: 2', 'max: 3'],
  ['kind: conflicting-labels, label: a', 'max: 0', 'max: 0.1', 'max: 0.2'],
  ['kind: leakage, dataset: d', 'max: 0', 'max: 0.1', 'max: 0.2'],
  ['kind: history, measure: rows', 'k: 3', 'k: 4', 'k: 5'],
  ['kind: drift', 'maxShare: 0', 'maxShare: 0.1', 'maxShare: 0.2'],
  ['kind: drift', 'threshold: 0.1', 'threshold: 0.2', 'threshold: 0.3'],
  ['kind: drift, compat: evidently, dataset: train', 'driftShare: 0.1', 'driftShare: 0.2', 'driftShare: 0.3'],
])('%s: %s is tighter than %s, and %s is not', (shared, tighter, middle, looser) => {
  const [tight, base, loose] = [tighter, middle, looser].map((fields) => check(`${shared}, id: x, ${fields}`));
  expect(checkLoosens(base as Check, tight as Check)).toBe(false);
  expect(checkLoosens(tight as Check, base as Check)).toBe(true);
  expect(checkLoosens(base as Check, loose as Check)).toBe(true);
});

describe('what nobody can judge loosens', () => {
  it.each([
    ['another column', 'kind: unique, columns: [a, b], id: x', 'kind: unique, columns: [a], id: x'],
    ['other rows', 'kind: finite, column: a', 'kind: finite, column: a, where: b > 0'],
    ['all rows again', 'kind: finite, column: a, where: b > 0', 'kind: finite, column: a'],
    ['another pattern', 'kind: regex, column: a, pattern: x', 'kind: regex, column: a, pattern: xx'],
    ['a bound of another type', 'kind: range, column: a, min: 1', 'kind: range, column: a, min: "2"'],
    ['a day that is none', 'kind: range, column: a, min: "2001-02-30"', 'kind: range, column: a, min: "2001-03-01"'],
    ['a list in place of the usual one', 'kind: null-like, column: a', 'kind: null-like, column: a, values: [x]'],
    ['a factor in place of the usual one', 'kind: outliers, column: a', 'kind: outliers, column: a, k: 1'],
    ['a threshold in place of the usual one', 'kind: drift', 'kind: drift, threshold: 0.01'],
    [
      'one that may decide a tolerated column',
      'kind: drift, maxShare: 0.5, threshold: 0.2',
      'kind: drift, maxShare: 0.5, threshold: 0.1',
    ],
    ['a share that may drift where none might', 'kind: drift', 'kind: drift, maxShare: 0.1'],
    [
      'a threshold of p-values',
      'kind: drift, compat: evidently, dataset: train, threshold: 0.2',
      'kind: drift, compat: evidently, dataset: train, threshold: 0.1',
    ],
    ['fewer rows for a verdict', 'kind: drift, minRows: 1000', 'kind: drift, minRows: 10'],
    [
      'a column more where no other was allowed',
      'kind: columns, types: {a: integer}, exact: true',
      'kind: columns, types: {a: integer, b: integer}, exact: true',
    ],
    [
      'another order',
      'kind: columns, types: {a: integer, b: integer}, ordered: true',
      'kind: columns, types: {b: integer, a: integer}, ordered: true',
    ],
    [
      'columns where there were none, which never held',
      'kind: columns, types: {}',
      'kind: columns, types: {a: integer}',
    ],
    ['an exception', 'kind: duplicate-rows', 'kind: duplicate-rows, except: [a]'],
    ['a warning', 'kind: finite, column: a', 'kind: finite, column: a, severity: warn'],
  ])('%s', (_name, base, head) => {
    expect(checkLoosens(check(base), check(head))).toBe(true);
  });
});

it.each([
  [
    'a column more',
    'kind: columns, types: {a: integer, b: date}, ordered: true',
    'kind: columns, types: {a: integer, c: float, b: date}, ordered: true',
  ],
  ['no other column', 'kind: columns, types: {a: integer}', 'kind: columns, types: {a: integer}, exact: true'],
  ['an error', 'kind: finite, column: a, severity: warn', 'kind: finite, column: a'],
])('%s is tighter', (_name, base, head) => {
  expect(checkLoosens(check(base), check(head))).toBe(false);
});
