import type { CellPlan } from './cells.ts';
import { fewOfClass, isWalkedAnew, leftOutInterval, mostGroups } from './curve-interval.ts';
import { exactSum } from './exact-sums.ts';
import { type EvaluationFrame, type Predictions, predictionsOf } from './frame.ts';
import type { Found, LargeEvidence } from './large-evidence.ts';
import { type Cells, cellsOf, largestOf, type Part } from './large-sums.ts';
import type { LargeSide } from './large-table.ts';
import { type CellWeights, type LeftOutWalk, leftOutWalk, meanOfWalks } from './left-out-walk.ts';
import { finiteValue, measureAlone, measurePaired, missingColumn, noProduction, orReason, whoIs } from './measure.ts';
import type { CurveMetric } from './metric.ts';

type Side = 'production' | 'candidate';

type CurveQuestion = { name: string; metric: CurveMetric };

/** Some rows and what is asked of them: those of a slice's values (`part` is the column's name in the table), or all. */
export type CurveScope = { part: string | null; parts: readonly Part[]; questions: readonly CurveQuestion[] };

/** By scope, then by the part's code, then by the metric's name. */
type FoundByPart = Map<number, Map<string, Found>>;

/** Rows that are read at a time where parts are small enough to be measured as those in memory are. */
const rowsAtOnce = 1_000_000;

/**
 * Metrics of the ranking, of rows that stay in the engine. It sorts the rows by a model's score, once for all that is asked;
 * one walk along them leaves each group out of each part. Parts of so few rows that each resample may walk along them anew
 * are read, and measured as in memory.
 */
export async function measureCurves(large: LargeEvidence, scopes: readonly CurveScope[]): Promise<FoundByPart[]> {
  const found = scopes.map(({ parts }): FoundByPart => new Map(parts.map(({ code }) => [code, new Map()])));
  const rankings = (large.table.side('candidate').scores ?? [null]).length;
  const walked: Walked[] = [];
  for (const [at, scope] of scopes.entries()) {
    if (scope.questions.length === 0) continue;
    const isSmall = ({ rows }: Part) => isWalkedAnew(rows, rankings, large.resampling);
    await measureSmall(large, { ...scope, parts: scope.parts.filter(isSmall) }, found[at]!);
    const parts = scope.parts.filter((part) => !isSmall(part));
    if (parts.length > 0) walked.push(await prepared(large, { ...scope, parts }, found[at]!));
  }
  if (walked.length > 0) await walk(large, walked);
  return found;
}

/** The parts of few rows: read in the key's order, a few parts at a time. */
async function measureSmall(large: LargeEvidence, scope: CurveScope, found: FoundByPart): Promise<void> {
  const resampling = { ...large.resampling, permute: true };
  let some: Part[] = [];
  let rows = 0;
  for (const [at, part] of scope.parts.entries()) {
    some.push(part);
    rows += part.rows;
    if (rows < rowsAtOnce && at + 1 < scope.parts.length) continue;
    for (const [code, frame] of await framesOf(large, scope.part, some)) {
      for (const { name, metric } of scope.questions) {
        const alone = (of: Side) => measureAlone(metric, frame, of);
        found.get(code)!.set(name, {
          paired: measurePaired(metric, frame, resampling),
          alone: { production: alone('production'), candidate: alone('candidate') },
        });
      }
    }
    [some, rows] = [[], 0];
  }
}

async function framesOf(
  { table, shape, hasProduction }: LargeEvidence,
  part: string | null,
  parts: readonly Part[],
): Promise<Map<number, EvaluationFrame>> {
  const sides = hasProduction ? (['production', 'candidate'] as const) : (['candidate'] as const);
  const scores = sides.flatMap((side) => scoresOf(table.side(side)));
  const { label, weight } = table.side('candidate');
  const columns = [part ?? '0', '"row"', table.unit, weight, label, ...scores];
  const read = new Map(
    parts.map(({ code, rows }) => [code, { columns: columns.map(() => new Float64Array(rows)), end: 0 }]),
  );
  const where = part === null ? 'true' : `${part} IN (${parts.map(({ code }) => code).join(', ')})`;
  const doubles = columns.map((column) => `(${column})::DOUBLE`).join(', ');
  await table.session.scan(`SELECT ${doubles} FROM ${table.relation} WHERE ${where} ORDER BY "row"`, (chunk) => {
    const vectors = columns.map((_, i) => chunk.getColumnVector(i));
    const { rowCount } = chunk;
    for (let row = 0; row < rowCount; row += 1) {
      const into = read.get(vectors[0]!.getItem(row) as number)!;
      for (const [i, vector] of vectors.entries()) into.columns[i]![into.end] = vector.getItem(row) as number;
      into.end += 1;
    }
  });
  return new Map(
    parts.map(({ code, rows }): [number, EvaluationFrame] => {
      const [, numbers, units, weights, labels, ...values] = read.get(code)!.columns as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
        ...Float64Array[],
      ];
      const side = (of: Side): Predictions => {
        const columnsOf = scoresOf(table.side(of));
        const own = values.splice(0, columnsOf.length);
        return predictionsOf(table.side(of).scores === null ? { score: own[0] ?? null } : { scores: own });
      };
      return [
        code,
        {
          ...shape,
          rows,
          numbers: Uint32Array.from(numbers),
          labels,
          weights: table.weight === null ? null : weights,
          units: table.hasUnits ? Uint32Array.from(units) : null,
          production: hasProduction ? side('production') : null,
          candidate: side('candidate'),
          slices: [],
        },
      ];
    }),
  );
}

/** What a model's rows are ranked by: one column, or one a class. */
function scoresOf({ score, scores }: LargeSide): readonly string[] {
  return scores ?? (score === null ? [] : [score]);
}

/** A scope that is walked, with what is known before: each cell's weights of each ranking. */
type Walked = CurveScope & {
  found: FoundByPart;
  cells: Cells;
  /** SQL of the part and of the cell. */
  columns: [string, string];
  /** By the part's code, a ranking's weights of the cells. */
  weights: Map<number, CellWeights[]>;
  few: Map<number, string | null>;
};

async function prepared(large: LargeEvidence, scope: CurveScope, found: FoundByPart): Promise<Walked> {
  const { table, shape, resampling } = large;
  const { label, weight, scores } = table.side('candidate');
  const question = { table, shape, part: scope.part, seed: resampling.seed, sides: [] };
  const cells = await cellsOf(question, scope.parts, mostGroups);
  const total = table.weight === null ? null : exactSum(weight, await largestOf(table, weight));
  const columns: [string, string] = [scope.part ?? '0', `(${cells.sql})::UINTEGER`];
  const weights = new Map<number, CellWeights[]>();
  const counts = new Map<number, Float64Array>();
  for (const { code } of scope.parts) {
    const { count } = cells.plans.get(code)!;
    const empty = () => ({ positives: new Float64Array(count), negatives: new Float64Array(count) });
    weights.set(code, scores === null ? [empty()] : scores.map(empty));
    counts.set(code, new Float64Array(shape.classes.length));
  }
  const query = `SELECT (${columns[0]})::DOUBLE AS part, (${columns[1]})::DOUBLE AS cell, ${label} AS label, count(*)::DOUBLE AS n, ${total?.sql ?? 'NULL'} AS weight
    FROM ${table.relation} WHERE ${cells.where} GROUP BY 1, 2, 3`;
  await table.session.scan(query, (chunk) => {
    const [codes, numbers, labels, rows, sums] = chunk.getColumns() as [
      number[],
      number[],
      number[],
      number[],
      unknown[],
    ];
    for (const [row, code] of codes.entries()) {
      counts.get(code)![labels[row]!]! += rows[row]!;
      const weighs = total === null ? rows[row]! : total.valueOf(sums[row]);
      const cell = cells.indexOf(code, numbers[row]!);
      for (const [k, ofRanking] of weights.get(code)!.entries()) {
        ofRanking[isPositive(labels[row]!, scores === null ? null : k) ? 'positives' : 'negatives'][cell]! += weighs;
      }
    }
  });
  const few = new Map(
    scope.parts.map(({ code }) => [code, cells.plans.get(code)!.problem ?? fewOfClass(counts.get(code)!)]),
  );
  return { ...scope, found, cells, columns, weights, few };
}

/** @param code of the class that is ranked; null for a binary model */
function isPositive(label: number, code: number | null): boolean {
  return label === (code ?? 1);
}

type Values = Map<Walked, Map<number, Float64Array[]>>;

async function walk(large: LargeEvidence, walked: readonly Walked[]): Promise<void> {
  const values: Partial<Record<Side, Values>> = {};
  for (const side of large.hasProduction ? (['production', 'candidate'] as const) : (['candidate'] as const)) {
    const { scores } = large.table.side(side);
    const rankings: Values[] = [];
    for (const [k, score] of scoresOf(large.table.side(side)).entries()) {
      rankings.push(await walkAlong(large, walked, score, scores === null ? null : k));
    }
    values[side] = meanOfRankings(walked, rankings);
  }
  for (const one of walked) {
    for (const part of one.parts) {
      for (const [k, { name }] of one.questions.entries()) {
        const of = (side: Side) => values[side]?.get(one)?.get(part.code)?.[k] ?? null;
        one.found.get(part.code)!.set(name, foundOf(large, one, part, of('production'), of('candidate')));
      }
    }
  }
}

/** One ranking, of all parts at once. */
async function walkAlong(
  { table }: LargeEvidence,
  walked: readonly Walked[],
  score: string,
  classCode: number | null,
): Promise<Values> {
  const { label, weight } = table.side('candidate');
  const selected = [score, label, ...(table.weight === null ? [] : [weight])];
  const place = (column: string) => {
    if (!selected.includes(column)) selected.push(column);
    return selected.indexOf(column);
  };
  const walks = walked.map((one) => {
    const ofPart = new Map<number, LeftOutWalk>();
    for (const { code } of one.parts) {
      const weights = one.weights.get(code)![classCode ?? 0]!;
      ofPart.set(
        code,
        leftOutWalk(
          one.questions.map(({ metric }) => metric),
          weights,
        ),
      );
    }
    return { ofPart, indexOf: one.cells.indexOf, at: one.columns.map(place) as [number, number] };
  });
  // Weights of tied rows are added in one order: whole numbers don't mind.
  const order = table.weight === null ? '' : ', "row"';
  await table.session.scan(
    `SELECT ${selected.join(', ')} FROM ${table.relation} ORDER BY ${score} DESC${order}`,
    (chunk) => {
      const columns = selected.map((_, i) => chunk.getColumnVector(i));
      const { rowCount } = chunk;
      for (let row = 0; row < rowCount; row += 1) {
        const value = columns[0]!.getItem(row) as number;
        const positive = isPositive(columns[1]!.getItem(row) as number, classCode);
        const weighs = table.weight === null ? 1 : (columns[2]!.getItem(row) as number);
        for (const { ofPart, indexOf, at } of walks) {
          const code = columns[at[0]]!.getItem(row) as number;
          const cell = columns[at[1]]!.getItem(row) as number;
          ofPart.get(code)?.add(value, positive, weighs, indexOf(code, cell));
        }
      }
    },
  );
  return new Map(
    walked.map((one, at) => [one, new Map([...walks[at]!.ofPart].map(([code, along]) => [code, along.end()]))]),
  );
}

function meanOfRankings(walked: readonly Walked[], rankings: readonly Values[]): Values {
  return new Map(
    walked.map((one) => [
      one,
      new Map(
        one.parts.map(({ code }) => [
          code,
          one.questions.map((_, k) => meanOfWalks(rankings.map((values) => values.get(one)!.get(code)![k]!))),
        ]),
      ),
    ]),
  );
}

function foundOf(
  { hasProduction, resampling }: LargeEvidence,
  { cells, few }: Walked,
  { code, rows }: Part,
  before: Float64Array | null,
  after: Float64Array | null,
): Found {
  const value = (values: Float64Array | null, side: Side): number | string => {
    if (side === 'production' && !hasProduction) return noProduction;
    if (values === null || values.length === 0) return missingColumn(whoIs(side), 'score');
    return finiteValue(values[values.length - 1]!, whoIs(side), rows);
  };
  const alone = { production: value(before, 'production'), candidate: value(after, 'candidate') };
  const { production, candidate } = alone;
  if (!hasProduction) return { alone, paired: noProduction };
  if (typeof production === 'string') return { alone, paired: production };
  if (typeof candidate === 'string') return { alone, paired: candidate };
  const plan: CellPlan = cells.plans.get(code)!;
  const { level } = resampling;
  const interval = orReason(() =>
    leftOutInterval(plan, few.get(code)!, () => ({ production: before!, candidate: after! }), level),
  );
  const paired =
    typeof interval === 'string'
      ? interval
      : { production, candidate, delta: candidate - production, level, ...interval };
  return { alone, paired };
}
