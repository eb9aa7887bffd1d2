import { sum } from '@passloop/statistics';
import type { EvaluationFrame } from './frame.ts';
import { type Found, type LargeEvidence, nothing, type Question, type Side, sidesOf } from './large-question.ts';
import { forEachPart, type Part, type PartSums, type SideSums } from './large-sums.ts';
import type { LargeTable } from './large-table.ts';
import {
  finiteValue,
  missingColumn,
  noProduction,
  orReason,
  type PairedMeasurement,
  sumTolerance,
  tangoInterval,
  whoIs,
} from './measure.ts';
import { neededColumn, type SummedMetric } from './metric.ts';
import { intervalOfSums } from './resample.ts';

/** A metric of sums, of each part: the engine adds, by cells. */
export async function measureSums(question: Question, metric: SummedMetric): Promise<Map<number, Found>> {
  const { large, part, parts } = question;
  const groups = question.groups?.slices[0];
  const { table, shape, resampling } = large;
  const column = neededColumn(metric, shape.task);
  if (column !== null && table.side('candidate')[column] === null) {
    return new Map(parts.map(({ code }) => [code, nothing(missingColumn('the candidate', column))]));
  }
  const sides = sidesOf(large);
  const problems = await problemsOf(question, metric);
  const isPlain = table.weight === null && !table.hasUnits;
  const discordant =
    metric.proportion !== undefined && isPlain && large.hasProduction
      ? await discordance(table, part, metric.proportion)
      : null;
  const found = new Map<number, Found>();
  await forEachPart({ table, shape, part, groups, seed: resampling.seed, sides }, metric, parts, (one, sums) => {
    const value = (side: Side): number | string => {
      const own = sums.sides[side];
      if (own === null) return noProduction;
      const problem = problems.get(one.code)?.[side];
      if (problem !== undefined) return problem;
      const total = own.isFinite ? metric.of(totalsOf(own, sums.width), shape.classes.length) : Number.NaN;
      return finiteValue(total, whoIs(side), one.rows);
    };
    const alone = { production: value('production'), candidate: value('candidate') };
    found.set(one.code, { alone, paired: pairedSums(large, metric, one, sums, alone, discordant?.get(one.code)) });
  });
  return found;
}

type Discordant = { rows: number; productionOnly: number; candidateOnly: number };

function pairedSums(
  large: LargeEvidence,
  metric: SummedMetric,
  part: Part,
  sums: PartSums,
  { production, candidate }: Found['alone'],
  discordant: Discordant | undefined,
): PairedMeasurement | string {
  const { shape, resampling } = large;
  if (!large.hasProduction) return noProduction;
  if (part.rows < 2) return `${part.rows} rows are too few`;
  if (typeof production === 'string') return production;
  if (typeof candidate === 'string') return candidate;
  const [before, after] = [sums.sides.production!, sums.sides.candidate!];
  const interval = orReason(() =>
    discordant !== undefined
      ? tangoInterval(discordant, resampling.level)
      : intervalOfSums(
          metric,
          {
            plan: sums.plan,
            width: sums.width,
            classes: shape.classes.length,
            production: before.cells,
            candidate: after.cells,
            units: part.units,
            unweighted: () => [before.unweighted, after.unweighted],
          },
          { ...resampling, permute: true },
        ),
  );
  if (typeof interval === 'string') return interval;
  return { production, candidate, delta: candidate - production, level: resampling.level, ...interval };
}

function totalsOf({ cells }: SideSums, width: number): Float64Array {
  const count = cells.length / width;
  return Float64Array.from({ length: width }, (_, k) =>
    sum(Float64Array.from({ length: count }, (_, cell) => cells[cell * width + k]!)),
  );
}

/** The rows that one model alone has right, of all rows or of those of the positive class. */
async function discordance(
  table: LargeTable,
  part: string | null,
  of: 'rows' | 'positives',
): Promise<Map<number, Discordant>> {
  const { label, prediction } = table.side('candidate');
  const before = table.side('production').prediction;
  const [right, wrong] = [`${prediction} = ${label}`, `${prediction} <> ${label}`];
  const rows = await table.session.rows(
    `SELECT ${part ?? '0'} AS part, count(*), count_if(${wrong} AND ${before} = ${label}), count_if(${right} AND ${before} <> ${label})
     FROM ${table.relation} ${of === 'positives' ? `WHERE ${label} = 1` : ''} GROUP BY part`,
  );
  return new Map(
    rows.map(([code, count, productionOnly, candidateOnly]) => [
      Number(code),
      { rows: Number(count), productionOnly: Number(productionOnly), candidateOnly: Number(candidateOnly) },
    ]),
  );
}

/** Why a metric can't be measured on a part's rows, by its code: what a frame in memory looks for in its arrays. */
async function problemsOf(
  { large, part, parts, groups }: Question,
  { problem, probabilities }: SummedMetric,
): Promise<Map<number, Partial<Record<Side, string>>>> {
  const { table, shape } = large;
  const found = new Map<number, Partial<Record<Side, string>>>(parts.map(({ code }) => [code, {}]));
  if (problem !== undefined) {
    const { label } = table.side('candidate');
    const rows = await table.session.rows(
      `SELECT ${part ?? '0'} AS part, min(abs(${label})) FROM ${table.relation} GROUP BY part`,
    );
    for (const [code, nearest] of rows) {
      // What a problem looks for among labels is 0.
      const labels = Float64Array.of(Number(nearest));
      const reason = problem({ ...shape, labels, slices: groups?.slices ?? [] } as unknown as EvaluationFrame);
      if (reason !== null) found.set(Number(code), { production: reason, candidate: reason });
    }
  }
  if (probabilities !== true) return found;
  for (const side of sidesOf(large)) {
    const { scores } = table.side(side);
    if (scores === null) continue;
    const total = scores.join(' + ');
    const rows = await table.session.rows(
      `SELECT ${part ?? '0'} AS part, arg_min(${total}, "row") FROM ${table.relation} WHERE abs(${total} - 1) > ${sumTolerance} GROUP BY part`,
    );
    for (const [code, first] of rows) {
      const known = found.get(Number(code))!;
      known[side] ??=
        `it needs probabilities, and the scores of a row of ${whoIs(side)} have the sum ${Number(Number(first).toPrecision(6))}`;
    }
  }
  return found;
}
