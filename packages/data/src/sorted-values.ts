import type { Table, TableColumn, TableSession } from '@passloop/tables';
import { distinctUnbounded, finiteRows, type Ranking } from './percentile-points.ts';
import { percentileRanks } from './percentiles.ts';

/**
 * As `rankedRows`, of a table whose rows are few: its values are fetched and sorted here, which takes a third of the time
 * that the engine needs to rank and to count them.
 */
export async function sortedRows(
  session: TableSession,
  table: Table,
  column: TableColumn,
  { finite, nan, infinite }: { finite: number; nan: number; infinite: number },
): Promise<Ranking> {
  const values = new Float64Array(finite);
  let read = 0;
  await session.scan(finiteRows(table, column), (chunk) => {
    values.set(chunk.getColumnValues(0) as number[], read);
    read += chunk.rowCount;
  });
  values.sort();
  return {
    points: percentileRanks(finite).map((rank) => (values[rank - 1] as number) + 0),
    distinct: distinctOf(values) + (await distinctUnbounded(session, table, column, { nan, infinite })),
    counts: (edges) => countsBetween(values, edges),
  };
}

function distinctOf(sorted: Float64Array): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

/** How many values lie in each of the cells (-inf, e1], (e1, e2], .. (ek, inf). */
function countsBetween(sorted: Float64Array, edges: readonly number[]): number[] {
  const upTo = [...edges.map((edge) => countUpTo(sorted, edge)), sorted.length];
  return upTo.map((count, cell) => count - (upTo[cell - 1] ?? 0));
}

function countUpTo(sorted: Float64Array, edge: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= edge) low = middle + 1;
    else high = middle;
  }
  return low;
}
