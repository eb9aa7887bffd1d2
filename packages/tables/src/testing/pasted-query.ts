import { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoteIdentifier } from '../index.ts';

/** A query for a table's columns as texts, by its column `id`. */
export function textOf(columns: readonly string[], from: string): string {
  return `SELECT ${columns.map((name) => `${quoteIdentifier(name)}::VARCHAR AS ${quoteIdentifier(name)}`).join(', ')} FROM ${from} ORDER BY id::BIGINT`;
}

/** What a person gets who pastes a query in the folder of the model file, wherever that person is. */
export async function pasted(sql: string, { folder, zone }: { folder: string; zone: string }): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', { file_search_path: folder });
  const connection = await DuckDBConnection.create(instance);
  try {
    await connection.run(`SET TimeZone = '${zone}'`);
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
