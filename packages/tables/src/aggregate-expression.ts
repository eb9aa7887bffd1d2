import { ConfigurationError, plainText } from '@passloop/core';
import {
  describe,
  functionName,
  inspectScalar,
  isPlainCall,
  type Node,
  type ParsedExpression,
  parseExpression,
  printExpression,
} from './expression.ts';
import type { Table, TableSession } from './session.ts';

/** An expression of sums over rows: what each row adds, and the value that the sums make. */
export type AggregateExpression = {
  /** One SQL expression a sum, each a DOUBLE of one row that is never NULL. */
  terms: string[];
  /** NaN where it is undefined: a division by zero, the root of a negative number. */
  of(sums: ArrayLike<number>): number;
  /** The columns that it reads. */
  columns: string[];
};

type Value = (sums: ArrayLike<number>) => number;

const arithmetic: Record<string, (...values: number[]) => number> = {
  '+': (left, right) => (right === undefined ? left! : left! + right),
  '-': (left, right) => (right === undefined ? -left! : left! - right),
  '*': (left, right) => left! * right!,
  '/': (left, right) => (right === 0 ? Number.NaN : left! / right!),
  '^': (base, exponent) => base! ** exponent!,
  '**': (base, exponent) => base! ** exponent!,
  pow: (base, exponent) => base! ** exponent!,
  power: (base, exponent) => base! ** exponent!,
  sqrt: (value) => Math.sqrt(value!),
  ln: (value) => Math.log(value!),
  exp: (value) => Math.exp(value!),
  abs: (value) => Math.abs(value!),
  greatest: Math.max,
  least: Math.min,
};

const aggregates = new Set(['sum', 'avg', 'mean', 'count', 'count_star', 'count_if', 'countif']);

const mostTerms = 64;
const largestText = 4096;

/**
 * A user's metric as SQL: `sum`, `avg`, `count` and `count_if` of scalar expressions over a row, with or without FILTER, put
 * together by arithmetic. Such a value is a function of sums, so that it can be resampled; nothing else is taken, and what a
 * row may compute is guarded as a condition is (no subquery, no file, no clock, no randomness).
 *
 * @throws ConfigurationError that names what is not allowed, or the column that isn't there
 */
export async function aggregateExpression(
  session: TableSession,
  table: Pick<Table, 'name' | 'columns'>,
  text: string,
): Promise<AggregateExpression> {
  const refuse = (why: string) => refused(text, why);
  if (text.length > largestText) throw refuse(`it is longer than ${largestText} characters`);
  const parsed = await parseExpression(session, text, refuse);
  const columns = new Set<string>();
  const terms: string[] = [];
  const reader: Reader = { session, table, parsed, columns, terms, refuse };
  const of = await compile(reader, parsed.expression, '');
  if (terms.length === 0) throw refuse('it has no sum, avg, count or count_if');
  return { terms, of, columns: [...columns] };
}

type Reader = {
  session: TableSession;
  table: Pick<Table, 'name' | 'columns'>;
  parsed: ParsedExpression;
  columns: Set<string>;
  terms: string[];
  refuse: (why: string) => Error;
};

async function compile(reader: Reader, node: Node, path: string): Promise<Value> {
  const { refuse } = reader;
  if (node.class === 'CONSTANT') {
    const number = constant(node);
    if (number === null) throw refuse('outside of a sum, constants are numbers');
    return () => number;
  }
  if (node.class === 'CAST') {
    const to = (node.cast_type as Node).id;
    if (to !== 'DOUBLE') throw refuse('outside of a sum, the only cast is to DOUBLE');
    return compile(reader, node.child as Node, `${path}.child`);
  }
  if (node.class === 'COLUMN_REF')
    throw refuse(`the column \`${plainText((node.column_names as string[]).join('.'), 100)}\` stands outside of a sum`);
  if (node.class !== 'FUNCTION') throw refuse(`outside of a sum, ${describe(String(node.class))} is not allowed`);
  const name = functionName(node);
  if (!isPlainCall(node)) throw refuse(`${plainText(name, 60)} has DISTINCT, ORDER BY or a schema`);
  if (aggregates.has(name)) return aggregate(reader, name, node, path);
  const apply = Object.hasOwn(arithmetic, name) ? arithmetic[name] : undefined;
  if (apply === undefined || node.filter !== null) {
    throw refuse(`the function ${plainText(name, 60)} is not allowed outside of a sum`);
  }
  const children = node.children as Node[];
  const values: Value[] = [];
  for (const [i, child] of children.entries()) values.push(await compile(reader, child, `${path}.children[${i}]`));
  return (sums) => apply(...values.map((value) => value(sums)));
}

function constant(node: Node): number | null {
  const { type, is_null: isNull, value } = node.value as { type: Node; is_null: boolean; value: unknown };
  if (isNull || typeof value !== 'number' || !Number.isFinite(value)) return null;
  const info = type.type_info as { scale?: number } | null;
  // A decimal such as 1.5 is stored as 15 and its scale.
  return type.id === 'DECIMAL' ? Number(`${value}e-${info?.scale ?? 0}`) : value;
}

async function aggregate(reader: Reader, name: string, node: Node, path: string): Promise<Value> {
  const { session, table, parsed, terms, refuse } = reader;
  const children = node.children as Node[];
  for (const part of [...children, node.filter]) {
    inspectScalar(part, table, (why) => refuse(`in ${name}, ${why}`));
    collectColumns(part, reader.columns);
  }
  const filter = node.filter === null ? null : await printExpression(session, parsed, `${path}.filter`);
  const argument = children.length === 0 ? null : await printExpression(session, parsed, `${path}.children[0]`);
  if (children.length > 1 || (argument === null && name !== 'count_star' && name !== 'count'))
    throw refuse(`${name} has ${children.length} arguments; one is needed`);
  const where = (term: string) => (filter === null ? term : `CASE WHEN (${filter}) THEN ${term} ELSE 0 END`);
  function add(term: string): number {
    if (terms.length >= mostTerms) throw refuse(`it has more than ${mostTerms} sums`);
    return terms.push(`coalesce((${where(term)})::DOUBLE, 0)`) - 1;
  }
  const present = argument === null ? '1' : `CASE WHEN (${argument}) IS NULL THEN 0 ELSE 1 END`;
  if (name === 'count' || name === 'count_star') {
    const at = add(present);
    return (sums) => sums[at]!;
  }
  if (name === 'count_if' || name === 'countif') {
    const at = add(`CASE WHEN (${argument}) THEN 1 ELSE 0 END`);
    return (sums) => sums[at]!;
  }
  // A type that is no number is the engine's error: `+ 0` is what it can't do with text.
  const total = add(isCondition(children[0] as Node, table) ? `(${argument})::INTEGER` : `(${argument}) + 0`);
  if (name === 'sum') return (sums) => sums[total]!;
  const count = add(present);
  return (sums) => (sums[count] === 0 ? Number.NaN : sums[total]! / sums[count]!);
}

/** Rows for which something holds, counted by a sum as the engine counts them. */
function isCondition(node: Node, table: Reader['table']): boolean {
  if (node.class !== 'COLUMN_REF') return ['COMPARISON', 'CONJUNCTION', 'BETWEEN'].includes(String(node.class));
  const [name] = node.column_names as string[];
  return table.columns.some((column) => column.name === name && column.type === 'boolean');
}

function collectColumns(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectColumns(item, into);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const node = value as Node;
  if (node.class === 'COLUMN_REF') into.add((node.column_names as string[])[0] as string);
  else if (node.class !== 'CONSTANT') for (const child of Object.values(node)) collectColumns(child, into);
}

function refused(text: string, why: string): ConfigurationError {
  return new ConfigurationError(
    `The metric ${JSON.stringify(plainText(text, 120))} is refused: ${why.replace(/\.$/, '')}.`,
    {
      hint: 'Write sums, counts and means over the columns of a row, such as: sum(CASE WHEN late <> late_hat THEN price ELSE 0 END) / sum(price)',
    },
  );
}
