import { ConfigurationError, plainText } from '@passloop/core';
import { columnList } from './keys.ts';
import { quoteIdentifier, quoteText } from './quote.ts';
import type { Table, TableSession } from './session.ts';

/** Node classes of DuckDB's parse tree that compute a value from one row. Everything else is refused. */
const allowedClasses = new Set([
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'CONSTANT',
  'COLUMN_REF',
  'FUNCTION',
  'CAST',
  'BETWEEN',
  'CASE',
]);

/** Pure functions of their arguments: no clock, no randomness, no file, no setting, and no result larger than its input. */
const allowedFunctions = new Set(
  `+ - * / // % ^ ** & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ @ ! abs ceil ceiling floor round trunc sign sqrt cbrt exp ln log log2
   log10 pow power sin cos tan asin acos atan atan2 pi mod fmod fdiv divide multiply add subtract greatest least isnan isinf
   isfinite lower upper trim ltrim rtrim length len strlen substring substr substring_grapheme left right contains
   starts_with ends_with prefix suffix like_escape not_like_escape ilike_escape not_ilike_escape instr strpos position
   regexp_matches regexp_full_match regexp_extract regexp_replace split_part reverse concat replace levenshtein
   damerau_levenshtein hamming jaccard md5 sha256 hash ascii unicode year month day hour minute second quarter week
   weekday isodow dayofweek dayofmonth dayofyear isoyear yearweek epoch epoch_ms epoch_us last_day date_part datepart date_trunc
   datetrunc date_diff datediff date_sub datesub date_add make_date make_timestamp strftime strptime try_strptime
   to_days to_hours to_minutes to_seconds to_months to_years age bit_count xor even gcd lcm nullif ifnull coalesce`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

type Node = { [key: string]: unknown };

/**
 * A user's condition on one row (`where`), checked and rewritten by the engine's own parser: one scalar expression over
 * the table's columns. No subquery, table function, aggregate, window, parameter, second statement or comment survives.
 *
 * @returns the expression to embed, in parentheses: printed from the tree that was checked, never the user's text
 * @throws ConfigurationError that names what is not allowed, or the column that isn't there
 */
export async function scalarExpression(session: TableSession, table: Table, text: string): Promise<string> {
  const wrapped = quoteText(`SELECT (${text}\n)`);
  const [[serialized] = []] = await session.rows(`SELECT json_serialize_sql(${wrapped})::VARCHAR`);
  const tree = JSON.parse(String(serialized)) as Node;
  if (tree.error === true) throw refused(text, `it is not an SQL expression: ${plainText(String(tree.error_message))}`);
  const statements = tree.statements as { node: Node }[];
  const node = statements[0]?.node;
  if (statements.length !== 1 || node === undefined || !isBareSelect(node)) {
    throw refused(text, 'it must be one expression, not a query');
  }
  const [expression] = node.select_list as Node[];
  inspect(expression as Node, table, text);
  const [[printed] = []] = await session.rows(`SELECT json_deserialize_sql(json_serialize_sql(${wrapped}))`);
  const body = `(${String(printed).slice('SELECT '.length)})`;
  await requireBoolean(session, table, text, body);
  return body;
}

function isBareSelect(node: Node): boolean {
  return (
    node.type === 'SELECT_NODE' &&
    Array.isArray(node.select_list) &&
    node.select_list.length === 1 &&
    (node.from_table as Node | null)?.type === 'EMPTY' &&
    (node.modifiers as unknown[]).length === 0 &&
    ((node.cte_map as Node).map as unknown[]).length === 0 &&
    (node.group_expressions as unknown[]).length === 0 &&
    (node.group_sets as unknown[]).length === 0 &&
    node.where_clause === null &&
    node.having === null &&
    node.qualify === null &&
    node.sample === null
  );
}

function inspect(value: unknown, table: Table, text: string): void {
  if (Array.isArray(value)) {
    for (const item of value) inspect(item, table, text);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const node = value as Node;
  if (typeof node.class === 'string') {
    if (!allowedClasses.has(node.class)) throw refused(text, `${describe(node.class)} is not allowed`);
    if (node.class === 'FUNCTION') inspectFunction(node, text);
    if (node.class === 'COLUMN_REF') inspectColumn(node, table, text);
    // The tree of a constant holds user text and types, no further expression.
    if (node.class === 'CONSTANT' || node.class === 'COLUMN_REF') return;
  }
  for (const child of Object.values(node)) inspect(child, table, text);
}

function inspectFunction(node: Node, text: string): void {
  const name = String(node.function_name).toLowerCase();
  const plain =
    node.schema === '' &&
    (node.catalog === undefined || node.catalog === '') &&
    node.filter === null &&
    node.distinct === false &&
    ((node.order_bys as Node).orders as unknown[]).length === 0;
  if (!plain || !allowedFunctions.has(name)) throw refused(text, `the function ${plainText(name, 60)} is not allowed`);
}

function inspectColumn(node: Node, table: Table, text: string): void {
  const names = node.column_names as string[];
  if (names.length !== 1 || !table.columns.some((column) => column.name === names[0])) {
    throw refused(text, `${table.name} has no column \`${plainText(names.join('.'), 100)}\`. ${columnList(table)}`);
  }
}

async function requireBoolean(session: TableSession, table: Table, text: string, body: string): Promise<void> {
  let described: unknown[][];
  try {
    described = await session.rows(
      `SELECT column_type FROM (DESCRIBE SELECT ${body} AS ${quoteIdentifier('condition')} FROM ${table.relation})`,
    );
  } catch (error) {
    throw refused(text, (error as Error).message);
  }
  if (described[0]?.[0] !== 'BOOLEAN') throw refused(text, `it is a ${String(described[0]?.[0])}, not true or false`);
}

function describe(nodeClass: string): string {
  const words: Record<string, string> = {
    SUBQUERY: 'a subquery',
    WINDOW: 'a window function',
    STAR: '`*`',
    PARAMETER: 'a parameter',
    POSITIONAL_REFERENCE: 'a column by its position',
    LAMBDA: 'a lambda',
    COLLATE: 'a collation',
    DEFAULT: 'DEFAULT',
  };
  return words[nodeClass] ?? nodeClass.toLowerCase();
}

function refused(text: string, why: string): ConfigurationError {
  return new ConfigurationError(
    `The condition ${JSON.stringify(plainText(text, 120))} is refused: ${why.replace(/\.$/, '')}.`,
    {
      hint: 'Write one expression over the columns of a row, such as: distance > 0 AND origin <> destination',
    },
  );
}
