import { readFileSync } from 'node:fs';
import type { ReportDocument } from '@passloop/documents';
import { parseDocument } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { renderHtml } from './html.ts';
import { judgeModel } from './judge.ts';
import { commentLimit, renderComment, renderSummary } from './markdown.ts';

const fixture = new URL('../../documents/fixtures/v1/report.json', import.meta.url);

function createReport(change: (report: ReportDocument) => void = () => {}): ReportDocument {
  const report = parseDocument('report', readFileSync(fixture, 'utf8'), 'fixture');
  change(report);
  return { ...report, models: report.models.map((model) => judgeModel(model)) };
}

function clean(report: ReportDocument): void {
  for (const model of report.models) {
    model.policy.differences = [];
    model.missing = [];
    for (const data of model.data) {
      data.verdict = 'pass';
      for (const check of data.checks) Object.assign(check, { verdict: 'pass', failingRows: 0 });
      for (const drift of data.drift) drift.verdict = 'pass';
    }
    if (model.scan) Object.assign(model.scan, { verdict: 'pass', files: [] });
  }
}

describe('the judgement', () => {
  it('warns where the rows that decide are others than those of the target branch', () => {
    const [model] = createReport((report) => {
      clean(report);
      report.models[0]?.policy.differences.push({
        path: 'evaluate.rows',
        from: `sha256:${'1'.repeat(64)}`,
        to: `sha256:${'2'.repeat(64)}`,
        loosens: false,
      });
    }).models;
    expect(model?.verdict).toBe('warn');
    expect(model?.reasons[0]).toMatch(
      /^The rows that decide differ from those of `main` \(`sha256:1{12}…` → `sha256:2{12}…`\)/,
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
      /ROC AUC is worse than production: −0\.0410 \(95 % interval −0\.0460 … −0\.0360\), allowed −0\.005/,
    ],
    [
      'a part that did not run',
      (r) => r.models[0]?.missing.push({ part: 'image', verdict: 'fail', reason: 'No Docker engine answers.' }),
      /No Docker engine/,
    ],
    [
      'a slice',
      (r) => Object.assign(r.models[0]?.comparison?.slices[0] ?? {}, { verdict: 'worse', gate: 'fail' }),
      /on slice `daypart` = `morning`/,
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
    };
    expect(judgeModel(loosened, [override]).verdict).toBe('warn');
    expect(judgeModel(loosened, [{ ...override, gate: 'gates.log_loss' }]).verdict).toBe('fail');
  });

  it('a return to an earlier model shows its gates and is not blocked by them', () => {
    const [model] = createReport((report) => {
      clean(report);
      Object.assign(report.models[0]?.comparison ?? {}, { outcome: 'rollback' });
      Object.assign(report.models[0]?.comparison?.metrics[0] ?? {}, { verdict: 'worse', gate: 'fail' });
    }).models;
    expect(model?.verdict).toBe('pass');
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
    expect(lines[0]).toMatch(/^### ❌ Blocked: `flight-delay`: /);
    expect(lines[2]).toMatch(
      /^\*\*Policy\*\* from `main`; this pull request would change: `gates\.roc_auc\.margin` `0\.005` → `0\.05` \(loosens\)/,
    );
    expect(lines.at(-1)).toMatch(/^<sub>.*<\/sub>$/);
    expect(text).toContain('| ROC AUC | 0.7508 | 0.7531 | +0.0023 (−0.0012 … 0.0058) | −0.005 | ✅ non‑inferior |');
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

  it('the summary has all that the comment has', () => {
    expect(renderSummary(createReport())).toBe(renderComment(createReport()));
  });

  it('no hostile string leaves its cell, mentions anyone, links anywhere or forges the marker', () => {
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
    const page = renderHtml(report);
    expect(page).not.toMatch(/<img|<script|<a /i);
    expect(page.match(/<!--/g)).toBeNull();
  });
});

describe('the page', () => {
  it('is one file that loads nothing', () => {
    const page = renderHtml(createReport());
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(script|link|iframe|img|object)\b|\bsrc=|href=|url\(/i);
    expect(page).toContain('role="img"');
  });
});
