import {
  change,
  codeSpan,
  count,
  digitsOf,
  escapeMarkdown,
  interval,
  metricName,
  plainText,
  quantity,
  shortDigest,
} from '@passloop/core';
import type { Change, ComparedMetric, ComparisonDocument, RecordDocument } from '@passloop/documents';
import type { PullRequestText } from './forge.ts';
import { promotionMarker, trailerMarker } from './refused-promotion.ts';

/** What a pull request says beside the record; all of it is untrusted text. */
export type PromotionEvidence = {
  comparison: ComparisonDocument | null;
  /** What changed between production's run and this one; null where that can't be told. */
  changes: readonly Change[] | null;
  /** What was done with the image and the run, each a few words: `reproduced (predictions equal)`, `image probed`. */
  facts: readonly string[];
  /** How the data was checked, a dataset each; absent where nobody says. */
  data?: readonly DataEvidence[] | undefined;
  /** Whether the image that is left is in its registry; null where there is none, or nobody could ask. */
  previousImage: 'present' | 'gone' | null;
};

/** What the checks and drift measurements of a dataset came to. */
export type DataEvidence = { dataset: string; rows: number | null; executed: number; passed: number };

/** What the deploy repository says beside the record. */
export type PromotionPlace = {
  runsIn: RunsIn | null;
  /** Names under which the targets pull the image, where they aren't the one that it was pushed to. */
  pulledAs: readonly string[];
  /** What the edits can't do, and who else writes there. */
  notes?: readonly string[];
  /** The commit that brought production's record, which the comparison was made with; null or absent where it isn't known. */
  productionCommit?: string | null | undefined;
  /** What the manifests say otherwise than they read, as lines. */
  findings?: readonly string[];
};

/** The environment before this one in which the same image runs, and since when (ISO 8601, UTC). */
export type RunsIn = { environment: string; since: string };

const titleLimit = 255;
const bodyLimit = 65_000;
const rowLimit = 40;

export function promotionText(
  record: RecordDocument,
  evidence: PromotionEvidence,
  files: readonly { file: string; lines: number | null }[],
  place: PromotionPlace = { runsIn: null, pulledAs: [] },
): PullRequestText {
  const { deployment } = record;
  const metric = evidence.comparison?.metrics.find((one) => one.delta !== null) ?? null;
  const headline =
    metric === null ? '' : `, ${metricName(metric.name)} ${change(metric.delta, digitsOf(metric))}, ${metric.verdict}`;
  const title = `promote(${record.model} → ${deployment.environment}): ${record.version}${headline}`;
  const parts = [
    verdictSentence(record, evidence.comparison, place.runsIn),
    metricTable(evidence.comparison, deployment.environment),
    comparedWithLine(record, evidence.comparison, place.productionCommit ?? null),
    [
      changesLine(evidence.changes, deployment.previous !== null),
      ...dataLine(evidence.data),
      provenanceLine(record, evidence.facts),
      undoLine(record, evidence.previousImage),
      ...pulledAsLine(record, place.pulledAs),
      ...lookAt(place.notes ?? []),
      ...(place.findings ?? []),
    ].join('\n'),
    filesLine(files),
  ];
  return pullRequestText(title, parts, promotionMarker(record));
}

export function rollbackText(
  record: RecordDocument,
  left: RecordDocument,
  { reason, hold, notes = [] }: { reason: string; hold: string | null; notes?: readonly string[] },
  files: readonly { file: string; lines: number | null }[],
  findings: readonly string[] = [],
): PullRequestText {
  const { environment } = record.deployment;
  const title = `rollback(${record.model} → ${environment}): ${left.version} back to ${record.version}`;
  const metrics = record.metrics
    .slice(0, rowLimit)
    .map(({ name, value }) => {
      const now = left.metrics.find((one) => one.name === name)?.value;
      return `| ${escapeMarkdown(metricName(name))} | ${number({ name }, now ?? null)} | ${number({ name }, value)} |`;
    })
    .join('\n');
  const parts = [
    `**${escapeMarkdown(record.model)}** goes back from ${codeSpan(shortDigest(left.image.digest))} to ${codeSpan(shortDigest(record.image.digest))} in **${escapeMarkdown(environment)}**, which ran there before. Nothing is trained or built; its record verifies and its image is in the registry.`,
    metrics === ''
      ? ''
      : `| metric, when recorded | ${escapeMarkdown(environment)} now | after this |\n|---|--:|--:|\n${metrics}`,
    [
      `**Why** ${escapeMarkdown(reason, 1000)}`,
      hold === null
        ? '**What stays out** nothing: the model is the same, in another image that is held.'
        : `**What stays out** model ${codeSpan(shortDigest(left.modelDigest))} is held by ${codeSpan(hold)} and isn't promoted again until \`passloop hold ${left.modelDigest} --lift\`.`,
      `**Where it comes from** ${sourceOf(record)}`,
      ...lookAt(notes),
      '**To undo it** revert this commit: image, record and hold go together.',
      ...findings,
    ].join('\n'),
    filesLine(files),
  ];
  return pullRequestText(title, parts, promotionMarker(record));
}

/** What a person should know before the merge, in the words of whoever found it. */
function lookAt(notes: readonly string[]): string[] {
  return notes.slice(0, 20).map((note) => `**Look at** ${escapeMarkdown(note, 1500)}`);
}

/** Title and body within GitHub's limits, with the markers by which a promotion's pull request is known again. */
export function pullRequestText(title: string, parts: readonly string[], mark: string | null): PullRequestText {
  const marker = mark === null ? '' : `\n\n${mark}`;
  const body = parts.filter((part) => part !== '').join('\n\n');
  return { title: plainText(title, titleLimit), body: `${clipped(body, bodyLimit - marker.length)}${marker}\n` };
}

/** A promotion by its commit alone, where the run that had more to say of it is over. */
export function commitText(message: string): PullRequestText {
  const [headline = '', ...rest] = message.trimEnd().split('\n');
  const parts = [
    'Two runs wrote this pull request at once; this text is made from the commit that its branch holds. The record in it has the rest.',
    `<pre>\n${escapeMarkdown(rest.join('\n').trim(), bodyLimit / 2)}\n</pre>`,
  ];
  return pullRequestText(headline, parts, trailerMarker(message));
}

function clipped(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.lastIndexOf('\n', limit - 64);
  return `${text.slice(0, cut > 0 ? cut : limit - 64).trimEnd()}\n\n… the rest is in the record.`;
}

function verdictSentence(record: RecordDocument, comparison: ComparisonDocument | null, runsIn: RunsIn | null): string {
  const { environment, previous } = record.deployment;
  const name = `**${escapeMarkdown(record.model)}**`;
  const to = codeSpan(shortDigest(record.image.digest));
  const move =
    previous === null
      ? `${name} comes to **${escapeMarkdown(environment)}** for the first time, as ${to}.`
      : `${name} moves from ${codeSpan(shortDigest(previous.imageDigest))} to ${to} in **${escapeMarkdown(environment)}**.`;
  const passed = record.gates.filter(({ verdict }) => verdict === 'pass').length;
  const rest = record.gates.length - passed;
  if (record.gates.length === 0) return `${move} No gate was evaluated.`;
  const all = `${record.gates.length} gate${record.gates.length === 1 ? '' : 's'}`;
  const gates = `It passed ${rest === 0 ? all : `${passed} of ${all}`}`;
  const against =
    comparison === null || comparison.production === null
      ? ''
      : ` against what ${escapeMarkdown(environment)} runs now`;
  const others =
    rest === 0
      ? ''
      : ` (${record.gates
          .filter(({ verdict }) => verdict !== 'pass')
          .slice(0, 5)
          .map((gate) => `${escapeMarkdown(gate.metric)}: ${gate.verdict}`)
          .join(', ')})`;
  const overridden = record.overrides.length === 0 ? '' : ` ${record.overrides.length} override(s) apply.`;
  // A moment, and not a duration: the same promotion says the same whenever it is tried.
  const soaked =
    runsIn === null
      ? ''
      : `, and has run in ${escapeMarkdown(runsIn.environment)} since ${runsIn.since.slice(0, 16).replace('T', ' ')} UTC`;
  return `${move} ${gates}${against}${others}${soaked}.${overridden}`;
}

function metricTable(comparison: ComparisonDocument | null, environment: string): string {
  if (comparison === null || comparison.metrics.length === 0) return '';
  const rows = comparison.metrics
    .slice(0, rowLimit)
    .map(
      (metric) =>
        `| ${escapeMarkdown(metricName(metric.name))} | ${number(metric, metric.production)} | ${number(metric, metric.candidate)} | ${verdictText(metric)} |`,
    );
  const more = comparison.metrics.length - rows.length;
  return [
    `| metric | ${escapeMarkdown(environment)} now | this | verdict |`,
    '|---|--:|--:|---|',
    ...rows,
    ...(more > 0 ? [`| … ${more} more | | | |`] : []),
  ].join('\n');
}

/** Numbers are of a moment: which production they were compared with. Where another one runs by then, the promotion compares again. */
function comparedWithLine(
  { deployment }: RecordDocument,
  comparison: ComparisonDocument | null,
  commit: string | null,
): string {
  if (comparison === null || deployment.previous === null || comparison.metrics.length === 0) return '';
  const at = commit === null ? '' : `, which came with ${commit}`;
  return `Compared with record ${codeSpan(shortDigest(deployment.previous.record))} of ${escapeMarkdown(deployment.environment)}${at}.`;
}

function verdictText(metric: ComparedMetric): string {
  if (metric.delta === null) return metric.verdict;
  const digits = digitsOf(metric);
  const allowed =
    metric.margin === null ? '' : `, allowed ${metric.direction === 'higher' ? '−' : '+'}${metric.margin}`;
  return `${metric.verdict}: ${change(metric.delta, digits)}${interval(metric.interval, digits)}${allowed}`;
}

function changesLine(changes: readonly Change[] | null, hasPrevious: boolean): string {
  const why = '**Why it differs**';
  if (!hasPrevious) return `${why} there is nothing to compare with`;
  if (changes === null) return `${why} can't be told: the commit that production comes from is not known here`;
  if (changes.length === 0) return `${why} nothing that a run is made of changed`;
  const listed = changes.slice(0, rowLimit).map(({ kind, subject, from, to }) => {
    const move =
      from === null && to === null
        ? ''
        : ` ${escapeMarkdown(from ?? 'absent', 80)} → ${escapeMarkdown(to ?? 'absent', 80)}`;
    return `${kind} ${codeSpan(subject, 120)}${move}`;
  });
  const more = changes.length - listed.length;
  const same = (['code', 'params', 'data', 'environment'] as const).filter(
    (kind) => !changes.some((change) => change.kind === kind),
  );
  return `${why} ${listed.join(' · ')}${more > 0 ? ` · … ${more} more` : ''}${same.length === 0 ? '' : ` · ${same.join(', ')} the same`}`;
}

function provenanceLine(record: RecordDocument, facts: readonly string[]): string {
  return `**Where it comes from** ${[sourceOf(record), ...facts.slice(0, 12).map((fact) => escapeMarkdown(fact))].join(' · ')}`;
}

function sourceOf(record: RecordDocument): string {
  const { source } = record;
  if (source === null) return 'a record without a source (adopted)';
  const commit = source.commit.slice(0, 12);
  const run = source.run === null ? '' : ` (run ${codeSpan(source.run, 300)})`;
  return `${source.repository === null ? codeSpan(commit) : codeSpan(`${source.repository}@${commit}`)}${run}`;
}

function undoLine(record: RecordDocument, previousImage: PromotionEvidence['previousImage']): string {
  const { environment, previous } = record.deployment;
  const command = `passloop rollback ${record.model} --environment ${environment}`;
  if (previous === null) return '**To undo it** revert this commit.';
  if (previousImage === 'gone')
    return `**To undo it** nothing yet: the old image is gone from its registry. Push ${codeSpan(shortDigest(previous.imageDigest))} again before this is merged.`;
  const checked = previousImage === 'present' ? ' (the old image is still in its registry, checked)' : '';
  return `**To undo it** revert this commit${checked}, or \`${command}\`.`;
}

/** What can't be promoted isn't said here: a check that fails stops before. What warns is. */
function dataLine(data: readonly DataEvidence[] | undefined): string[] {
  if (data === undefined) return [];
  if (data.length === 0) return ['**Data** nothing was checked'];
  const said = data.slice(0, rowLimit).map(({ dataset, rows, executed, passed }) => {
    const all = `${executed} check${executed === 1 ? '' : 's'}`;
    const result = passed >= executed ? `${all} passed` : `${passed} of ${all} passed, the rest warn`;
    return `${codeSpan(dataset)} ${result}${rows === null ? '' : ` on ${count(rows)} rows`}`;
  });
  return [`**Data** ${said.join(' · ')}${data.length > said.length ? ` · … ${data.length - said.length} more` : ''}`];
}

/** A mirror has the same digests; a name that was never pushed to has none, and the rollout would hang. */
function pulledAsLine({ image }: RecordDocument, pulledAs: readonly string[]): string[] {
  if (pulledAs.length === 0) return [];
  const names = pulledAs.slice(0, 5).map((name) => codeSpan(name));
  const pushed = codeSpan(image.reference.slice(0, image.reference.lastIndexOf('@')));
  return [
    `**Look at** ${names.join(', ')}: the cluster pulls by that name, and the image was pushed to ${pushed}. Is one a mirror of the other?`,
  ];
}

function filesLine(files: readonly { file: string; lines: number | null }[]): string {
  const listed = files
    .slice(0, rowLimit)
    .map(({ file, lines }) => `${codeSpan(file)}${lines === null ? '' : ` (${lines} line${lines === 1 ? '' : 's'})`}`);
  const more = files.length - listed.length;
  return `${files.length} file${files.length === 1 ? '' : 's'}: ${listed.join(', ')}${more > 0 ? `, … ${more} more` : ''}`;
}

function number(metric: Parameters<typeof digitsOf>[0], value: string | null): string {
  return value === null ? '–' : escapeMarkdown(quantity(metric.name, value, digitsOf(metric)));
}
