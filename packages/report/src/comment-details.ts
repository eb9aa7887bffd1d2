import { codeSpan, count, escapeMarkdown, measured, shortDigest, type Verdict } from '@passloop/core';
import type { CheckResult, ComparedSlice, DataReport, ModelReport } from '@passloop/documents';
import { allowedThere, measuredAgainst, ownGates } from './environments.ts';
import { evidenceWords, groupCells, groupName, groupsOf, isSmall, rateWords, sortedGroups } from './fairness-groups.ts';
import { verdictOrder } from './headline.ts';
import { named, phraseMarkdown } from './phrase.ts';
import {
  changeCell,
  claimText,
  driftSize,
  icons,
  isUnpaired,
  metricLabel,
  neededText,
  roleText,
  subject,
  unbroken,
  valueCell,
  verdictCell,
} from './words.ts';

// The folded sections of a comment and a summary.

/** What blocks first, and the largest loss first. */
export function sortedSlices(slices: readonly ComparedSlice[]): ComparedSlice[] {
  const gain = ({ delta, direction }: ComparedSlice) => (direction === 'higher' ? 1 : -1) * Number(delta ?? 0);
  return [...slices].sort(
    (left, right) => verdictOrder[left.gate] - verdictOrder[right.gate] || gain(left) - gain(right),
  );
}

export function sliceDetails(model: ModelReport): string[] {
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
          `| ${phraseMarkdown(subject(slice))} | ${unbroken([count(slice.rows), valueCell(slice, 'production'), valueCell(slice, 'candidate'), changeCell(slice), verdictCell(slice)])} |`,
      ),
    ...(sorted.length > most ? [`| … and ${sorted.length - most} more | | | | | |`] : []),
    '',
  ]);
}

/** The gates that environments have of their own, those that refuse the candidate first. */
export function environmentDetails({ comparison }: ModelReport): string[] {
  if (comparison?.environments === undefined) return [];
  const gates = comparison.environments
    .flatMap((environment) => ownGates(environment).map((metric) => ({ environment, metric })))
    .sort((left, right) => verdictOrder[left.metric.gate] - verdictOrder[right.metric.gate]);
  const most = 40;
  const rows = gates.slice(0, most).map(({ environment, metric }) => {
    const cells = [
      valueCell(metric, 'production'),
      valueCell(metric, 'candidate'),
      changeCell(metric),
      allowedThere(metric, comparison),
      verdictCell(metric),
    ];
    return `| ${codeSpan(environment.name)} | ${phraseMarkdown(subject(metric))} | ${unbroken(cells)} |`;
  });
  return folded(`Gates of environments (${gates.length})`, [
    '| environment | metric | production | candidate | change (95 % interval) | allowed | verdict |',
    '|---|---|--:|--:|--:|--:|---|',
    ...rows,
    ...(gates.length > most ? [`| … and ${gates.length - most} more | | | | | | |`] : []),
    '',
    ...(comparison.production === null ? [] : [measuredAgainst, '']),
  ]);
}

/** The rates behind the gates on gaps between groups. */
export function groupDetails(model: ModelReport): string[] {
  const groups = groupsOf(model.comparison);
  if (groups.length === 0) return [];
  const most = 40;
  const small = groups.filter(isSmall).length;
  return folded(`Groups (${groups.length}${small > 0 ? `: ${small} with insufficient evidence` : ''})`, [
    '| group | rate | rows | production | candidate | change | evidence |',
    '|---|---|--:|--:|--:|--:|---|',
    ...sortedGroups(groups)
      .slice(0, most)
      .map((group) => {
        const { rows, production, candidate, change } = groupCells(group);
        return `| ${[phraseMarkdown(groupName(group)), rateWords(group), rows, production, candidate, change, escapeMarkdown(evidenceWords(group), 120)].join(' | ')} |`;
      }),
    ...(groups.length > most ? [`| … and ${groups.length - most} more | | | | | | |`] : []),
    '',
  ]);
}

export function dataDetails(reports: readonly DataReport[], detail: 'all' | 'full' | 'short'): string[] {
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
            `| ${codeSpan(one.column, 80)}${roleText(one)} | ${escapeMarkdown(one.method)} | ${measured(driftSize(one))} | ${measured(one.threshold)} | ${icons[one.verdict]} ${one.verdict} |`,
        ),
      ...(told.length > limit ? [`| … and ${told.length - limit} more | | | | |`] : []),
      '',
    );
  }
  if (!everything && still.length > 0) {
    const names = still
      .slice(0, limit)
      .map((drift) => `${codeSpan(drift.column, 80)}${roleText(drift)} ${measured(driftSize(drift))}`);
    const more = still.length > names.length ? ` and ${still.length - names.length} more` : '';
    lines.push(`Not drifted: ${names.join(', ')}${more}.`, '');
  }
  return lines;
}

export function methodDetails(model: ModelReport): string[] {
  const comparison = model.comparison;
  if (comparison === null || comparison.rows === 0) return [];
  const { candidate, production } = comparison;
  const by = { image: 'its image, labels withheld', stage: 'its training stage', file: 'a file' };
  const isAlone = comparison.metrics.some(isUnpaired) && comparison.metrics.every(({ interval }) => interval === null);
  const scored = isAlone
    ? `the candidate was scored by ${by[candidate.scoredBy]}; the numbers of production are those of its own run`
    : production === null
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
  // Two numbers are no method.
  const methods = [...names].map(
    ([method, of]) =>
      `${of.map(phraseMarkdown).join(', ')} ${method.startsWith('unpaired') ? '' : 'by '}${escapeMarkdown(method, 128)}`,
  );
  const undecided = comparison.metrics.flatMap((metric) => {
    const needed = metric.verdict === 'inconclusive' ? neededText(metric) : null;
    return needed === null ? [] : [`${phraseMarkdown(metricLabel(metric.name))} ${needed}`];
  });
  const claim = claimText(comparison);
  const sentences = [
    `${count(comparison.rows)} rows (${codeSpan(comparison.evaluationDigest === null ? 'no digest' : shortDigest(comparison.evaluationDigest))}), ${scored}.`,
    ...(claim === null ? [] : [claim]),
    ...(methods.length > 0 ? [`${methods.slice(0, 8).join('; ')}.`] : []),
    ...(methods.some((method) => method.includes('bootstrap'))
      ? [`${count(comparison.resamples)} resamples, seed ${comparison.seed}.`]
      : []),
    ...(undecided.length > 0 ? [`What would decide: ${undecided.slice(0, 8).join(', ')}.`] : []),
  ];
  const reuse = reuseSentence(model);
  if (reuse !== null) sentences.push(phraseMarkdown(reuse));
  return folded('How these numbers were made', [sentences.join(' '), '']);
}

/** How old and how worn the rows are that decide, as a phrase; null where nobody counted. */
export function reuseSentence({ production, comparison }: ModelReport): string | null {
  if (production?.holdouts === undefined || comparison === null) return null;
  const to = `to ${named(production.environment)}`;
  const used = production.holdouts.find(({ evaluationDigest }) => evaluationDigest === comparison.evaluationDigest);
  if (used === undefined) return `No promotion ${to} was decided by these rows before.`;
  const { promotions, since } = used;
  return `These rows have decided ${promotions === 1 ? 'a promotion' : `${count(promotions)} promotions`} ${to} since ${since.slice(0, 10)}.`;
}

export function folded(title: string, lines: readonly string[]): string[] {
  return [`<details><summary>${title}</summary>`, '', ...lines, '</details>', ''];
}
