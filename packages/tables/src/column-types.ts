import type { ColumnType } from '@passloop/model';

/** A column as a table has it. */
export type TableColumn = {
  name: string;
  type: ColumnType;
  /** The engine's own word, for messages and casts. */
  engineType: string;
};

const exact: Record<string, ColumnType> = {
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  HUGEINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'integer',
  UHUGEINT: 'integer',
  BIGNUM: 'integer',
  FLOAT: 'float',
  DOUBLE: 'float',
  VARCHAR: 'string',
  JSON: 'string',
  UUID: 'string',
  INTERVAL: 'string',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  TIME: 'time',
  TIME_NS: 'time',
  'TIME WITH TIME ZONE': 'time',
  BLOB: 'binary',
  BIT: 'binary',
  '"NULL"': 'string',
};

/** The users' word for an engine type. A column without any value (`NULL` type) counts as a string. */
export function columnType(engineType: string): ColumnType {
  const known = exact[engineType];
  if (known !== undefined) return known;
  if (/^DECIMAL\(\d+,\s*\d+\)$/.test(engineType)) return 'decimal';
  if (engineType.startsWith('ENUM(') && !engineType.endsWith(']')) return 'string';
  return 'nested';
}

export function isNumeric(type: TableColumn['type']): boolean {
  return type === 'integer' || type === 'float' || type === 'decimal';
}

/** Dates, timestamps and times: ordered, and by construction never the same again. */
export function isTemporal(type: TableColumn['type']): boolean {
  return type === 'date' || type === 'timestamp' || type === 'time';
}
