import {
  type ComparedMetric,
  type ComparedSlice,
  type DataReport,
  formatDocument,
  type ReportDocument,
} from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { headlineText, reportHeadline } from './headline.ts';
import { renderHtml } from './html.ts';
import { judgeModel } from './judge.ts';
import { commentLimit, renderComment, renderSummary } from './markdown.ts';
import { phraseText } from './phrase.ts';
import { attacks } from './testing/attacks.ts';
import { clean, createMetric, createReport, createSlice, reports } from './testing/reports.ts';

describe('the headline', () => {
  const within = { name: 'accuracy', margin: null, min: '0.7', verdict: 'within' as const };
  const latency = { name: 'latency_p50_ms', direction: 'lower' as const };
  it.each<[string, Partial<ComparedMetric>[], string]>([
    ['every gate with a margin', [{}, { name: 'log_loss', direction: 'lower' }], 'is non-inferior to production'],
    ['one beside a bound', [{}, within], 'is non-inferior to production on ROC AUC'],
    ['one behind a bound', [within, {}], 'is non-inferior to production on ROC AUC'],
    ['bounds, and a margin of the clock', [latency, within], 'is non-inferior to production on latency p50'],
    [
      'several beside a bound',
      [{}, { name: 'f1' }, { name: 'mcc' }, within],
      'is non-inferior to production on ROC AUC and 2 more metrics',
    ],
  ])('says on what a candidate is non-inferior: %s', (_name, metrics, said) => {
    const report = createReport((changed) => {
      clean(changed);
      Object.assign(changed.models[0]!.comparison!, {
        metrics: metrics.map((metric) => createMetric(metric)),
        slices: [],
      });
    });
    expect(phraseText(reportHeadline(report))).toBe(`Passed: flight-delay ${said}`);
  });
});

describe('the judgement', () => {
  it('tells a drifted column once, though its check sums it up', () => {
    const [model] = createReport((report) => {
      clean(report);
      const [data] = report.models[0]?.data ?? [];
      const [check] = data?.checks ?? [];
      if (data === undefined || check === undefined) throw new Error('the fixture has no check');
      data.checks.push({ ...check, id: 'drift', kind: 'drift', column: null, verdict: 'fail', failingRows: null });
      data.drift = ['distance', 'origin'].map((column) => ({
        column,
        method: 'psi',
        statistic: '0.3',
        pValue: null,
        threshold: '0.1',
        verdict: column === 'origin' ? ('pass' as const) : ('fail' as const),
        n: { reference: 1000, current: 1000 },
        reason: null,
      }));
      data.verdict = 'fail';
    }).models;
    expect(model?.reasons.filter((reason) => /drift/.test(reason))).toHaveLength(1);
    expect(model?.reasons[0]).toMatch(/`distance`/);
  });

  it.each<[string, (data: DataReport) => void, string]>([
    ['none drifted', () => {}, 'none of 1 column drifted from the profile'],
    [
      'one drifted',
      (data) => Object.assign(data.drift[0]!, { verdict: 'warn' }),
      '1 of 1 column drifted from the profile (`distance`)',
    ],
    ['no profile', (data) => Object.assign(data, { drift: [] }), 'no profile tells how far apart the two lie'],
    [
      'another dataset',
      ({ dataset }) => Object.assign(dataset, { digest: null }),
      'no profile tells how far apart the two lie',
    ],
  ])('warns where the rows that decide are others than those of the target branch: %s', (_name, change, drift) => {
    const [model] = createReport((report) => {
      clean(report);
      const [data] = report.models[0]!.data;
      data!.dataset.digest = `sha256:${'2'.repeat(64)}`;
      change(data!);
      report.models[0]?.policy.differences.push({
        path: 'evaluate.rows',
        from: `sha256:${'1'.repeat(64)}`,
        to: `sha256:${'2'.repeat(64)}`,
        loosens: false,
      });
    }).models;
    expect(model?.verdict).toBe('warn');
    expect(model?.reasons.find((reason) => reason.startsWith('The rows'))).toBe(
      `The rows that decide differ from those of \`main\` (\`sha256:${'1'.repeat(12)}…\` → \`sha256:${'2'.repeat(12)}…\`): ${drift}. Whoever reviews this should know why.`,
    );
  });

  it('passes where every part passes, and says how it stands against production', () => {
    const [model] = createReport(clean).models;
    expect(model?.verdict).toBe('pass');
    expect(model?.reasons.join(' ')).toMatch(/non-inferior to production/);
  });

  it.each<[string, (report: ReportDocument) => void, RegExp]>([
    [
      'data',
      (r) => Object.assign(r.models[0]?.data[0]?.checks[0] ?? {}, { verdict: 'fail', failingRows: 2114 }),
      /2,114 rows of `distance` of `train` are null/,
    ],
    [
      'its own looser gate',
      (r) =>
        r.models[0]?.policy.differences.push({
          path: 'gates.roc_auc.margin',
          from: '0.005',
          to: '0.05',
          loosens: true,
        }),
      /loosens its own policy: `gates\.roc_auc\.margin` `0\.005` → `0\.05`/,
    ],
    [
      'a scan',
      (r) =>
        Object.assign(r.models[0] ?? {}, { scan: { schema: 'passloop/scan/v1', verdict: 'inconclusive', files: [] } }),
      /not safe to load/,
    ],
    [
      'a probe',
      (r) => Object.assign(r.models[0]?.probe?.checks[0] ?? {}, { verdict: 'fail' }),
      /The image fails `rest-infer`/,
    ],
    [
      'a worse metric',
      (r) =>
        Object.assign(r.models[0]?.comparison?.metrics[0] ?? {}, {
          verdict: 'worse',
          gate: 'fail',
          delta: '-0.041',
          interval: ['-0.046', '-0.036'],
        }),
      /ROC AUC fell by 0\.041 \(95 % interval −0\.046 … −0\.036, allowed −0\.005\)/,
    ],
    [
      'a part that did not run',
      (r) => r.models[0]?.missing.push({ part: 'image', verdict: 'fail', reason: 'No Docker engine answers.' }),
      /No Docker engine/,
    ],
    [
      'a slice',
      (r) => Object.assign(r.models[0]?.comparison?.slices[0] ?? {}, { verdict: 'worse', gate: 'fail' }),
      /on slice `daypart = morning`/,
    ],
  ])('%s alone blocks', (_name, change, reason) => {
    const [model] = createReport((report) => {
      clean(report);
      change(report);
    }).models;
    expect(model?.verdict).toBe('fail');
    expect(model?.reasons[0]).toMatch(reason);
  });

  it('an override allows what it names, visibly', () => {
    const [model] = createReport(clean).models;
    if (model === undefined) throw new Error('no model');
    const loosened = {
      ...model,
      policy: {
        ...model.policy,
        differences: [{ path: 'gates.roc_auc.margin', from: '0.005', to: '0.05', loosens: true }],
      },
    };
    const override = {
      file: '.passloop/overrides/x.yaml',
      gate: 'gates.roc_auc',
      reason: 'known',
      until: '2026-12-31',
      isOver: false,
      isNew: false,
    };
    const judge = (change: Partial<typeof override> & { model?: string }) => {
      const { verdict, reasons } = judgeModel(loosened, [{ ...override, ...change }]);
      return `${verdict}: ${reasons[0]}`;
    };
    const fails = 'fail: It loosens its own policy: `gates.roc_auc.margin` `0.005` → `0.05`.';

    expect(judge({})).toBe(
      'warn: `gates.roc_auc.margin` `0.005` → `0.05`, allowed by `.passloop/overrides/x.yaml` until 2026-12-31.',
    );
    expect(judge({ isNew: true, model: model.name })).toContain('until 2026-12-31, which this change adds.');
    expect(judge({ isOver: true })).toBe(
      `${fails} The override \`.passloop/overrides/x.yaml\` allowed it until 2026-12-31, and that day is over.`,
    );
    const how = 'An override, `.passloop/overrides/NAME.yaml` with gate, reason and until, would allow it.';
    expect(judge({ gate: 'gates.log_loss' })).toBe(`${fails} ${how}`);
    for (const [change, named] of [
      [{ gate: 'roc_auc' }, '`roc_auc`'],
      [{ gate: 'gates.log_loss', isNew: true }, '`gates.log_loss`'],
      [{ gate: 'gates.roc_au', isNew: true }, '`gates.roc_au`'],
      [{ model: 'another', isNew: true }, '`gates.roc_auc` of `another`'],
    ] as const) {
      expect(judge(change)).toBe(
        `${fails} The override \`.passloop/overrides/x.yaml\` is about ${named}, and this is \`gates.roc_auc.margin\`. ${how}`,
      );
    }
  });

  it('a return to an earlier model shows its gates and is not blocked by them', () => {
    const [model] = createReport((report) => {
      clean(report);
      Object.assign(report.models[0]?.comparison ?? {}, { outcome: 'rollback' });
      Object.assign(report.models[0]?.comparison?.metrics[0] ?? {}, { verdict: 'worse', gate: 'fail' });
    }).models;
    expect(model?.verdict).toBe('pass');
  });

  it('a reason as long as a document allows leaves a report that can be written', () => {
    const report = createReport((report) => {
      const [model] = report.models;
      model!.missing.push({ part: 'image', verdict: 'fail', reason: '`'.padEnd(4096, 'x') });
      Object.assign(model!.comparison!.metrics[0]!, {
        verdict: 'not-comparable',
        gate: 'fail',
        reason: 'y'.repeat(4096),
      });
    });
    expect(() => formatDocument('report', report)).not.toThrow();
  });

  it('nothing ran is a failure', () => {
    const [model] = createReport((report) => {
      clean(report);
      Object.assign(report.models[0] ?? {}, {
        data: [],
        run: null,
        image: null,
        scan: null,
        probe: null,
        comparison: null,
      });
    }).models;
    expect(model?.verdict).toBe('fail');
  });
});

describe('the comment', () => {
  it('says the verdict first and ends with the digests', () => {
    const text = renderComment(createReport(), { run: 'https://github.com/acme/flights/actions/runs/1' });
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^### ❌ Blocked: `flight-delay` loosens its own policy: /);
    expect(lines[2]).toMatch(
      /^\*\*Policy\*\* from `main`; this pull request would change: `gates\.roc_auc\.margin` `0\.005` → `0\.05` \(loosens\)/,
    );
    expect(lines.at(-1)).toMatch(/^<sub>.*<\/sub>$/);
    expect(text).toContain(
      '| ROC AUC | 0.7508 | 0.7531 | +0.0023 (−0.0012\u00a0…\u00a00.0058) | −0.005 | ✅\u00a0non‑inferior |',
    );
  });

  it('stays under the limit with 50 models of 100 failing checks, and keeps the verdict', () => {
    const report = createReport((report) => {
      const [model] = report.models;
      if (model === undefined) throw new Error('no model');
      const [data] = model.data;
      const [check] = data?.checks ?? [];
      if (data === undefined || check === undefined) throw new Error('no check');
      data.checks = Array.from({ length: 100 }, (_, index) => ({
        ...check,
        id: `check-${index}`,
        expected: 'x'.repeat(300),
      }));
      report.models = Array.from({ length: 50 }, (_, index) => ({ ...structuredClone(model), name: `model-${index}` }));
    });
    const text = renderComment(report);
    expect(text.length).toBeLessThanOrEqual(commentLimit);
    expect(text).toMatch(/^### ❌ Blocked: 50 of 50 models/);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  it.each([
    [
      'warns alone',
      [createMetric({ delta: '0.0123', interval: ['0.0101', '0.0145'], verdict: 'better' })],
      'warn',
      'ROC AUC rose by 0.0123 (95 % interval 0.0101 … 0.0145, allowed −0.005). Every other gate passes.',
    ],
    [
      'fails with others',
      [createMetric({ verdict: 'worse', gate: 'fail' }), createMetric({ name: 'f1', verdict: 'worse', gate: 'fail' })],
      'fail',
      'Also failing: ROC AUC, F1.',
    ],
    ['warns with others', [createMetric({ verdict: 'worse', gate: 'warn' })], 'warn', null],
  ] as const)('says beside a bound that is broken what else there is: it %s', (_what, metrics, gate, lead) => {
    const latency = createMetric({
      name: 'latency_p95_ms',
      direction: 'lower',
      production: null,
      candidate: '61',
      delta: null,
      interval: null,
      margin: null,
      max: '40',
      verdict: 'outside',
      gate,
    });
    const report = createReport((report) => {
      clean(report);
      Object.assign(report.models[0]!.comparison!, { metrics: [latency, ...metrics], slices: [], verdict: gate });
    });
    const lines = renderComment(report).split('\n');
    expect(lines[0]).toMatch(/: `flight-delay`: latency p95 is 61\.0 ms, and must be ≤ 40 ms$/);
    expect(lines[2]).toBe(lead ?? '| metric | production | candidate | change (95 % interval) | allowed | verdict |');
  });

  it('asks for no rows where a clock does not tell', () => {
    const report = createReport((report) => {
      clean(report);
      const timed = { name: 'latency_p95_ms', method: 'paired t of 8 starts side by side', rowsNeeded: null } as const;
      const metrics = [createMetric({ ...timed, verdict: 'inconclusive', gate: 'warn', severity: 'warn' })];
      Object.assign(report.models[0]!.comparison!, { metrics, slices: [], verdict: 'warn' });
    });
    const [headline, , lead] = renderComment(report).split('\n');
    expect(headline).toMatch(/may be worse than allowed on latency p95: the clock does not tell$/);
    expect(lead).not.toMatch(/rows|would block/);
  });

  it('says that an undecided gate would block a promotion, and of no slice: those warn everywhere', () => {
    const undecided = { verdict: 'inconclusive', gate: 'warn', rowsNeeded: 31_234 } as const;
    const told = (metrics: ComparedMetric[], slices: ComparedSlice[]) =>
      renderComment(
        createReport((report) => {
          clean(report);
          Object.assign(report.models[0]!.comparison!, { metrics, slices, verdict: 'warn' });
        }),
      ).split('\n')[2];

    expect(told([createMetric(undecided)], [])).toMatch(
      /about 32,000 rows would decide\. There are 48,211\. It warns here, and would block the promotion to `prod`\.$/,
    );
    expect(told([createMetric({ ...undecided, severity: 'warn' })], [])).toMatch(/There are 48,211\.$/);
    expect(told([createMetric()], [createSlice('AA', undecided)])).toMatch(
      /Overall it is non-inferior\. There are 12,000\.$/,
    );
  });

  it('misses seeds, and not rows, where more rows would leave open what the seeds do', () => {
    const spread = { lowest: '0.74', highest: '0.76', standardDeviation: '0.008' };
    const errors = { rowError: '0.001', seedError: '0.004', degreesOfFreedom: '5.2' };
    const told = (rowsNeeded: number | null) =>
      renderComment(
        createReport((report) => {
          clean(report);
          const seeds = { production: spread, candidate: spread, ...errors, needed: 14 };
          const metric = createMetric({ verdict: 'inconclusive', gate: 'warn', rowsNeeded, seeds });
          Object.assign(report.models[0]!.comparison!, { metrics: [metric], slices: [], verdict: 'warn' });
        }),
      );

    expect(told(null).split('\n')[0]).toMatch(/: too few seeds to tell$/);
    expect(told(null).split('\n')[2]).toMatch(/; 14 seeds on the same rows would decide\. It warns here/);
    expect(told(31_234).split('\n')[0]).toMatch(/: too few rows to tell$/);
    expect(told(31_234).split('\n')[2]).toMatch(
      /; about 32,000 rows or 14 seeds would decide\. There are 48,211 rows\. /,
    );
  });

  it('says of a loosened policy how it would be allowed, once', () => {
    const text = renderComment(
      createReport((report) => {
        clean(report);
        for (const path of ['gates.roc_auc.margin', 'gates.log_loss.margin'])
          report.models[0]?.policy.differences.push({ path, from: '0.005', to: '0.05', loosens: true });
      }),
    );
    expect(text.match(/An override, `\.passloop\/overrides\/NAME\.yaml` with gate, reason and until/g)).toHaveLength(1);
    expect(text).toContain('- It loosens its own policy: `gates.log_loss.margin` `0.005` → `0.05`.');
  });

  it('says that it is blocked where not even a row a model fits', () => {
    const report = createReport((report) => {
      const [model] = report.models;
      report.models = Array.from({ length: 200 }, (_, index) => {
        const copy = { ...structuredClone(model!), name: `model-${index}` };
        copy.missing.push({ part: 'image', verdict: 'fail', reason: 'x'.repeat(4000) });
        return copy;
      });
    });
    for (const limit of [commentLimit, commentLimit / 4, 500]) {
      const text = renderComment(report, {}, limit);
      expect(text.length).toBeLessThanOrEqual(limit);
      expect(text).toMatch(/^### ❌ Blocked: 200 of 200 models/);
    }
  });

  it('shows the metrics of the whole, however many slices block', () => {
    const text = renderComment(reports['worse everywhere']!());
    expect(text).toMatch(/\| ROC AUC \| 0\.7508 \| 0\.7135 \| .* ❌\u00a0worse \|/);
    expect(text).toContain('| log loss | 0.4312 | 0.4306 |');
    expect(text).toContain('Also failing: 20 slices.');
  });

  it('the summary lists what passed as well', () => {
    const report = reports.passing!();
    expect(renderComment(report)).toContain('1 passed: `not-null:distance`.');
    expect(renderSummary(report)).toMatch(/\| `not-null:distance` \| .* \| ✅ pass \|/);
  });

  it('no hostile string leaves its cell, mentions anyone, links anywhere or forges the marker', async () => {
    const evil =
      '</details><img src=x onerror=alert(1)> | `@everyone` #12 [x](https://evil.example) <!-- passloop:comment key=x --> \u202E::error::';
    const report = createReport((report) => {
      for (const model of report.models) {
        for (const data of model.data) {
          for (const check of data.checks)
            Object.assign(check, { id: evil, column: evil, expected: evil, observed: evil, reason: evil, sql: evil });
          for (const drift of data.drift) Object.assign(drift, { column: evil, method: evil });
        }
        for (const change of model.changes) Object.assign(change, { subject: evil, from: evil, to: evil });
        for (const slice of model.comparison?.slices ?? [])
          Object.assign(slice, { slice: { column: evil, value: evil }, gate: 'fail', verdict: 'worse', reason: evil });
        for (const difference of model.policy.differences)
          Object.assign(difference, { path: evil, from: evil, to: evil });
        model.missing.push({ part: 'scan', verdict: 'fail', reason: evil });
      }
    });
    const text = renderComment(report);
    expect(text).not.toContain('<!--');
    const html = new MarkdownIt({ html: true, linkify: true }).enable('table').render(text);
    expect(html).not.toMatch(/<img|<a |<script|onerror="/i);
    // GitHub links a mention anywhere but in code.
    expect(html.replace(/<code>[^<]*<\/code>/g, '')).not.toMatch(/@everyone/);
    for (const row of text.split('\n').filter((line) => line.startsWith('| ROC AUC'))) {
      expect(row.replace(/\\\|/g, '').split('|')).toHaveLength(8);
    }
    const page = await renderHtml(report);
    expect(page).not.toMatch(/<img|<script|<a /i);
    expect(page.match(/<!--/g)).toBeNull();
  });
});

function attackedReport(text: string) {
  return createReport((report) => {
    for (const model of report.models) {
      for (const data of model.data) {
        Object.assign(data.dataset, { name: text.slice(0, 128), uri: text });
        Object.assign(data, { engine: text.slice(0, 64) });
        const [check] = data.checks;
        data.checks = (['fail', 'pass'] as const).map((verdict) => ({
          ...check!,
          verdict,
          id: text,
          column: text,
          expected: text,
          observed: text,
          reason: text,
          sql: text,
        }));
        for (const drift of data.drift) Object.assign(drift, { column: text, method: text, reason: text });
      }
      for (const change of model.changes) Object.assign(change, { subject: text, from: text, to: text });
      model.changes.push({ kind: 'code', subject: text, from: null, to: text });
      const worse = { verdict: 'worse', gate: 'fail', reason: text } as const;
      model.comparison!.slices = [createSlice(text, worse, text)];
      model.comparison!.metrics = [createMetric({ ...worse, name: text.slice(0, 128), method: text.slice(0, 128) })];
      for (const difference of model.policy.differences)
        Object.assign(difference, { path: text.slice(0, 512), from: text, to: text });
      model.policy.ref = text.slice(0, 512);
      model.missing.push({ part: 'scan', verdict: 'fail', reason: text });
      for (const file of model.scan?.files ?? [])
        Object.assign(file, { path: text, format: text, findings: [{ rule: text.slice(0, 128), detail: text }] });
      for (const check of model.probe?.checks ?? [])
        Object.assign(check, { id: text.slice(0, 128), detail: text, verdict: 'fail' });
      Object.assign(model.image ?? {}, { base: text.slice(0, 512), reference: text.slice(0, 512) });
      model.run!.environment.python = text.slice(0, 32);
      model.run!.machine.platform = text.slice(0, 64);
    }
    report.repository = text.slice(0, 256);
    report.base = { ref: text.slice(0, 512), commit: report.head };
    report.passloop = text.slice(0, 64);
  });
}

describe.each(Object.entries(attacks))('%s in every name', (_name, attack) => {
  const report = attackedReport(attack);
  const only = attackedReport(attack);
  // Where metrics decide, the headline is made of them.
  for (const model of only.models)
    Object.assign(
      model,
      judgeModel({ ...model, data: [], policy: { ...model.policy, differences: [] }, scan: null, probe: null }),
    );

  it.each([
    ['comment', renderComment(report), renderComment(attackedReport('Plain'))],
    ['summary', renderSummary(report), renderSummary(attackedReport('Plain'))],
    ['metrics alone', renderComment(only), null],
  ])('stays text in the %s', (_place, text, plain) => {
    expect(text).not.toMatch(/<!--|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(text).toMatch(/^### ❌ Blocked: /);
    expect(text.split('\n').filter((line) => /^#{1,6} /.test(line))).toHaveLength(1);
    expect(text).not.toMatch(/^(::|##\[|\/[a-z])/m);
    const html = new MarkdownIt({ html: true, linkify: true }).enable('table').render(text);
    expect(html).not.toMatch(/<(img|a|script|iframe|style|form|input|svg)\b/i);
    const allowedTag =
      /^<\/?(h3|p|strong|code|ul|li|table|thead|tbody|tr|td|th|details|summary|sub)( style="text-align:right")?>$/;
    expect((html.match(/<\/?[a-z]+\d?[^>]*>/gi) ?? []).filter((tag) => !allowedTag.test(tag))).toEqual([]);
    const outsideCode = html.replace(/<code>[^<]*<\/code>/g, '');
    expect(outsideCode).not.toMatch(/@(?=\w)|(?<!&)#(?=\d)/);
    if (plain !== null) {
      // As many rows and cells as with a harmless name: nothing was opened or closed.
      const shape = (source: string) =>
        new MarkdownIt({ html: true }).render(source).match(/<(tr|td|th|table|details)\b/g)?.length;
      expect(shape(text)).toBe(shape(plain));
    }
  });

  it('stays text on the page', async () => {
    const page = await renderHtml(report);
    expect(page).not.toMatch(/<!--|<(img|a|script|iframe|link|form)\b|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/i);
    const tags = (source: string) => source.match(/<(?!code\b)[a-z][a-z0-9]*/gi)?.length;
    expect(tags(page)).toBe(tags(await renderHtml(attackedReport('Plain'))));
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  it('stays on its line in a terminal and in the title of a check', () => {
    for (const line of [...report.models.flatMap(headlineText), phraseText(reportHeadline(report))]) {
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
  });
});

describe('what people can meet', () => {
  const expected: Record<string, [heading: string, lead: string | null, tables: number]> = {
    blocked: [
      '❌ Blocked: `flight-delay` is worse than production for `carrier = HA`',
      'ROC AUC on slice `carrier = HA` fell by 0.031 (95 % interval −0.047 … −0.015, allowed −0.005). Overall it is non-inferior. Nothing else blocks.',
      3,
    ],
    'worse everywhere': [
      '❌ Blocked: `flight-delay` is worse than production on ROC AUC',
      'ROC AUC fell by 0.0340 (95 % interval −0.0379 … −0.0301, allowed −0.005). Also failing: 20 slices.',
      2,
    ],
    'broken data': [
      '❌ Blocked: `flight-delay`: 2,114 rows of `distance` of `train` are null (expected `no nulls`, found `2114 nulls`)',
      null,
      1,
    ],
    'loosens its policy': [
      '❌ Blocked: `flight-delay` loosens its own policy: `gates.roc_auc.margin` `0.005` → `0.05`',
      '**Policy** from `main`; this pull request would change: `gates.roc_auc.margin` `0.005` → `0.05` (loosens).',
      2,
    ],
    passing: [
      '✅ Passed: `flight-delay` is better than production on ROC AUC',
      'ROC AUC rose by 0.0123 (95 % interval 0.0101 … 0.0145, allowed −0.005). Every gate passes.',
      2,
    ],
    unpaired: [
      '✅ Passed: `flight-delay` stays within what its gates allow',
      'ROC AUC rose by 0.0023 (not paired, allowed −0.005). Every gate passes.',
      1,
    ],
    inconclusive: [
      '⚠️ Passed with a warning: `flight-delay` may be worse than allowed on ROC AUC: too few rows to tell',
      'ROC AUC cannot be decided: +0.002 (95 % interval −0.012 … 0.017, allowed −0.005); about 92,000 rows would decide. There are 48,211. It warns here, and would block the promotion to `prod`.',
      1,
    ],
    first: [
      '✅ Passed: `flight-delay` may be the first model in production',
      'Nothing is in production yet: absolute gates decide.',
      1,
    ],
    'refused by an environment': [
      '⚠️ Passed with a warning: `flight-delay` may be promoted to `staging`, not to `prod` and `embedded`',
      'For `prod`: accuracy is 0.7934, and must be ≥ 0.8; and 1 more.',
      2,
    ],
    unchanged: ['✅ Passed: `flight-delay` is what production runs', null, 0],
    'same model': ['✅ Passed: `flight-delay` keeps its model; only its image differs', null, 1],
    held: [
      '❌ Blocked: `flight-delay` is held',
      `Model sha256:${'7'.repeat(12)}… is held in production. \`passloop status\` tells by whom and why.`,
      0,
    ],
    rollback: [
      '✅ Passed: `flight-delay` returns to a model that production ran before',
      'This model was in production before: its gates are shown, and block nothing.',
      1,
    ],
    'not comparable': [
      '❌ Blocked: `flight-delay` cannot be compared with production',
      'The predictions of production have other rows than data/test.parquet: 3 rows are missing (id: 17, 21, 40). Score every row once.',
      0,
    ],
    'nothing affected': ['✅ Passed: no model is affected', 'Nothing that a model depends on has changed.', 0],
    'not planned': ['❌ Blocked: the check could not be planned, see the log of its run', null, 0],
    'several models': ['❌ Blocked: 1 of 3 models (`flight-delay`)', null, 7],
    'no engine': [
      '❌ Blocked: `flight-delay`: No Docker engine answers at unix&#58;///var/run/docker.sock',
      'Install one (on Debian: apt-get install docker.io) and start it. The image was neither built nor proven.',
      1,
    ],
  };

  it('says of what was not paired that it was not, and how production was measured then', () => {
    const comment = renderComment(reports.unpaired!());

    expect(comment).toContain('| +0.0023 (unpaired) |');
    expect(comment).toContain(
      'scored by its image, labels withheld; the numbers of production are those of its own run.',
    );
  });

  it('is all of it here', () => {
    expect(Object.keys(expected)).toEqual(Object.keys(reports));
  });

  it.each(Object.entries(expected))('%s', async (name, [heading, lead, tables]) => {
    const report = reports[name]!();
    const text = renderComment(report, { run: 'https://github.com/acme/flights/actions/runs/1' });
    const lines = text.trimEnd().split('\n');

    expect(lines[0]).toBe(`### ${heading}`);
    if (lead !== null) expect(lines[2]).toBe(lead);
    expect(lines.at(-1)).toMatch(/^<sub>.*<\/sub>$/);
    const html = new MarkdownIt({ html: true }).render(text);
    expect(html.match(/<table>/g) ?? []).toHaveLength(tables);
    // What Markdown did not understand as a table stays as bars.
    expect(html).not.toContain('|');
    expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
    for (const page of [await renderHtml(report), html]) expect(page).not.toMatch(/undefined|NaN|\[object/);
    expect(await renderHtml(report)).toContain(`<h1><span class="sign ${report.verdict}"`);
  });
});

describe('the page', () => {
  it('is one file that loads nothing', async () => {
    const page = await renderHtml(createReport());
    // default-src says nothing of where a form is sent and where links begin.
    expect(page).toMatch(/default-src 'none';[^">]* base-uri 'none'; form-action 'none'">/);
    expect(page).not.toMatch(/<(script|link|iframe|img|object)\b|\bsrc=|href=|url\(/i);
    expect(page).toContain('role="img"');
  });
});
