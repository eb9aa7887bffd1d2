import type { FairnessGroup } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { renderHtml } from './html.ts';
import { renderComment } from './markdown.ts';
import { printComparison } from './terminal.ts';
import { createReport } from './testing/reports.ts';

function group(value: string, more: Partial<FairnessGroup> = {}): FairnessGroup {
  return {
    name: 'parity',
    rate: 'selection-rate',
    direction: 'lower',
    production: '0.25',
    candidate: '0.2',
    delta: '-0.05',
    interval: null,
    level: null,
    method: null,
    margin: null,
    min: null,
    max: null,
    severity: 'error',
    verdict: 'within',
    gate: 'skipped',
    rowsNeeded: null,
    reason: null,
    slice: { column: 'region', value },
    rows: 1200,
    ...more,
  };
}

const small = group('west', {
  verdict: 'insufficient',
  gate: 'warn',
  rows: 12,
  rowsNeeded: 100,
  reason: '12 rows; 100 are needed: not part of the gap',
});

function reportOf(...groups: FairnessGroup[]) {
  return createReport((report) => {
    report.models[0]!.comparison!.fairness = groups;
  });
}

describe('groups', () => {
  const report = reportOf(group('north'), small);

  it('are folded in a comment, the small one first and said to be no evidence', () => {
    const html = new MarkdownIt({ html: true }).render(renderComment(report));
    const section = html.slice(html.indexOf('Groups (2: 1 with insufficient evidence)'));
    expect(section.indexOf('west')).toBeLessThan(section.indexOf('north'));
    expect(section).toContain('<td>insufficient evidence: 12 rows; 100 are needed: not part of the gap</td>');
    expect(section).toContain('<td style="text-align:right">−0.0500</td>');
  });

  it('are a table of the page', async () => {
    const page = await renderHtml(report);
    expect(page).toContain('aria-label="Groups"');
    expect(page).toMatch(/region = north.*?<td>selected<\/td><td class="n">1,200<\/td><td class="n">0.2500<\/td>/);
  });

  it('are printed on a terminal', () => {
    expect(printComparison(report.models[0]!.comparison!)).toMatch(
      /warn\s+parity · region = west\s+selected\s+12\s+0\.2500\s+0\.2000\s+−0\.0500\s+insufficient evidence/,
    );
  });

  it('that are too small are told among the reasons, and others are not', () => {
    const said = report.models[0]!.reasons.filter((reason) => reason.includes('Insufficient evidence'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('west');
    expect(report.models[0]!.verdict).not.toBe('pass');
  });

  it('stay text, whatever they are called', async () => {
    const hostile = '</td><img src=x onerror=alert(1)> @team ::error::x | `a`\u202e';
    const text = renderComment(reportOf(group(hostile)));
    const html = new MarkdownIt({ html: true }).render(text);
    expect(html).not.toMatch(/<img|\u202e/);
    expect(html).toContain('&lt;img src=x');
    expect(await renderHtml(reportOf(group(hostile)))).not.toMatch(/<img|\u202e/);
    expect(printComparison(reportOf(group(hostile)).models[0]!.comparison!)).not.toContain('\u202e');
  });
});
