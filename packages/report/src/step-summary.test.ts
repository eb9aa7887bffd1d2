import { readFileSync } from 'node:fs';
import type { Verdict } from '@passloop/core';
import { type DataReport, parseDocument } from '@passloop/documents';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { summaryLimit } from './markdown.ts';
import {
  comparisonSummary,
  dataSentence,
  dataSummary,
  gatesSentence,
  imageSentence,
  imageSummary,
  promotionSentence,
  promotionSummary,
  runSentence,
  runSummary,
} from './step-summary.ts';
import { printPromotion } from './terminal.ts';
import { attacks } from './testing/attacks.ts';
import { createMetric, createSlice } from './testing/reports.ts';

const fixtures = new URL('../../documents/fixtures/v1/', import.meta.url);

function fixture(name: string): string {
  return readFileSync(new URL(`${name}.json`, fixtures), 'utf8');
}

const documents = {
  data: () => parseDocument('data-report', fixture('data-report'), 'fixture'),
  run: () => parseDocument('run', fixture('run'), 'fixture'),
  comparison: () => parseDocument('comparison', fixture('comparison'), 'fixture'),
  image: () => parseDocument('image', fixture('image'), 'fixture'),
  probe: () => parseDocument('probe', fixture('probe'), 'fixture'),
  promotion: () => parseDocument('promotion', fixture('promotion'), 'fixture'),
  rollback: () => parseDocument('rollback', fixture('rollback'), 'fixture'),
};

type Check = DataReport['checks'][number];

function createCheck(overrides: Partial<Check> = {}): Check {
  const [check] = documents.data().checks;
  return { ...check!, verdict: 'pass', failingRows: null, observed: null, ...overrides };
}

function createData(checks: Check[], overrides: Partial<DataReport> = {}): DataReport {
  return { ...documents.data(), drift: [], executed: checks.length, checks, ...overrides };
}

function render(markdown: string): string {
  return new MarkdownIt({ html: true, linkify: true }).render(markdown);
}

function tags(html: string): string[] {
  return (html.match(/<\/?[a-z][^>]*>/gi) ?? []).filter((tag) => !/^<\/?code>$/.test(tag));
}

describe('the sentence of data', () => {
  const undecided = createCheck({
    id: 'drift:psi',
    kind: 'drift',
    column: null,
    verdict: 'inconclusive',
    expected: 'no column drifts from the profile (psi)',
    reason: 'not executed: 40 rows are too few',
  });
  const warned = createCheck({ id: 'range:age', kind: 'range', column: 'age', verdict: 'warn', failingRows: 3 });
  const failed = createCheck({ verdict: 'fail', failingRows: 2114 });

  it.each<[string, Check[], RegExp]>([
    [
      'what is undecided, with its reason',
      [createCheck(), undecided],
      /^drift:psi is undecided on train .*: not executed: 40 rows are too few\.$/,
    ],
    [
      'what fails before what is undecided',
      [undecided, warned, failed],
      /^2,114 rows of distance of train are null [^.]*\.$/,
    ],
    ['what is undecided before what warns', [warned, undecided], /^drift:psi is undecided/],
    ['what warns before what passes', [createCheck(), warned], /^3 rows of age of train are out of range/],
    ['how many more there are', [failed, failed, undecided, failed], / 2 more fail\.$/],
    ['that one more is undecided', [undecided, undecided], / 1 more is undecided\.$/],
    ['that none fails', [createCheck(), createCheck()], /^2 checks ran; none fails\.$/],
  ])('says %s', (_what, checks, expected) => {
    expect(dataSentence([createData(checks)])).toMatch(expected);
  });

  it('tells a drifted column once, in the check that sums up the columns', () => {
    const summary = createCheck({
      id: 'drift:psi',
      kind: 'drift',
      column: null,
      verdict: 'fail',
      observed: "0 of 0 columns drifted; 1 can't be compared: distance",
    });
    const drift = documents.data().drift.map((one) => ({ ...one, verdict: 'fail' as const, statistic: null }));
    const report = createData([summary], { drift });

    expect(dataSentence([report])).toMatch(/^drift:psi fails on train \(.*1 can't be compared: distance\)\.$/);
    expect(dataSummary([report], 'fail')).not.toMatch(/has drifted|`distance` drifted/);
  });

  it('fails for a dataset on which nothing ran, whatever passes on others', () => {
    const none = createData([], { dataset: { name: 'test', uri: 'test.parquet', digest: null } });
    expect(dataSentence([createData([createCheck()]), none])).toBe('No check ran on test.');
    expect(dataSentence([createData([createCheck({ verdict: 'skipped' })])])).toBe('No check ran on train.');
  });
});

describe('a promotion', () => {
  const record = [
    '--- a/.passloop/prod/flight-delay.json',
    '+++ b/.passloop/prod/flight-delay.json',
    '@@ -1,3 +1,3 @@',
    ' {',
    '--- secret of the old record',
    '-  "b": 1',
    '+  "b": 2',
    '',
  ].join('\n');

  it('shows the manifest as a diff and the record as its name', () => {
    const promotion = documents.promotion();
    promotion.edits.push({ file: '.passloop/prod/flight-delay.json', diff: record });

    const summary = promotionSummary(promotion);
    expect(summary).toContain('```diff\n-a\n+b\n');
    expect(summary).toContain('`.passloop/prod/flight-delay.json`: 2 lines changed\n');
    const printed = printPromotion(promotion);
    expect(printed).toContain('\n-a\n+b\n');
    expect(printed).toContain('.passloop/prod/flight-delay.json: 2 lines changed\n');
    for (const text of [summary, printed]) expect(text).not.toContain('old record');
  });

  it('shows every other file of that folder, and a manifest that only sounds like a record', () => {
    for (const file of ['.passloop/overrides/x.yaml', 'apps/.passloop/prod/x.json']) {
      const promotion = { ...documents.promotion(), edits: [{ file, diff: record }] };
      expect(promotionSummary(promotion)).toContain('old record');
    }
  });

  it('says what was pushed where a remote has no pull requests, and with which text one is opened', () => {
    const commit = 'c'.repeat(40);
    const branch = 'promote/flight-delay/prod';
    const proposal = {
      title: 'promote(flight-delay → prod): v2',
      body: 'slice @\u200boctocat passes, see #\u200b7\n\u001b[2Jsecond line',
      url: 'https://git.example.com/acme/deploy/compare/main...promote/flight-delay/prod',
    };
    const promotion = { ...documents.promotion(), pullRequest: null, branch, commit, edits: [] };

    const printed = printPromotion({ ...promotion, proposal });
    expect(printed).toContain(`  pushed ${branch} at cccccccccccc\n\nOpen the pull request: ${proposal.url}\n`);
    // A terminal would drop the zero-width space, and who pastes the text would call somebody.
    expect(printed).toContain(`\n${proposal.title}\n\nslice @ octocat passes, see # 7\n[2Jsecond line\n`);
    expect(promotionSummary({ ...promotion, proposal })).toContain(
      `Pushed \`${branch}\` at \`cccccccccccc\`: [open the pull request](${proposal.url})`,
    );
    const nowhere = { ...promotion, proposal: { ...proposal, url: `git@host:acme/deploy.git ${branch}` } };
    expect(promotionSummary(nowhere)).not.toContain('open the pull request');
    const merged = { ...promotion, merged: true };
    expect(printPromotion(merged)).toContain('  pushed to the base branch at cccccccccccc\n');
    expect(promotionSummary(merged)).toContain('Pushed to the base branch at `cccccccccccc`');
  });

  it.each([
    'https://evil.example/) [click](https://evil.example',
    'https://x.example/a)b',
    'https://x.example/`',
    'https://x.example/\u202egnp',
    'javascript:alert(1)',
  ])('links nowhere with %s', (url) => {
    const promotion = { ...documents.promotion(), pullRequest: { number: 3, url } };
    const links = render(promotionSummary(promotion)).match(/<a [^>]*>/g);
    expect(links).toEqual(['<a href="#">']);
  });

  it('keeps a diff in its fence where invisible characters hide backticks', () => {
    const diff = '`\u200b`\u200b`\n<img src=x>\n@octocat #1\n';
    const promotion = { ...documents.promotion(), pullRequest: null, edits: [{ file: 'a.yaml', diff }] };
    const html = render(promotionSummary(promotion));
    expect(html).toContain('<pre><code class="language-diff">```\n&lt;img src=x&gt;\n@octocat #1\n');
  });
});

/** Every summary, with one text in each place that a stranger may fill. */
function summaries(text: string): Record<string, string> {
  const data = documents.data();
  data.dataset = { ...data.dataset, name: text, uri: text };
  data.engine = text;
  const hostile = { id: text, column: text, expected: text, observed: text, reason: text, sql: text };
  data.checks = (['fail', 'inconclusive', 'warn', 'pass'] as const).map((verdict) =>
    createCheck({ ...hostile, verdict }),
  );
  for (const drift of data.drift) Object.assign(drift, { column: text, method: text, reason: text });

  const run = documents.run();
  for (const output of run.outputs) output.path = text;
  for (const metric of run.metrics) metric.name = text;
  run.reproduction!.level = 'diverged';
  for (const output of run.reproduction!.outputs)
    Object.assign(output, { path: text, level: 'diverged', detail: text });

  const comparison = documents.comparison();
  comparison.verdict = 'fail';
  const worse = { name: text, verdict: 'worse', gate: 'fail', reason: text, method: text } as const;
  comparison.metrics = [createMetric(worse), createMetric({ ...worse, verdict: 'not-comparable' })];
  comparison.slices = [createSlice(text, worse, text)];

  const image = { ...documents.image(), reference: text, base: text };
  const probe = { ...documents.probe(), verdict: 'fail' as const };
  for (const check of probe.checks) Object.assign(check, { id: text, detail: text, verdict: 'fail' });

  const edits = [
    { file: text, diff: text },
    { file: `.passloop/${text.replaceAll('\n', ' ')}.json`, diff: text },
  ];
  const moved = {
    outcome: 'blocked' as const,
    reason: text,
    edits,
    branch: text,
    pullRequest: { number: 3, url: `https://github.com/${text}` },
  };
  return {
    data: dataSummary([data], 'fail'),
    run: runSummary(run),
    comparison: comparisonSummary(comparison),
    'comparison with a reason': comparisonSummary({ ...comparison, reason: text }),
    image: imageSummary(image, probe),
    promotion: promotionSummary({ ...documents.promotion(), ...moved }),
    rollback: promotionSummary({ ...documents.rollback(), ...moved }),
    sentences: [
      dataSentence([data]),
      runSentence(run),
      gatesSentence(comparison),
      gatesSentence({ ...comparison, reason: text }),
      gatesSentence({ ...comparison, metrics: comparison.metrics.slice(1) }),
      imageSentence(image, probe),
      promotionSentence({ ...documents.promotion(), ...moved }),
    ].join('\n'),
  };
}

const plain = summaries('Plain');
const hostile = { ...attacks, '1 MB': 'x'.repeat(1 << 20), '1 MB of backticks': '` '.repeat(1 << 19) };

describe.each(Object.entries(hostile))('%s in every place', (_name, attack) => {
  const { sentences = '', ...attacked } = summaries(attack);

  it('stays on its line in a sentence', () => {
    const lines = sentences.split('\n');
    expect(lines).toHaveLength(plain.sentences!.split('\n').length);
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(4000);
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/);
    }
  });

  it.each(Object.entries(attacked))('stays text in the summary of %s', (name, text) => {
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(text).toMatch(/^### ❌ /);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryLimit);
    const html = render(text);
    const anchor = /^<a href=.*>$/;
    // The same elements as with a harmless name, in the same order: nothing was opened, closed or linked.
    expect(tags(html).map((tag) => tag.replace(anchor, '<a>'))).toEqual(
      tags(render(plain[name]!)).map((tag) => tag.replace(anchor, '<a>')),
    );
    for (const link of html.match(/<a [^>]*>/g) ?? [])
      expect(link).toMatch(/^<a href="(#|https:\/\/github\.com\/[^"]*)">$/);
    const outside = html.replace(/<code[^>]*>[^<]*<\/code>/g, '').replace(/<a href="[^"]*">#3<\/a>/, '');
    // GitHub finds mentions, issues and maths in rendered text, wherever that is not code.
    expect(outside).not.toMatch(/@(?=\w)|(?<!&)#(?=\w)|GH-\d|<!--/);
    expect(outside).not.toMatch(/^(::|##\[|\/[a-z])/m);
  });
});

describe('a summary that would be too long', () => {
  const wide = '\u{10400}'.repeat(300);

  function expectWhole(text: string, verdict: RegExp) {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryLimit);
    expect(text).toMatch(verdict);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    expect((text.match(/^````?(diff)?$/gm) ?? []).length % 2).toBe(0);
  }

  it('ends after a whole block: manifests', () => {
    const diff = `\`\`\` ${wide}\n`.repeat(250);
    const edits = Array.from({ length: 20 }, (_, index) => ({ file: `apps/${index}.yaml`, diff }));
    const text = promotionSummary({ ...documents.promotion(), edits });
    expectWhole(text, /^### ✅ created: flight-delay in prod\n/);
    expect(text).toContain('`apps/0.yaml`');
    expect(text).toContain('\n… and 51 more lines.\n');
    expect(text.trimEnd()).toMatch(/\n… the rest is in the document\.$/);
  });

  it('is written of a diff with more backticks than a call takes arguments', () => {
    const edits = [{ file: 'a.yaml', diff: '`\n'.repeat(1 << 18) }];
    expectWhole(promotionSummary({ ...documents.promotion(), edits }), /^### ✅ created/);
  });

  it('ends after a whole block: datasets, the worst first', () => {
    const checks = Array.from({ length: 100 }, () => createCheck({ id: wide, expected: wide, observed: wide }));
    const named = (name: string, verdict: Verdict, own: Check[]) =>
      createData(own, { verdict, dataset: { name, uri: name, digest: null } });
    const passing = Array.from({ length: 60 }, (_, index) => named(`set-${index}`, 'pass', checks));
    const failing = named('last', 'fail', [...checks, createCheck({ verdict: 'fail', failingRows: 1 })]);
    const text = dataSummary([...passing, failing], 'fail');
    expectWhole(text, /^### ❌ 1 rows of distance of last are null/);
    expect(text).toContain('`last` ❌ fail');
    expect(text.trimEnd()).toMatch(/\n… the rest is in the document\.$/);
  });

  it('says how many datasets, outputs, metrics, gates and probes are not shown', () => {
    const many = <T>(one: T) => Array.from({ length: 1000 }, () => structuredClone(one));
    const run = documents.run();
    const comparison = documents.comparison();
    const probe = documents.probe();
    expect(dataSummary(many(createData([createCheck()])), 'pass')).toContain('… and 950 more datasets.');
    const ran = runSummary({ ...run, outputs: many(run.outputs[0]!), metrics: many(run.metrics[0]!) });
    expect(ran).toContain('| … and 900 more |');
    expect(ran).toContain(' · and 900 more');
    const slices = [...many(createSlice('AA')), createSlice('HA', { verdict: 'worse', gate: 'fail' })];
    const compared = comparisonSummary({ ...comparison, metrics: [], slices });
    expect(compared).toContain('| … and 901 more |');
    expect(compared).toContain('carrier = HA');
    expect(imageSummary(documents.image(), { ...probe, checks: many(probe.checks[0]!) })).toContain(
      '| … and 900 more |',
    );
  });
});
