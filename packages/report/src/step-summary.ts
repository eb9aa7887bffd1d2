import { codeSpan, count, escapeMarkdown, megabytes, plainText, shortDigest, type Verdict } from '@passloop/core';
import type {
  CheckResult,
  ComparisonDocument,
  DataReport,
  Edit,
  ImageDocument,
  ProbeDocument,
  PromotionDocument,
  RollbackDocument,
  RunDocument,
} from '@passloop/documents';
import { dataDetails } from './comment-details.ts';
import { dataLine, metricRow } from './comment-parts.ts';
import { recordChange } from './edit.ts';
import { verdictOrder } from './headline.ts';
import { checkSentence } from './judge.ts';
import { safeLink, summaryLimit } from './markdown.ts';
import { phraseText } from './phrase.ts';
import { claimText, icons, metricSentence } from './words.ts';

/** One step's document as a job tells it: a sentence for its failure, Markdown for the job summary. The verdict comes first. */

const tableRows = 100;
const datasets = 50;
const diffLines = 200;

/**
 * A block stands or falls as a whole, so that what is cut leaves no table, fence or fold open. GitHub drops a summary
 * that is too long, the verdict with it.
 */
type Block = readonly string[];

export function section(verdict: Verdict, title: string, blocks: readonly Block[]): string {
  const shown = [`### ${icons[verdict]} ${title}`, ''];
  let room = summaryLimit - Buffer.byteLength(shown.join('\n')) - 100;
  for (const block of blocks.filter((block) => block.length > 0)) {
    const lines = [...block, ''];
    room -= Buffer.byteLength(lines.join('\n')) + 1;
    if (room < 0) {
      shown.push('… the rest is in the document.', '');
      break;
    }
    shown.push(...lines);
  }
  return shown.join('\n');
}

export function summaryTable(heads: Block, rows: Block): string[] {
  const more = rows.length > tableRows ? [`| … and ${rows.length - tableRows} more |`] : [];
  return [...heads, ...rows.slice(0, tableRows), ...more];
}

/** What a check that does not hold says, as plain text. */
export function checkMessage(report: DataReport, check: CheckResult): string {
  return phraseText(checkSentence(report, check));
}

/** What decided, worst first. A drift check sums up its columns itself. */
export function dataSentence(reports: readonly DataReport[]): string {
  const ran = (report: DataReport) => report.checks.filter((check) => check.verdict !== 'skipped');
  const found = reports.flatMap((report): { verdict: Verdict; text: string }[] =>
    ran(report).length === 0
      ? [{ verdict: 'fail', text: `No check ran on ${plainText(report.dataset.name)}.` }]
      : ran(report).map((check) => ({ verdict: check.verdict, text: checkMessage(report, check) })),
  );
  const loud = [
    { verdict: 'fail', one: 'fails', many: 'fail' },
    { verdict: 'inconclusive', one: 'is undecided', many: 'are undecided' },
    { verdict: 'pending', one: 'is pending', many: 'are pending' },
    { verdict: 'warn', one: 'warns', many: 'warn' },
  ] as const;
  for (const { verdict, one, many } of loud) {
    const [first, ...rest] = found.filter((finding) => finding.verdict === verdict);
    if (first === undefined) continue;
    const more = rest.length === 0 ? '' : ` ${rest.length} more ${rest.length === 1 ? one : many}.`;
    return `${plainText(first.text, 450)}${more}`;
  }
  if (found.length === 0) return 'No check ran.';
  return `${found.length} ${found.length === 1 ? 'check' : 'checks'} ran; none fails.`;
}

export function dataSummary(reports: readonly DataReport[], verdict: Verdict): string {
  const sorted = [...reports].sort((left, right) => verdictOrder[left.verdict] - verdictOrder[right.verdict]);
  return section(verdict, escapeMarkdown(dataSentence(reports), 500), [
    [dataLine(reports)],
    ...sorted
      .slice(0, datasets)
      .map((report) => [
        `${codeSpan(report.dataset.name)} ${icons[report.verdict]} ${report.verdict}`,
        '',
        ...dataDetails([report], 'all'),
      ]),
    sorted.length > datasets ? [`… and ${sorted.length - datasets} more datasets.`] : [],
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
    [`${codeSpan(run.model)} · run key ${codeSpan(run.runKey)}`],
    summaryTable(
      ['| output | bytes | digest | again |', '|---|--:|---|---|'],
      run.outputs.map(
        (output) =>
          `| ${codeSpan(output.path)} | ${count(output.bytes)} | ${codeSpan(shortDigest(output.digest))} | ${levels.get(output.path) ?? '–'} |`,
      ),
    ),
    run.metrics.length === 0 ? [] : [metricsLine(run)],
  ]);
}

function metricsLine({ metrics }: RunDocument): string {
  const shown = metrics.slice(0, tableRows).map((metric) => `${codeSpan(metric.name)} ${metric.value}`);
  const more = metrics.length > shown.length ? [`and ${metrics.length - shown.length} more`] : [];
  return [...shown, ...more].join(' · ');
}

export function comparisonSummary(comparison: ComparisonDocument): string {
  const rows = [...comparison.metrics, ...comparison.slices].sort(
    (left, right) => verdictOrder[left.gate] - verdictOrder[right.gate],
  );
  return section(comparison.verdict, escapeMarkdown(gatesSentence(comparison), 500), [
    [
      [`Outcome ${codeSpan(comparison.outcome)}, ${count(comparison.rows)} rows.`, claimText(comparison)]
        .join(' ')
        .trim(),
    ],
    summaryTable(
      ['| metric | production | candidate | change (95 % interval) | allowed | verdict |', '|---|--:|--:|--:|--:|---|'],
      rows.map(metricRow),
    ),
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

/** An image is there only where its model was safe to load. */
export function imageSentence(image: ImageDocument, probe: ProbeDocument | null): string {
  const failed = probe?.checks.find((check) => check.verdict === 'fail' || check.verdict === 'inconclusive');
  if (failed !== undefined) return plainText(`The image fails ${failed.id}: ${failed.detail}.`, 500);
  if (probe !== null && probe.verdict === 'fail')
    return 'The image predicts something else than its training stage did.';
  return `The image was ${image.cache === 'hit' ? 'found by its key' : 'built'}${probe === null ? '' : ' and answers as its signature says'}.`;
}

export function imageSummary(image: ImageDocument, probe: ProbeDocument | null): string {
  return section(probe?.verdict ?? 'pass', escapeMarkdown(imageSentence(image, probe), 500), [
    [
      `${codeSpan(image.reference ?? image.imageId, 300)}, ${megabytes(image.bytes)} · image key ${codeSpan(image.imageKey)}`,
    ],
    probe === null
      ? []
      : summaryTable(
          ['| probe | verdict | |', '|---|---|---|'],
          probe.checks.map(
            (check) =>
              `| ${codeSpan(check.id)} | ${icons[check.verdict]} ${check.verdict} | ${escapeMarkdown(check.detail)} |`,
          ),
        ),
  ]);
}

export function promotionVerdict(document: PromotionDocument | RollbackDocument): Verdict {
  const { outcome } = document;
  if (outcome === 'pending') return 'pending';
  return outcome === 'held' || outcome === 'blocked' || outcome === 'conflict' ? 'fail' : 'pass';
}

export function promotionSentence(document: PromotionDocument | RollbackDocument): string {
  const reason = document.reason === null ? '' : `: ${document.reason}`;
  return plainText(`${document.outcome}: ${document.model} in ${document.environment}${reason}`, 800);
}

export function promotionSummary(document: PromotionDocument | RollbackDocument): string {
  const { pullRequest } = document;
  return section(promotionVerdict(document), escapeMarkdown(promotionSentence(document), 800), [
    pullRequest === null
      ? proposed(document)
      : [`Pull request [#${pullRequest.number}](${safeLink(pullRequest.url)})${document.merged ? ', merged' : ''}`],
    ...document.edits.map(editBlock),
  ]);
}

/** A remote without pull requests: the branch, and the page on which a person opens one. */
function proposed({ branch, commit, merged, proposal }: PromotionDocument | RollbackDocument): string[] {
  if (commit === null || branch === null) return [];
  if (merged) return [`Pushed to the base branch at ${codeSpan(commit.slice(0, 12))}`];
  const place = `Pushed ${codeSpan(branch)} at ${codeSpan(commit.slice(0, 12))}`;
  const isPage = proposal !== undefined && /^https?:\/\/\S+$/.test(proposal.url);
  return [isPage ? `${place}: [open the pull request](${safeLink(proposal.url)})` : place];
}

function editBlock(edit: Edit): string[] {
  const change = recordChange(edit);
  if (change !== null) return [`${codeSpan(edit.file)}: ${change}`];
  return [codeSpan(edit.file), '', ...fenced(edit.diff)];
}

/** Untrusted text in a fence that it cannot close: what is measured is what will stand there. */
function fenced(text: string): string[] {
  const all = text.split('\n');
  const lines = all.slice(0, diffLines).map((line) => plainText(line, 300));
  let longest = 2;
  for (const line of lines) for (const [run] of line.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  const more = all.length > lines.length ? ['', `… and ${count(all.length - lines.length)} more lines.`] : [];
  return [`${fence}diff`, ...lines, fence, ...more];
}
