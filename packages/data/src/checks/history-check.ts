import { toDecimal } from '@passloop/core';
import type { Check } from '@passloop/model';
import { isNumeric, quoteIdentifier } from '@passloop/tables';
import { brokenVerdict, type CheckContext, columnOf, notExecuted, type PlannedCheck, resultOf } from '../check.ts';
import type { Profile } from '../profile.ts';
import { finiteValues, madScale, momentsOf } from './column-numbers.ts';

type HistoryCheck = Extract<Check, { kind: 'history' }>;

/** Versions that are all alike still differ by something in the next one: a thousandth of the median, or of all rows, is no anomaly. */
const least = 0.001;

/**
 * A number of this data against the same one of the profile's earlier versions: further from their median than `k` scaled median deviations is an anomaly. With fewer
 * than `versions` of them nothing is known, and the check warns.
 */
export async function planHistory(check: HistoryCheck, context: CheckContext): Promise<PlannedCheck> {
  const { session, table } = context;
  const name = check.measure === 'rows' ? 'rows' : `${check.measure} of ${check.column ?? ''}`;
  const expected = `${name} as in earlier versions of the profile (k = ${check.k})`;
  const column =
    check.measure === 'rows' ? null : check.column === undefined ? 'it names no column' : columnOf(table, check.column);
  if (typeof column === 'string') return notExecuted(check, expected, column);
  if (column !== null && check.measure === 'mean' && !isNumeric(column.type))
    return notExecuted(check, expected, `\`${column.name}\` is ${column.type}; a mean needs numbers`);
  if (context.history === null)
    return notExecuted(check, expected, 'the dataset names no profile, or git does not know it');
  const { profiles, isCut } = await context.history();
  const earlier = profiles.flatMap((profile) => measured(profile, check) ?? []);
  return {
    async finish() {
      const now = await current();
      if (now === null)
        return resultOf(check, { verdict: 'fail', expected, reason: 'not executed: there is no value' });
      if (earlier.length < check.versions) {
        const reason = `${earlier.length} earlier versions of the profile say it, and ${check.versions} are needed: nothing is known${isCut ? ', since this clone has no more of the history' : ' yet'}`;
        return resultOf(check, { verdict: 'warn', expected, observed: `${name} ${toDecimal(now)}`, reason });
      }
      const middle = median(earlier);
      const spread = madScale * median(earlier.map((value) => Math.abs(value - middle)));
      const reach = check.k * Math.max(spread, check.measure === 'null-share' ? least : least * Math.abs(middle));
      const [low, high] = [middle - reach, middle + reach].map((bound) => Number(toDecimal(bound))) as [number, number];
      const value = Number(toDecimal(now));
      return resultOf(check, {
        verdict: value >= low && value <= high ? 'pass' : brokenVerdict(check),
        expected: `${expected}: ${toDecimal(low)} .. ${toDecimal(high)}`,
        observed: `${name} ${toDecimal(now)}; median of ${earlier.length} versions ${toDecimal(middle)}`,
      });
    },
  };

  async function current(): Promise<number | null> {
    if (column === null || typeof column === 'string') return table.rows;
    const quoted = quoteIdentifier(column.name);
    if (check.measure === 'mean') return (await momentsOf(context, finiteValues(table, column, null)))?.mean ?? null;
    const count = check.measure === 'distinct' ? `count(DISTINCT ${quoted})` : `count_if(${quoted} IS NULL)`;
    const [row] = await session.rows(`SELECT ${count} FROM ${table.relation}`);
    if (check.measure === 'distinct') return Number(row?.[0]);
    return table.rows === 0 ? null : Number(row?.[0]) / table.rows;
  }
}

/** What an earlier profile says of it; null where it doesn't. */
function measured({ rows, columns }: Profile, { measure, column }: HistoryCheck): number | null {
  if (measure === 'rows') return rows;
  const found = columns.find(({ name }) => name === column);
  if (found === undefined || rows === 0) return null;
  if (measure === 'mean') return found.mean === null ? null : Number(found.mean);
  return measure === 'distinct' ? found.distinct : found.nulls / rows;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const [low = 0, high = low] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}
