import path from 'node:path';
import { type Progress, silentProgress } from '@passloop/core';
import type { CheckResult, DataReport } from '@passloop/documents';
import { quoteIdentifier, requireRows, type Table, type TableSession, writeParquet } from '@passloop/tables';
import type { DriftMethod } from './drift.ts';
import { driftBetween } from './drift-between.ts';
import { isMeasured } from './drift-summary.ts';
import { percent } from './share.ts';

export type CalibrationOptions = {
  session: TableSession;
  reference: Table;
  method: DriftMethod;
  columns?: readonly string[] | undefined;
  key?: readonly string[] | undefined;
  except?: readonly string[] | undefined;
  threshold?: number | undefined;
  compat?: 'evidently' | undefined;
  driftShare?: number | undefined;
  minRows?: number | undefined;
  /** How often the table is split; 100 by default. */
  splits?: number | undefined;
  /** The same seed, the same splits; 1 by default. */
  seed?: number | undefined;
  progress?: Progress | undefined;
};

/** Of all splits, those in which anything was flagged: more says that this configuration cries wolf on this table. */
const mostAlarms = 0.06;

/**
 * How often this configuration calls two random halves of one table drifted: nothing drifted there, so each alarm is a false one. A row's half
 * follows from its content, its place among equal rows, and the seed: no order of rows changes a split.
 *
 * @throws ConfigurationError for an empty table, or a named column that isn't there
 */
export async function calibrateDrift(options: CalibrationOptions): Promise<DataReport> {
  const { session, reference, splits = 100, seed = 1, progress = silentProgress } = options;
  requireRows(reference);
  const { table, mark } = await marked(session, reference);
  const alarms = new Map<string, number>();
  const judged = new Set<string>();
  let alarmed = 0;
  for (let split = 0; split < splits; split += 1) {
    progress.tick(split, splits, 'splits');
    const half = (side: number) =>
      session.derive(
        `SELECT * EXCLUDE (${mark}) FROM ${table.relation} WHERE hash(${mark}, ${seed}, ${split}) % 2 = ${side}`,
        `half ${side + 1}`,
      );
    const report = await driftBetween({
      ...options,
      reference: await half(0),
      current: await half(1),
      progress: undefined,
    });
    // Of a tolerated share of columns, each one is still an alarm.
    const flagged = new Set(
      report.drift.filter((one) => isMeasured(one) && one.verdict !== 'pass').map(({ column }) => column),
    );
    for (const { column } of report.drift.filter(isMeasured)) judged.add(column);
    for (const column of flagged) alarms.set(column, (alarms.get(column) ?? 0) + 1);
    if (flagged.size > 0) alarmed += 1;
  }
  return falseAlarms({ ...options, splits, seed }, { alarms, alarmed, judged: judged.size });
}

/** In how many splits anything was flagged, and each column; of how many columns that could be judged. */
type Alarms = { alarms: ReadonlyMap<string, number>; alarmed: number; judged: number };

/** What the counts say of a configuration. */
export function falseAlarms(
  {
    session,
    reference,
    ...options
  }: Pick<CalibrationOptions, 'session' | 'reference' | 'method' | 'compat'> & { splits: number; seed: number },
  { alarms, alarmed, judged }: Alarms,
): DataReport {
  const { splits, seed } = options;
  const own = options.method === 'auto' ? 'the default methods' : options.method;
  const method = options.compat === undefined ? own : `Evidently's own (${options.method})`;
  const result = (id: string, column: string | null, count: number, verdict: CheckResult['verdict']): CheckResult => ({
    id,
    kind: 'drift',
    column,
    severity: 'warn',
    verdict,
    expected:
      column === null ? `at most ${percent(mostAlarms, 1)} of halves called drifted by ${method}` : 'no false alarm',
    observed: `${count} of ${splits} splits (${percent(count, splits)}), seed ${seed}`,
    failingRows: null,
    sql: null,
    reason: null,
  });
  const nothing = judged === 0;
  const whole = nothing ? 'fail' : alarmed <= splits * mostAlarms ? 'pass' : 'warn';
  const summary = result('false-alarms', null, alarmed, whole);
  return {
    schema: 'passloop/data-report/v1',
    dataset: { name: reference.name, uri: reference.source?.uri ?? reference.name, digest: null },
    engine: session.engine,
    rows: reference.rows,
    verdict: whole,
    executed: judged,
    checks: [
      nothing
        ? {
            ...summary,
            reason:
              'not executed: no column could be judged; each half needs as many rows as the drift check (minRows).',
          }
        : summary,
      ...[...alarms].sort().map(([column, count]) => result(`false-alarms:${column}`, column, count, 'warn')),
    ],
    drift: [],
  };
}

/** The table with a mark on each row, which equal rows don't share: one file, so that a split is no more than a condition. */
async function marked(session: TableSession, table: Table): Promise<{ table: Table; mark: string }> {
  let name = 'split';
  while (table.columns.some((column) => column.name.toLowerCase() === name)) name += '_';
  const mark = quoteIdentifier(name);
  const columns = table.columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const query = `SELECT ${columns}, hash(row(${columns}), row_number() OVER (PARTITION BY ${columns})) AS ${mark} FROM ${table.relation}`;
  const file = path.join(session.scratch, 'calibration', 'marked.parquet');
  await writeParquet(session, query, file);
  return { table: await session.open({ uri: file, root: session.scratch, name: table.name }), mark };
}
