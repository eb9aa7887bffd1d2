import { ConfigurationError, plainText } from '@passloop/core';
import { columnList, nearestColumn } from './keys.ts';
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

/**
 * Pure functions of their arguments: no clock, no randomness, no file, no setting, and no result much larger than its input
 * ({@link refuseGrowth}).
 */
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

/**
 * Arguments by their place that the engine repeats where it refuses them: of a row they would be values in a message, and a
 * regular expression made anew for each row.
 */
const constantArguments: Readonly<Record<string, number>> = {
  regexp_matches: 1,
  regexp_full_match: 1,
  regexp_extract: 1,
  regexp_replace: 1,
  strptime: 1,
  try_strptime: 1,
  date_part: 0,
  datepart: 0,
  date_trunc: 0,
  datetrunc: 0,
  date_diff: 0,
  datediff: 0,
  date_sub: 0,
  datesub: 0,
};

/**
 * Functions that the grammar writes for SQL's own phrases, and the word by which each phrase begins. The parser puts them into
 * the schema `main`, as if their author had named it; of other calls, only a schema that was written stands there.
 */
const grammarCalls: Record<string, string> = {
  substring: 'substring',
  trim: 'trim',
  ltrim: 'trim',
  rtrim: 'trim',
  date_part: 'extract',
  position: 'position',
  like_escape: 'like',
  ilike_escape: 'ilike',
  not_like_escape: 'not',
  not_ilike_escape: 'not',
};

export type Node = { [key: string]: unknown };

/**
 * A user's condition on one row (`where`), checked and rewritten by the engine's own parser: one scalar expression over
 * the table's columns. No subquery, table function, aggregate, window, parameter, second statement or comment survives.
 *
 * @returns the expression to embed, in parentheses: printed from the tree that was checked, never the user's text
 * @throws ConfigurationError that names what is not allowed, or the column that isn't there
 */
export async function scalarExpression(session: TableSession, table: Table, text: string): Promise<string> {
  const refuse = (why: string) => refused(text, why);
  const parsed = await parseExpression(session, text, refuse);
  inspectScalar(parsed.expression, table, refuse);
  const body = `(${await printExpression(session, parsed)})`;
  await requireBoolean(session, table, text, body);
  return body;
}

/** A text as the engine's parser sees it: one expression. */
export type ParsedExpression = { text: string; expression: Node };

/** @throws what `refuse` makes of the reason, for anything but one expression */
export async function parseExpression(
  session: TableSession,
  text: string,
  refuse: (why: string) => Error,
): Promise<ParsedExpression> {
  const [[serialized] = []] = await session.rows(`SELECT ${serializedSelect(text)}::VARCHAR`);
  const tree = parseTree(String(serialized));
  if (tree === null) throw refuse('a number in it is too large');
  if (tree.error === true) throw refuse(`it is not an SQL expression: ${plainText(String(tree.error_message))}`);
  const statements = tree.statements as { node: Node }[];
  const node = statements[0]?.node;
  if (statements.length !== 1 || node === undefined || !isBareSelect(node)) {
    throw refuse('it must be one expression, not a query');
  }
  const [expression] = node.select_list as Node[];
  clearGrammarSchemas(expression, Buffer.from(selectOf(text)));
  return { text, expression: expression as Node };
}

function selectOf(text: string): string {
  return `SELECT (${text}\n)`;
}

function serializedSelect(text: string): string {
  return `json_serialize_sql(${quoteText(selectOf(text))})`;
}

/** Takes the schema off calls that begin by the grammar's word: where a person names a schema, the call begins by its name. */
function clearGrammarSchemas(value: unknown, select: Buffer): void {
  if (Array.isArray(value)) for (const item of value) clearGrammarSchemas(item, select);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const node = value as Node;
  if (node.class === 'CONSTANT') return;
  if (node.class === 'FUNCTION' && node.schema === 'main' && Object.hasOwn(grammarCalls, functionName(node))) {
    const word = grammarCalls[functionName(node)] as string;
    const at = Number(node.query_location);
    const written = select.subarray(at, at + word.length + 1).toString('latin1');
    if (written.slice(0, -1).toLowerCase() === word && !/[\w.$"]/.test(written.slice(-1))) node.schema = '';
  }
  for (const child of Object.values(node)) clearGrammarSchemas(child, select);
}

/** The engine writes a literal such as 1e400 as Infinity, which is no JSON: then null. */
function parseTree(serialized: string): Node | null {
  try {
    return JSON.parse(serialized) as Node;
  } catch {
    return null;
  }
}

/** The text of a part of a parsed expression as the engine prints it: by its path in the tree, such as `.children[0]`. */
export async function printExpression(session: TableSession, { text }: ParsedExpression, path = ''): Promise<string> {
  // The part's JSON never passes through JavaScript: its long numbers would lose digits.
  const part = `json_extract(${serializedSelect(text)}, ${quoteText(`$.statements[0].node.select_list[0]${path}`)})::VARCHAR`;
  const alone = `replace(${serializedSelect('NULL')}::VARCHAR, json_extract(${serializedSelect('NULL')}, '$.statements[0].node.select_list')::VARCHAR, '[' || ${part} || ']')`;
  // In the tree that was checked, only the grammar has named a schema; inside of a string these quotes would be escaped.
  const bare = `replace(${alone}, '"schema":"main"', '"schema":""')`;
  const [[printed] = []] = await session.rows(`SELECT json_deserialize_sql((${bare})::JSON)`);
  return String(printed).slice('SELECT '.length);
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

/** @throws what `refuse` makes of the reason, for anything but a value of one row of the table */
export function inspectScalar(
  value: unknown,
  table: Pick<Table, 'name' | 'columns'>,
  refuse: (why: string) => Error,
): void {
  if (Array.isArray(value)) {
    for (const item of value) inspectScalar(item, table, refuse);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const node = value as Node;
  if (typeof node.class === 'string') {
    if (!allowedClasses.has(node.class)) throw refuse(`${describe(node.class)} is not allowed`);
    if (
      node.class === 'FUNCTION' &&
      !(isPlainCall(node) && node.filter === null && allowedFunctions.has(functionName(node)))
    )
      throw refuse(`the function ${plainText(functionName(node), 60)} is not allowed`);
    if (node.class === 'FUNCTION') {
      requireConstant(node, refuse);
      refuseGrowth(node, refuse);
    }
    if (node.class === 'COLUMN_REF') inspectColumn(node, table, refuse);
    // The tree of a constant holds user text and types, no further expression.
    if (node.class === 'CONSTANT' || node.class === 'COLUMN_REF') return;
  }
  for (const child of Object.values(node)) inspectScalar(child, table, refuse);
}

function requireConstant(node: Node, refuse: (why: string) => Error): void {
  const name = functionName(node);
  const place = Object.hasOwn(constantArguments, name) ? constantArguments[name] : undefined;
  if (place === undefined) return;
  const argument = (node.children as Node[])[place];
  if (argument !== undefined && argument.class !== 'CONSTANT')
    throw refuse(`the ${place === 0 ? 'unit' : 'pattern'} of ${name} must be a constant`);
}

const longestReplacement = 64;
const deepestGrowth = 2;

/**
 * What is put in place of each match multiplies a text, and nested it multiplies without end: ten of
 * `replace(…, 'a', 'aaaaaaaaaa')` in one another make 10 GB of a letter, which the engine's memory limit does not count.
 */
function refuseGrowth(node: Node, refuse: (why: string) => Error): void {
  const name = functionName(node);
  if (name !== 'replace' && name !== 'regexp_replace') return;
  const put = constantText((node.children as Node[])[2]);
  if (put === null || put.length > longestReplacement)
    throw refuse(`what ${name} puts in must be a constant text of at most ${longestReplacement} characters`);
  if (growthOf(node) > deepestGrowth)
    throw refuse(`more than ${deepestGrowth} calls that may put more text in than they take out stand in one another`);
}

/** How many calls that may lengthen their text stand in one another. */
function growthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const node = value as Node;
  const inner = Math.max(0, ...Object.values(node).map(growthOf));
  return node.class === 'FUNCTION' && mayGrow(node) ? inner + 1 : inner;
}

function mayGrow(node: Node): boolean {
  const name = functionName(node);
  if (name !== 'replace' && name !== 'regexp_replace') return false;
  const [, pattern, put] = (node.children as Node[]).map(constantText);
  // A regular expression may match nothing, between all characters.
  if (name === 'regexp_replace') return put !== '';
  return typeof pattern !== 'string' || typeof put !== 'string' || Buffer.byteLength(put) > Buffer.byteLength(pattern);
}

/** Null for anything but a text that is written out. */
function constantText(node: Node | undefined): string | null {
  const text = node?.class === 'CONSTANT' ? (node.value as Node).value : null;
  return typeof text === 'string' ? text : null;
}

export function functionName(node: Node): string {
  return String(node.function_name).toLowerCase();
}

/** A call without schema, DISTINCT and ORDER BY. */
export function isPlainCall(node: Node): boolean {
  return (
    node.schema === '' &&
    (node.catalog === undefined || node.catalog === '') &&
    node.distinct === false &&
    ((node.order_bys as Node).orders as unknown[]).length === 0
  );
}

function inspectColumn(node: Node, table: Pick<Table, 'name' | 'columns'>, refuse: (why: string) => Error): void {
  const names = node.column_names as string[];
  if (names.length !== 1 || !table.columns.some((column) => column.name === names[0])) {
    const name = names.join('.');
    const near = nearestColumn(table, name);
    throw refuse(
      `${table.name} has no column \`${plainText(name, 100)}\`. ${near === null ? '' : `${near} `}${columnList(table)}`,
    );
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

export function describe(nodeClass: string): string {
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
