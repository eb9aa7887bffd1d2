import { age, codeSpan, escapeMarkdown, shortDigest } from '@passloop/core';
import type { ModelReport, ReportDocument } from '@passloop/documents';
import { changedLine } from './changed-line.ts';
import {
  dataDetails,
  environmentDetails,
  folded,
  groupDetails,
  methodDetails,
  sliceDetails,
} from './comment-details.ts';
import { dataLine, environmentLine, metricTable, policyLine, trainingLine } from './comment-parts.ts';
import { affectedModels, explanation, headline, reportHeadline } from './headline.ts';
import { phraseMarkdown } from './phrase.ts';
import { icons } from './words.ts';

/** GitHub refuses a comment above 65,536 characters; the rest is for the marker and for what an editor adds. */
export const commentLimit = 65_000;
/** A job summary above 1 MiB is dropped as a whole, and a step may write several. In bytes. */
export const summaryLimit = 400_000;
/** GitHub takes 65,535 bytes as a check run's summary. */
export const checkLimit = 60_000;

export type CommentLinks = { report?: string | undefined; run?: string | undefined };

/**
 * What is shed, step by step. `all` lists what passed too; `lean` has no data details, `brief` no folded section of a
 * single model; `some` has the models that fit, what blocks first; `row` has a row per model, or of a single one the numbers
 * and the start of its reason; `line` has a row per model without its reason.
 */
type Detail = 'all' | 'full' | 'short' | 'lean' | 'brief' | 'some' | 'row' | 'line';
const shedding = ['full', 'short', 'lean', 'brief', 'some', 'row', 'line'] as const;

const shortReason = 400;

/**
 * The pull-request comment: the verdict sentence first, the numbers that made it, everything else folded away.
 * Sections are shed until it fits, what decides least first, and a line says which; the verdict always stays. Who posts it
 * adds the hidden marker.
 */
export function renderComment(report: ReportDocument, links: CommentLinks = {}, limit = commentLimit): string {
  return fitting(report, links, { limit, sizeOf: (text) => text.length, details: shedding });
}

/** The job summary, or a check run's: the same report, with what passed as well where there is room. `limit` in bytes. */
export function renderSummary(report: ReportDocument, links: CommentLinks = {}, limit = summaryLimit): string {
  return fitting(report, links, { limit, sizeOf: Buffer.byteLength, details: ['all', ...shedding] });
}

type Room = { limit: number; sizeOf: (text: string) => number; details: readonly Detail[] };

function fitting(report: ReportDocument, links: CommentLinks, room: Room): string {
  for (const detail of room.details) {
    const text = compose(report, links, detail, room);
    if (room.sizeOf(text) <= room.limit) return text;
  }
  // The verdict alone: whatever else is said of it doesn't fit.
  return `${heading(report)}\n\nThe report is too long for this place.\n`;
}

function heading(report: ReportDocument): string {
  return `### ${icons[report.verdict]} ${phraseMarkdown(reportHeadline(report))}`;
}

function compose(report: ReportDocument, links: CommentLinks, detail: Detail, { limit, sizeOf }: Room): string {
  const affected = affectedModels(report);
  const [only] = affected;
  const lines = [heading(report), ''];
  if (only === undefined) {
    if (report.models.length > 0) lines.push('Nothing that a model depends on has changed.', '');
  } else if (affected.length === 1) {
    lines.push(...(detail === 'row' || detail === 'line' ? modelNumbers(only) : modelBody(only, report, detail)));
  } else {
    lines.push(...modelTable(affected, detail));
  }
  const end: string[] = [];
  const untouched = report.models.length - affected.length;
  if (untouched > 0 && affected.length > 0)
    end.push(`${untouched} other ${untouched === 1 ? 'model is' : 'models are'} not affected.`, '');
  end.push(footer(report, affected, links), '');
  if (affected.length > 1 && detail !== 'row' && detail !== 'line') {
    const room = detail === 'some' ? limit - sizeOf([...lines, ...end].join('\n')) : Number.POSITIVE_INFINITY;
    lines.push(...foldedModels(affected, report, detail, { limit: room, sizeOf }));
  } else if (affected.length > 1) {
    lines.push(`Details of ${affected.length} models are left out here for their length: the report has them.`, '');
  }
  return [...lines, ...end].join('\n');
}

function modelTable(affected: readonly ModelReport[], detail: Detail): string[] {
  const rows = detail === 'line' ? 20 : affected.length;
  return [
    '| model | verdict | why |',
    '|---|---|---|',
    ...affected.slice(0, rows).map((model) => modelRow(model, detail)),
    ...(affected.length > rows ? [`| … and ${affected.length - rows} more | | |`] : []),
    '',
  ];
}

/** The details of each model, folded; of as many as there is room for, in the order of the table. */
function foldedModels(
  affected: readonly ModelReport[],
  report: ReportDocument,
  detail: Exclude<Detail, 'row' | 'line'>,
  { limit, sizeOf }: Omit<Room, 'details'>,
): string[] {
  const inner = { all: 'all', full: 'short', short: 'lean', lean: 'brief', brief: 'brief', some: 'brief' } as const;
  const lines: string[] = [];
  const rest = (left: number) =>
    `Details of ${left} more ${left === 1 ? 'model' : 'models'} are left out here for their length: the report has them.`;
  let used = sizeOf(rest(affected.length)) + 2;
  for (const [i, model] of affected.entries()) {
    const named = digests(model, report);
    const part = folded(`${icons[model.verdict]} ${codeHtml(model.name)}`, [
      `**${phraseMarkdown(headline(model))}**`,
      '',
      ...modelBody(model, report, inner[detail]),
      ...(named.length === 0 ? [] : [`<sub>${named.join(' · ')}</sub>`, '']),
    ]);
    used += sizeOf(part.join('\n')) + 1;
    if (used > limit) {
      lines.push(rest(affected.length - i), '');
      break;
    }
    lines.push(...part);
  }
  return lines;
}

/** Inside `<summary>` GitHub reads no Markdown. A model's name has letters, digits and "-" alone. */
function codeHtml(name: string): string {
  return `<code>${name.replace(/[^-a-z0-9]/g, '')}</code>`;
}

function modelRow(model: ModelReport, detail: Detail): string {
  const { lead } = explanation(model);
  const [reason = ''] = model.reasons;
  // A headline says the first sentence of a reason, and here is none.
  const said = lead !== null && (model.verdict === 'pass' || lead.startsWith(reason)) ? lead : reason;
  const why = detail === 'line' ? '' : phraseMarkdown(shortened(said));
  return `| ${codeSpan(model.name)} | ${icons[model.verdict]} ${model.verdict} | ${why} |`;
}

function shortened(phrase: string): string {
  return phrase.length > shortReason ? `${phrase.slice(0, shortReason - 1).replaceAll('`', '')}…` : phrase;
}

/** Of a model whose texts are too long for any place: the start of its reason, and its numbers. */
function modelNumbers(model: ModelReport): string[] {
  const { lead } = explanation(model);
  return [
    ...(lead === null ? [] : [phraseMarkdown(shortened(lead)), '']),
    ...metricTable(model),
    'All else is left out here for its length: the report has it.',
    '',
  ];
}

function modelBody(model: ModelReport, report: ReportDocument, detail: Exclude<Detail, 'row' | 'line'>): string[] {
  const lines: string[] = [];
  if (model.policy.differences.length > 0) lines.push(policyLine(model, report), '');
  const { lead, more } = explanation(model);
  if (lead !== null) lines.push(phraseMarkdown(lead), '');
  if (more.length > 0) lines.push(...more.slice(0, 4).map((reason) => `- ${phraseMarkdown(reason)}`));
  if (more.length > 4) lines.push(`- … and ${more.length - 4} more`);
  if (more.length > 0) lines.push('');
  lines.push(...metricTable(model));
  for (const line of [environmentLine(model), dataLine(model.data), trainingLine(model)])
    if (line !== '') lines.push(line, '');
  const changed = changedLine(model.changes);
  if (changed !== null) lines.push(changed, '');
  if (model.policy.differences.length === 0) lines.push(policyLine(model, report), '');
  const sections = [
    { name: 'slices', lines: sliceDetails(model), isShown: detail !== 'brief' && detail !== 'some' },
    { name: 'groups', lines: groupDetails(model), isShown: detail !== 'brief' && detail !== 'some' },
    {
      name: "environments' gates",
      lines: environmentDetails(model),
      isShown: detail !== 'brief' && detail !== 'some',
    },
    {
      name: 'data checks and drift',
      lines: dataDetails(model.data, detail === 'all' || detail === 'full' ? detail : 'short'),
      isShown: detail === 'all' || detail === 'full' || detail === 'short',
    },
    {
      name: 'how these numbers were made',
      lines: methodDetails(model),
      isShown: detail !== 'brief' && detail !== 'some',
    },
  ].filter((section) => section.lines.length > 0);
  lines.push(...sections.filter(({ isShown }) => isShown).flatMap((section) => section.lines));
  const left = sections.filter(({ isShown }) => !isShown).map(({ name }) => name);
  if (left.length > 0) lines.push(`Left out here for its length: ${left.join(', ')}. The report has it.`, '');
  return lines;
}

/** What names the two models and the run. */
function digests(model: ModelReport, report: ReportDocument): string[] {
  const parts: string[] = [];
  if (model.production) {
    const known = report.madeAt === null ? '' : `, as of ${age(model.production.at, report.madeAt)}`;
    parts.push(
      `production ${codeSpan(shortDigest(model.production.modelDigest))} (deployed by ${codeSpan(model.production.deployCommit.slice(0, 7))}${known})`,
    );
  }
  if (model.run) parts.push(`candidate ${codeSpan(shortDigest(model.run.modelDigest))}`);
  if (model.runKey) parts.push(`run key ${codeSpan(`${model.runKey.slice(0, 12)}…`)}`);
  return parts;
}

function footer(report: ReportDocument, affected: readonly ModelReport[], links: CommentLinks): string {
  const parts: string[] = [];
  const [model] = affected;
  if (model !== undefined && affected.length === 1) parts.push(...digests(model, report));
  if (links.report !== undefined) parts.push(`[report](${safeLink(links.report)})`);
  if (links.run !== undefined) parts.push(`[run](${safeLink(links.run)})`);
  parts.push(`passloop ${escapeMarkdown(report.passloop)}`);
  return `<sub>${parts.join(' · ')}</sub>`;
}

/** A link's target that ends neither its parentheses nor its line, and shows no character that a reader can't see. */
export function safeLink(url: string): string {
  return /^https?:\/\/[!-~]{1,2000}$/.test(url) && !/[()<>"`|\\]/.test(url) ? url : '#';
}
