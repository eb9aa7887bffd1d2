import { ConfigurationError } from '@passloop/core';

/** @param table what messages call it */
export function damaged(table: string, what: string): ConfigurationError {
  return new ConfigurationError(`${table} is an Iceberg table that can't be read: ${what}.`, {
    file: table,
    hint: 'Fetch or copy the whole folder again, `metadata` included.',
  });
}

export function unread(table: string, what: string, hint?: string): ConfigurationError {
  return new ConfigurationError(`${table} is an Iceberg table with ${what}, which this version doesn't read.`, {
    file: table,
    hint: hint ?? 'Export the snapshot that you mean to Parquet, and name that.',
  });
}
