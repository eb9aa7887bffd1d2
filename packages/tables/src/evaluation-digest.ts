import { createHash } from 'node:crypto';
import { ConfigurationError, type Digest, plainText } from '@passloop/core';
import { canonicalColumn } from './canonical-scalar.ts';
import { requireColumn, requireKey } from './keys.ts';
import { quoteIdentifier } from './quote.ts';
import type { Table, TableSession } from './session.ts';

/**
 * Digest of what an evaluation is about: sha256 over one line per row, sorted by key, each the RFC 8785 JSON of
 * `[key..., label]` ({@link canonicalColumn} says how a cell is written) and a newline. Two tables have the same digest
 * exactly when they hold the same keys with the same labels, whatever their format, types' width and order of rows.
 *
 * @throws ConfigurationError for an empty table, a missing column, a row without key, a repeated key
 */
export async function evaluationDigest(
  session: TableSession,
  table: Table,
  key: readonly string[],
  label: string,
): Promise<Digest> {
  const columns = [
    ...key.map((name) => requireColumn(table, name, 'columns.key')),
    requireColumn(table, label, 'columns.label'),
  ];
  for (const column of columns) {
    if (column.type === 'nested') {
      throw new ConfigurationError(
        `${table.name}: \`${column.name}\` is ${plainText(column.engineType, 60)}; a key or label is one value.`,
        { file: table.source?.uri },
      );
    }
  }
  await requireKey(session, table, key);
  const writers = columns.map(canonicalColumn);
  const hash = createHash('sha256');
  await session.scan(
    `SELECT ${writers.map((writer) => writer.select).join(', ')} FROM ${table.relation} ORDER BY ${key.map(quoteIdentifier).join(', ')}`,
    (chunk) => {
      const cells = chunk.getColumns();
      let text = '';
      for (let row = 0; row < chunk.rowCount; row++) {
        for (let i = 0; i < writers.length; i++) {
          text += (i === 0 ? '[' : ',') + (writers[i] as (typeof writers)[0]).text((cells[i] as unknown[])[row]);
        }
        text += ']\n';
      }
      hash.update(text);
    },
  );
  return `sha256:${hash.digest('hex')}`;
}
