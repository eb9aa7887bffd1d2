import {
  age,
  codeSpan,
  count,
  digitsOf,
  escapeMarkdown,
  measured,
  megabytes,
  shortDigest,
  unitOf,
  type Verdict,
} from '@passloop/core';
import type { ComparedMetric, ComparedSlice, DataReport, ModelReport, ReportDocument } from '@passloop/documents';
import { policySentence } from './judge.ts';
import { phraseMarkdown, phraseText } from './phrase.ts';
import { allowed, changeCell, icons, subject, verdictCell } from './words.ts';

/** GitHub refuses a comment above 65,536 characters; the rest is for the marker and for what an editor adds. */
export const commentLimit = 65_000;
const tableRows = 8;

export type CommentLinks = { report?: string | undefined; run?: string | undefined };

const gateOrder: Record<Verdict, number> = { fail: 0, inconclusive: 1, warn: 2, pending: 3, pass: 4, skipped: 5 };

/**
 * The pull-request comment: the verdict sentence first, the numbers that made it, everything else folded away.
 * Sections are shed, longest first, until it fits; the verdict and the table always stay. Who posts it adds the hidden marker.
 */
export function renderComment(report: ReportDocument, links: CommentLinks = {}, limit = commentLimit): string {
  for (const detail of ['full', 'short', 'none'] as const) {
    const text = compose(report, links, detail);
    if (text.length <= limit) return text;
  }
  return compose({ ...report, models: [] }, links, 'none').slice(0, limit);
}

/** The job summary: the same report, with all details. */
export function renderSummary(report: ReportDocument, links: CommentLinks = {}): string {
  return compose(report, links, 'full');
}

export function headline(model: ModelReport): string {
  const name = codeSpan(model.name);
  const reason = model.reasons[0] === undefined ? '' : phraseMarkdown(model.reasons[0]).replace(/\.$/, '');
  switch (model.verdict) {
    case 'fail':
      return `❌ Blocked: ${name}: ${reason}`;
    case 'inconclusive':
      return `❔ Inconclusive: ${name}: ${reason}`;
    case 'pending':
      return `⏳ Pending: ${name}: ${reason}`;
    case 'warn':
      return `⚠️ Passed with a warning: ${name}: ${reason}`;
    default:
      return `✅ Passed: ${name}: ${bestSentence(model)}`;
  }
}

/** The headline for a terminal. */
export function headlineText(model: ModelReport): string {
  const word = {
    pass: 'Passed',
    warn: 'Passed with a warning',
    fail: 'Blocked',
    inconclusive: 'Inconclusive',
    pending: 'Pending',
    skipped: 'Skipped',
  };
  const said = model.verdict === 'pass' ? model.reasons.at(-1) : model.reasons[0];
  return `${word[model.verdict]}: ${model.name}: ${phraseText(said ?? '')}`;
}

function bestSentence(model: ModelReport): string {
  const better =
    model.comparison?.outcome === 'compared'
      ? model.comparison.metrics.find((metric) => metric.delta !== null)
      : undefined;
  if (better === undefined) return phraseMarkdown(model.reasons.at(-1) ?? '').replace(/\.$/, '');
  return `${escapeMarkdown(better.verdict === 'better' ? 'better than' : 'non-inferior to')} production, ${phraseMarkdown(subject(better))} ${escapeMarkdown(changeCell(better))}`;
}

function compose(report: ReportDocument, links: CommentLinks, detail: 'full' | 'short' | 'none'): string {
  const affected = report.models.filter((model) => model.affected);
  const lines: string[] = [];
  if (affected.length === 0) {
    lines.push('### ✅ Passed: no model is affected', '', 'Nothing that a model depends on has changed.', '');
  } else if (affected.length === 1 && affected[0] !== undefined) {
    lines.push(`### ${headline(affected[0])}`, '', ...modelBody(affected[0], report, detail));
  } else {
    const failing = affected.filter((model) => model.verdict === 'fail').length;
    const word = {
      pass: 'Passed',
      warn: 'Passed with warnings',
      fail: 'Blocked',
      inconclusive: 'Inconclusive',
      pending: 'Pending',
      skipped: 'Skipped',
    };
    lines.push(
      `### ${icons[report.verdict]} ${word[report.verdict]}: ${failing === 0 ? `${affected.length} models` : `${failing} of ${affected.length} models`}`,
      '',
      '| model | verdict | why |',
      '|---|---|---|',
      ...affected.map(
        (model) =>
          `| ${codeSpan(model.name)} | ${icons[model.verdict]} ${model.verdict} | ${phraseMarkdown(model.reasons[0] ?? '')} |`,
      ),
      '',
    );
    if (detail !== 'none') {
      for (const model of affected)
        lines.push(...folded(codeSpan(model.name), modelBody(model, report, detail === 'full' ? 'short' : 'none')));
    }
  }
  const untouched = report.models.length - affected.length;
  if (untouched > 0 && affected.length > 0)
    lines.push(`${untouched} other ${untouched === 1 ? 'model is' : 'models are'} not affected.`, '');
  lines.push(footer(report, affected, links), '');
  return lines.join('\n');
}

function modelBody(model: ModelReport, report: ReportDocument, detail: 'full' | 'short' | 'none'): string[] {
  const lines: string[] = [];
  if (model.policy.differences.length > 0) lines.push(policyLine(model, report), '');
  const more = model.reasons.slice(1, 4).filter(() => model.verdict !== 'pass');
  if (more.length > 0) lines.push(...more.map((reason) => `- ${phraseMarkdown(reason)}`), '');
  lines.push(...metricTable(model));
  const facts = [dataLine(model.data), trainingLine(model), imageLine(model)].filter((line) => line !== '');
  if (facts.length > 0) lines.push(facts.join(' · '), '');
  lines.push(...changedLines(model));
  if (model.policy.differences.length === 0) lines.push(policyLine(model, report), '');
  if (detail === 'none') return lines;
  lines.push(...sliceDetails(model), ...dataDetails(model.data, detail), ...methodDetails(model));
  return lines;
}

function policyLine(model: ModelReport, report: ReportDocument): string {
  const from =
    model.policy.source === 'base'
      ? `from ${codeSpan(model.policy.ref ?? report.base?.ref ?? 'the base branch')}`
      : 'of this change itself (the base branch has none)';
  if (model.policy.differences.length === 0) return `**Policy** ${from}; this pull request changes none.`;
  const shown = model.policy.differences
    .slice(0, 6)
    .map((difference) => `${phraseMarkdown(policySentence(difference))}${difference.loosens ? ' (loosens)' : ''}`);
  const rest = model.policy.differences.length - shown.length;
  return `**Policy** ${from}; this pull request would change: ${shown.join(' · ')}${rest > 0 ? ` · and ${rest} more` : ''}.`;
}

function metricTable(model: ModelReport): string[] {
  const comparison = model.comparison;
  if (comparison === null || comparison.metrics.length === 0) return [];
  const rows: (ComparedMetric | ComparedSlice)[] = [
    ...comparison.slices.filter((slice) => slice.gate === 'fail' || slice.gate === 'inconclusive'),
    ...comparison.metrics,
  ].sort((left, right) => gateOrder[left.gate] - gateOrder[right.gate]);
  const shown = rows.slice(0, tableRows);
  return [
    '| metric | production | candidate | change (95 % interval) | allowed | verdict |',
    '|---|--:|--:|--:|--:|---|',
    ...shown.map(metricRow),
    ...(rows.length > shown.length ? [`| … and ${rows.length - shown.length} more | | | | | |`] : []),
    '',
  ];
}

function metricRow(metric: ComparedMetric | ComparedSlice): string {
  const digits = digitsOf(metric);
  const unit = unitOf(metric.name);
  const cells = [
    phraseMarkdown(subject(metric)),
    metric.production === null ? '–' : `${measured(metric.production, digits)}${unit}`,
    metric.candidate === null ? '–' : `${measured(metric.candidate, digits)}${unit}`,
    changeCell(metric),
    allowed(metric),
    verdictCell(metric),
  ];
  return `| ${cells.join(' | ')} |`;
}

function dataLine(reports: readonly DataReport[]): string {
  if (reports.length === 0) return '';
  const all = reports.flatMap((report) => [
    ...report.checks.map((check) => check.verdict),
    ...report.drift.map((drift) => drift.verdict),
  ]);
  const number = (verdict: Verdict) => all.filter((one) => one === verdict).length;
  const parts = [`${number('pass')} checks passed`];
  if (number('warn') > 0) parts.push(`${number('warn')} warned`);
  if (number('fail') > 0) parts.push(`${number('fail')} failed`);
  parts.push(`${number('skipped')} not run`);
  return `**Data** ${parts.join(', ')}`;
}

function trainingLine(model: ModelReport): string {
  const run = model.run;
  if (run === null) return '';
  const seconds = run.stages.reduce((sum, stage) => sum + Number(stage.seconds), 0);
  const how =
    run.cache === 'hit' ? 'restored from the store and verified, not run again' : `run in ${seconds.toFixed(1)} s`;
  const again = run.reproduction === null ? '' : `, reproduced: ${run.reproduction.level}`;
  return `**Training** ${how}${again}`;
}

function imageLine(model: ModelReport): string {
  if (model.image === null) return '';
  const parts = [megabytes(model.image.bytes)];
  if (model.image.cache === 'hit') parts.push('found by its key, not built again');
  if (model.probe !== null) {
    if (model.probe.readySeconds !== null) parts.push(`ready in ${Number(model.probe.readySeconds).toFixed(1)} s`);
    const failed = model.probe.checks.filter((check) => check.verdict === 'fail').length;
    parts.push(failed === 0 ? 'REST and gRPC conform' : `${failed} of ${model.probe.checks.length} probes fail`);
    if (model.probe.predictions !== null) {
      const { rows, equal } = model.probe.predictions;
      parts.push(
        rows === equal
          ? 'predictions equal the evaluated ones'
          : `${count(rows - equal)} of ${count(rows)} predictions differ from the evaluated ones`,
      );
    }
  }
  return `**Image** ${parts.join(', ')}`;
}

function changedLines(model: ModelReport): string[] {
  if (model.changes.length === 0) return [];
  const shown = model.changes.slice(0, 8).map((one) => {
    const values =
      one.kind === 'code' || one.kind === 'data'
        ? ''
        : ` ${escapeMarkdown(one.from ?? 'none', 60)} → ${escapeMarkdown(one.to ?? 'none', 60)}`;
    const word =
      one.kind === 'code' || one.kind === 'data'
        ? one.from === null
          ? ' (new)'
          : one.to === null
            ? ' (removed)'
            : ''
        : '';
    return `${one.kind} ${codeSpan(one.subject)}${values}${word}`;
  });
  const rest = model.changes.length - shown.length;
  return [`**What changed** ${shown.join(' · ')}${rest > 0 ? ` · and ${rest} more` : ''}`, ''];
}

function sliceDetails(model: ModelReport): string[] {
  const slices = model.comparison?.slices ?? [];
  if (slices.length === 0) return [];
  const sorted = [...slices].sort((left, right) => gateOrder[left.gate] - gateOrder[right.gate]);
  return folded(`Slices (${slices.length})`, [
    '| slice | rows | production | candidate | change (95 % interval) | verdict |',
    '|---|--:|--:|--:|--:|---|',
    ...sorted
      .slice(0, 60)
      .map(
        (slice) =>
          `| ${[phraseMarkdown(subject(slice)), count(slice.rows), measured(slice.production), measured(slice.candidate), changeCell(slice), verdictCell(slice)].join(' | ')} |`,
      ),
    '',
  ]);
}

function dataDetails(reports: readonly DataReport[], detail: 'full' | 'short'): string[] {
  if (reports.length === 0) return [];
  const limit = detail === 'full' ? 60 : 10;
  const lines: string[] = [];
  for (const report of reports) {
    const checks = [...report.checks].sort((left, right) => gateOrder[left.verdict] - gateOrder[right.verdict]);
    lines.push(
      `${codeSpan(report.dataset.name)}: ${count(report.rows)} rows, ${report.executed} executed, ${escapeMarkdown(report.engine)}`,
      '',
    );
    if (checks.length > 0) {
      lines.push(
        '| check | expected | found | rows | verdict |',
        '|---|---|---|--:|---|',
        ...checks
          .slice(0, limit)
          .map(
            (check) =>
              `| ${codeSpan(check.id, 80)} | ${escapeMarkdown(check.expected, 80)} | ${escapeMarkdown(check.observed ?? '–', 80)} | ${check.failingRows === null ? '–' : count(check.failingRows)} | ${icons[check.verdict]} ${check.verdict} |`,
          ),
        '',
      );
    }
    const drift = [...report.drift].sort((left, right) => gateOrder[left.verdict] - gateOrder[right.verdict]);
    if (drift.length > 0) {
      lines.push(
        '| drift of | method | statistic | threshold | verdict |',
        '|---|---|--:|--:|---|',
        ...drift
          .slice(0, limit)
          .map(
            (one) =>
              `| ${codeSpan(one.column, 80)} | ${escapeMarkdown(one.method)} | ${measured(one.statistic)} | ${measured(one.threshold)} | ${icons[one.verdict]} ${one.verdict} |`,
          ),
        '',
      );
    }
  }
  return folded('Data checks and drift', lines);
}

function methodDetails(model: ModelReport): string[] {
  const comparison = model.comparison;
  if (comparison === null || comparison.rows === 0) return [];
  const by = (side: string) =>
    side === 'image' ? 'its image, labels withheld' : side === 'stage' ? 'its training stage' : 'a file';
  const methods = [
    ...new Set(
      comparison.metrics.flatMap((metric) => (metric.method === null ? [] : [`${metric.name}: ${metric.method}`])),
    ),
  ];
  return folded('How these numbers were made', [
    `${count(comparison.rows)} rows (${codeSpan(comparison.evaluationDigest === null ? 'no digest' : shortDigest(comparison.evaluationDigest))}); the candidate was scored by ${by(comparison.candidate.scoredBy)}${
      comparison.production === null ? '' : `, production by ${by(comparison.production.scoredBy)}`
    }. ${comparison.resamples > 0 ? `${count(comparison.resamples)} resamples, seed ${comparison.seed}. ` : ''}${escapeMarkdown(methods.join('; '), 500)}`,
    '',
  ]);
}

function folded(title: string, lines: readonly string[]): string[] {
  return [`<details><summary>${title}</summary>`, '', ...lines, '</details>', ''];
}

function footer(report: ReportDocument, affected: readonly ModelReport[], links: CommentLinks): string {
  const parts: string[] = [];
  if (affected.length === 1) {
    const [model] = affected;
    if (model?.production) {
      const known = report.madeAt === null ? '' : `, ${age(model.production.at, report.madeAt)}`;
      parts.push(
        `production ${codeSpan(shortDigest(model.production.modelDigest))} (deployed by ${codeSpan(model.production.deployCommit.slice(0, 7))}${known})`,
      );
    }
    if (model?.run) parts.push(`candidate ${codeSpan(shortDigest(model.run.modelDigest))}`);
    if (model?.runKey) parts.push(`run key ${codeSpan(`${model.runKey.slice(0, 12)}…`)}`);
  }
  if (links.report !== undefined) parts.push(`[report](${safeLink(links.report)})`);
  if (links.run !== undefined) parts.push(`[run](${safeLink(links.run)})`);
  parts.push(`passloop ${escapeMarkdown(report.passloop)}`);
  return `<sub>${parts.join(' · ')}</sub>`;
}

function safeLink(url: string): string {
  return /^https?:\/\/[^\s()<>"]+$/.test(url) ? url : '#';
}
