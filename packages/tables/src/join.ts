import { ConfigurationError } from '@passloop/core';
import { isNumeric, type TableColumn } from './column-types.ts';
import { checkKey, type KeyReport, missingKey, requireColumn } from './keys.ts';
import { quoteIdentifier } from './quote.ts';
import type { Table, TableSession } from './session.ts';

export type KeyDifference = {
  /** Keys of both sides, each counted once. */
  matched: number;
  /** Keys of `base` that `other` lacks, and keys of `other` that `base` lacks: counts and the first in order, as text. */
  missing: { count: number; examples: string[][] };
  extra: { count: number; examples: string[][] };
  base: KeyReport;
  other: KeyReport;
};

export type JoinInput = {
  table: Table;
  /** Result column -> column of this table. */
  columns: Readonly<Record<string, string>>;
};

/**
 * Compares the keys of two tables, exactly. Rows without a key and repeated keys are told by the two key reports.
 *
 * @throws ConfigurationError where a key column is missing, or its types can't be compared (`7` is not `'007'`)
 */
export async function compareKeys(
  session: TableSession,
  base: Table,
  other: Table,
  key: readonly string[],
): Promise<KeyDifference> {
  requireSameKeyTypes(base, other, key);
  const reports = [await checkKey(session, base, key), await checkKey(session, other, key)] as const;
  const [left, right] = [distinctKeys(base, key), distinctKeys(other, key)];
  const names = key.map(quoteIdentifier).join(', ');
  const using = `USING (${names})`;
  const count = async (query: string) => Number((await session.rows(`SELECT count(*) FROM ${query}`))[0]?.[0]);
  const side = async (from: string, against: string, total: number) => {
    const query = `${from} l ANTI JOIN ${against} r ${using}`;
    if (total === 0) return { count: 0, examples: [] };
    const examples = await session.rows(
      `SELECT ${key.map((name) => `l.${quoteIdentifier(name)}::VARCHAR`).join(', ')} FROM ${query} ORDER BY ${key.map((name) => `l.${quoteIdentifier(name)}`).join(', ')} LIMIT 5`,
    );
    return { count: total, examples: examples.map((row) => row.map(String)) };
  };
  const matched = await count(`${left} l SEMI JOIN ${right} r ${using}`);
  const missing = await count(`${left} l ANTI JOIN ${right} r ${using}`);
  const extra = await count(`${right} l ANTI JOIN ${left} r ${using}`);
  return {
    matched,
    missing: await side(left, right, missing),
    extra: await side(right, left, extra),
    base: reports[0],
    other: reports[1],
  };
}

/**
 * Joins tables by key into one derived table: the key columns under their own names, then the columns asked for under
 * the names asked for. Only rows whose key every table has; call {@link compareKeys} first to know what is left out.
 *
 * @throws ConfigurationError for missing columns, key types that can't be compared, a result name that comes twice
 */
export async function joinByKey(
  session: TableSession,
  inputs: readonly [JoinInput, ...JoinInput[]],
  key: readonly string[],
  name: string,
): Promise<Table> {
  const base = inputs[0].table;
  const taken = new Set(key.map((column) => column.toLowerCase()));
  const selects = key.map((column) => `t0.${quoteIdentifier(column)}`);
  let from = `${base.relation} t0`;
  for (const [i, input] of inputs.entries()) {
    requireSameKeyTypes(base, input.table, key);
    if (i > 0) {
      const equal = key.map((column) => `t0.${quoteIdentifier(column)} = t${i}.${quoteIdentifier(column)}`);
      from += ` JOIN ${input.table.relation} t${i} ON ${equal.join(' AND ')}`;
    }
    for (const [alias, column] of Object.entries(input.columns)) {
      requireColumn(input.table, column);
      if (taken.has(alias.toLowerCase()))
        throw new ConfigurationError(`The joined table would have two columns ${JSON.stringify(alias)}.`);
      taken.add(alias.toLowerCase());
      selects.push(`t${i}.${quoteIdentifier(column)} AS ${quoteIdentifier(alias)}`);
    }
  }
  return session.derive(`SELECT ${selects.join(', ')} FROM ${from}`, name);
}

function distinctKeys(table: Table, key: readonly string[]): string {
  return `(SELECT DISTINCT ${key.map(quoteIdentifier).join(', ')} FROM ${table.relation} WHERE NOT (${missingKey(table, key)}))`;
}

function requireSameKeyTypes(base: Table, other: Table, key: readonly string[]): void {
  for (const name of key) {
    const left = requireColumn(base, name, 'columns.key');
    const right = requireColumn(other, name, 'columns.key');
    if (kindOf(left) === kindOf(right)) continue;
    throw new ConfigurationError(
      `The key \`${name}\` is ${left.type} in ${base.name} and ${right.type} in ${other.name}; they can't be matched.`,
      { file: other.source?.uri, hint: 'Write the key with one type in both.' },
    );
  }
}

function kindOf(column: TableColumn): string {
  return isNumeric(column.type) ? 'number' : column.type;
}
