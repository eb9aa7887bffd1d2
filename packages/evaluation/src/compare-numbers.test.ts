import { ConfigurationError } from '@passloop/core';
import { parseMetricsFile } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { compareNumbers } from './compare-numbers.ts';
import { parseMetricFlags } from './metric-flag.ts';
import { digestOf } from './testing/frames.ts';

function compare(production: string, candidate: string, flags: string[]) {
  const side = (text: string, character: string) => ({
    name: `${character}.json`,
    digest: digestOf(character),
    file: parseMetricsFile(text, `${character}.json`),
  });
  return compareNumbers({
    production: side(production, 'a'),
    candidate: side(candidate, production === candidate ? 'a' : 'b'),
    flags,
  });
}

const before = '{"test": {"AUC": 0.8}, "loss": 0.5}';

describe('compareNumbers', () => {
  it.each([
    ['test.AUC:higher:0.01', '{"test": {"AUC": 0.79}}', 'pass', 'within'],
    ['test.AUC:higher:0.01', '{"test": {"AUC": 0.7899}}', 'fail', 'outside'],
    ['test.AUC:higher:0:min=0.9', '{"test": {"AUC": 0.85}}', 'fail', 'outside'],
    ['test.AUC:higher:min=0.9', '{"test": {"AUC": 0.95}}', 'pass', 'within'],
    ['loss:lower:0.1', '{"loss": 0.6}', 'pass', 'within'],
    ['loss:lower:0.1', '{"loss": 0.61}', 'fail', 'outside'],
    ['loss:lower:0.1:severity=warn', '{"loss": 0.61}', 'warn', 'outside'],
  ])('%s of %s', (flag, candidate, verdict, measurement) => {
    const document = compare(before, candidate, [flag]);

    expect(document).toMatchObject({ outcome: 'compared', verdict, rows: 0 });
    expect(document.metrics[0]).toMatchObject({
      verdict: measurement,
      interval: null,
      method: expect.stringMatching(/^unpaired/),
    });
  });

  it('takes a share of nothing for nothing that was measured, whatever the severity', () => {
    const flags = ['loss:lower:relative=0.1:severity=warn'];
    expect(compare('{"loss": 0}', '{"loss": 0.2}', flags)).toMatchObject({
      verdict: 'fail',
      reason: 'No gate could be measured.',
      metrics: [{ production: '0', candidate: '0.2', verdict: 'not-comparable', gate: 'warn' }],
    });
  });

  it('finds no change beyond the digits that are printed', () => {
    const { metrics } = compare('{"loss": 0.3}', '{"loss": 0.30000000000000004}', ['loss:lower:0']);
    expect(metrics[0]).toMatchObject({ production: '0.3', candidate: '0.3', delta: '0', verdict: 'within' });
  });

  it.each([
    ['NaN', "the candidate's file says NaN"],
    ['"inf"', "the candidate's file says Infinity"],
    ['-Infinity', "the candidate's file says -Infinity"],
    ['null', "the candidate's file has no number loss"],
    ['"0.9"', "the candidate's file has no number loss"],
  ])('never passes %s, with or without a margin', (value, reason) => {
    for (const flag of ['loss:lower:0.1', 'loss:lower:max=1', 'loss:higher:min=0']) {
      const { verdict, metrics } = compare(before, `{"loss": ${value}}`, [flag]);
      expect([verdict, metrics[0]?.verdict, metrics[0]?.reason]).toEqual(['fail', 'not-comparable', reason]);
    }
  });

  it("never passes a margin over production's NaN, or over nothing", () => {
    const judge = (production: string) => compare(production, '{"loss": 0}', ['loss:lower:0.1']);
    expect(judge('{"loss": NaN}')).toMatchObject({
      verdict: 'fail',
      metrics: [{ reason: "production's file says NaN" }],
    });
    expect(judge('{}')).toMatchObject({
      verdict: 'fail',
      metrics: [{ reason: "production's file has no number loss" }],
    });
  });

  it.each([
    ['{"loss": 0.5}', 'loss:lower:0.1', 'pass', 'within'],
    ['{"loss": NaN}', 'loss:lower:0.1', 'fail', 'not-comparable'],
    ['{"other": 1}', 'loss:lower:0.1', 'fail', 'not-comparable'],
    ['{"loss": 0.5}', 'loss:lower:max=0.4', 'fail', 'outside'],
  ])('judges two files of the same bytes, %s, by %s: %s', (text, flag, verdict, measurement) => {
    expect(compare(text, text, [flag])).toMatchObject({
      outcome: 'compared',
      verdict,
      metrics: [{ verdict: measurement }],
    });
  });

  it.each([
    [[], 'No metric is given'],
    [['loss:lower:0.1', 'LOSS:lower:0.1'], 'Two gates are on loss: loss and LOSS.'],
    [['loss:lower:0.1:slice=hub'], 'numbers have no slices'],
    [['...:lower:0.1'], 'the metric has no name'],
    [['loss:0.1'], 'the direction is "0.1"'],
  ])('refuses %j', (flags, message) => {
    expect(() => compare(before, '{"loss": 0}', flags)).toThrow(message);
  });
});

describe('parseMetricFlags', () => {
  it('reads metrics as a model file declares them', () => {
    expect(parseMetricFlags(['k = {kind: mrr, k: 5}', 'lost={kind: sql, sql: "sum(a = b)"}'])).toEqual({
      k: { kind: 'mrr', k: 5 },
      lost: { kind: 'sql', sql: 'sum(a = b)' },
    });
  });

  it.each([
    ['lost', 'it has no `=`'],
    ['f1={kind: mrr}', 'f1 is a metric that is known already'],
    ['L={kind: mrr}', '"L" is no metric name'],
    ['m={kind: mrrr}', 'kind'],
    ['m={kind: mrr, k: 0}', 'k '],
    ['m={kind: [', 'not valid YAML'],
    ['m={kind: file, name: auc}', '--numbers compares two'],
  ])('refuses %j', (flag, message) => {
    const thrown = (() => {
      try {
        return parseMetricFlags([flag]);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ConfigurationError);
    expect((thrown as Error).message).toContain(message);
  });
});
