import {
  quoteIdentifier,
  quoteText,
  requireColumn,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { numericCells, numericCounts, total, valueCells, valueCounts } from './cells.ts';
import { createPlan, runPlan, scanAnswer } from './plan.ts';
import type { ProfileColumn } from './profile.ts';
import { type ColumnBlocks, measureWander } from './wander.ts';

/** A column while its profile is made. */
export type Working = { column: TableColumn; profile: ProfileColumn; finite: number };

const timeBlocks = 10;

export type TimeColumn = { column: TableColumn; edges: string[] };

/** Where to cut the table into blocks of time of about equal rows, as SQL text; null without a usable time column. */
export async function timeColumn(
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

/** One scan: the cells of these columns, per block of time; their sums are the profile's counts. */
export async function countCells(
  session: TableSession,
  table: Table,
  columns: readonly Working[],
  time: TimeColumn | null,
): Promise<void> {
  return time === null ? countWhole(session, table, columns) : countBlocks(session, table, columns, time);
}

/** Without time there is nothing to compare: only the cells that nobody has counted yet. */
async function countWhole(session: TableSession, table: Table, columns: readonly Working[]): Promise<void> {
  const plan = createPlan();
  const counted = columns.flatMap(({ column, profile: { quantiles } }) =>
    quantiles === null || quantiles.counts.length > 0
      ? []
      : [{ quantiles, slot: plan.add(numericCounts(column, quantiles.edges)) }],
  );
  if (counted.length === 0) return;
  const answer = await runPlan(session, plan, table);
  for (const { quantiles, slot } of counted) {
    quantiles.counts = numericCells(answer.counts(slot), quantiles.edges);
  }
}

async function countBlocks(
  session: TableSession,
  table: Table,
  columns: readonly Working[],
  time: TimeColumn,
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
  }));
  const block = time.edges
    .map((edge) => `(${quoteIdentifier(time.column.name)} > ${quoteText(edge)}::${time.column.engineType})::INTEGER`)
    .join(' + ');
  const list = plan.aggregates.map((aggregate, slot) => `${aggregate} AS a${slot}`).join(', ');
  const rows = await session.rows(`SELECT ${list} FROM ${table.relation} GROUP BY ${block} ORDER BY ${block}`);
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
      missing: [],
    };
    // What is in no cell has no finite value.
    const cells = blocks.numbers ?? blocks.values;
    blocks.missing = blocks.rows.map((rows, at) => rows - total(cells?.[at] ?? []));
    if (quantiles !== null && blocks.numbers !== null) {
      quantiles.counts = sumCells(blocks.numbers);
    }
    profile.wander = blocks.rows.length < 3 ? null : measureWander(profile, blocks);
  }
}

function sumCells(blocks: readonly (readonly number[])[]): number[] {
  return (blocks[0] ?? []).map((_, cell) => blocks.reduce((total, block) => total + (block[cell] as number), 0));
}
