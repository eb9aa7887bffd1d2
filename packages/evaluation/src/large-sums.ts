import { bucketSql } from './buckets.ts';
import { type CellPlan, cellPlan, type MostCells } from './cells.ts';
import { exactSum } from './exact-sums.ts';
import type { EvaluationFrame, SliceColumn } from './frame.ts';
import type { LargeSide, LargeTable } from './large-table.ts';
import { frameOfKinds, isCounted, type SummedMetric } from './metric.ts';
import { mostCellsOf } from './model-sums.ts';

/** What a frame says beside its rows. */
export type FrameShape = Pick<EvaluationFrame, 'task' | 'classes'>;

/** The rows of one slice value, or all of them (code 0 of the part `0`). */
export type Part = { code: number; rows: number; weighing: number; units: number | null };

export type SideSums = {
  /** Row-major, a row a cell. */
  cells: Float64Array;
  /** Over all rows, where each weighs 1. */
  unweighted: Float64Array;
  /** Whether all terms are finite. */
  isFinite: boolean;
};

export type PartSums = { plan: CellPlan; width: number; sides: Record<'production' | 'candidate', SideSums | null> };

/** More sums than these are not held at a time: the values of a slice are taken in turns. */
const mostHeld = 8_000_000;
/** So many counted cells are given to the metrics at a time. */
const cellsAtOnce = 65_536;

/** Rows and units of each value of a slice (`part` is its column), or of all rows. */
export async function partsOf(
  { session, relation, unit, hasUnits, weight }: LargeTable,
  part: string | null,
): Promise<Part[]> {
  const units = hasUnits ? `count(DISTINCT ${unit})` : '0';
  const rows = await session.rows(
    `SELECT ${part ?? '0'} AS part, count(*), ${units}, count(*) FILTER (${weight ?? '1'} > 0) FROM ${relation} GROUP BY ALL ORDER BY part`,
  );
  return rows.map(([code, count, distinct, weighing]) => ({
    code: Number(code),
    rows: Number(count),
    weighing: Number(weighing),
    units: hasUnits ? Number(distinct) : null,
  }));
}

type Question = {
  table: LargeTable;
  shape: FrameShape;
  /** The column of a gap between groups, its codes those of the table's column: of other metrics none is asked. */
  groups?: Omit<SliceColumn, 'codes'> | undefined;
  /** The slice's column; null for all rows. */
  part: string | null;
  seed: number;
  sides: readonly ('production' | 'candidate')[];
};

/** Hands over each part's sums of a metric, a few parts at a time. @param visit is called once for each part */
export async function forEachPart(
  question: Question,
  metric: SummedMetric,
  parts: readonly Part[],
  visit: (part: Part, sums: PartSums) => void,
): Promise<void> {
  const { table, shape, sides } = question;
  const width = metric.width({ classes: shape.classes, slices: slicesOf(question.groups, new Uint32Array()) });
  const most = mostCellsOf(width);
  const held = 2 * (Math.max(most.alone, most.buckets) + 1) * width;
  const atOnce = Math.max(1, Math.floor(mostHeld / held));
  const terms = isCounted(metric, shape.task) ? null : await termsOf(question, metric);
  for (let at = 0; at < parts.length; at += atOnce) {
    const some = parts.slice(at, at + atOnce);
    const cells = await cellsOf(question, some, most);
    const found = new Map<number, PartSums>();
    for (const { code } of some) {
      found.set(code, { plan: cells.plans.get(code)!, width, sides: { production: null, candidate: null } });
    }
    for (const of of sides) {
      const side = table.side(of);
      const sums = new Map<number, SideSums>();
      for (const { code } of some) {
        const { plan } = found.get(code)!;
        const empty = { cells: new Float64Array(plan.count * width), unweighted: new Float64Array(width) };
        sums.set(code, { ...empty, isFinite: true });
        found.get(code)!.sides[of] = sums.get(code)!;
      }
      if (terms === null) await addCounted(question, metric, side, cells, sums);
      else await addTerms(question, terms[of]!, side, cells, sums);
    }
    for (const part of some) visit(part, found.get(part.code)!);
  }
}

/** What is drawn in each part, and where each cell's sums stand. */
export type Cells = {
  plans: Map<number, CellPlan>;
  /** SQL: which rows are asked for, and the number of a row's cell. */
  where: string;
  sql: string;
  indexOf(part: number, cell: number): number;
};

export async function cellsOf(
  { table, part, seed }: Question,
  parts: readonly Part[],
  most: MostCells,
): Promise<Cells> {
  const { session, relation, unit, hasUnits } = table;
  const plans = new Map(
    parts.map(({ code, rows, units }) => [code, cellPlan(units ?? rows, hasUnits ? 'units' : 'rows', most)]),
  );
  const alone = parts.filter(({ code }) => plans.get(code)!.isAlone).map(({ code }) => code);
  const places = new Map<number, Map<number, number>>(alone.map((code) => [code, new Map()]));
  const name = part ?? '0';
  if (alone.length > 0) {
    const units = `SELECT ${name}::DOUBLE AS part, ${unit}::DOUBLE AS unit, min("row") AS first FROM ${relation} WHERE ${name} IN (${alone.join(', ')}) GROUP BY ALL ORDER BY first`;
    await session.scan(units, (chunk) => {
      const [codes, numbers] = chunk.getColumns() as number[][];
      for (let row = 0; row < chunk.rowCount; row += 1) {
        const known = places.get(codes![row]!)!;
        known.set(numbers![row]!, known.size);
      }
    });
  }
  const bucket = bucketSql(unit, seed, most.buckets);
  return {
    plans,
    where: part === null ? 'true' : `${part} IN (${parts.map(({ code }) => code).join(', ')})`,
    sql: alone.length === 0 ? bucket : `CASE WHEN ${name} IN (${alone.join(', ')}) THEN ${unit} ELSE ${bucket} END`,
    indexOf: (code, cell) => places.get(code)?.get(cell) ?? cell,
  };
}

/** Rows counted by label and prediction, given to the metric as so many rows of one kind. */
async function addCounted(
  { table, shape, part, groups }: Question,
  metric: SummedMetric,
  side: LargeSide,
  cells: Cells,
  sums: ReadonlyMap<number, SideSums>,
): Promise<void> {
  const { session, weight } = table;
  const total = weight === null ? null : exactSum(weight, await largestOf(table, weight));
  const query = `SELECT (${part ?? '0'})::DOUBLE AS part, (${cells.sql})::DOUBLE AS cell, ${side.label} AS label, ${side.prediction} AS prediction,
    (${groups === undefined ? '0' : table.slices.get(groups.column)})::DOUBLE AS own, count(*)::DOUBLE AS n${total === null ? '' : `, ${total.sql} AS weight`}
    FROM ${table.relation} WHERE ${cells.where} GROUP BY 1, 2, 3, 4, 5`;
  let pending: number[][] = [];
  const flush = (): void => {
    const column = (i: number) => Float64Array.from(pending, (row) => row[i] as number);
    const slices = slicesOf(groups, Uint32Array.from(column(4)));
    const frame = {
      ...frameOfKinds(shape, { labels: column(2), prediction: column(3), weights: column(6) }),
      slices,
    };
    const add = metric.adder(frame, frame.candidate);
    const addAlike = metric.adder({ ...frame, weights: column(5) }, frame.candidate);
    const width = metric.width(frame);
    for (const [row, [code, cell]] of pending.entries()) {
      const into = sums.get(code!)!;
      add(into.cells, cells.indexOf(code!, cell!) * width, row);
      addAlike(into.unweighted, 0, row);
    }
    pending = [];
  };
  await session.scan(query, (chunk) => {
    const columns = chunk.getColumns() as number[][];
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const counted = [0, 1, 2, 3, 4, 5].map((i) => columns[i]![row]!);
      pending.push([...counted, total === null ? counted[5]! : total.valueOf(columns[6]![row])]);
    }
    if (pending.length >= cellsAtOnce) flush();
  });
  flush();
}

function slicesOf(groups: Question['groups'], codes: Uint32Array): SliceColumn[] {
  return groups === undefined ? [] : [{ ...groups, codes }];
}

export async function largestOf({ session, relation }: LargeTable, value: string): Promise<number> {
  const [[largest] = []] = await session.rows(`SELECT max(abs(${value})) FROM ${relation}`);
  return Number(largest);
}

type Terms = { sql: string[]; largest: number[] };

/** A metric's terms for each model, and the largest of each: what their exact sums are scaled by. */
async function termsOf(
  { table, shape, sides }: Question,
  metric: SummedMetric,
): Promise<Partial<Record<'production' | 'candidate', Terms>>> {
  const { session, rows } = table;
  const label = table.side('candidate').label;
  const mean = exactSum(label, await largestOf(table, label));
  const [[total] = []] = await session.rows(`SELECT ${mean.sql} FROM ${table.relation}`);
  const center = `(${mean.valueOf(total) / rows})::DOUBLE`;
  const found: Partial<Record<'production' | 'candidate', Terms>> = {};
  for (const of of sides) {
    const side = table.side(of);
    if (metric.sql === undefined) throw new RangeError('the metric has no SQL');
    const sql = metric.sql({ ...side, center }, shape.classes.length).map((term) => `(${term})`);
    const finite = sql.map((term) => `max(abs(${term})) FILTER (isfinite(${term}))`);
    const [largest = []] = await session.rows(`SELECT ${finite.join(', ')} FROM ${side.from}`);
    found[of] = { sql, largest: largest.map(Number) };
  }
  return found;
}

async function addTerms(
  { table, part }: Question,
  terms: Terms,
  side: LargeSide,
  cells: Cells,
  sums: ReadonlyMap<number, SideSums>,
): Promise<void> {
  const width = terms.sql.length;
  const exact = terms.largest.map((largest, k) => exactSum(`x${k}`, largest));
  const named = terms.sql.map((term, k) => `CASE WHEN isfinite(${term}) THEN ${term} END AS x${k}`);
  const missing = terms.sql.map((_, k) => `x${k} IS NULL`).join(' OR ');
  const query = `SELECT part, cell, count_if(${missing})::DOUBLE, count(*)::DOUBLE, ${exact.map(({ sql }) => sql).join(', ')}
    FROM (SELECT (${part ?? '0'})::DOUBLE AS part, (${cells.sql})::DOUBLE AS cell, ${named.join(', ')} FROM ${side.from} WHERE ${cells.where})
    GROUP BY part, cell`;
  await table.session.scan(query, (chunk) => {
    const columns = chunk.getColumns();
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const [code, cell, bad] = [0, 1, 2].map((i) => columns[i]![row] as number) as [number, number, number];
      const into = sums.get(code)!;
      if (bad > 0) into.isFinite = false;
      const at = cells.indexOf(code, cell) * width;
      for (const [k, sum] of exact.entries()) into.cells[at + k] = sum.valueOf(columns[4 + k]![row]);
    }
  });
}
