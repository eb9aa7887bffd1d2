import { describe, expect, it } from 'vitest';
import { bound, change, digitsOf, interval, measured, metricName, quantity } from './readable.ts';

describe('digitsOf', () => {
  it.each<[string, [string, string], string, number]>([
    ['an interval of 0.03', ['-0.0468', '-0.0151'], '0.005', 3],
    ['an interval of 0.2', ['-0.11', '0.09'], '0.005', 3],
    ['an interval of 0.007', ['-0.0012', '0.0058'], '0.005', 4],
    ['an interval of 0.0003', ['0.0001', '0.0004'], '0.005', 5],
    ['an interval of 25', ['-10', '15'], '30', 1],
    // With three digits -0.00504 would be printed as the margin that it is beyond.
    ['a bound beside the margin', ['-0.03512', '-0.00504'], '0.005', 5],
    ['a bound beside zero', ['0.0003', '0.0303'], '0.005', 4],
    [
      'a bound on the border itself',
      ['-0.0200', '0.0100'].map((text) => text.replace(/0+$/, '')) as [string, string],
      '0.01',
      3,
    ],
    ['no width', ['0', '0'], '0.005', 4],
  ])('%s', (_name, bounds, margin, digits) => {
    expect(digitsOf({ name: 'roc_auc', interval: bounds, margin })).toBe(digits);
  });

  it('tells small values apart where there is no interval', () => {
    const mse = { name: 'mse', candidate: '0.00000032', interval: null };
    expect(measured(mse.candidate, digitsOf(mse))).toBe('0.00000032');
    expect(digitsOf({ name: 'mse', candidate: '0.5', interval: null })).toBe(4);
  });
});

it.each([
  ['roc_auc', '0.75081', '0.7508'],
  ['mae', '-123.456', '−123.5'],
  ['mae', '48211.4', '48211'],
  ['mae', '-2500000000', '−2.50e+9'],
  ['latency_p95_ms', '21.74', '21.7 ms'],
  ['ready_seconds', '1.44', '1.4 s'],
  ['image_bytes', '381234567', '381.2 MB'],
  ['image_bytes', null, '–'],
])('%s %s is read as %s', (name, text, shown) => {
  expect(quantity(name, text, digitsOf({ name }))).toBe(shown);
});

it('writes bounds as the policy does, and a minus as a minus', () => {
  expect(bound('image_bytes', '400500000')).toBe('400.5 MB');
  expect(bound('r2', '-0.05')).toBe('−0.05');
  expect(change('0.0023', 4)).toBe('+0.0023');
  expect(change('-0.0000004', 4)).toBe('0.0000');
  expect(change('0.0000004', 4)).toBe('0.0000');
  expect(quantity('image_bytes', '-400', 1)).toBe('0.0 MB');
  expect(interval(['-0.0012', '0.0058'], 4)).toBe(' (−0.0012 … 0.0058)');
});

it.each([
  ['roc_auc', 'ROC AUC'],
  ['f1_macro', 'F1 macro'],
  ['ndcg_at_10', 'NDCG at 10'],
  ['roc_auc_ovr', 'ROC AUC ovr'],
  ['balanced_accuracy', 'balanced accuracy'],
  ['constructor', 'constructor'],
  ['constructor_macro', 'constructor macro'],
])('calls %s %s', (name, shown) => {
  expect(metricName(name)).toBe(shown);
});
