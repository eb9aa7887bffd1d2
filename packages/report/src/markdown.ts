import { age, codeSpan, count, escapeMarkdown, measured, megabytes, shortDigest, type Verdict } from '@passloop/core';
import type {
  Change,
  CheckResult,
  ComparedMetric,
  ComparedSlice,
  DataReport,
  ModelReport,
  ReportDocument,
} from '@passloop/documents';
import { affectedModels, explanation, headline, reportHeadline, verdictOrder } from './headline.ts';
import { policySentence } from './judge.ts';
import { phraseMarkdown } from './phrase.ts';
import {
  allowed,
  changeCell,
  driftText,
  icons,
  metricLabel,
  reproductionWords,
  roleText,
  subject,
  valueCell,
  verdictCell,
} from './words.ts';

/** GitHub refuses a comment above 65,536 characters; the rest is for the marker and for what an editor adds. */
export const commentLimit = 65_000;
/** A job summary above 1 MiB is dropped as a whole; escaped text may take several bytes a character. */
export const summaryLimit = 400_000;
const tableRows = 8;
const tableSlices = 4;

export type CommentLinks = { report?: string | undefined; run?: string | undefined };

/** `all` lists what passed too; `brief` has no folded sections; `line` has a row per model alone. */
type Detail = 'all' | 'full' | 'short' | 'brief' | 'line';

/**
 * The pull-request comment: the verdict sentence first, the numbers that made it, everything else folded away.
 * Sections are shed, longest first, until it fits; the verdict always stays. Who posts it adds the hidden marker.
 */
export function renderComment(report: ReportDocument, links: CommentLinks = {}, limit = commentLimit): string {
  return fitting(report, links, limit, ['full', 'short', 'brief', 'line']);
}

/** The job summary: the same report, with what passed as well. */
export function renderSummary(report: ReportDocument, links: CommentLinks = {}): string {
  return fitting(report, links, summaryLimit, ['all', 'full', 'short', 'brief', 'line']);
}

function fitting(report: ReportDocument, links: CommentLinks, limit: number, details: readonly Detail[]): string {
  for (const detail of details) {
    const text = compose(report, links, detail);
    if (text.length <= limit) return text;
  }
  // The verdict alone: whatever else is said of it doesn't fit.
  return `${heading(report)}\n\nThe report is too long for this place.\n`;
}

function heading(report: ReportDocument): string {
  return `### ${icons[report.verdict]} ${phraseMarkdown(reportHeadline(report))}`;
}

function compose(report: ReportDocument, links: CommentLinks, detail: Detail): string {
  const affected = affectedModels(report);
  const [only] = affected;
  const lines = [heading(report), ''];
  if (only === undefined) {
    if (report.models.length > 0) lines.push('Nothing that a model depends on has changed.', '');
  } else if (affected.length === 1) {
    lines.push(...(detail === 'line' ? [] : modelBody(only, report, detail)));
  } else {
    const rows = detail === 'line' ? 20 : affected.length;
    lines.push(
      '| model | verdict | why |',
      '|---|---|---|',
      ...affected.slice(0, rows).map((model) => modelRow(model, detail)),
      ...(affected.length > rows ? [`| … and ${affected.length - rows} more | | |`] : []),
      '',
    );
    if (detail !== 'brief' && detail !== 'line') {
      const inner = detail === 'full' ? 'short' : detail === 'short' ? 'brief' : detail;
      for (const model of affected)
        lines.push(
          ...folded(`${icons[model.verdict]} ${codeHtml(model.name)}`, [
            `**${phraseMarkdown(headline(model))}**`,
            '',
            ...modelBody(model, report, inner),
          ]),
        );
    }
  }
  const untouched = report.models.length - affected.length;
  if (untouched > 0 && affected.length > 0)
    lines.push(`${untouched} other ${untouched === 1 ? 'model is' : 'models are'} not affected.`, '');
  lines.push(footer(report, affected, links), '');
  return lines.join('\n');
}

/** Inside `<summary>` GitHub reads no Markdown. A model's name has letters, digits and "-" alone. */
function codeHtml(name: string): string {
  return `<code>${name.replace(/[^-a-z0-9]/g, '')}</code>`;
}

function modelRow(model: ModelReport, detail: Detail): string {
  const { lead } = explanation(model);
  const said = lead ?? model.reasons[0] ?? '';
  const why =
    detail === 'line' ? '' : phraseMarkdown(said.length > 400 ? `${said.slice(0, 399).replaceAll('`', '')}…` : said);
  return `| ${codeSpan(model.name)} | ${icons[model.verdict]} ${model.verdict} | ${why} |`;
}

function modelBody(model: ModelReport, report: ReportDocument, detail: Detail): string[] {
  const lines: string[] = [];
  if (model.policy.differences.length > 0) lines.push(policyLine(model, report), '');
  const { lead, more } = explanation(model);
  if (lead !== null) lines.push(phraseMarkdown(lead), '');
  if (more.length > 0) lines.push(...more.slice(0, 4).map((reason) => `- ${phraseMarkdown(reason)}`));
  if (more.length > 4) lines.push(`- … and ${more.length - 4} more`);
  if (more.length > 0) lines.push('');
  lines.push(...metricTable(model));
  const facts = [dataLine(model.data), trainingLine(model), imageLine(model)].filter((line) => line !== '');
  if (facts.length > 0) lines.push(facts.join(' · '), '');
  lines.push(...changedLines(model));
  if (model.policy.differences.length === 0) lines.push(policyLine(model, report), '');
  if (detail === 'brief') return lines;
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

/** What blocks first, and the largest loss first. */
function sortedSlices(slices: readonly ComparedSlice[]): ComparedSlice[] {
  const gain = ({ delta, direction }: ComparedSlice) => (direction === 'higher' ? 1 : -1) * Number(delta ?? 0);
  return [...slices].sort(
    (left, right) => verdictOrder[left.gate] - verdictOrder[right.gate] || gain(left) - gain(right),
  );
}

export function metricRow(metric: ComparedMetric | ComparedSlice): string {
  const cells = [
    phraseMarkdown(subject(metric)),
    valueCell(metric, 'production'),
    valueCell(metric, 'candidate'),
    changeCell(metric),
    allowed(metric),
    verdictCell(metric),
  ];
  return `| ${cells.join(' | ')} |`;
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

function trainingLine(model: ModelReport): string {
  const run = model.run;
  if (run === null) return '';
  const seconds = run.stages.reduce((sum, stage) => sum + Number(stage.seconds), 0);
  const how =
    run.cache === 'hit' ? 'restored from the store and verified, not run again' : `run in ${seconds.toFixed(1)} s`;
  const again = run.reproduction === null ? '' : `, ${reproductionWords[run.reproduction.level]}`;
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
  const shown = model.changes.slice(0, 8).map(changeText);
  const rest = model.changes.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  if (model.changes.every((change) => change.kind !== 'data')) shown.push('data unchanged');
  return [`**What changed** ${shown.join(' · ')}`, ''];
}

function changeText({ kind, subject, from, to }: Change): string {
  const name = codeSpan(subject, 100);
  if (kind === 'code' || kind === 'data') {
    const how = from === null ? ' (new)' : to === null ? ' (removed)' : '';
    return `${kind === 'data' ? 'data ' : ''}${name}${how}`;
  }
  const value = (text: string | null) =>
    text === null ? 'none' : codeSpan(/^sha256:/.test(text) ? shortDigest(text) : text, 60);
  return `${kind === 'params' ? '' : `${kind} `}${name} ${value(from)} → ${value(to)}`;
}

function sliceDetails(model: ModelReport): string[] {
  const slices = model.comparison?.slices ?? [];
  if (slices.length === 0) return [];
  const sorted = sortedSlices(slices);
  const blocking = slices.filter(({ gate }) => gate === 'fail').length;
  const undecided = slices.filter(({ gate }) => gate === 'warn' || gate === 'inconclusive').length;
  const counts = [
    ...(blocking > 0 ? [`${blocking} ${blocking === 1 ? 'blocks' : 'block'}`] : []),
    ...(undecided > 0 ? [`${undecided} undecided`] : []),
  ];
  const most = 60;
  return folded(`Slices (${slices.length}${counts.length > 0 ? `: ${counts.join(', ')}` : ''})`, [
    '| slice | rows | production | candidate | change (95 % interval) | verdict |',
    '|---|--:|--:|--:|--:|---|',
    ...sorted
      .slice(0, most)
      .map(
        (slice) =>
          `| ${[phraseMarkdown(subject(slice)), count(slice.rows), valueCell(slice, 'production'), valueCell(slice, 'candidate'), changeCell(slice), verdictCell(slice)].join(' | ')} |`,
      ),
    ...(sorted.length > most ? [`| … and ${sorted.length - most} more | | | | | |`] : []),
    '',
  ]);
}

export function dataDetails(reports: readonly DataReport[], detail: Detail): string[] {
  if (reports.length === 0) return [];
  const limit = detail === 'short' ? 10 : 60;
  const lines: string[] = [];
  for (const report of reports) {
    lines.push(
      `${codeSpan(report.dataset.name)}: ${count(report.rows)} rows, ${report.executed} executed, ${escapeMarkdown(report.engine)}`,
      '',
      ...checkLines(report, limit, detail === 'all'),
      ...driftLines(report, limit, detail === 'all'),
    );
  }
  return folded('Data checks and drift', lines);
}

function byVerdict<T extends { verdict: Verdict }>(items: readonly T[]): T[] {
  return [...items].sort((left, right) => verdictOrder[left.verdict] - verdictOrder[right.verdict]);
}

function checkLines(report: DataReport, limit: number, everything: boolean): string[] {
  const passed = report.checks.filter((check) => check.verdict === 'pass');
  const told = byVerdict(everything ? report.checks : report.checks.filter((check) => check.verdict !== 'pass'));
  const lines: string[] = [];
  if (told.length > 0) {
    lines.push(
      '| check | expected | found | rows | verdict |',
      '|---|---|---|--:|---|',
      ...told.slice(0, limit).map(checkRow),
      ...(told.length > limit ? [`| … and ${told.length - limit} more | | | | |`] : []),
      '',
    );
  }
  if (!everything && passed.length > 0) {
    const names = passed.slice(0, limit).map((check) => codeSpan(check.id, 80));
    const more = passed.length > names.length ? ` and ${passed.length - names.length} more` : '';
    lines.push(`${passed.length} passed: ${names.join(', ')}${more}.`, '');
  }
  return lines;
}

function checkRow(check: CheckResult): string {
  const rows = check.failingRows === null ? '–' : count(check.failingRows);
  return `| ${codeSpan(check.id, 80)} | ${escapeMarkdown(check.expected, 80)} | ${escapeMarkdown(check.observed ?? '–', 80)} | ${rows} | ${icons[check.verdict]} ${check.verdict} |`;
}

function driftLines(report: DataReport, limit: number, everything: boolean): string[] {
  const told = byVerdict(everything ? report.drift : report.drift.filter((drift) => drift.verdict !== 'pass'));
  const still = report.drift.filter((drift) => drift.verdict === 'pass');
  const lines: string[] = [];
  if (told.length > 0) {
    lines.push(
      '| drift of | method | statistic | threshold | verdict |',
      '|---|---|--:|--:|---|',
      ...told
        .slice(0, limit)
        .map(
          (one) =>
            `| ${codeSpan(one.column, 80)}${roleText(one)} | ${escapeMarkdown(one.method)} | ${measured(one.statistic)} | ${measured(one.threshold)} | ${icons[one.verdict]} ${one.verdict} |`,
        ),
      ...(told.length > limit ? [`| … and ${told.length - limit} more | | | | |`] : []),
      '',
    );
  }
  if (!everything && still.length > 0) {
    const names = still
      .slice(0, limit)
      .map((drift) => `${codeSpan(drift.column, 80)}${roleText(drift)} ${measured(drift.statistic)}`);
    const more = still.length > names.length ? ` and ${still.length - names.length} more` : '';
    lines.push(`Not drifted: ${names.join(', ')}${more}.`, '');
  }
  return lines;
}

function methodDetails(model: ModelReport): string[] {
  const comparison = model.comparison;
  if (comparison === null || comparison.rows === 0) return [];
  const { candidate, production } = comparison;
  const by = { image: 'its image, labels withheld', stage: 'its training stage', file: 'a file' };
  const scored =
    production === null
      ? `the candidate was scored by ${by[candidate.scoredBy]}`
      : production.scoredBy === candidate.scoredBy
        ? {
            image: 'labels withheld, both models scored by their images',
            stage: 'both models scored by their training stages',
            file: 'both models scored by files',
          }[candidate.scoredBy]
        : `the candidate was scored by ${by[candidate.scoredBy]}, production by ${by[production.scoredBy]}`;
  const names = new Map<string, string[]>();
  for (const { name, method } of comparison.metrics) {
    if (method !== null) names.set(method, [...(names.get(method) ?? []), metricLabel(name)]);
  }
  const methods = [...names].map(
    ([method, of]) => `${of.map(phraseMarkdown).join(', ')} by ${escapeMarkdown(method, 128)}`,
  );
  const undecided = comparison.metrics.find((metric) => metric.rowsNeeded !== null);
  const sentences = [
    `${count(comparison.rows)} rows (${codeSpan(comparison.evaluationDigest === null ? 'no digest' : shortDigest(comparison.evaluationDigest))}), ${scored}.`,
    ...(methods.length > 0 ? [`${methods.slice(0, 8).join('; ')}.`] : []),
    ...(methods.some((method) => method.includes('bootstrap'))
      ? [`${count(comparison.resamples)} resamples, seed ${comparison.seed}.`]
      : []),
    ...(undecided === undefined
      ? []
      : [
          `About ${count(undecided.rowsNeeded ?? 0)} rows would be needed to decide ${phraseMarkdown(metricLabel(undecided.name))}.`,
        ]),
  ];
  return folded('How these numbers were made', [sentences.join(' '), '']);
}

function folded(title: string, lines: readonly string[]): string[] {
  return [`<details><summary>${title}</summary>`, '', ...lines, '</details>', ''];
}

function footer(report: ReportDocument, affected: readonly ModelReport[], links: CommentLinks): string {
  const parts: string[] = [];
  if (affected.length === 1) {
    const [model] = affected;
    if (model?.production) {
      const known = report.madeAt === null ? '' : `, as of ${age(model.production.at, report.madeAt)}`;
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

/** A link's target that ends neither its parentheses nor its line, and shows no character that a reader can't see. */
export function safeLink(url: string): string {
  return /^https?:\/\/[!-~]{1,2000}$/.test(url) && !/[()<>"`|\\]/.test(url) ? url : '#';
}
