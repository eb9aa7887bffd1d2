import { codeSpan, count, escapeMarkdown, megabytes, plainText, shortDigest, type Verdict } from '@passloop/core';
import type {
  CheckResult,
  ComparisonDocument,
  DataReport,
  ImageDocument,
  ProbeDocument,
  PromotionDocument,
  RollbackDocument,
  RunDocument,
  ScanDocument,
} from '@passloop/documents';
import { checkSentence } from './judge.ts';
import { dataDetails, dataLine, metricRow } from './markdown.ts';
import { phraseText } from './phrase.ts';
import { icons, metricSentence } from './words.ts';

/** One step's document as a job tells it: a sentence for its failure, Markdown for the job summary. The verdict comes first. */

function section(verdict: Verdict, title: string, lines: readonly string[]): string {
  return [`### ${icons[verdict]} ${title}`, '', ...lines, ''].join('\n');
}

/** What a check that does not hold says, as plain text. */
export function checkMessage(report: DataReport, check: CheckResult): string {
  return phraseText(checkSentence(report, check));
}

export function dataSentence(reports: readonly DataReport[]): string {
  const failing = reports.flatMap((report) => [
    ...report.checks.filter((check) => check.verdict === 'fail').map((check) => checkMessage(report, check)),
    ...report.drift
      .filter((one) => one.verdict === 'fail')
      .map((one) => `${one.column} of ${report.dataset.name} has drifted.`),
  ]);
  const executed = reports.reduce((sum, report) => sum + report.executed, 0);
  const [first, ...rest] = failing;
  if (first === undefined) return executed === 0 ? 'No check ran.' : `${executed} checks ran; none fails.`;
  return plainText(`${first}${rest.length === 0 ? '' : ` ${rest.length} more fail.`}`, 500);
}

export function dataSummary(reports: readonly DataReport[], verdict: Verdict): string {
  return section(verdict, escapeMarkdown(dataSentence(reports), 500), [
    dataLine(reports),
    '',
    ...dataDetails(reports, 'all'),
  ]);
}

export function runSentence(run: RunDocument): string {
  if (run.reproduction !== null) {
    const diverged = run.reproduction.outputs.filter((output) => output.level === 'diverged');
    const which = diverged.length === 0 ? '' : `: ${diverged.map((output) => output.path).join(', ')}`;
    return plainText(`The stored result was run again: ${run.reproduction.level}${which}.`, 500);
  }
  return run.cache === 'hit'
    ? 'The run was found by its key: every output was restored and verified, nothing was trained.'
    : 'The run was trained, and is kept under its key.';
}

export function runSummary(run: RunDocument): string {
  const verdict = run.reproduction?.level === 'diverged' ? 'fail' : 'pass';
  const levels = new Map((run.reproduction?.outputs ?? []).map((output) => [output.path, output.level]));
  return section(verdict, escapeMarkdown(runSentence(run), 500), [
    `${codeSpan(run.model)} · run key ${codeSpan(run.runKey)}`,
    '',
    '| output | bytes | digest | again |',
    '|---|--:|---|---|',
    ...run.outputs.map(
      (output) =>
        `| ${codeSpan(output.path)} | ${count(output.bytes)} | ${codeSpan(shortDigest(output.digest))} | ${levels.get(output.path) ?? '–'} |`,
    ),
    ...(run.metrics.length === 0
      ? []
      : ['', run.metrics.map((metric) => `${codeSpan(metric.name)} ${metric.value}`).join(' · ')]),
  ]);
}

export function comparisonSummary(comparison: ComparisonDocument): string {
  return section(comparison.verdict, escapeMarkdown(gatesSentence(comparison), 500), [
    `Outcome ${codeSpan(comparison.outcome)}, ${count(comparison.rows)} rows`,
    '',
    '| metric | production | candidate | change (95 % interval) | allowed | verdict |',
    '|---|--:|--:|--:|--:|---|',
    ...[...comparison.metrics, ...comparison.slices].slice(0, 100).map(metricRow),
  ]);
}

/** What decided, worst first. */
export function gatesSentence(comparison: ComparisonDocument): string {
  if (comparison.reason !== null) return plainText(comparison.reason, 500);
  const all = [...comparison.metrics, ...comparison.slices];
  const deciding =
    all.find((metric) => metric.gate === 'fail') ??
    all.find((metric) => metric.gate === 'inconclusive') ??
    all.find((metric) => metric.gate === 'warn') ??
    all[0];
  return deciding === undefined ? `${comparison.outcome}.` : phraseText(metricSentence(deciding));
}

export function imageSentence(image: ImageDocument, scan: ScanDocument, probe: ProbeDocument | null): string {
  if (scan.verdict !== 'pass') {
    const finding = scan.files.flatMap((file) => file.findings)[0];
    return plainText(
      `The model file is not safe to load: ${finding?.rule ?? scan.verdict}: ${finding?.detail ?? ''}.`,
      500,
    );
  }
  const failed = probe?.checks.find((check) => check.verdict === 'fail' || check.verdict === 'inconclusive');
  if (failed !== undefined) return plainText(`The image fails ${failed.id}: ${failed.detail}.`, 500);
  if (probe !== null && probe.verdict === 'fail')
    return 'The image predicts something else than its training stage did.';
  return `The image was ${image.cache === 'hit' ? 'found by its key' : 'built'}${probe === null ? '' : ' and answers as its signature says'}.`;
}

export function imageSummary(image: ImageDocument, scan: ScanDocument, probe: ProbeDocument | null): string {
  const verdict = scan.verdict === 'pass' ? (probe?.verdict ?? 'pass') : 'fail';
  return section(verdict, escapeMarkdown(imageSentence(image, scan, probe), 500), [
    `${codeSpan(image.reference ?? image.imageId, 300)}, ${megabytes(image.bytes)} · image key ${codeSpan(image.imageKey)}`,
    ...(probe === null
      ? []
      : [
          '',
          '| probe | verdict | |',
          '|---|---|---|',
          ...probe.checks.map(
            (check) =>
              `| ${codeSpan(check.id)} | ${icons[check.verdict]} ${check.verdict} | ${escapeMarkdown(check.detail)} |`,
          ),
        ]),
  ]);
}

export function promotionVerdict(document: PromotionDocument | RollbackDocument): Verdict {
  return document.outcome === 'held' || document.outcome === 'blocked' || document.outcome === 'conflict'
    ? 'fail'
    : 'pass';
}

export function promotionSentence(document: PromotionDocument | RollbackDocument): string {
  const reason = document.reason === null ? '' : `: ${document.reason}`;
  return plainText(`${document.outcome}: ${document.model} in ${document.environment}${reason}`, 800);
}

export function promotionSummary(document: PromotionDocument | RollbackDocument): string {
  const { pullRequest } = document;
  const lines = [
    pullRequest === null
      ? ''
      : `Pull request [#${pullRequest.number}](${encodeURI(pullRequest.url)})${document.merged ? ', merged' : ''}`,
    ...document.edits.flatMap((edit) => ['', `${codeSpan(edit.file)}`, '', ...fenced(edit.diff)]),
  ];
  return section(promotionVerdict(document), escapeMarkdown(promotionSentence(document), 800), lines);
}

/** Untrusted text in a fence that it cannot close. */
function fenced(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}diff`, ...text.split('\n').map((line) => plainText(line, 300)), fence];
}
