import type { Change, Holdout, ReportDocument } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { changedLine } from './changed-line.ts';
import { renderHtml } from './html.ts';
import { checkLimit, commentLimit, renderComment, renderSummary, summaryLimit } from './markdown.ts';
import { attacks } from './testing/attacks.ts';
import { everyString, fullReport } from './testing/hostile-report.ts';
import { createReport, reports } from './testing/reports.ts';

const change = (kind: Change['kind'], subject: string, from: string | null = 'a', to: string | null = 'b'): Change => ({
  kind,
  subject,
  from,
  to,
});

describe('what changed', () => {
  it('is told by kind', () => {
    const line = changedLine([
      change('code', 'src/features.py'),
      change('code', 'src/new.py', null),
      change('params', 'params.yaml fit.max_depth', '8', '12'),
      change('package', 'scikit-learn', '1.6.1', '1.7.0'),
      change('environment', 'python', '3.11', '3.12'),
      change('seeds', 'framework', '7', '8'),
    ]);
    expect(line).toBe(
      '**What changed** params `params.yaml fit.max_depth` `8` → `12` · seeds `framework` `7` → `8` · environment `scikit-learn` `1.6.1` → `1.7.0`, `python` `3.11` → `3.12` · code `src/features.py`, `src/new.py` (new) · data unchanged',
    );
  });

  it('hides no parameter behind a hundred files, and says how many there are', () => {
    const files = Array.from({ length: 100 }, (_, i) => change('code', `src/${i}.py`));
    const line = changedLine([...files, change('data', 'train'), change('params', 'p', '1', '2')])!;
    expect(line).toMatch(/^\*\*What changed\*\* data `train` · params `p` `1` → `2` · code `src\/0\.py`/);
    expect(line).toMatch(/ and 96 more$/);
  });

  it("tells a list's entries together: what went, what came", () => {
    const entry = (from: string | null, to: string | null) => change('params', 'features', from, to);
    expect(
      changedLine([
        entry('origin', null),
        entry('hub', null),
        entry(null, 'late_3h'),
        change('params', 'fit.rate', null, '0.1'),
        change('params', 'fit.depth', '8', '12'),
      ]),
    ).toBe(
      '**What changed** params `features`: `origin`, `hub` removed, `late_3h` added; `fit.rate`: `0.1` added; `fit.depth` `8` → `12` · data unchanged',
    );
    const many = Array.from({ length: 40 }, (_, i) => entry(`c${i}`, null));
    expect(changedLine(many)).toMatch(/`c5` and 34 more removed · data unchanged$/);
  });

  it('says nothing of nothing', () => {
    expect(changedLine([])).toBeNull();
  });
});

it('tells data and training in a line each', () => {
  const lines = renderComment(reports.blocked!()).split('\n');
  const data = lines.findIndex((line) => line.startsWith('**Data** '));
  expect(lines[data]).toMatch(/^\*\*Data\*\* 1 check passed, 1 warned \(`distance` drifted.*\), 0 not run$/);
  expect(lines[data + 1]).toBe('');
  expect(lines[data + 2]).toMatch(/^\*\*Training\*\* .*reproduced: predictions equal.* · \*\*Image\*\* /);
});

describe('the rows that decide', () => {
  const reportWith = (holdouts: Holdout[] | undefined) =>
    createReport((report) => {
      for (const model of report.models) Object.assign(model.production ?? {}, { holdouts });
    });
  const told = (holdouts: Holdout[] | undefined) => renderComment(reportWith(holdouts));
  const evaluationDigest = createReport().models[0]!.comparison!.evaluationDigest!;
  const used = { evaluationDigest, promotions: 23, since: '2026-09-01T08:00:00Z' };

  it('are told with their age and how often they decided', () => {
    expect(told([used])).toContain('These rows have decided 23 promotions to `prod` since 2026-09-01.');
    expect(told([{ ...used, promotions: 1 }])).toContain('These rows have decided a promotion to `prod` since 2026-');
    expect(told([{ ...used, evaluationDigest: `sha256:${'0'.repeat(64)}` }])).toContain(
      'No promotion to `prod` was decided by these rows before.',
    );
    expect(told(undefined)).not.toMatch(/these rows (have|before)/i);
  });

  it('are told on the page too', async () => {
    expect(await renderHtml(reportWith([used]))).toContain(
      '<dt>holdout</dt><dd>These rows have decided 23 promotions to <code>prod</code> since 2026-09-01.</dd>',
    );
    expect(await renderHtml(reportWith(undefined))).not.toContain('<dt>holdout</dt>');
  });
});

/** As many models as asked for, of every kind of verdict. */
function manyModels(count: number): ReportDocument {
  const kinds = ['passing', 'inconclusive', 'blocked', 'not comparable', 'first'];
  return createReport((report) => {
    report.models = Array.from({ length: count }, (_, i) => ({
      ...reports[kinds[i % kinds.length]!]!().models[0]!,
      name: `model-${i}`,
    }));
  });
}

describe('many models', () => {
  it('fold all details where these fit: metrics, what changed, digests', () => {
    const text = renderComment(manyModels(10));
    expect(text.match(/^\| `model-/gm)).toHaveLength(10);
    expect(text.match(/<details><summary>\S+ <code>model-/g)).toHaveLength(10);
    expect(text.match(/^<sub>production `sha256:/gm)?.length).toBeGreaterThan(5);
    expect(text).not.toMatch(/left out|<sub><\/sub>/);
  });

  it('50 stay under the limits of a summary and of a check run, with a row each', () => {
    for (const limit of [summaryLimit, checkLimit]) {
      const text = renderSummary(manyModels(50), {}, limit);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
      expect(text.match(/^\| `model-/gm)).toHaveLength(50);
    }
  });

  it.each([50, 120])('%d stay under the limits, each with a row, details of what blocks first', (count) => {
    for (const limit of [commentLimit, commentLimit / 2]) {
      const text = renderComment(manyModels(count), { run: 'https://github.com/acme/flights/actions/runs/1' }, limit);
      expect(text.length).toBeLessThanOrEqual(limit);
      expect(text.match(/^\| `model-/gm)).toHaveLength(count);
      const folded = [...text.matchAll(/<details><summary>(\S+) <code>model-/g)].map(([, icon]) => icon);
      const left = Number(
        /^Details of (\d+) more models? are left out here for their length: the report has them\.$/m.exec(text)?.[1] ??
          '0',
      );
      expect(folded.length + left).toBe(count);
      expect(folded.length).toBeGreaterThan(0);
      // In the order of the table: no model that passes is told before all that block.
      if (folded.includes('✅'))
        expect(folded.filter((icon) => icon === '❌').length).toBeGreaterThanOrEqual(count * 0.4);
      expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
      expect(text.trimEnd().split('\n').at(-1)).toMatch(/^<sub>.*<\/sub>$/);
      expect(new MarkdownIt({ html: true }).render(text)).not.toContain('|');
    }
  });
});

describe('what is shed', () => {
  const sizes = Object.values(reports).map((create) => renderComment(create()).length);

  it('is nothing of what people meet', () => {
    expect(Math.max(...sizes)).toBeLessThan(commentLimit / 4);
    for (const create of Object.values(reports)) expect(renderComment(create())).not.toContain('eft out');
  });

  it('goes by what decides least, and a line says what went', () => {
    const report = fullReport();
    const full = renderComment(report);
    const parts = (text: string) => ({
      sections: [...text.matchAll(/<summary>(Slices|Gates of|Data checks|How these)/g)].map(([, name]) => name),
      left: /^(?:Left out here|All else is left out here).*$/m.exec(text)?.[0] ?? null,
      table: text.includes('| metric | production |'),
    });
    const seen: ReturnType<typeof parts>[] = [];
    for (let limit = full.length; limit >= 150; limit -= 100) {
      const text = renderComment(report, {}, limit);
      expect(text.length).toBeLessThanOrEqual(limit);
      expect(text.split('\n')[0]).toBe(full.split('\n')[0]);
      const shown = parts(text);
      if (JSON.stringify(shown) !== JSON.stringify(seen.at(-1))) seen.push(shown);
    }
    expect(seen).toEqual([
      { sections: ['Slices', 'Gates of', 'Data checks', 'How these'], left: null, table: true },
      {
        sections: ['Slices', 'Gates of', 'How these'],
        left: 'Left out here for its length: data checks and drift. The report has it.',
        table: true,
      },
      {
        sections: [],
        left: "Left out here for its length: slices, environments' gates, data checks and drift, how these numbers were made. The report has it.",
        table: true,
      },
      { sections: [], left: 'All else is left out here for its length: the report has it.', table: true },
      { sections: [], left: null, table: false },
    ]);
  });

  it('is counted in bytes where GitHub counts bytes: a job summary stays under 1 MiB, a check run under 65,535', () => {
    const long = createReport((report) => {
      for (const model of report.models) {
        const [data] = model.data;
        const [check] = data!.checks;
        data!.checks = Array.from({ length: 50 }, (_, i) => ({ ...check!, id: `${i} ${'漢'.repeat(200)}` }));
        model.data = Array.from({ length: 90 }, () => structuredClone(data!));
      }
    });
    expect(renderSummary(long, {}, 10 * summaryLimit).length).toBeGreaterThan(summaryLimit);
    for (const limit of [summaryLimit, checkLimit]) {
      const text = renderSummary(long, {}, limit);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
      expect(/left out here for its length/i.test(text)).toBe(limit === checkLimit);
      expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    }
  });
});

const allowedTag =
  /^<\/?(h3|p|strong|code|ul|li|table|thead|tbody|tr|td|th|details|summary|sub)( style="text-align:right")?>$/;

function expectHarmless(text: string): void {
  expect(text).not.toMatch(/<!--|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(text).not.toMatch(/^\s*(::|##\[|\/[a-z])/m);
  const html = new MarkdownIt({ html: true, linkify: true }).enable('table').render(text);
  expect((html.match(/<\/?[a-z]+\d?[^>]*>/gi) ?? []).filter((tag) => !allowedTag.test(tag))).toEqual([]);
  // GitHub finds a mention or a reference anywhere but in code.
  expect(html.replace(/<code>[^<]*<\/code>/g, '')).not.toMatch(/@(?=\w)|(?<!&)#(?=\d)/);
}

describe.each(Object.entries(attacks))('%s in every string', (_name, attack) => {
  it.each([
    ['one model', () => fullReport()],
    ['several models', () => reports['several models']!()],
  ])('stays text: %s', (_models, create) => {
    for (const text of [renderComment, renderSummary].map((render) => render(everyString(create(), attack))))
      expectHarmless(text);
  });
});

it('stays under the limit and harmless with ten million characters in every string', () => {
  const big = '@octocat </td><script>alert(1)</script> ::error::x '.repeat(200_000);
  const text = renderComment(everyString(fullReport(), big));
  expect(text.length).toBeLessThanOrEqual(commentLimit);
  expectHarmless(text);
});
