import { codeSpan, count, escapeMarkdown, megabytes, type Verdict } from '@passloop/core';
import type { ComparedMetric, ComparedSlice, DataReport, ModelReport, ReportDocument } from '@passloop/documents';
import { sortedSlices } from './comment-details.ts';
import { environmentAnswers } from './environments.ts';
import { verdictOrder } from './headline.ts';
import { policySentence } from './judge.ts';
import { phraseMarkdown } from './phrase.ts';
import {
  allowed,
  changeCell,
  driftText,
  icons,
  reproductionWords,
  subject,
  unbroken,
  valueCell,
  verdictCell,
} from './words.ts';

// What of a comment is not folded: whose policy decided, the numbers, data and training in a line each.

const tableRows = 8;
const tableSlices = 4;

export function policyLine(model: ModelReport, report: ReportDocument): string {
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

export function metricTable(model: ModelReport): string[] {
  const comparison = model.comparison;
  if (comparison === null || comparison.outcome === 'not-comparable') return [];
  const metrics = comparison.metrics.filter(({ gate }) => gate !== 'skipped' || comparison.outcome !== 'same-model');
  if (metrics.length === 0) return [];
  const blocking = sortedSlices(comparison.slices).filter(({ gate }) => gate === 'fail' || gate === 'inconclusive');
  const rows: (ComparedMetric | ComparedSlice)[] = [...metrics, ...blocking.slice(0, tableSlices)].sort(
    (left, right) => verdictOrder[left.gate] - verdictOrder[right.gate],
  );
  const shown = rows.slice(0, tableRows);
  const left = rows.length - shown.length + Math.max(0, blocking.length - tableSlices);
  return [
    '| metric | production | candidate | change (95 % interval) | allowed | verdict |',
    '|---|--:|--:|--:|--:|---|',
    ...shown.map(metricRow),
    ...(left > 0 ? [`| … and ${left} more | | | | | |`] : []),
    '',
  ];
}

/** Which environments the candidate may go to, where they have gates of their own. */
export function environmentLine(model: ModelReport): string {
  const answers = environmentAnswers(model.comparison);
  if (answers.length === 0) return '';
  const said = answers.map(
    ({ environment, verdict, words }) => `${icons[verdict]} ${codeSpan(environment.name)} ${phraseMarkdown(words)}`,
  );
  return `**Environments** ${said.join(' · ')}`;
}

export function metricRow(metric: ComparedMetric | ComparedSlice): string {
  const cells = [
    valueCell(metric, 'production'),
    valueCell(metric, 'candidate'),
    changeCell(metric),
    allowed(metric),
    verdictCell(metric),
  ];
  return `| ${phraseMarkdown(subject(metric))} | ${unbroken(cells)} |`;
}

export function dataLine(reports: readonly DataReport[]): string {
  if (reports.length === 0) return '';
  const all = reports.flatMap((report) => [
    ...report.checks.map((check) => ({
      verdict: check.verdict,
      say: `${codeSpan(check.column ?? check.id, 60)}: ${escapeMarkdown(check.observed ?? check.verdict, 80)}`,
    })),
    ...report.drift.map((drift) => ({ verdict: drift.verdict, say: phraseMarkdown(driftText(drift)) })),
  ]);
  const of = (verdict: Verdict) => all.filter((one) => one.verdict === verdict);
  const part = (verdict: Verdict, word: string) => {
    const found = of(verdict);
    if (found.length === 0) return [];
    return [`${found.length} ${word} (${found[0]?.say}${found.length > 1 ? ', …' : ''})`];
  };
  const passed = of('pass').length;
  const parts = [
    `${passed} ${passed === 1 ? 'check' : 'checks'} passed`,
    ...part('warn', 'warned'),
    ...part('inconclusive', 'undecided'),
    ...part('fail', 'failed'),
    `${of('skipped').length} not run`,
  ];
  return `**Data** ${parts.join(', ')}`;
}

/** How the model was made and what came of making it again, and the image of it. */
export function trainingLine(model: ModelReport): string {
  return [runPart(model), imagePart(model)].filter((part) => part !== '').join(' · ');
}

function runPart(model: ModelReport): string {
  const run = model.run;
  if (run === null) return '';
  const seconds = run.stages.reduce((sum, stage) => sum + Number(stage.seconds), 0);
  const how =
    run.cache === 'hit' ? 'restored from the store and verified, not run again' : `run in ${seconds.toFixed(1)} s`;
  const again = run.reproduction === null ? '' : `, ${reproductionWords[run.reproduction.level]}`;
  return `**Training** ${how}${again}`;
}

function imagePart(model: ModelReport): string {
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
