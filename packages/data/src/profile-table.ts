import { type Progress, silentProgress, toDecimalOrNull } from '@passloop/core';
import {
  isNumeric,
  isTemporal,
  type NotedQuestion,
  quoteIdentifier,
  requireColumn,
  requireRows,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { countIf, extreme, extremesNote, extremeText, valueText } from './cells.ts';
import { columnGroups, holdGroup } from './column-groups.ts';
import { momentPlan } from './moments.ts';
import { finiteRows, type Ranking, rankedGroups, rankedRows } from './percentile-points.ts';
import { percentileEdges } from './percentiles.ts';
import { createPlan, runPlan, type ScanAnswer, type ScanPlan, type Slot, scanAnswer } from './plan.ts';
import type { Profile, ProfileKind } from './profile.ts';
import { countCells, timeColumn, type Working } from './profile-cells.ts';
import { sortedRows } from './sorted-values.ts';

export type ProfileOptions = {
  session: TableSession;
  table: Table;
  dataset: { name: string; uri: string; digest: string | null };
  /** Columns that name a row: they get no distribution. */
  key?: readonly string[];
  /** The column that says when a row came about; by default the first date or timestamp column without NULL. */
  time?: string | undefined;
  progress?: Progress | undefined;
};

const topValues = 100;
const longestValue = 256;
const fewValues = 20;
/** Up to so many distinct values the groups are fetched; beyond, the engine sorts. */
const groupedValues = 50_000;

/**
 * Profiles a table. Exact throughout: counts, extremes and percentiles are the rows' own, moments are integer sums.
 * One scan finds counts and extremes, one query per column its distinct values and percentiles, and one last scan the
 * counts of all cells, per block of time. Of a wide table a scan reads some columns at a time.
 *
 * @throws ConfigurationError for an empty table, or a key or time column that isn't there
 */
export async function profileTable(options: ProfileOptions): Promise<Profile> {
  const { session, table, progress = silentProgress } = options;
  requireRows(table);
  for (const name of options.key ?? []) requireColumn(table, name, 'columns.key');
  const columns = await basicColumns(options);
  const time = await timeColumn(session, table, columns, options.time);
  let done = 0;
  for (const group of columnGroups(columns, table.rows)) {
    await using held = await holdGroup(session, table, group, time);
    const asked = held === null ? { table, isHeld: false } : { table: held.table, isHeld: true };
    for (const column of group.columns) {
      progress.tick(done++, columns.length, 'columns');
      await describeDistribution(session, asked, column);
    }
    await countCells(session, asked.table, group.columns, time);
  }
  return {
    schema: 'passloop/profile/v1',
    dataset: options.dataset,
    engine: session.engine,
    rows: table.rows,
    time: time === null ? null : { column: time.column.name, blocks: time.edges.length + 1 },
    columns: columns
      .map((column) => column.profile)
      .sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name))),
  };
}

/**
 * The first scan: rows, NULL, NaN, infinities and extremes of every column. Of floats whose extremes are noted, and finite, only
 * NaN is left to look for: it is in no note. Where it is found a note is not relied on, and a second scan looks at the values.
 */
async function basicColumns({ session, table, key = [] }: ProfileOptions): Promise<Working[]> {
  const noted = await notedRanges(session, table);
  const plan = createPlan();
  const slots = table.columns.map((column) => {
    const name = quoteIdentifier(column.name);
    return {
      column,
      present: plan.add(`count(${name})`, { column, about: 'presence' }),
      nan: column.type === 'float' ? plan.add(countIf(`isnan(${name})`)) : null,
      range: noted.has(column) ? null : planRange(plan, column),
    };
  });
  const answer = await runPlan(session, plan, table);
  const second = createPlan();
  const late = slots.map(({ column, nan, range }) =>
    range === null && nan !== null && answer.count(nan) > 0 ? planRange(second, column) : null,
  );
  const again = second.aggregates.length === 0 ? scanAnswer([]) : await runPlan(session, second, table);
  return slots.map((slot, at) => {
    const nan = slot.nan === null ? 0 : answer.count(slot.nan);
    const present = answer.count(slot.present);
    const asked = late[at] ?? null;
    const range =
      asked !== null
        ? rangeOf(again, asked)
        : slot.range !== null
          ? rangeOf(answer, slot.range)
          : { infinite: 0, ...(noted.get(slot.column) as Extremes) };
    const { infinite } = range;
    const bounded = (text: string | null) => (text === null ? null : shorten(text));
    return {
      column: slot.column,
      finite: present - nan - infinite,
      profile: {
        name: slot.column.name,
        type: slot.column.type,
        kind: firstKind(slot.column, key),
        nulls: table.rows - present,
        nan,
        infinite,
        distinct: null,
        minimum: bounded(range.minimum),
        maximum: bounded(range.maximum),
        mean: null,
        sd: null,
        quantiles: null,
        values: null,
        other: null,
        wander: null,
      },
    };
  });
}

type Extremes = { minimum: string | null; maximum: string | null };
type RangeSlots = { infinite: Slot | null; minimum: Slot | null; maximum: Slot | null };

/** Finite extremes of floats as a file notes them. */
async function notedRanges(session: TableSession, table: Table): Promise<ReadonlyMap<TableColumn, Extremes>> {
  const floats = table.columns.filter((column) => column.type === 'float');
  const answers = await session.noted(
    table,
    floats.flatMap((column): NotedQuestion[] =>
      (['min', 'max'] as const).map((name) => ({
        column,
        about: 'extremes',
        aggregate: extremeText(`${name}(${quoteIdentifier(column.name)})`, column),
      })),
    ),
  );
  const ranges = floats.map((column, at): [TableColumn, Extremes] => {
    const [minimum, maximum] = [answers[2 * at], answers[2 * at + 1]].map((text) => String(text));
    return [column, { minimum: minimum as string, maximum: maximum as string }];
  });
  return new Map(ranges.filter(([, { minimum, maximum }]) => [minimum, maximum].map(Number).every(Number.isFinite)));
}

function planRange(plan: ScanPlan, column: TableColumn): RangeSlots {
  const ordered = column.type !== 'nested' && column.type !== 'binary' && column.type !== 'boolean';
  return {
    infinite: column.type === 'float' ? plan.add(countIf(`isinf(${quoteIdentifier(column.name)})`)) : null,
    minimum: ordered ? plan.add(extreme('min', column), extremesNote(column)) : null,
    maximum: ordered ? plan.add(extreme('max', column), extremesNote(column)) : null,
  };
}

function rangeOf(answer: ScanAnswer, { infinite, minimum, maximum }: RangeSlots): Extremes & { infinite: number } {
  return {
    infinite: infinite === null ? 0 : answer.count(infinite),
    minimum: minimum === null ? null : answer.text(minimum),
    maximum: maximum === null ? null : answer.text(maximum),
  };
}

function firstKind(column: TableColumn, key: readonly string[]): ProfileKind {
  if (key.includes(column.name)) return 'key';
  if (column.type === 'nested' || column.type === 'binary') return 'unsupported';
  if (isTemporal(column.type)) return 'time';
  return isNumeric(column.type) ? 'numeric' : 'categorical';
}

/** The table that is asked about columns, and whether it is a copy that is held for them. */
type Asked = { table: Table; isHeld: boolean };

/** Distinct values of a column and, by its kind, percentiles and moments or the most frequent values. */
async function describeDistribution(session: TableSession, asked: Asked, working: Working): Promise<void> {
  const { column, profile } = working;
  const { table, isHeld } = asked;
  const rankRows = isHeld ? sortedRows : rankedRows;
  if (profile.kind === 'unsupported') return;
  if (column.type === 'string' || column.type === 'boolean') {
    await describeValues(session, table, working);
    return;
  }
  const counted = { finite: working.finite, nan: profile.nan, infinite: profile.infinite };
  const isFloat = profile.kind === 'numeric' && column.type === 'float' && working.finite > 0;
  if (isFloat && (isHeld || (await isVaried(session, table, column)))) {
    const ranking = await rankRows(session, table, column, counted);
    profile.distinct = ranking.distinct;
    await describeNumbers(session, table, working, ranking);
    return;
  }
  const name = quoteIdentifier(column.name);
  const [[distinct] = []] = await session.rows(
    `SELECT count(*) FROM (SELECT DISTINCT ${name} FROM ${table.relation} WHERE ${name} IS NOT NULL)`,
  );
  profile.distinct = Number(distinct);
  if (profile.kind !== 'numeric' || working.finite === 0) return;
  if (column.type === 'integer' && isIdentifier(profile.distinct, working.finite)) {
    profile.kind = 'identifier';
    return;
  }
  const ranking =
    profile.distinct <= groupedValues && !isHeld
      ? { points: await rankedGroups(session, table, column, working.finite) }
      : await rankRows(session, table, column, counted);
  await describeNumbers(session, table, working, ranking);
  if (column.type === 'integer' && profile.distinct <= fewValues) {
    await describeValues(session, table, working);
    profile.kind = 'categorical';
  }
}

/** Whether most of some rows differ. It only chooses the way: both give the same numbers. */
async function isVaried(session: TableSession, table: Table, column: TableColumn): Promise<boolean> {
  const [[distinct] = []] = await session.rows(
    `SELECT count(DISTINCT v) FROM (SELECT ${quoteIdentifier(column.name)} AS v FROM ${table.relation} LIMIT ${groupedValues})`,
  );
  return Number(distinct) > groupedValues / 2;
}

/** Nearly every row has a value of its own: a name for rows, not a feature. */
function isIdentifier(distinct: number, present: number): boolean {
  return distinct > 1000 && distinct > present * 0.95;
}

/** Percentiles by their points, and moments. */
async function describeNumbers(
  session: TableSession,
  table: Table,
  { column, profile, finite }: Working,
  { points, counts }: Pick<Ranking, 'points' | 'counts'>,
): Promise<void> {
  const edges = percentileEdges(points);
  profile.quantiles = { edges, counts: counts?.(edges) ?? [] };
  const range = { minimum: Number(profile.minimum), maximum: Number(profile.maximum) };
  const moments = momentPlan('v', range, points[Math.floor(points.length / 2)] as number);
  const rows = finiteRows(table, column);
  // Few distinct values are grouped first, which is many times faster; integer sums are the same either way.
  const distinct = profile.distinct ?? finite;
  const grouped = distinct <= groupedValues && distinct * 2 <= finite;
  const source = grouped ? `(SELECT v, count(*) AS n FROM (${rows}) GROUP BY v)` : `(${rows})`;
  const times = grouped ? ' * n' : '';
  const [sums] = await session.rows(
    `SELECT ${moments.terms.map((term) => `coalesce(sum(${term}${times}), 0)::VARCHAR`).join(', ')} FROM ${source}`,
  );
  const [sum, squares] = (sums as string[]).map(BigInt) as [bigint, bigint];
  const { mean, sd } = moments.finish(finite, [sum, squares]);
  profile.mean = toDecimalOrNull(mean);
  profile.sd = toDecimalOrNull(sd);
}

async function describeValues(session: TableSession, table: Table, working: Working): Promise<void> {
  const { column, profile } = working;
  const rows = await session.rows(
    `SELECT value, n, (count(*) OVER ())::BIGINT
     FROM (SELECT ${valueText(column)} AS value, count(*) AS n FROM ${table.relation}
           WHERE ${quoteIdentifier(column.name)} IS NOT NULL GROUP BY ALL)
     ORDER BY length(value) > ${longestValue}, n DESC, value LIMIT ${topValues}`,
  );
  profile.distinct = Number(rows[0]?.[2] ?? 0);
  if (profile.kind !== 'numeric' && profile.kind !== 'categorical') return;
  if (column.type === 'string' && isIdentifier(profile.distinct, working.finite)) {
    profile.kind = 'identifier';
    return;
  }
  const values = rows
    .map(([value, count]) => ({ value: String(value), count: Number(count) }))
    .filter((entry) => entry.value.length <= longestValue)
    .sort((left, right) => Buffer.compare(Buffer.from(left.value), Buffer.from(right.value)));
  const shown = values.reduce((total, entry) => total + entry.count, 0);
  profile.values = values;
  profile.other = { distinct: profile.distinct - values.length, count: working.finite - shown };
}

function shorten(text: string | null): string | null {
  return text === null || text.length <= 1024 ? text : text.slice(0, 1024);
}
