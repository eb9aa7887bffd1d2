import { ConfigurationError, plainText } from '@passloop/core';
import type { Model } from '@passloop/model';
import {
  type AggregateExpression,
  aggregateExpression,
  findColumn,
  quoteIdentifier,
  type Table,
  type TableSession,
} from '@passloop/tables';
import type { FrameColumn, Scorer } from './frame-columns.ts';
import { type FrameTables, type PlanQuestion, scoredTables } from './frame-plan.ts';
import type { SummedMetric } from './metric.ts';

/** A metric that the model file writes in SQL, checked. */
export type SqlMetric = { name: string; expression: AggregateExpression };

/**
 * The SQL metrics among those that will be measured. Their names are columns of the predictions where `columns` names them,
 * and columns of the dataset otherwise: what else a predictions file holds is not read.
 * @throws ConfigurationError for an expression that is refused
 */
export async function sqlMetrics(
  session: TableSession,
  request: PlanQuestion & FrameTables<Table>,
): Promise<SqlMetric[]> {
  const { metrics = [], declared = {}, dataset, candidate } = request;
  const found: SqlMetric[] = [];
  const predicted = predictedColumns(request.columns);
  const columns = [
    ...candidate.columns.filter(({ name }) => predicted.has(name)),
    ...dataset.columns.filter(({ name }) => !predicted.has(name)),
  ];
  for (const name of new Set(metrics)) {
    const metric = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (metric?.kind !== 'sql') continue;
    const table = { name: `the metric ${name} (${dataset.name} and the predictions)`, columns };
    found.push({ name, expression: await aggregateExpression(session, table, metric.sql) });
  }
  return found;
}

function predictedColumns({ score, scores = {}, prediction }: Model['columns']): Set<string> {
  return new Set([score, prediction, ...Object.values(scores)].filter((name) => name !== undefined));
}

/** The columns that SQL metrics read, for the join: those of a prediction once for each model. */
export function operandColumns(found: readonly SqlMetric[], request: PlanQuestion & FrameTables<Table>): FrameColumn[] {
  const predicted = predictedColumns(request.columns);
  const names = [...new Set(found.flatMap(({ expression }) => expression.columns))];
  const operands: FrameColumn[] = [];
  for (const name of names) {
    const sides = predicted.has(name) ? scoredTables(request) : [['dataset', request.dataset] as const];
    for (const [side, table] of sides) {
      const column = findColumn(table, name);
      if (column === null) continue;
      const alias = `passloop operand ${operands.length}`;
      operands.push({ of: side, role: 'operand', table, column, namedBy: 'a metric names it', alias });
    }
  }
  return operands;
}

/**
 * A row's terms of every SQL metric for one model, in the key's order, summed by nobody but {@link sqlMetric}.
 * @throws ConfigurationError for what the engine refuses (a text in a sum), and for terms that are not finite
 */
export async function readTerms(
  session: TableSession,
  joined: Table,
  key: readonly string[],
  of: Scorer,
  found: readonly SqlMetric[],
  operands: readonly FrameColumn[],
): Promise<Record<string, Float64Array[]>> {
  if (found.length === 0) return {};
  const seen = operands.filter((operand) => operand.of === 'dataset' || operand.of === of);
  const order = key.map((_, i) => `passloop key ${i}`).map(quoteIdentifier);
  const inner = [
    ...key.map((name, i) => `${quoteIdentifier(name)} AS ${order[i]}`),
    ...seen.map(({ alias, column }) => `${quoteIdentifier(alias)} AS ${quoteIdentifier(column.name)}`),
  ];
  const terms = found.map(({ expression }) => expression.terms.map(() => new Float64Array(joined.rows)));
  const selected = found.flatMap(({ expression }) => expression.terms).join(', ');
  const query = `SELECT ${selected} FROM (SELECT ${inner.join(', ')} FROM ${joined.relation}) ORDER BY ${order.join(', ')}`;
  const flat = terms.flat();
  let offset = 0;
  try {
    await session.scan(query, (chunk) => {
      for (const [i, column] of flat.entries()) column.set(chunk.getColumnValues(i) as number[], offset);
      offset += chunk.rowCount;
    });
  } catch (error) {
    const names = found.map(({ name }) => `metrics.${name}`).join(', ');
    throw new ConfigurationError(`${names}: the engine refuses it: ${plainText((error as Error).message, 500)}`, {
      cause: error,
    });
  }
  for (const [i, { name }] of found.entries()) {
    const bad = terms[i]!.reduce(
      (count, column) => count + column.filter((value) => !Number.isFinite(value)).length,
      0,
    );
    if (bad > 0) throw new ConfigurationError(`metrics.${name}: a sum gets NaN or Infinity from ${bad} rows.`);
  }
  return Object.fromEntries(found.map(({ name }, i) => [name, terms[i]!]));
}

/** The metric as a function of its rows' terms. The model's weights are not in it: the expression says what counts. */
export function sqlMetric({ name, expression }: SqlMetric): SummedMetric {
  const width = expression.terms.length;
  return {
    kind: 'sums',
    tasks: ['binary', 'multiclass', 'regression', 'ranking', 'forecast'],
    needs: null,
    direction: null,
    isUnweighted: true,
    width: () => width,
    adder(_frame, side) {
      const terms = Object.hasOwn(side.terms, name) ? side.terms[name] : undefined;
      if (terms === undefined) throw new RangeError(`metrics.${name} was not read`);
      return (into, at, row) => {
        for (let k = 0; k < width; k += 1) into[at + k]! += terms[k]![row]!;
      };
    },
    sql: ({ terms }) => [...(terms[name] ?? [])],
    of: (sums) => expression.of(sums),
  };
}
