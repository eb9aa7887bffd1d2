import { formatDocument, parseDocument } from '@passloop/documents';
import type { Gate } from '@passloop/model';
import { describe, expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import { predictionsOf } from './frame.ts';
import { sqlMetric } from './sql-metric.ts';
import { createGate, createRequest, digestOf, scoredFrame } from './testing/frames.ts';

const auc = createGate({ metric: 'roc_auc', margin: 0.01 });
const absolute = createGate({ metric: 'roc_auc', margin: 0.01, min: 0.6 });
const latency = createGate({ metric: 'latency_p95_ms', direction: 'lower', max: 40 });
const degraded = scoredFrame({ production: 1.4, candidate: 1 });
const improved = scoredFrame({ production: 1, candidate: 1.4 });
const equal = scoredFrame({ production: 1.2, candidate: 1.2 });

const compare = (overrides: Parameters<typeof createRequest>[0]) => {
  const document = compareModels(createRequest(overrides));
  // Whatever is judged can be written and read again.
  expect(parseDocument('comparison', formatDocument('comparison', document), 'x')).toEqual(document);
  return document;
};

describe('rows that weigh nothing', () => {
  const weights = improved.labels.map((_, row) => (row % 50 === 0 ? 1 : 0));
  const gates = [createGate({ metric: 'log_loss', direction: 'lower', margin: 0.2, slices: ['hub'] })];

  it('are none of those that a gate or a slice needs', () => {
    const { verdict, metrics, slices } = compare({ frame: { ...improved, weights }, gates, inconclusive: 'block' });
    expect(verdict).toBe('inconclusive');
    expect(metrics[0]).toMatchObject({
      verdict: 'insufficient',
      rowsNeeded: 5000,
      reason: '80 of 4000 rows weigh more than 0; 100 are needed',
    });
    expect(slices.map((slice) => slice.verdict)).toEqual(['insufficient', 'insufficient', 'insufficient']);
    expect(slices[0]!.reason).toMatch(/^\d+ of \d+ rows weigh more than 0; 100 are needed$/);
  });

  it('count for a metric in SQL, which weighs nothing by itself', () => {
    const expression = { columns: [], terms: ['1'], of: (sums: Float64Array) => sums[0]! };
    const sql = sqlMetric({ name: 'sql', expression });
    const terms = { sql: [Float64Array.from(improved.labels)] };
    const frame = {
      ...improved,
      weights,
      declared: { sql },
      production: { ...improved.production!, terms },
      candidate: { ...improved.candidate, terms },
    };
    const { metrics } = compare({ frame, gates: [createGate({ metric: 'sql', margin: 1e6 })] });
    expect(metrics[0]).toMatchObject({ verdict: 'non-inferior', reason: null });
  });
});

describe('a comparison of known models', () => {
  it('is worse, with the whole interval below the margin, for a degraded model', () => {
    const { verdict, metrics } = compare({ frame: degraded });
    expect(verdict).toBe('fail');
    expect(metrics[0]).toMatchObject({ verdict: 'worse', gate: 'fail', method: 'DeLong' });
    expect(Number(metrics[0]!.interval![1])).toBeLessThan(-0.01);
  });

  it('is better for an improved one', () => {
    const { verdict, metrics } = compare({ frame: improved });
    expect(verdict).toBe('pass');
    expect(metrics[0]!.verdict).toBe('better');
    expect(Number(metrics[0]!.interval![0])).toBeGreaterThan(0);
  });

  it('covers the known shift of the area: Phi(s / sqrt 2)', () => {
    const { metrics } = compare({ frame: scoredFrame({ rows: 20_000, production: 1.4, candidate: 1 }) });
    const [low, high] = metrics[0]!.interval!.map(Number) as [number, number];
    const shift = 0.76025 - 0.838955;
    expect(low).toBeLessThan(shift);
    expect(high).toBeGreaterThan(shift);
  });

  it('warns or blocks what is inconclusive, with the rows that would decide', () => {
    const gates = [createGate({ metric: 'roc_auc', margin: 0.0001 })];
    const warned = compare({ frame: equal, gates, inconclusive: 'warn' });
    expect(warned.verdict).toBe('warn');
    expect(warned.metrics[0]!.rowsNeeded).toBeGreaterThan(equal.rows);
    expect(compare({ frame: equal, gates, inconclusive: 'block' }).verdict).toBe('inconclusive');
  });

  it('gives the same bytes ten times', () => {
    const gates = ['f1', 'log_loss', 'accuracy', 'roc_auc', 'mcc'].map((metric) =>
      createGate({
        metric,
        direction: metric === 'log_loss' ? 'lower' : 'higher',
        margin: 0.01,
        slices: metric === 'f1' ? ['hub'] : [],
      }),
    );
    const frame = scoredFrame({ rows: 6000 });
    const documents = new Set(
      Array.from({ length: 10 }, () => formatDocument('comparison', compareModels(createRequest({ gates, frame })))),
    );
    expect(documents.size).toBe(1);
  });
});

describe('every metric blocks', () => {
  const good = scoredFrame({ production: 2, candidate: 0.2 });
  it.each([
    'roc_auc',
    'accuracy',
    'balanced_accuracy',
    'precision',
    'recall',
    'f1',
    'mcc',
    'log_loss',
    'brier',
  ])('%s', (metric) => {
    const direction = metric === 'log_loss' || metric === 'brier' ? 'lower' : 'higher';
    const { verdict, metrics } = compare({ frame: good, gates: [createGate({ metric, direction, margin: 0.001 })] });
    expect([verdict, metrics[0]!.verdict]).toEqual(['fail', 'worse']);
  });

  it.each(['mae', 'mse', 'rmse', 'r2'])('%s', (metric) => {
    const labels = Float64Array.from({ length: 1000 }, (_, i) => 50 + (i % 37));
    const off = (by: number) => predictionsOf({ prediction: labels.map((y, i) => y + by * ((i % 5) - 2)) });
    const frame = {
      ...good,
      task: 'regression' as const,
      rows: 1000,
      classes: [],
      labels,
      production: off(0.1),
      candidate: off(2),
      slices: [],
    };
    const direction = metric === 'r2' ? 'higher' : 'lower';
    const { verdict, metrics } = compare({ frame, gates: [createGate({ metric, direction, margin: 0.01 })] });
    expect([verdict, metrics[0]!.verdict]).toEqual(['fail', 'worse']);
  });

  it.each(['latency_p50_ms', 'latency_p95_ms', 'image_bytes', 'ready_seconds'])('%s', (metric) => {
    const gate = createGate({ metric, direction: 'lower', max: 40 });
    const judge = (candidate: number | null) =>
      compare({ frame: improved, gates: [auc, gate], scalars: { [metric]: { production: null, candidate } } }).verdict;
    expect([judge(40), judge(41), judge(null), judge(Number.NaN)]).toEqual(['pass', 'fail', 'fail', 'fail']);
  });
});

it('a latency with a margin fails where nobody measured it beside production', () => {
  const gate = createGate({ metric: 'latency_p95_ms', direction: 'lower', margin: 5 });
  const scalars = { latency_p95_ms: { production: 10, candidate: 100 } };
  expect(compare({ frame: improved, gates: [auc, gate], scalars })).toMatchObject({
    verdict: 'fail',
    metrics: [{ gate: 'pass' }, { gate: 'fail', reason: expect.stringContaining('not measured beside production') }],
  });
});

describe('whether there is any difference', () => {
  it('is told beside the verdict, by the test that fits', () => {
    const names = ['accuracy', 'roc_auc', 'f1', 'pr_auc'];
    const gates = names.map((metric) => createGate({ metric, margin: 0.01, slices: ['hub'] }));
    const { metrics, slices } = compare({ frame: improved, gates });
    const tests = ['exact McNemar', 'DeLong', 'paired permutation (rows)', 'paired permutation of ranks (rows)'];
    expect(metrics.map(({ equality }) => equality?.test)).toEqual(tests);
    // The candidate is far better: chance makes no such difference.
    for (const { equality } of metrics) if (equality) expect(Number(equality.pValue)).toBeLessThan(0.01);
    for (const { name, equality } of slices) expect(equality?.test).toBe(tests[names.indexOf(name)]);
  });
});

describe("the size of the image against production's", () => {
  const judge = (gate: Partial<Gate>, production: number | null) =>
    compare({
      frame: improved,
      gates: [auc, createGate({ metric: 'image_bytes', direction: 'lower', ...gate })],
      scalars: { image_bytes: { production, candidate: 420_000_000 } },
    }).metrics[1];

  it('is within or outside a margin, with nothing left to chance', () => {
    expect(judge({ margin: 20_000_000 }, 400_000_000)).toMatchObject({
      verdict: 'within',
      gate: 'pass',
      delta: '20000000',
      method: 'sizes of both images',
      reason: null,
    });
    expect(judge({ relative: 0.04 }, 400_000_000)).toMatchObject({
      verdict: 'outside',
      gate: 'fail',
      margin: '16000000',
    });
    expect(judge({ relative: 0.1, max: 410_000_000 }, 400_000_000)).toMatchObject({ verdict: 'outside', gate: 'fail' });
  });

  it('fails where the size of production is not known, unless a bound decides', () => {
    expect(judge({ relative: 0.1 }, null)).toMatchObject({
      gate: 'fail',
      reason: "the size of production's image is not known",
    });
    expect(judge({ relative: 0.1, max: 500_000_000 }, null)).toMatchObject({ gate: 'pass' });
  });
});

describe('outcomes', () => {
  it('first: absolute gates decide, and without one nothing passes', () => {
    const first = { outcome: 'first' as const, production: null, frame: { ...improved, production: null } };
    expect(compare({ ...first, gates: [absolute] }).verdict).toBe('pass');
    expect(compare({ ...first, gates: [createGate({ metric: 'roc_auc', margin: 0.01, min: 0.99 })] }).verdict).toBe(
      'fail',
    );
    const bare = compare({ ...first, gates: [auc] });
    expect(bare).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('no gate on the model has an absolute bound'),
    });
    expect(bare.metrics[0]).toMatchObject({ gate: 'skipped', reason: 'there is no baseline' });
    expect(
      compare({ ...first, gates: [auc, latency], scalars: { latency_p95_ms: { production: null, candidate: 1 } } })
        .verdict,
    ).toBe('fail');
    expect(compare({ ...first, gates: [] }).verdict).toBe('fail');
  });

  it('unchanged passes without measuring', () => {
    expect(compare({ outcome: 'unchanged', frame: null })).toMatchObject({ verdict: 'pass', metrics: [], slices: [] });
  });

  it('same-model: only what the image measures decides', () => {
    const judge = (candidate: number | null) =>
      compare({
        outcome: 'same-model',
        frame: null,
        gates: [auc, latency],
        scalars: { latency_p95_ms: { production: 10, candidate } },
      });
    expect(judge(10).verdict).toBe('pass');
    expect(judge(10).metrics[0]!.gate).toBe('skipped');
    expect(judge(100).verdict).toBe('fail');
    expect(judge(null).verdict).toBe('fail');
  });

  it('rollback shows its gates and slices, and they do not block', () => {
    const gates = [createGate({ metric: 'roc_auc', margin: 0.01, slices: ['hub'] })];
    const document = compare({ outcome: 'rollback', frame: degraded, gates });
    expect(document.verdict).toBe('pass');
    expect(document.metrics[0]!.verdict).toBe('worse');
    expect(document.slices).toHaveLength(3);
  });

  it('held fails, not-comparable fails, each with its reason', () => {
    expect(compare({ outcome: 'held', reason: 'held by ana', frame: null })).toMatchObject({
      verdict: 'fail',
      reason: 'held by ana',
      metrics: [],
    });
    const document = compare({ outcome: 'not-comparable', reason: 'other rows', frame: null });
    expect(document).toMatchObject({ verdict: 'fail', reason: 'other rows' });
    expect(document.metrics[0]).toMatchObject({ verdict: 'not-comparable', gate: 'fail', reason: 'other rows' });
  });

  it.each([
    [
      'a model with itself',
      { production: { digest: digestOf('b'), scoredBy: 'image' as const } },
      'compared with itself',
    ],
    [
      'two that were not scored alike',
      { production: { digest: digestOf('a'), scoredBy: 'stage' as const } },
      'not scored alike',
    ],
    ['without production', { production: null }, 'no baseline'],
    ['without its predictions', { frame: { ...improved, production: null } }, 'no baseline'],
  ])('compares nothing: %s', (_name, overrides, reason) => {
    const document = compare({
      frame: improved,
      gates: [absolute, createGate({ metric: 'f1', min: 0.1, severity: 'warn' })],
      ...overrides,
    });
    expect(document).toMatchObject({
      outcome: 'not-comparable',
      verdict: 'fail',
      reason: expect.stringContaining(reason),
    });
  });
});

describe('gates of environments', () => {
  const tight = createGate({ metric: 'roc_auc', margin: 0.0001 });
  const sliced = createGate({ metric: 'roc_auc', margin: 0.01, slices: ['hub'] });
  const accuracy = createGate({ metric: 'accuracy', min: 0.99, severity: 'error' });
  const environments = [
    { name: 'staging', after: null, own: [], gates: [sliced], inconclusive: 'warn' as const },
    { name: 'prod', after: 'staging', own: ['roc_auc'], gates: [tight], inconclusive: 'block' as const },
    { name: 'live', after: 'prod', own: ['accuracy'], gates: [sliced, accuracy], inconclusive: 'warn' as const },
  ];

  it('are judged as their promotions would be, and leave the verdict to those of the model', () => {
    const document = compare({ frame: equal, gates: [sliced], environments });
    const alone = (at: number) => compare({ frame: equal, ...environments[at]!, environments: [] });

    expect(document.verdict).toBe(compare({ frame: equal, gates: [sliced] }).verdict);
    expect(document.environments!.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['staging', 'warn'],
      ['prod', 'inconclusive'],
      ['live', 'fail'],
    ]);
    const [staging, prod, live] = document.environments!;
    expect(prod).toMatchObject({ metrics: alone(1).metrics, slices: [] });
    // What the model's own gates say is not repeated.
    expect(staging).toMatchObject({ metrics: [], slices: [] });
    expect(live!.metrics).toEqual(alone(2).metrics.filter(({ name }) => name === 'accuracy'));
  });

  it('repeat what a gate of the model says otherwise there', () => {
    const asked = { frame: equal, gates: [tight] };
    const document = compare({ ...asked, environments: [{ ...environments[1]!, own: [] }, environments[2]!] });

    expect(document.metrics).toMatchObject([{ verdict: 'inconclusive', gate: 'warn' }]);
    expect(document.environments![0]!.metrics).toMatchObject([{ verdict: 'inconclusive', gate: 'inconclusive' }]);
  });

  it('say of a first candidate whether it has what they ask', () => {
    const document = compare({ frame: equal, outcome: 'first', production: null, gates: [absolute], environments });

    expect(document.verdict).toBe('pass');
    expect(document.environments!.map(({ verdict }) => verdict)).toEqual(['fail', 'fail', 'fail']);
    expect(document.environments![0]!.reason).toContain('no gate on the model has an absolute bound');
  });

  it('decide no check by themselves', () => {
    const document = compare({ frame: improved, gates: [], environments });

    expect(document).toMatchObject({ verdict: 'fail', reason: expect.stringContaining('decide no check') });
    expect(document.environments!.map(({ verdict }) => verdict)).toContain('pass');
  });

  it.each(['unchanged', 'held', 'rollback', 'not-comparable'] as const)('are not asked where it is %s', (outcome) => {
    expect(compare({ frame: null, outcome, gates: [auc], environments })).not.toHaveProperty('environments');
  });
});

describe('what is missing never passes', () => {
  it.each([
    ['no gate', [], 'No gate is declared'],
    [
      'gates that only warn, none measured',
      [createGate({ metric: 'nothing', margin: 1, severity: 'warn' })],
      'No gate could be measured.',
    ],
  ])('%s', (_name, gates, reason) => {
    expect(compare({ frame: improved, gates })).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining(reason),
    });
  });

  it.each([
    ['an unknown metric', 'no_such', 'no metric is named no_such'],
    ['an inherited name', 'constructor', 'no metric is named constructor'],
    ['a metric of another task', 'mae', 'mae is not defined for a binary model'],
  ])('%s', (_name, metric, reason) => {
    const document = compare({ frame: improved, gates: [auc, createGate({ metric, margin: 1, slices: ['hub'] })] });
    expect(document.verdict).toBe('fail');
    expect(document.metrics[1]!.reason).toContain(reason);
    expect(document.slices.map(({ gate }) => gate)).toEqual(['fail']);
  });

  it('a direction that the metric does not have', () => {
    const document = compare({
      frame: degraded,
      gates: [createGate({ metric: 'roc_auc', direction: 'lower', margin: 0.01 })],
    });
    expect(document.metrics[0]).toMatchObject({
      gate: 'fail',
      reason: 'roc_auc is better when higher; the gate says lower',
    });
  });

  it('a metric that is NaN', () => {
    const frame = { ...improved, candidate: { ...improved.candidate, prediction: new Float64Array(improved.rows) } };
    const document = compare({ frame, gates: [createGate({ metric: 'precision', margin: 0.5 })] });
    expect(document).toMatchObject({ verdict: 'fail' });
    expect(document.metrics[0]).toMatchObject({ verdict: 'not-comparable', candidate: null, gate: 'fail' });
  });

  it('a column that no predictions have', () => {
    const frame = { ...improved, candidate: { ...improved.candidate, score: null } };
    expect(compare({ frame }).verdict).toBe('fail');
  });
});

describe('slices', () => {
  const sliced = (overrides: object = {}) => [
    createGate({ metric: 'roc_auc', margin: 0.01, slices: ['hub'], ...overrides }),
  ];

  it('block where one is worse though the whole is not', () => {
    const frame = scoredFrame({ rows: 12_000, production: 1.2, candidate: 1.5 });
    const score = frame.candidate.score!.slice();
    // The small hubs' scores say nothing any more.
    for (let row = 0; row < frame.rows; row += 1) if (row % 10 === 0) score[row] = (row % 97) / 97;
    const document = compare({ frame: { ...frame, candidate: { ...frame.candidate, score } }, gates: sliced() });
    expect(document.metrics[0]!.gate).toBe('pass');
    expect(document.slices.map(({ slice, verdict }) => [slice.value, verdict])).toEqual([
      ['large', 'better'],
      ['medium', 'better'],
      ['small', 'worse'],
    ]);
    expect(document.verdict).toBe('fail');
  });

  it('that the dataset lacks block', () => {
    const document = compare({ frame: improved, gates: sliced({ slices: ['country'] }) });
    expect(document.verdict).toBe('fail');
    expect(document.slices[0]).toMatchObject({ gate: 'fail', reason: 'the evaluation dataset has no column country' });
  });

  it('with few rows, or one class only, are insufficient and warn', () => {
    const few = compare({ frame: improved, gates: sliced({ minRows: 401 }) });
    expect(few.slices.find(({ slice }) => slice.value === 'small')).toMatchObject({
      rows: 400,
      verdict: 'insufficient',
      gate: 'warn',
    });
    const labels = improved.labels.map((label, row) => (row % 10 === 0 ? 0 : label));
    const one = compare({ frame: { ...improved, labels }, gates: sliced() });
    expect(one.slices.find(({ slice }) => slice.value === 'small')).toMatchObject({
      verdict: 'insufficient',
      gate: 'warn',
    });
  });

  it('fail where the candidate lost a metric that production has', () => {
    const prediction = improved.candidate.prediction!.map((value, row) => (row % 10 === 0 ? 0 : value));
    const frame = { ...improved, candidate: { ...improved.candidate, prediction } };
    const judgeSmall = (frame: typeof improved) =>
      compare({ frame, gates: [createGate({ metric: 'precision', margin: 0.5, slices: ['hub'] })] }).slices.find(
        ({ slice }) => slice.value === 'small',
      );

    expect(judgeSmall(frame)).toMatchObject({
      verdict: 'not-comparable',
      gate: 'fail',
      reason: 'it is undefined for the candidate on these 400 rows',
    });
    // The other way round there is nothing that it lost.
    expect(judgeSmall({ ...frame, production: frame.candidate, candidate: improved.candidate })).toMatchObject({
      verdict: 'insufficient',
      gate: 'warn',
    });
  });

  it('that are inconclusive only warn, also where the whole would block', () => {
    const document = compare({ frame: equal, gates: sliced({ margin: 0.02 }), inconclusive: 'block' });
    expect(document.slices.some(({ verdict }) => verdict === 'inconclusive')).toBe(true);
    expect(document.slices.every(({ gate }) => gate === 'warn' || gate === 'pass')).toBe(true);
  });
});
