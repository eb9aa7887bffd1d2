import type { ComparedMetric } from '@passloop/documents';
import { describe, expect, it } from 'vitest';
import { environmentAnswers } from './environments.ts';
import { renderHtml } from './html.ts';
import { renderComment } from './markdown.ts';
import { printReport } from './terminal.ts';
import { createMetric, createReport, reports } from './testing/reports.ts';

const refused = reports['refused by an environment']!();
const comparison = refused.models[0]!.comparison!;

describe('a candidate that one of several environments refuses', () => {
  it('passes the check, and its headline says where it may go', () => {
    const [first, , lead] = renderComment(refused).split('\n');

    expect(first).toBe(
      '### ⚠️ Passed with a warning: `flight-delay` may be promoted to `staging`, not to `prod` and `embedded`',
    );
    expect(lead).toBe('For `prod`: accuracy is 0.7934, and must be ≥ 0.8; and 1 more.');
  });

  it('has a line of all environments, and their own gates folded, with what they take the place of', () => {
    const comment = renderComment(refused);

    expect(comment).toContain(
      '**Environments** ✅ `staging` takes it · ❌ `prod` refuses it · ➖ `embedded` waits for `prod`',
    );
    expect(comment).toContain('<summary>Gates of environments (2)</summary>');
    expect(comment).toMatch(/\| `prod` \| ROC AUC \|.*−0\.001 \(in\u00a0place\u00a0of\u00a0−0\.005\) \|/);
  });

  it('says it in a row of several models, where no headline does', () => {
    const two = createReport((report) => {
      const [model] = refused.models;
      report.models = ['a', 'b'].map((name) => ({ ...structuredClone(model!), name }));
    });

    expect(renderComment(two)).toMatch(
      /^\| `a` \| ⚠️ warn \| It may be promoted to `staging`, not to `prod` and `embedded`\. For `prod`: accuracy is/m,
    );
  });

  it('folds the gates that refuse it first, and forty at most', () => {
    const many = createReport((report) => {
      Object.assign(report, structuredClone(refused));
      const [staging, prod] = report.models[0]!.comparison!.environments!;
      const own = Array.from({ length: 60 }, (_, index) => createMetric({ name: `metric_${index}` }));
      Object.assign(staging!, { own: own.map(({ name }) => name), metrics: own });
      prod!.after = null;
    });
    const rows = renderComment(many).match(/^\| `(staging|prod)` \|.*$/gm);

    expect(rows).toHaveLength(40);
    expect(rows?.[0]).toContain('❌');
    expect(renderComment(many)).toContain('| … and 22 more |');
  });

  it('shows them on the page and on a terminal', async () => {
    const page = await renderHtml(refused);

    expect(page).toContain('<h2>Environments</h2>');
    expect(page).toMatch(/<code>prod<\/code><\/th><td class="v fail">[^/]*<\/span> refuses it<\/td><td>accuracy</);
    expect(page).toMatch(/waits for <code>prod<\/code><\/td><td>the model’s alone/);
    expect(printReport(refused)).toMatch(/\nFAIL prod refuses it\n.*production.*\nFAIL {2}accuracy/);
  });
});

it('is not said of a candidate that the model itself blocks, whose environments the comment lists all the same', () => {
  const blocked = createReport((report) => {
    Object.assign(report, structuredClone(refused));
    Object.assign(report.models[0]!.comparison!, { verdict: 'fail' });
  });

  expect(blocked.models[0]!.reasons.join(' ')).not.toContain('may be promoted');
  expect(renderComment(blocked)).toContain('**Environments** ✅ `staging`');
});

it('names what can’t tell yet, and walks no circle', () => {
  const [staging, prod, embedded] = comparison.environments!;
  const circle = [
    { ...staging!, after: 'embedded' },
    { ...prod!, verdict: 'inconclusive' as const },
    { ...embedded!, after: 'staging' },
  ];

  expect(environmentAnswers({ ...comparison, environments: circle }).map(({ words }) => words)).toEqual([
    'takes it',
    'can’t tell yet',
    'takes it',
  ]);
});

describe('a margin on what a clock measures, which a check can’t judge', () => {
  const later = (name: string, severity: 'error' | 'warn' = 'error') =>
    createMetric({
      name,
      severity,
      gate: 'skipped',
      verdict: 'not-comparable',
      interval: null,
      measuredAtPromotion: true,
    });
  const told = (ofModel: ComparedMetric[], own: ComparedMetric[]) => {
    const [staging, prod] = comparison.environments!;
    const report = createReport((one) => {
      Object.assign(one, structuredClone(refused));
      const asked = { ...staging!, own: own.map(({ name }) => name), metrics: own };
      Object.assign(one.models[0]!.comparison!, { metrics: ofModel, environments: [asked, prod!] });
    });
    return /^\*\*Environments\*\* (.*?) · /m.exec(renderComment(report))?.[1];
  };

  it.each<[string, ComparedMetric[], ComparedMetric[], string]>([
    ['of its own', [], [later('latency_p95_ms')], 'takes it; its latency is measured at the promotion'],
    ['of the model', [later('latency_p50_ms')], [], 'takes it; its latency is measured at the promotion'],
    ['of the start', [], [later('ready_seconds')], 'takes it; how long it takes to start is measured at the promotion'],
    [
      'of both',
      [later('ready_seconds')],
      [later('latency_p95_ms')],
      'takes it; its latency and how long it takes to start are measured at the promotion',
    ],
    ['that only warns', [], [later('latency_p95_ms', 'warn')], 'takes it'],
    [
      'that its own gate, which has none, replaces',
      [later('latency_p95_ms')],
      [createMetric({ name: 'latency_p95_ms' })],
      'takes it',
    ],
  ])('is said in the line of an environment that takes it: %s', (_, ofModel, own, words) => {
    expect(told(ofModel, own)).toBe(`✅ \`staging\` ${words}`);
  });
});
