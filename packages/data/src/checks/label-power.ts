import { plainText, toDecimal } from '@passloop/core';
import { cramersV } from '@passloop/statistics';
import {
  findColumn,
  isNumeric,
  quoteIdentifier,
  type Table,
  type TableColumn,
  type TableSession,
} from '@passloop/tables';
import { brokenVerdict, type CheckContext, type CheckOf, notExecuted, type PlannedCheck, resultOf } from '../check.ts';
import { crossQuery, crossTable, mostValues } from './association-checks.ts';
import { correlationOf, correlationRatio } from './column-numbers.ts';
import { isBetween } from './judged-rows.ts';
import { missingOf, otherTable } from './table-checks.ts';

/** Up to so many whole numbers are names of classes, as in a profile. */
const fewNumbers = 20;
const usualChange = 0.2;

/** How a column is looked at; null for one that tells nothing here: times, nested ones, and texts that are nearly all different. */
type Look = 'number' | 'values' | null;

/** A feature's power, 0 .. 1, less what chance alone would give; null where there is none to speak of. */
type Power = { feature: string; value: number | null; sql: string };

/** No feature tells the label by itself; with another dataset, none tells more or less of it than there. */
export async function planLabelPower(check: CheckOf<'label-power'>, context: CheckContext): Promise<PlannedCheck> {
  const { session, table, key } = context;
  const { label, max, dataset, maxChange = usualChange } = check;
  const against = dataset === undefined ? '' : `, and within ${maxChange} of that in ${dataset}`;
  const expected = `no feature tells more than ${max} of ${plainText(label, 60)}${against}`;
  if (dataset === undefined && check.maxChange !== undefined)
    return notExecuted(check, expected, 'it names `maxChange`, and no `dataset` to compare with');
  const missing = missingOf([label, ...check.except, ...(check.features ?? [])], table);
  if (missing !== null) return notExecuted(check, expected, missing);
  const other = dataset === undefined ? null : await otherTable(dataset, context);
  if (typeof other === 'string') return notExecuted(check, expected, other);
  const lacking = other === null ? null : missingOf([label], other);
  if (lacking !== null) return notExecuted(check, expected, lacking);
  const names = table.columns
    .map(({ name }) => name)
    .filter((name) => check.features?.includes(name) ?? !key.includes(name))
    .filter((name) => name !== label && !check.except.includes(name));
  return {
    async finish() {
      const here = await powersOf(session, table, label, names);
      if (typeof here === 'string') return resultOf(check, { verdict: 'fail', expected, reason: here });
      const judged = here.filter(isKnown).sort((left, right) => right.value - left.value);
      const [first] = judged;
      if (first === undefined)
        return resultOf(check, { verdict: 'fail', expected, reason: 'not executed: there is no feature to judge' });
      const there = other === null ? [] : await powersOf(session, other, label, inBoth(judged, other));
      if (typeof there === 'string')
        return resultOf(check, { verdict: 'fail', expected, reason: `${there} (in ${dataset})` });
      const before = new Map(there.filter(isKnown).map(({ feature, value }) => [feature, value]));
      const broken = judged.flatMap((power) => {
        const { feature, value } = power;
        const past = before.get(feature);
        const isMoved = past !== undefined && !isBetween(Math.abs(value - past), [null, maxChange]);
        if (!isMoved && isBetween(value, [null, max])) return [];
        return [{ ...power, said: `${said(power)}${isMoved ? `, and ${toDecimal(past)} in ${dataset}` : ''}` }];
      });
      const left = here.filter(({ value }) => value === null).map(({ feature }) => plainText(feature, 60));
      const unjudged =
        left.length === 0 ? '' : `; not judged: ${left.slice(0, 10).join(', ')}${left.length > 10 ? ' and more' : ''}`;
      const most = `at most ${said(first)}, of ${judged.length} features`;
      return resultOf(check, {
        verdict: broken.length === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: `${
          broken.length === 0
            ? most
            : broken
                .slice(0, 10)
                .map((one) => one.said)
                .join('; ')
        }${unjudged}`,
        sql: (broken[0] ?? first).sql,
      });
    },
  };
}

function said({ feature, value }: { feature: string; value: number }): string {
  return `${plainText(feature, 60)} ${toDecimal(value)}`;
}

function isKnown(power: Power): power is Power & { value: number } {
  return power.value !== null;
}

function inBoth(powers: readonly Power[], other: Table): string[] {
  return powers.map(({ feature }) => feature).filter((feature) => findColumn(other, feature) !== null);
}

/** The power of each feature, or why the label has none. */
async function powersOf(
  session: TableSession,
  table: Table,
  label: string,
  names: readonly string[],
): Promise<Power[] | string> {
  const columns = [label, ...names].map((name) => findColumn(table, name) as TableColumn);
  const looks = await looksOf(session, table, columns);
  const [target] = columns as [TableColumn];
  const look = looks.get(label) ?? null;
  if (look === null)
    return `not executed: \`${plainText(label, 60)}\` is neither a number nor of at most ${mostValues} values`;
  const powers: Power[] = [];
  for (const column of columns.slice(1)) {
    powers.push(await powerOf(session, table, column, looks.get(column.name) ?? null, target, look));
  }
  return powers;
}

/** One query: how many whole numbers and texts differ. */
async function looksOf(
  session: TableSession,
  table: Table,
  columns: readonly TableColumn[],
): Promise<ReadonlyMap<string, Look>> {
  const counted = columns.filter(({ type }) => type === 'integer' || type === 'string');
  const [counts = []] =
    counted.length === 0
      ? []
      : await session.rows(
          `SELECT ${counted.map(({ name }) => `count(DISTINCT ${quoteIdentifier(name)})`).join(', ')} FROM ${table.relation}`,
        );
  const distinct = new Map(counted.map(({ name }, at) => [name, Number(counts[at])]));
  return new Map(
    columns.map(({ name, type }): [string, Look] => {
      const values = distinct.get(name) ?? 0;
      if (type === 'integer') return [name, values <= fewNumbers ? 'values' : 'number'];
      if (isNumeric(type)) return [name, 'number'];
      return [name, type === 'boolean' || (type === 'string' && values <= mostValues) ? 'values' : null];
    }),
  );
}

async function powerOf(
  session: TableSession,
  table: Table,
  feature: TableColumn,
  look: Look,
  label: TableColumn,
  labelLook: Exclude<Look, null>,
): Promise<Power> {
  const names = [feature.name, label.name] as const;
  const [x, y] = names.map(quoteIdentifier);
  if (look === null) return { feature: feature.name, value: null, sql: '' };
  if (look === 'values' && labelLook === 'values') {
    const cells = (await crossTable(session, table, names)) ?? [];
    const isVaried = cells.length > 1 && (cells[0]?.length ?? 0) > 1;
    const value = isVaried ? cramersV(cells).corrected : null;
    return { feature: feature.name, value, sql: crossQuery(table.printed, names) };
  }
  if (look === labelLook) {
    const { rows, r } = await correlationOf(session, table, [feature, label]);
    const value = r === null ? null : beyondChance(r * r, rows, 2);
    return { feature: feature.name, value, sql: `SELECT corr(${x}, ${y}) FROM ${table.printed}` };
  }
  const [groups, numbers] = look === 'values' ? [feature, label] : [label, feature];
  const { rows, groups: count, share } = await correlationRatio(session, table, groups, numbers);
  const [g, v] = [groups, numbers].map(({ name }) => quoteIdentifier(name));
  const value = share === null || count < 2 ? null : beyondChance(share, rows, count);
  const sql = `SELECT ${g}, count(${v}), avg(${v}), stddev_samp(${v}) FROM ${table.printed} GROUP BY 1`;
  return { feature: feature.name, value, sql };
}

/** The root of an explained share of variance, less what so many parameters explain of nothing (adjusted R2). */
function beyondChance(share: number, rows: number, parameters: number): number | null {
  if (rows <= parameters) return null;
  return Math.sqrt(Math.max(0, 1 - ((1 - share) * (rows - 1)) / (rows - parameters)));
}
