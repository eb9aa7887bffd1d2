import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, InfrastructureError } from '@passloop/core';
import { type Signature, tensorColumn } from '@passloop/model';
import {
  quoteIdentifier,
  quoteText,
  readColumns,
  requireColumn,
  requireKey,
  type Table,
  type TableSession,
  writeParquet,
} from '@passloop/tables';
import type { Column, Value } from './tensor.ts';

/**
 * Columns of a table in the order of its key, for scoring: missing values are null, whole numbers that no double holds are `bigint`.
 * @throws ConfigurationError for a missing column, or a key that isn't one
 */
export async function readTableColumns(
  session: TableSession,
  table: Table,
  request: { columns: readonly string[]; key: readonly string[] },
): Promise<Column[]> {
  await requireKey(session, table, request.key);
  const types = request.columns.map((name) => requireColumn(table, name).type);
  const read = await readColumns(session, table, { columns: request.columns, orderBy: request.key });
  return read.map((column, index): Column => {
    const isInteger = types[index] === 'integer';
    const values: Value[] = new Array(table.rows);
    for (let row = 0; row < table.rows; row += 1) {
      if (column.nulls[row] === 1) values[row] = null;
      else if (column.kind === 'boolean') values[row] = column.values[row] === 1;
      else if (column.kind === 'string' && isInteger) values[row] = BigInt(column.values[row] ?? '');
      else values[row] = column.values[row] ?? null;
    }
    return { name: request.columns[index] ?? '', values };
  });
}

/**
 * Row by row is a comparison only where the rows are the same: predictions about others could agree by chance.
 * @param whose for the message
 * @throws ConfigurationError where the predictions' keys are not the dataset's
 */
export async function requireSameRows(
  session: TableSession,
  dataset: Table,
  predictions: Table,
  key: readonly string[],
  whose = "The stage's predictions",
): Promise<void> {
  const [left, right] = [
    await readTableColumns(session, dataset, { columns: key, key }),
    await readTableColumns(session, predictions, { columns: key, key }),
  ];
  const same = left.every(({ values }, at) => {
    const others = right[at]?.values ?? [];
    return (
      values.length === others.length && Array.from(values).every((value, row) => String(value) === String(others[row]))
    );
  });
  if (same) return;
  throw new ConfigurationError(
    `${whose} are about other rows than the dataset: ${predictions.rows} rows, ${dataset.rows} in the dataset, and their keys ${key.join(', ')} differ.`,
    { hint: 'They must have one row for each row of evaluate.dataset, by the same key.' },
  );
}

const sqlTypes: Record<string, string> = {
  BOOL: 'BOOLEAN',
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  UINT8: 'UTINYINT',
  UINT16: 'USMALLINT',
  UINT32: 'UINTEGER',
  UINT64: 'UBIGINT',
  FP16: 'FLOAT',
  FP32: 'FLOAT',
  FP64: 'DOUBLE',
  BYTES: 'VARCHAR',
};

/**
 * Writes a predictions table: the key columns as the dataset has them, and the outputs' columns, in the order of the key.
 * @param predictions columns as `readTableColumns` orders rows, one for each output of the signature
 */
export async function writePredictions(
  session: TableSession,
  table: Table,
  request: { key: readonly string[]; signature: Signature; predictions: readonly Column[]; file: string },
): Promise<void> {
  const outputs = request.signature.outputs.map((tensor) => {
    const name = tensorColumn(tensor);
    const column = request.predictions.find((prediction) => prediction.name === name);
    if (column === undefined || column.values.length !== table.rows) {
      throw new InfrastructureError(`There are not ${table.rows} predictions of ${JSON.stringify(name)}.`);
    }
    return { name, type: sqlTypes[tensor.datatype] ?? 'VARCHAR', values: column.values };
  });
  const scores = path.join(session.scratch, 'scores.csv');
  const lines: string[] = [];
  for (let row = 0; row < table.rows; row += 1) {
    lines.push([String(row + 1), ...outputs.map(({ values }) => csvField(values[row] ?? null))].join(','));
  }
  await writeFile(scores, `${lines.join('\n')}\n`);
  try {
    const key = request.key.map(quoteIdentifier).join(', ');
    const types = [`'n': 'BIGINT'`, ...outputs.map(({ type }, index) => `'p${index}': '${type}'`)].join(', ');
    const selected = outputs.map(({ name }, index) => `p${index} AS ${quoteIdentifier(name)}`).join(', ');
    await writeParquet(
      session,
      `SELECT ${key}, ${selected} FROM (SELECT ${key}, row_number() OVER (ORDER BY ${key}) AS n FROM ${table.relation}) ` +
        `JOIN read_csv(${quoteText(scores)}, header = false, delim = ',', quote = '"', escape = '"', nullstr = '', ` +
        `allow_quoted_nulls = false, auto_detect = false, columns = {${types}}) USING (n) ORDER BY n`,
      request.file,
    );
  } finally {
    await rm(scores, { force: true });
  }
}

/** Numbers in their shortest text, which reads as the same double again. */
function csvField(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
  if (typeof value !== 'number' || Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
