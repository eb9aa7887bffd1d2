import { ConfigurationError } from '@passloop/core';
import { metricForm } from '@passloop/model';
import { quoteIdentifier, type TableSession } from '@passloop/tables';
import { byCodeUnits } from './classes.ts';
import {
  type Cell,
  distinctCells,
  type FrameColumn,
  type FrameValues,
  missingValue,
  refuseRows,
} from './frame-columns.ts';
import { hasNumberLabels, type Planned } from './frame-plan.ts';

/** More values than these are no slices. */
export const mostSliceValues = 200;
const longestSliceValue = 256;

/** The values of a slice column, in an order that no file format changes; NULL last. */
export async function sliceCells(session: TableSession, column: FrameColumn): Promise<Cell[]> {
  const cells = await distinctCells(session, column.table, column.column, mostSliceValues);
  const where = `${column.table.name}: \`${column.column.name}\``;
  if (cells === null) {
    throw new ConfigurationError(`${where} has more than ${mostSliceValues} values: too many to slice by.`, {
      file: column.table.source?.uri,
      hint: 'Slice by a coarser column.',
    });
  }
  const long = cells.find((cell) => sliceText(cell).length > longestSliceValue);
  if (long !== undefined) {
    throw new ConfigurationError(`${where} has values of more than ${longestSliceValue} characters: no slice names.`, {
      file: column.table.source?.uri,
    });
  }
  return cells.sort((left, right) => {
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    if (typeof left === 'number' && typeof right === 'number' && left !== right && !Number.isNaN(left + right))
      return left - right;
    return byCodeUnits(sliceText(left), sliceText(right));
  });
}

export function sliceText(cell: Cell): string {
  return cell === null ? '(null)' : Object.is(cell, -0) ? '0' : String(cell);
}

/** What the checks of a column's values ask: of its finite ones the extremes and the sum, and how many others there are. */
export type ValueSummary = { bad: number; minimum: number; maximum: number; sum: number };

export function summaryOf({ values, bad }: FrameValues): ValueSummary {
  let [minimum, maximum, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    sum += value;
  }
  return { bad, minimum, maximum, sum };
}

/** The columns that were read, with their values' summaries, in one order. */
type Read = { columns: readonly FrameColumn[]; rows: number; summaries: readonly ValueSummary[] };

/**
 * @throws ConfigurationError for values that are missing or not finite, scores that are no probabilities where a metric
 *   needs them, scores that are the same in every row, weights that are negative or all 0, relevances below 0, and numbers
 *   as labels that are all the same
 */
export async function requireValues(session: TableSession, request: Planned, read: Read): Promise<void> {
  const { key } = request.columns;
  for (const [i, column] of read.columns.entries()) {
    if (column.role === 'unit') await requireUnits(session, column, key);
    else if (read.summaries[i]!.bad > 0)
      await refuseRows(session, column, key, missingValue(column.column), 'NULL, NaN or infinite');
  }
  await requireProbabilities(session, request, read);
  requireSomeDifference(read);
  const [label] = read.columns as [FrameColumn];
  const [labels] = read.summaries as [ValueSummary];
  if (hasNumberLabels(request.task) && labels.minimum === labels.maximum) {
    throw new ConfigurationError(
      `The label \`${label.column.name}\` of ${label.table.name} is ${labels.minimum} in every row.`,
      { file: label.table.source?.uri },
    );
  }
  if (request.task === 'ranking' && labels.minimum < 0) {
    await refuseRows(
      session,
      label,
      key,
      `${quoteIdentifier(label.column.name)} < 0`,
      'below 0, which is no relevance,',
    );
  }
  const weight = read.columns.findIndex(({ role }) => role === 'weight');
  if (weight >= 0) await requireWeights(session, key, read.columns[weight]!, read.summaries[weight]!);
}

async function requireUnits(session: TableSession, column: FrameColumn, key: readonly string[]): Promise<void> {
  const missing = missingValue(column.column);
  const [[count] = []] = await session.rows(`SELECT count(*) FROM ${column.table.relation} WHERE ${missing}`);
  if (Number(count) > 0) await refuseRows(session, column, key, missing, 'NULL, NaN or infinite');
}

async function requireProbabilities(session: TableSession, request: Planned, read: Read): Promise<void> {
  const needing = (request.metrics ?? []).filter((name) => {
    const form = metricForm(name, request.declared);
    return form !== null && form !== 'image' && form.probabilities === true && form.tasks.includes(request.task);
  });
  if (needing.length === 0) return;
  for (const [i, column] of read.columns.entries()) {
    if (column.role !== 'score' && column.role !== 'scores') continue;
    const { minimum, maximum } = read.summaries[i]!;
    if (minimum >= 0 && maximum <= 1) continue;
    const name = quoteIdentifier(column.column.name);
    const what = `outside 0..1 (${needing.join(', ')}: probabilities are needed)`;
    await refuseRows(session, column, request.columns.key, `${name} < 0 OR ${name} > 1`, what);
  }
}

/** A model that says the same of every row was not asked, or is broken: a comparison with it tells nothing. */
function requireSomeDifference({ columns, rows, summaries }: Read): void {
  for (const side of new Set(columns.map(({ of }) => of))) {
    const scores = [...columns.entries()].filter(
      ([, column]) => column.of === side && (column.role === 'score' || column.role === 'scores'),
    );
    const isConstant = scores.every(([i]) => summaries[i]!.minimum === summaries[i]!.maximum);
    const [first] = scores;
    if (first === undefined || !isConstant || rows < 2) continue;
    const [i, { table, column, namedBy }] = first;
    throw new ConfigurationError(
      `${table.name}: \`${column.name}\` is ${summaries[i]!.minimum} in every row; ${namedBy}, and a constant score tells no rows apart.`,
      { file: table.source?.uri, hint: 'Look at how the rows were scored: a model that got its inputs would differ.' },
    );
  }
}

async function requireWeights(
  session: TableSession,
  key: readonly string[],
  column: FrameColumn,
  { minimum, sum }: ValueSummary,
): Promise<void> {
  if (minimum < 0) await refuseRows(session, column, key, `${quoteIdentifier(column.column.name)} < 0`, 'negative');
  if (sum > 0 && Number.isFinite(sum)) return;
  throw new ConfigurationError(
    `The weights \`${column.column.name}\` of ${column.table.name} have the sum ${sum}; ${column.namedBy}.`,
    { file: column.table.source?.uri },
  );
}
