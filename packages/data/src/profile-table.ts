import { toDecimalOrNull } from '@passloop/core';
import {
  isNumeric,
  isTemporal,
  quoteIdentifier,
  quoteText,
  requireColumn,
  requireRows,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import {
  countIf,
  extreme,
  missingCondition,
  numericCells,
  numericCounts,
  valueCells,
  valueCounts,
  valueText,
} from './cells.ts';
import { momentPlan } from './moments.ts';
import { createPlan, runPlan, scanAnswer } from './plan.ts';
import type { Profile, ProfileColumn, ProfileKind } from './profile.ts';
import { type ColumnBlocks, measureWander } from './wander.ts';

export type ProfileOptions = {
  session: TableSession;
  table: Table;
  dataset: { name: string; uri: string; digest: string | null };
  /** Columns that name a row: they get no distribution. */
  key?: readonly string[];
  /** The column that says when a row came about; by default the first date or timestamp column without NULL. */
  time?: string | undefined;
};

const percentiles = 100;
const topValues = 100;
const longestValue = 256;
const fewValues = 20;
/** Up to so many distinct values the groups are fetched; beyond, the engine sorts. */
const groupedValues = 50_000;
const timeBlocks = 10;

/**
 * Profiles a table. Exact throughout: counts, extremes and percentiles are the rows' own, moments are integer sums.
 * One scan finds counts and extremes, one query per column its distinct values and percentiles, and one last scan the
 * counts of all cells, per block of time.
 *
 * @throws ConfigurationError for an empty table, or a key or time column that isn't there
 */
export async function profileTable(options: ProfileOptions): Promise<Profile> {
  const { session, table } = options;
  requireRows(table);
  for (const name of options.key ?? []) requireColumn(table, name, 'columns.key');
  const columns = await basicColumns(options);
  for (const column of columns) await describeDistribution(session, table, column);
  const time = await timeColumn(session, table, columns, options.time);
  await countCells(session, table, columns, time);
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

type Working = { column: TableColumn; profile: ProfileColumn; finite: number };

/** The first scan: rows, NULL, NaN, infinities and extremes of every column. */
async function basicColumns({ session, table, key = [] }: ProfileOptions): Promise<Working[]> {
  const plan = createPlan();
  const slots = table.columns.map((column) => {
    const name = quoteIdentifier(column.name);
    const float = column.type === 'float';
    const ordered = column.type !== 'nested' && column.type !== 'binary' && column.type !== 'boolean';
    return {
      column,
      present: plan.add(`count(${name})`),
      nan: float ? plan.add(countIf(`isnan(${name})`)) : null,
      infinite: float ? plan.add(countIf(`isinf(${name})`)) : null,
      minimum: ordered ? plan.add(extreme('min', column)) : null,
      maximum: ordered ? plan.add(extreme('max', column)) : null,
    };
  });
  const answer = await runPlan(session, plan, table.relation);
  return slots.map((slot) => {
    const nan = slot.nan === null ? 0 : answer.count(slot.nan);
    const infinite = slot.infinite === null ? 0 : answer.count(slot.infinite);
    const present = answer.count(slot.present);
    const bounded = (at: number | null) => (at === null ? null : shorten(answer.text(at)));
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
        minimum: bounded(slot.minimum),
        maximum: bounded(slot.maximum),
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

function firstKind(column: TableColumn, key: readonly string[]): ProfileKind {
  if (key.includes(column.name)) return 'key';
  if (column.type === 'nested' || column.type === 'binary') return 'unsupported';
  if (isTemporal(column.type)) return 'time';
  return isNumeric(column.type) ? 'numeric' : 'categorical';
}

/** Distinct values of a column and, by its kind, percentiles and moments or the most frequent values. */
async function describeDistribution(session: TableSession, table: Table, working: Working): Promise<void> {
  const { column, profile } = working;
  if (profile.kind === 'unsupported') return;
  const name = quoteIdentifier(column.name);
  if (column.type === 'string' || column.type === 'boolean') {
    await describeValues(session, table, working);
    return;
  }
  const [[distinct] = []] = await session.rows(
    `SELECT count(*) FROM (SELECT DISTINCT ${name} FROM ${table.relation} WHERE ${name} IS NOT NULL)`,
  );
  profile.distinct = Number(distinct);
  if (profile.kind !== 'numeric' || working.finite === 0) return;
  if (column.type === 'integer' && isIdentifier(profile.distinct, working.finite)) {
    profile.kind = 'identifier';
    return;
  }
  await describeNumbers(session, table, working);
  if (column.type === 'integer' && profile.distinct <= fewValues) {
    await describeValues(session, table, working);
    profile.kind = 'categorical';
  }
}

/** Nearly every row has a value of its own: a name for rows, not a feature. */
function isIdentifier(distinct: number, present: number): boolean {
  return distinct > 1000 && distinct > present * 0.95;
}

/**
 * Percentiles by rank and moments. A column with few distinct values is grouped first, which is many times faster;
 * ranks and integer sums are the same either way.
 */
async function describeNumbers(session: TableSession, table: Table, working: Working): Promise<void> {
  const { column, profile, finite } = working;
  const value = `${quoteIdentifier(column.name)}::DOUBLE`;
  const rows = `SELECT ${value} AS v FROM ${table.relation} WHERE NOT ${missingCondition(column)}`;
  const grouped = (profile.distinct ?? finite) <= groupedValues;
  const ranks = Array.from({ length: percentiles - 1 }, (_, i) => Math.ceil(((i + 1) * finite) / percentiles));
  const points = grouped
    ? await rankedGroups(session, rows, ranks)
    : await session.rows(
        `SELECT v FROM (SELECT v, row_number() OVER (ORDER BY v) AS rank FROM (${rows})) WHERE rank IN (${ranks.join(', ')})`,
      );
  const maximum = Number(profile.maximum);
  const edges = [...new Set(points.map(([point]) => Number(point) + 0))].filter((edge) => edge < maximum);
  profile.quantiles = { edges: edges.sort((left, right) => left - right), counts: [] };
  const moments = momentPlan('v', Number(profile.minimum), maximum);
  if (moments === null) return;
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

async function rankedGroups(session: TableSession, rows: string, ranks: readonly number[]): Promise<number[][]> {
  const groups = await session.rows(`SELECT v, count(*)::DOUBLE FROM (${rows}) GROUP BY v ORDER BY v`);
  const points: number[][] = [];
  let below = 0;
  let next = 0;
  for (const [value, count] of groups) {
    below += Number(count);
    while (next < ranks.length && (ranks[next] as number) <= below) {
      points.push([Number(value)]);
      next++;
    }
  }
  return points;
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

type TimeColumn = { column: TableColumn; edges: string[] };

/** Where to cut the table into blocks of time of about equal rows, as SQL text; null without a usable time column. */
async function timeColumn(
  session: TableSession,
  table: Table,
  columns: readonly Working[],
  named: string | undefined,
): Promise<TimeColumn | null> {
  const column =
    named !== undefined
      ? requireColumn(table, named, 'the time column')
      : columns.find(
          (working) => working.profile.kind === 'time' && working.column.type !== 'time' && working.profile.nulls === 0,
        )?.column;
  if (column === undefined) return null;
  const shares = Array.from({ length: timeBlocks - 1 }, (_, i) => (i + 1) / timeBlocks);
  const name = quoteIdentifier(column.name);
  const rows = await session.rows(
    `SELECT DISTINCT edge::VARCHAR FROM (SELECT unnest(quantile_disc(${name}, [${shares.join(', ')}])) AS edge, FROM ${table.relation})
     WHERE edge < (SELECT max(${name}) FROM ${table.relation}) ORDER BY 1`,
  );
  return rows.length < 2 ? null : { column, edges: rows.map(([edge]) => String(edge)) };
}

/** The last scan: the cells of every column, per block of time; their sums are the profile's counts. */
async function countCells(
  session: TableSession,
  table: Table,
  columns: readonly Working[],
  time: TimeColumn | null,
): Promise<void> {
  const plan = createPlan();
  const rowsSlot = plan.add('count(*)');
  const slots = columns.map(({ column, profile }) => ({
    numbers: profile.quantiles === null ? null : plan.add(numericCounts(column, profile.quantiles.edges)),
    values:
      profile.values === null
        ? null
        : plan.add(
            valueCounts(
              column,
              profile.values.map((entry) => entry.value),
            ),
          ),
    missing: plan.add(countIf(missingCondition(column))),
  }));
  const block =
    time?.edges
      .map((edge) => `(${quoteIdentifier(time.column.name)} > ${quoteText(edge)}::${time.column.engineType})::INTEGER`)
      .join(' + ') ?? '';
  const list = plan.aggregates.map((aggregate, slot) => `${aggregate} AS a${slot}`).join(', ');
  const rows = await session.rows(
    time === null
      ? `SELECT ${list} FROM ${table.relation}`
      : `SELECT ${list} FROM ${table.relation} GROUP BY ${block} ORDER BY ${block}`,
  );
  const answers = rows.map((row) => scanAnswer(row));
  for (const [i, { profile }] of columns.entries()) {
    const slot = slots[i] as (typeof slots)[0];
    const { quantiles, values } = profile;
    const blocks: ColumnBlocks = {
      numbers:
        quantiles === null || slot.numbers === null
          ? null
          : answers.map((answer) => numericCells(answer.counts(slot.numbers as number), quantiles.edges)),
      values:
        values === null || slot.values === null
          ? null
          : answers.map((answer) => {
              const cells = valueCells(
                answer.text(slot.values as number),
                values.map((entry) => entry.value),
              );
              return [...cells.counts, cells.other];
            }),
      rows: answers.map((answer) => answer.count(rowsSlot)),
      missing: answers.map((answer) => answer.count(slot.missing)),
    };
    if (quantiles !== null && blocks.numbers !== null) {
      quantiles.counts = sumCells(blocks.numbers);
    }
    profile.wander = time === null || blocks.rows.length < 3 ? null : measureWander(profile, blocks);
  }
}

function sumCells(blocks: readonly (readonly number[])[]): number[] {
  return (blocks[0] ?? []).map((_, cell) => blocks.reduce((total, block) => total + (block[cell] as number), 0));
}

function shorten(text: string | null): string | null {
  return text === null || text.length <= 1024 ? text : text.slice(0, 1024);
}
