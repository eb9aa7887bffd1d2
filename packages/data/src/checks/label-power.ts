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
import { correlationOf, correlationRatio, distinctCounts } from './column-numbers.ts';
import { isBetween } from './judged-rows.ts';
import { missingOf, otherTable, typeProblem } from './table-checks.ts';

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
  const names = table.columns
    .map(({ name }) => name)
    .filter((name) => check.features?.includes(name) ?? !key.includes(name))
    .filter((name) => name !== label && !check.except.includes(name));
  const shared = other === null ? [] : names.filter((name) => findColumn(other, name) !== null);
  const problem =
    other === null
      ? null
      : (missingOf([label, ...(check.features ?? [])], other) ??
        typeProblem(table, [label, ...shared], other, [label, ...shared]));
  if (problem !== null) return notExecuted(check, expected, problem);
  return {
    async finish() {
      const unexecuted = (why: string) =>
        resultOf(check, { verdict: 'fail', expected, reason: `not executed: ${why}` });
      const looks = await looksOf(session, table, [label, ...names]);
      const look = looks.get(label) ?? null;
      if (look === null)
        return unexecuted(`\`${plainText(label, 60)}\` is neither a number nor of at most ${mostValues} values`);
      const here = await powersOf(session, table, { label, look }, names, looks);
      const judged = here.filter(isKnown).sort((left, right) => right.value - left.value);
      const left = here.filter((power) => !isKnown(power)).map(({ feature }) => feature);
      const [first] = judged;
      if (first === undefined) return unexecuted('there is no feature to judge');
      if (check.features !== undefined && left.length > 0) return unexecuted(`there is no power of ${list(left)}`);
      const comparable = judged.map(({ feature }) => feature).filter((feature) => shared.includes(feature));
      const there = other === null ? [] : await powersOf(session, other, { label, look }, comparable, looks);
      const before = new Map(there.filter(isKnown).map(({ feature, value }) => [feature, value]));
      const alone = other === null ? [] : judged.map(({ feature }) => feature).filter((name) => !before.has(name));
      if (alone.length === judged.length || (check.features !== undefined && alone.length > 0))
        return unexecuted(`${dataset} has no power of ${list(alone)}`);
      const broken = judged.flatMap((power) => {
        const past = before.get(power.feature);
        const isMoved = past !== undefined && !isBetween(Math.abs(power.value - past), [null, maxChange]);
        if (!isMoved && isBetween(power.value, [null, max])) return [];
        return [{ ...power, text: `${said(power)}${isMoved ? `, and ${toDecimal(past)} in ${dataset}` : ''}` }];
      });
      const found = broken.slice(0, 10).map(({ text }) => text);
      return resultOf(check, {
        verdict: broken.length === 0 ? 'pass' : brokenVerdict(check),
        expected,
        observed: [
          ...(found.length === 0 ? [`at most ${said(first)}, of ${judged.length} features`] : found),
          ...(left.length === 0 ? [] : [`not judged: ${list(left)}`]),
          ...(alone.length === 0 ? [] : [`not compared: ${list(alone)}`]),
        ].join('; '),
        sql: (broken[0] ?? first).sql,
      });
    },
  };
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => plainText(name, 60));
  return `${shown.join(', ')}${names.length > 10 ? ' and more' : ''}`;
}

function said({ feature, value }: { feature: string; value: number }): string {
  return `${plainText(feature, 60)} ${toDecimal(value)}`;
}

function isKnown(power: Power): power is Power & { value: number } {
  return power.value !== null;
}

async function powersOf(
  session: TableSession,
  table: Table,
  { label, look }: { label: string; look: Exclude<Look, null> },
  names: readonly string[],
  looks: ReadonlyMap<string, Look>,
): Promise<Power[]> {
  const target = findColumn(table, label) as TableColumn;
  const powers: Power[] = [];
  for (const name of names) {
    const column = findColumn(table, name) as TableColumn;
    powers.push(await powerOf(session, table, column, looks.get(name) ?? null, target, look));
  }
  return powers;
}

/** By how many whole numbers and texts differ. */
async function looksOf(
  session: TableSession,
  table: Table,
  names: readonly string[],
): Promise<ReadonlyMap<string, Look>> {
  const columns = names.map((name) => findColumn(table, name) as TableColumn);
  const counted = columns.filter(({ type }) => type === 'integer' || type === 'string');
  const counts = await distinctCounts(session, table, counted);
  const distinct = new Map(counted.map(({ name }, at) => [name, counts[at]?.distinct ?? 0]));
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
