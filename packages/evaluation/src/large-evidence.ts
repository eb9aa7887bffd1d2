import { delongOfSums, type PlacementSums, sum } from '@passloop/statistics';
import type { Evidence } from './evidence.ts';
import { exactSum } from './exact-sums.ts';
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import { placementSums } from './large-areas.ts';
import { measureCurves } from './large-curves.ts';
import { measureQueries } from './large-queries.ts';
import {
  type FrameShape,
  forEachPart,
  largestOf,
  type Part,
  type PartSums,
  partsOf,
  type SideSums,
} from './large-sums.ts';
import type { LargeTable } from './large-table.ts';
import {
  areaMeasurement,
  finiteValue,
  missingColumn,
  noProduction,
  orReason,
  type PairedMeasurement,
  type Resampling,
  sumTolerance,
  tangoInterval,
  whoIs,
} from './measure.ts';
import { frameOfKinds, type Metric, neededColumn, type SummedMetric } from './metric.ts';
import { intervalOfSums } from './resample.ts';

type Side = 'production' | 'candidate';

/** What was found of one metric on some rows: what {@link Evidence} answers with. */
export type Found = { paired: PairedMeasurement | string; alone: Record<Side, number | string> };

/** A metric that will be asked for, and the slices on which it will be. */
export type LargeQuestion = { name: string; metric: Metric; slices: readonly string[] };

export type LargeEvidence = {
  table: LargeTable;
  shape: FrameShape & Pick<EvaluationFrame, 'declared' | 'evaluationDigest'>;
  /** The values of each slice column, in the order of their codes. */
  slices: readonly { column: string; values: readonly string[] }[];
  hasProduction: boolean;
  resampling: Resampling;
};

/** Why a metric can't be measured on rows that stay in the engine; null where it can. */
export function notInEngine(metric: Metric): string | null {
  if (metric.kind !== 'sums' || metric.sql !== undefined || metric.needs === 'prediction') return null;
  return 'its bins are quantiles';
}

/** Measures all that a comparison will ask of these rows. Only sums, counts and bounds leave the engine. */
export async function measureLarge(large: LargeEvidence, questions: readonly LargeQuestion[]): Promise<Evidence> {
  const { table } = large;
  const scopes: Scope[] = [];
  for (const column of [null, ...large.slices.map((slice) => slice.column)]) {
    const asked = column === null ? questions : questions.filter(({ slices }) => slices.includes(column));
    const part = column === null ? null : table.slices.get(column)!;
    if (column === null || asked.length > 0)
      scopes.push({ column, part, parts: await partsOf(table, part), questions: asked });
  }
  const isPlain = table.weight === null && !table.hasUnits;
  const curves = await measureCurves(
    large,
    scopes.map((scope) => ({
      ...scope,
      questions: scope.questions.flatMap(({ name, metric }) =>
        metric.kind === 'curve' && !(metric.area === true && isPlain) ? [{ name, metric }] : [],
      ),
    })),
  );
  const measured = new Map<string | null, Map<number, MeasuredPart>>();
  for (const [at, scope] of scopes.entries()) measured.set(scope.column, await measureParts(large, scope, curves[at]!));
  const parts = new Map<string, Evidence[]>();
  for (const { column, values } of large.slices) {
    const found = measured.get(column);
    parts.set(
      column,
      values.map((_, code) => evidence(large, found?.get(code) ?? { rows: 0, metrics: new Map() }, new Map())),
    );
  }
  return evidence(large, measured.get(null)!.get(0)!, parts);
}

/** All rows, or those of a slice's values, and what is asked of them. */
type Scope = {
  /** The slice; null for all rows. */
  column: string | null;
  /** Its column in the table. */
  part: string | null;
  parts: readonly Part[];
  questions: readonly LargeQuestion[];
};

type MeasuredPart = {
  rows: number;
  metrics: Map<string, Found>;
  /** Of all rows: what gaps between the groups of a column are told of, by the column. */
  groups?: Map<string, EvaluationFrame>;
};

function evidence(large: LargeEvidence, part: MeasuredPart, parts: Map<string, Evidence[]>): Evidence {
  const found = (name: string): Found => {
    const known = part.metrics.get(name);
    if (known === undefined) throw new RangeError(`${name} was not asked for`);
    return known;
  };
  function askGroups<T>(metric: Metric, ask: (frame: EvaluationFrame, metric: SummedMetric) => T, none: T): T {
    const frame = metric.kind === 'sums' && metric.by !== undefined ? part.groups?.get(metric.by) : undefined;
    return frame === undefined ? none : ask(frame, metric as SummedMetric);
  }
  return {
    task: large.shape.task,
    rows: part.rows,
    evaluationDigest: large.shape.evaluationDigest,
    declared: large.shape.declared,
    hasProduction: large.hasProduction,
    slices: large.slices.filter(({ column }) => parts.has(column)),
    paired: (name) => found(name).paired,
    alone: (name, _, of) => found(name).alone[of],
    insufficiency: (metric) => askGroups(metric, (frame, { insufficiency }) => insufficiency?.(frame) ?? null, null),
    groups: (name, metric) => askGroups(metric, (frame, { groups }) => groups?.(name, frame) ?? [], []),
    parts: (column) => parts.get(column) ?? [],
    curves: () => null,
  };
}

/** @param curves what was found of metrics of the ranking, by the part's code */
async function measureParts(
  large: LargeEvidence,
  scope: Scope,
  curves: ReadonlyMap<number, ReadonlyMap<string, Found>>,
): Promise<Map<number, MeasuredPart>> {
  const { part, parts, questions } = scope;
  const groups = new Map<string, EvaluationFrame>();
  for (const { metric } of questions) {
    if (part !== null || metric.kind !== 'sums' || metric.by === undefined || groups.has(metric.by)) continue;
    const found = await groupsOf(large, metric.by);
    if (found !== null) groups.set(metric.by, found);
  }
  const measured = new Map(
    parts.map(({ code, rows }): [number, MeasuredPart] => [code, { rows, metrics: new Map(curves.get(code)), groups }]),
  );
  const ofQueries = questions.flatMap(({ name, metric }) => (metric.kind === 'queries' ? [{ name, metric }] : []));
  const queries = await measureQueries(large, { part, parts, questions: ofQueries });
  for (const [code, found] of queries) for (const [name, one] of found) measured.get(code)!.metrics.set(name, one);
  for (const { name, metric } of questions) {
    if (metric.kind === 'queries' || parts.every(({ code }) => measured.get(code)!.metrics.has(name))) continue;
    const question = { large, part, parts, groups: metric.kind === 'sums' ? groups.get(metric.by ?? '') : undefined };
    const found = metric.kind === 'sums' ? await measureSums(question, metric) : await measureAreas(question);
    for (const { code } of parts) measured.get(code)!.metrics.set(name, found.get(code)!);
  }
  return measured;
}

type Question = {
  large: LargeEvidence;
  part: string | null;
  parts: readonly Part[];
  /** Of a gap between groups: {@link groupsOf} its column. */
  groups: EvaluationFrame | undefined;
};

function sidesOf({ hasProduction }: LargeEvidence): readonly Side[] {
  return hasProduction ? ['production', 'candidate'] : ['candidate'];
}

/** Found nothing, for one reason. */
function nothing(reason: string): Found {
  return { paired: reason, alone: { production: reason, candidate: reason } };
}

async function measureAreas({ large, part, parts }: Question): Promise<Map<number, Found>> {
  const sides = sidesOf(large);
  if (large.table.side('candidate').score === null) {
    return new Map(parts.map(({ code }) => [code, nothing(missingColumn('the candidate', 'score'))]));
  }
  const sums = await placementSums(large.table, part, sides);
  return new Map(
    parts.map((one) => {
      const found = sums.get(one.code)!;
      const area = (side: Side): number | string => {
        if (!sides.includes(side)) return noProduction;
        return finiteValue(found.wins[side] / (2 * found.positives * found.negatives), whoIs(side), one.rows);
      };
      return [
        one.code,
        {
          paired: pairedAreas(large, found, one),
          alone: { production: area('production'), candidate: area('candidate') },
        },
      ];
    }),
  );
}

function pairedAreas(large: LargeEvidence, sums: PlacementSums, { rows }: Part): PairedMeasurement | string {
  if (!large.hasProduction) return noProduction;
  if (rows < 2) return `${rows} rows are too few`;
  const { level } = large.resampling;
  return orReason(() => areaMeasurement(delongOfSums(sums, { level }), level));
}

async function measureSums(question: Question, metric: SummedMetric): Promise<Map<number, Found>> {
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

/**
 * All rows as kinds of rows: by label, group and both predictions. It tells of the groups what all rows would.
 * @param by the slice column whose values are the groups; null where there is none
 */
async function groupsOf(
  { table, shape, slices, hasProduction }: LargeEvidence,
  by: string,
): Promise<EvaluationFrame | null> {
  const column = slices.find((slice) => slice.column === by);
  const { label, weight, prediction } = table.side('candidate');
  if (column === undefined || prediction === null) return null;
  const before = hasProduction ? table.side('production').prediction : null;
  const total = table.weight === null ? null : exactSum(weight, await largestOf(table, weight));
  const found = await table.session.rows(
    `SELECT ${table.slices.get(by)}, ${label}, ${prediction}, ${before ?? prediction}, count(*), ${total?.sql ?? 'NULL'}
     FROM ${table.relation} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
  );
  const values = (at: number) => Float64Array.from(found, (row) => Number(row[at]));
  const [codes, labels, counts] = [Uint32Array.from(values(0)), values(1), values(4)];
  const rows: [Uint32Array, Uint32Array] = [
    new Uint32Array(column.values.length),
    new Uint32Array(column.values.length),
  ];
  for (const [at, label] of labels.entries()) rows[label === 1 ? 1 : 0][codes[at]!]! += counts[at]!;
  const weights = total === null ? counts : Float64Array.from(found, (row) => total.valueOf(row[5]));
  const kinds = frameOfKinds(shape, { labels, prediction: values(2), weights });
  return {
    ...kinds,
    production: before === null ? null : predictionsOf({ prediction: values(3) }),
    slices: [{ column: by, codes, values: [...column.values], rows }],
  };
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
