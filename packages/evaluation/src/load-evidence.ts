import { ConfigurationError } from '@passloop/core';
import type { Gate } from '@passloop/model';
import type { Table } from '@passloop/tables';
import type { Evidence } from './evidence.ts';
import type { EvaluationFrame } from './frame.ts';
import { hasSeveralSeeds } from './frame-plan.ts';
import { requireValues } from './frame-values.ts';
import { type LargeQuestion, measureLarge, notInEngine } from './large-evidence.ts';
import { writeLargeTable } from './large-table.ts';
import {
  declaredMetrics,
  digestOfRows,
  type FrameQuestion,
  type FrameTables,
  frameOfRows,
  type JoinedRows,
  joinedRows,
} from './load-frame.ts';
import type { Resampling } from './measure.ts';
import type { Metric } from './metric.ts';
import { metricNamed } from './metrics.ts';

/**
 * Values (rows times columns) that are read into memory: 200 MB as doubles, and some times that while they are measured.
 * Labels, two scores and two predictions of 5 million rows, or with five slices of 2.5 million.
 */
export const mostValues = 25_000_000;

export type EvidenceQuestion = Omit<FrameQuestion, 'metrics' | 'slices'> &
  FrameTables<Table> & {
    gates: readonly Gate[];
    resampling: Resampling;
    /** {@link mostValues} by default. */
    most?: number;
  };

/**
 * What {@link compareModels} needs of the rows that both models scored: the rows themselves, or, where they are too many,
 * what the engine measures of them. The checks of keys and values and the results are the same.
 *
 * @throws ConfigurationError as {@link loadFrame} does, and for a metric that needs more rows in memory than there may be
 */
export async function evidenceOfTables(asked: EvidenceQuestion): Promise<EvaluationFrame | Evidence> {
  const { gates, most = mostValues } = asked;
  if (hasSeveralSeeds(asked)) requireSeedGates(asked);
  const rows = await joinedRows({
    ...asked,
    slices: [...new Set(gates.flatMap((gate) => gate.slices))],
    metrics: gates.map((gate) => gate.metric),
  });
  const values = rows.joined.rows * (rows.columns.length + rows.operands.length);
  if (values <= most) return frameOfRows(rows);
  if (hasSeveralSeeds(asked)) throw tooLargeForSeeds(rows, most);
  return largeEvidence(rows, asked, most);
}

/** @throws ConfigurationError for a gap between groups: what its groups are is not told for several models a side */
function requireSeedGates({ gates, declared = {}, candidate }: EvidenceQuestion): void {
  const gap = gates.find(({ metric }) => Object.hasOwn(declared, metric) && declared[metric]?.kind === 'fairness');
  if (gap === undefined) return;
  throw new ConfigurationError(`${gap.metric} is a gap between groups, which is not measured over several seeds.`, {
    file: candidate.source?.uri,
    hint: 'Compare gaps between groups with one file a side.',
  });
}

function tooLargeForSeeds({ request, joined, columns, operands }: JoinedRows, most: number): ConfigurationError {
  const count = columns.length + operands.length;
  return new ConfigurationError(
    `Several seeds are compared in memory, and ${joined.rows} rows with ${count} columns are more than ${most} values.`,
    {
      file: request.candidate.source?.uri,
      hint: `Score ${Math.floor(most / count)} rows or fewer, drawn at random once and for all, give fewer seeds, or one file a side.`,
    },
  );
}

async function largeEvidence(
  rows: JoinedRows,
  { gates, resampling }: EvidenceQuestion,
  most: number,
): Promise<Evidence> {
  const { request, joined, columns, operands, custom, coded } = rows;
  const declared = declaredMetrics(rows);
  const questions = questionsOf(gates, declared, request.task);
  requireInEngine(rows, questions, most);
  const { session } = request;
  const { key } = request.columns;
  const { codes } = coded;
  const { table, summaries } = await writeLargeTable({
    session,
    joined,
    key,
    columns,
    operands,
    codes,
    coded,
    custom,
  });
  try {
    await requireValues(session, request, { columns, rows: joined.rows, summaries });
    const shape = { task: request.task, classes: coded.classes, declared, evaluationDigest: await digestOfRows(rows) };
    const slices = [...coded.slices].map(([{ column }, values]) => ({ column: column.name, values }));
    const hasProduction = request.production !== null;
    return await measureLarge({ table, shape, slices, hasProduction, resampling }, questions);
  } finally {
    await table.remove();
  }
}

/** The metrics that the gates name and these rows can have: of the others the comparison says why not. */
function questionsOf(
  gates: readonly Gate[],
  declared: Readonly<Record<string, Metric>>,
  task: EvaluationFrame['task'],
): LargeQuestion[] {
  return [...new Set(gates.map(({ metric }) => metric))].flatMap((name) => {
    const metric = metricNamed(name, declared);
    if (metric === null || !metric.tasks.includes(task)) return [];
    return { name, metric, slices: gates.filter((gate) => gate.metric === name).flatMap((gate) => gate.slices) };
  });
}

function requireInEngine(
  { request, joined, columns, operands }: JoinedRows,
  questions: readonly LargeQuestion[],
  most: number,
): void {
  for (const { name, metric } of questions) {
    const reason = notInEngine(metric);
    if (reason === null) continue;
    const count = columns.length + operands.length;
    throw new ConfigurationError(
      `${name} can't be measured on ${joined.rows} rows with ${count} columns: of more than ${most} values the rows stay in the engine, and ${reason}.`,
      {
        file: request.candidate.source?.uri,
        hint: `Score ${Math.floor(most / count)} rows or fewer, drawn at random once and for all, or leave the metric out.`,
      },
    );
  }
}
