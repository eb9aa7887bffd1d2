import { plainText, type Verdict } from '@passloop/core';
import type { CheckResult } from '@passloop/documents';
import { type Check, checkId } from '@passloop/model';
import {
  columnList,
  findColumn,
  missingColumn,
  nearestColumn,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import type { ColumnRoles } from './column-roles.ts';
import type { ScanAnswer, ScanPlan } from './plan.ts';
import type { Profile } from './profile.ts';

/** Committed versions of a dataset's profile, newest first. `isCut`: the clone has no more of its history. */
export type ProfileVersions = { profiles: readonly Profile[]; isCut: boolean };

/** What a check needs to plan itself. */
export type CheckContext = {
  session: TableSession;
  table: Table;
  plan: ScanPlan;
  now: Date;
  /** Another dataset of the same model, open. @throws ConfigurationError where there is none of that name */
  other(name: string): Promise<Table>;
  /** What several checks ask for is computed once: the first one's work, by a key that says all that it depends on. */
  once<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Null where there is no history to ask for. */
  history: (() => Promise<ProfileVersions>) | null;
  roles: ColumnRoles | undefined;
  /** Columns that name rows. */
  key: readonly string[];
  /** Whether the document may name values of another dataset, or of this one. */
  isShown(dataset?: string): boolean;
};

/** A check that is ready: its aggregates are in the plan, `finish` reads the scan's answer (and may query on its own). */
export type PlannedCheck = {
  /** Adds to a second scan, which all checks share, what only this answer shows to be needed: there is none if nobody asks. */
  again?(answer: ScanAnswer, plan: ScanPlan): void;
  finish(answer: ScanAnswer, again: ScanAnswer): Promise<CheckResult> | CheckResult;
  /** Which rows break it: a condition, or a query that gives them whole; none where no row by itself does. */
  failing?: FailingRows | undefined;
};

type FailingRows = { condition: string } | { query: string };

/** The check of a kind. */
export type CheckOf<K extends Check['kind']> = Extract<Check, { kind: K }>;

/** What every result of a check says, whatever came out. */
export function resultOf(
  check: Check,
  fields: Pick<CheckResult, 'expected'> &
    Partial<Omit<CheckResult, 'id' | 'kind' | 'severity' | 'column'>> & { verdict: Verdict },
): CheckResult {
  return {
    id: checkId(check).slice(0, 256),
    kind: check.kind,
    column: 'column' in check ? (check.column ?? null) : null,
    severity: check.severity,
    verdict: fields.verdict,
    expected: fields.expected.slice(0, 1024),
    observed: fields.observed?.slice(0, 1024) ?? null,
    failingRows: fields.failingRows ?? null,
    sql: fields.sql ?? null,
    reason: fields.reason?.slice(0, 4096) ?? null,
  };
}

/** A rule that the data breaks: as severe as its author says. */
export function brokenVerdict(check: Check): Verdict {
  return check.severity === 'warn' ? 'warn' : 'fail';
}

/** A check that could not run fails whatever its severity: nothing that ran is behind it. */
export function notExecuted(check: Check, expected: string, reason: string): PlannedCheck {
  return { finish: () => resultOf(check, { verdict: 'fail', expected, reason: `not executed: ${reason}` }) };
}

/** The check's column, or the reason why there is none. */
export function columnOf(table: Table, name: string): TableColumn | string {
  const found = findColumn(table, name);
  if (found !== null) return found;
  const near = nearestColumn(table, name);
  return `${missingColumn(table, plainText(name))} ${near === null ? '' : `${near} `}${columnList(table)}`;
}

/** `at least 3 columns`; null where there is neither bound. */
export function boundsText(
  min: number | string | undefined,
  max: number | string | undefined,
  unit = '',
): string | null {
  const of = unit === '' ? '' : ` ${unit}`;
  if (min === undefined) return max === undefined ? null : `at most ${max}${of}`;
  return max === undefined ? `at least ${min}${of}` : `${min} .. ${max}${of}`;
}

export function failingQuery(table: Table, condition: string): string {
  return `SELECT * FROM ${table.printed} WHERE ${condition}`;
}
