import { z } from 'zod';
import {
  type Collected,
  collect,
  type ForeignChecks,
  leaveOthers,
  Named,
  noEqual,
  readDocument,
  typesOf,
  uniqueValues,
} from './foreign-checks.ts';

const Checks = z.array(z.union([z.string(), Named])).nullish();
const Contract = z.looseObject({
  dataset: z.string().optional(),
  columns: z.array(z.looseObject({ name: z.string(), data_type: z.string().nullish(), checks: Checks })).max(20_000),
  checks: Checks,
});

/** A data contract of Soda, as its fourth version has them. */
export function readSoda(text: string, file: string): ForeignChecks {
  const found = collect();
  const contract = readDocument(text, file, Contract, 'contract of Soda');
  leaveOthers(found, 'the contract', contract, ['dataset', 'columns', 'checks', 'name', 'description', 'owner']);
  for (const described of contract.columns) {
    const { name: column, data_type: type, checks } = described;
    leaveOthers(found, column, described, ['name', 'data_type', 'checks', 'description']);
    const types = type == null ? null : typesOf(type);
    if (types !== null) found.add({ kind: 'type', column, types }, `data_type of ${column}`);
    else if (type != null) found.leave(`data_type of ${column}`, `there is no type ${type}`);
    for (const check of checks ?? []) ofColumn(found, column, ...named(check));
  }
  for (const check of contract.checks ?? []) ofTable(found, ...named(check));
  return { tool: 'Soda', ...found };
}

function named(check: string | Record<string, unknown>): [string, Record<string, unknown>] {
  if (typeof check === 'string') return [check, {}];
  const [[name, fields] = ['', null]] = Object.entries(check);
  return [name, Named.safeParse(fields).data ?? {}];
}

function ofColumn(found: Collected, column: string, kind: string, written: Record<string, unknown>): boolean {
  const what = `${kind} of ${column}`;
  const { name: _name, attributes: _attributes, qualifier: _qualifier, threshold, filter, ...fields } = written;
  if (filter !== undefined) return found.leave(what, 'its filter is written in the SQL of another engine');
  const { level, ...bounds } = Named.safeParse(threshold).data ?? {};
  const more = level === 'warn' ? { severity: 'warn' } : {};
  if (kind === 'aggregate') {
    const { function: name, ...rest } = fields;
    const own =
      { avg: 'mean', stddev: 'sd', stddev_samp: 'sd', var_samp: 'variance', variance: 'variance' }[String(name)] ??
      name;
    const limits = limitsOf(bounds);
    if (limits === null || Object.keys(rest).length > 0) return found.leave(what, 'its threshold is not one of ours');
    return found.add({ kind: 'aggregate', column, function: own, ...limits, ...more }, what);
  }
  const isNone = Object.keys(bounds).every((name) => name === 'must_be') && Number(bounds.must_be ?? 0) === 0;
  if (!isNone) return found.leave(what, 'it tolerates some; write it with `mostly`');
  if (kind === 'missing' && Object.keys(fields).length === 0)
    return found.add({ kind: 'not-null', column, ...more }, what);
  if (kind === 'duplicate' && Object.keys(fields).length === 0)
    return found.add({ ...uniqueValues([column]), ...more }, what);
  if (kind !== 'invalid') return found.leave(what, noEqual);
  const {
    valid_values: values,
    invalid_values: others,
    valid_min: min,
    valid_max: max,
    valid_min_length,
    valid_max_length,
    valid_length,
    ...rest
  } = fields;
  if (values !== undefined) found.add({ kind: 'set', column, values, ...more }, what);
  if (others !== undefined) found.add({ kind: 'not-in-set', column, values: others, ...more }, what);
  if (min !== undefined || max !== undefined) found.add({ kind: 'range', column, min, max, ...more }, what);
  const [shortest, longest] = [valid_min_length ?? valid_length, valid_max_length ?? valid_length];
  if (shortest !== undefined || longest !== undefined)
    found.add({ kind: 'length', column, min: shortest, max: longest, ...more }, what);
  for (const name of Object.keys(rest)) found.leave(`${name} of ${column}`, noEqual);
  return Object.keys(rest).length === 0;
}

function ofTable(found: Collected, kind: string, written: Record<string, unknown>): boolean {
  const { threshold, filter, name: _name, columns, ...rest } = written;
  const { level, ...bounds } = Named.safeParse(threshold).data ?? {};
  const more = level === 'warn' ? { severity: 'warn' } : {};
  if (filter === undefined && Object.keys(rest).length === 0) {
    // Without a threshold a table must have rows.
    const limits = Object.keys(bounds).length === 0 ? { min: 1 } : limitsOf(bounds);
    if (kind === 'row_count' && limits !== null) return found.add({ kind: 'row-count', ...limits, ...more }, kind);
    const list = z.array(z.string()).safeParse(columns).data;
    if (kind === 'duplicate' && list !== undefined && Object.keys(bounds).length === 0)
      return found.add({ ...uniqueValues(list), ...more }, `duplicate of ${list.join(', ')}`);
  }
  return found.leave(kind, noEqual);
}

/** Inclusive bounds of a threshold; null for another one. */
function limitsOf(bounds: Record<string, unknown>): { min?: unknown; max?: unknown } | null {
  const {
    must_be: exact,
    must_be_greater_than_or_equal: min,
    must_be_less_than_or_equal: max,
    must_be_between: between,
    ...others
  } = bounds;
  if (Object.keys(others).length > 0) return null;
  if (exact !== undefined) return { min: exact, max: exact };
  const inner = Named.safeParse(between).data ?? {};
  const { greater_than_or_equal: low = min, less_than_or_equal: high = max, ...strict } = inner;
  return Object.keys(strict).length > 0 || (low === undefined && high === undefined) ? null : { min: low, max: high };
}
