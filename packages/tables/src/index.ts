export { type AggregateExpression, aggregateExpression } from './aggregate-expression.ts';
export { type CanonicalColumn, canonicalColumn } from './canonical-scalar.ts';
export { columnType, isNumeric, isTemporal, type TableColumn } from './column-types.ts';
export type { Scalar } from './engine.ts';
export { evaluationDigest } from './evaluation-digest.ts';
export { scalarExpression } from './expression.ts';
export { type DatasetIdentity, datasetIdentity, tellingFiles, toldOf, versionOf } from './identity.ts';
export { compareKeys, type JoinInput, joinByKey, type KeyDifference } from './join.ts';
export {
  areNear,
  checkKey,
  columnList,
  findColumn,
  type KeyReport,
  missingColumn,
  nearestColumn,
  requireColumn,
  requireKey,
  requireRows,
} from './keys.ts';
export { quoteDouble, quoteIdentifier, quoteNumber, quoteScalar, quoteText } from './quote.ts';
export { type ColumnValues, readColumns } from './read-columns.ts';
export { isRemote } from './remote/address.ts';
export type { BucketAccess } from './remote/bucket.ts';
export type { FetchedTable, RemoteAccess, RemoteLock } from './remote/fetch-table.ts';
export {
  type HeldColumns,
  mentions,
  type Note,
  type NotedQuestion,
  openTables,
  type Ranked,
  type RowExport,
  type SessionOptions,
  type Table,
  type TableSession,
  type TableSource,
} from './session.ts';
export {
  findTableFiles,
  refusePointers,
  type TableFiles,
  type TableFormat,
  tableFormat,
  tableFormats,
} from './source.ts';
export { splitVersion } from './versioned.ts';
export { isMarkedParquet, writeParquet, writeRows } from './write-parquet.ts';
