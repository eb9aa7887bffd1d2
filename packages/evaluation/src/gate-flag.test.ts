import { ConfigurationError } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import { parseGateFlag } from './gate-flag.ts';

describe('parseGateFlag', () => {
  it.each([
    [
      'roc_auc:higher:0.005',
      { metric: 'roc_auc', direction: 'higher', margin: 0.005, slices: [], minRows: 100, severity: 'error' },
    ],
    [
      'log_loss:lower:max=.5',
      { metric: 'log_loss', direction: 'lower', max: 0.5, slices: [], minRows: 100, severity: 'error' },
    ],
    [
      'f1:higher:0:min=0.7:slice=hub:slice=a\\:b:minRows=30:severity=warn',
      { metric: 'f1', direction: 'higher', margin: 0, min: 0.7, slices: ['hub', 'a:b'], minRows: 30, severity: 'warn' },
    ],
    [
      'mae:lower:margin=1e3',
      { metric: 'mae', direction: 'lower', margin: 1000, slices: [], minRows: 100, severity: 'error' },
    ],
  ])('%s', (text, expected) => expect(parseGateFlag(text)).toEqual(expected));

  it.each([
    ['', 'the metric is missing'],
    ['roc_acu:higher:0.1', 'no metric is named "roc_acu" (did you mean roc_auc?)'],
    ['auc:higher:0.1', 'no metric is named "auc" (did you mean roc_auc, roc_auc_ovr or pr_auc?)'],
    ['F1_score:higher:0.1', 'no metric is named "F1_score" (did you mean f1?)'],
    ['constructor:higher:0.1', 'no metric is named "constructor"'],
    ['latency_p95_ms:lower:max=40', 'latency_p95_ms is measured on an image, and files have none'],
    ['roc_auc', 'the direction is missing'],
    ['roc_auc:up:0.1', 'the direction is "up"; it must be `higher` or `lower`'],
    ['roc_auc:lower:0.1', 'roc_auc is better when higher'],
    ['roc_auc:higher', 'it needs a margin'],
    ['roc_auc:higher:', 'a part is empty'],
    ['roc_auc:higher:0,005', '`margin` is "0,005", which is no number; write it with a dot'],
    ['roc_auc:higher:5%', '`margin` is "5%", which is no number'],
    ['roc_auc:higher:NaN', '`margin` is "NaN", which is no number'],
    ['roc_auc:higher:1e999', '`margin` is "1e999", which is no number'],
    ['roc_auc:higher:0x1', '`margin` is "0x1", which is no number'],
    ['roc_auc:higher:-0.1', '"roc_auc:higher:-0.1": `margin` must not be negative'],
    ['roc_auc:higher:min=0.9:max=0.2', '`min` is above `max`: no value passes'],
    ['roc_auc:higher:0.1:0.2', '`margin` is given twice'],
    ['roc_auc:higher:least=0.7', 'it has no option "least"'],
    ['roc_auc:higher:0.1:slice=', '`slice` names no column'],
    ['roc_auc:higher:min=0.7:slice=hub', '`slices` compare with production and need a `margin`'],
    ['roc_auc:higher:0.1:minRows=1.5', 'minRows'],
    ['roc_auc:higher:0.1:severity=fatal', 'severity'],
  ])('refuses %j', (text, why) => {
    const thrown = (() => {
      try {
        return parseGateFlag(text);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ConfigurationError);
    const { message, hint } = thrown as ConfigurationError;
    expect(message).toContain(why);
    expect(message.startsWith(`--metric ${JSON.stringify(text)}: `)).toBe(true);
    expect(hint).toContain('roc_auc:higher:0.005');
  });
});
