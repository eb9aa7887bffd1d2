import { ConfigurationError, plainText, worstVerdict } from '@passloop/core';
import type { CheckResult, DataReport, DriftResult } from '@passloop/documents';
import { type Check, driftProblem } from '@passloop/model';
import type { Table, TableFiles, TableSession } from '@passloop/tables';
import { type CheckContext, notExecuted, type PlannedCheck } from './check.ts';
import { planOf } from './checks/planners.ts';
import { type ColumnRoles, withRoles } from './column-roles.ts';
import { distributionsOf, drawnDistributions, type SizedDistribution } from './distribution.ts';
import { planDrift } from './drift.ts';
import { driftResultsBetween } from './drift-between.ts';
import { expectedOf, gradedDrift, isMeasured } from './drift-summary.ts';
import { judgeDrift } from './judge.ts';
import { createPlan, runPlan, type ScanAnswer, scanAnswer } from './plan.ts';
import type { Profile } from './profile.ts';

export type ValidateOptions = {
  session: TableSession;
  /** `uri` as documents show it: the path from the model file's folder, never one of this machine. */
  dataset: { name: string; uri: string; root: string; digest?: string | null; found?: TableFiles | undefined };
  checks: readonly Check[];
  /** The committed profile; null where there is none, and then drift checks fail. */
  profile: Profile | null;
  /** The clock, for what has to be fresh. */
  now: Date;
  history?: CheckContext['history'] | undefined;
  /** What the columns are to the model. */
  roles?: ColumnRoles | undefined;
  /** Columns that name rows: another dataset has other ones, which is no drift. */
  key?: readonly string[] | undefined;
  /** Datasets whose values the document may name: edges and categories of columns that drifted. None by default. */
  shown?: ReadonlySet<string> | undefined;
  /** Told of each check that rows break, with a query that gives these rows whole, while the table is open. */
  onFailing?: ((result: CheckResult, query: string, table: Table) => Promise<void>) | undefined;
  /** Where another dataset of the model lies; without it, checks against others fail. @throws ConfigurationError */
  otherDataset?: ((name: string) => Promise<{ uri: string; root: string; found?: TableFiles }>) | undefined;
};

/**
 * Runs all checks of a dataset: one scan for everything that can share it, a second one for what it shows to be broken,
 * one query more for each set of unique columns.
 * Every check reports that it ran, or fails with the reason; no check, or no row, is a failure too.
 *
 * @throws ConfigurationError where the table itself can't be opened
 * @throws InfrastructureError where the engine could not finish
 */
export async function validateDataset(options: ValidateOptions): Promise<DataReport> {
  const { session, dataset } = options;
  const table = await session.open({ uri: dataset.uri, root: dataset.root, found: dataset.found });
  return validateTable({ ...options, table });
}

/** As {@link validateDataset}, on a table that is open already. */
export async function validateTable(options: ValidateOptions & { table: Table }): Promise<DataReport> {
  const { dataset, table, checks, profile } = options;
  const { session, scans } = countedScans(options.session, table);
  const others = new Map<string, Promise<Table>>();
  const other = (name: string): Promise<Table> => {
    const opened = others.get(name) ?? openOther(options, name);
    others.set(name, opened);
    return opened;
  };
  const drift: JudgedDrift = { results: [], distributions: [] };
  const results = await runShared(options, drift).catch(async (error: unknown) => {
    // An engine without memory or disk says nothing about the data: that is for the caller to try again.
    if (!(error instanceof ConfigurationError)) throw error;
    // One check's expression may fail on a row (a cast, a division): run them apart, so that the others still report.
    if (checks.length <= 1) return [await failed(checks[0], error)];
    drift.results.length = 0;
    drift.distributions.length = 0;
    const apart: CheckResult[] = [];
    for (const check of checks) {
      const one = { ...options, checks: [check] };
      apart.push(...(await runShared(one, drift).catch(async (thrown: unknown) => [await failed(check, thrown)])));
    }
    return apart;
  });
  for (const result of results) if (result.sql !== null) result.sql = await session.shown(result.sql);
  if (table.rows === 0) results.push(emptyTable());
  const executed = results.filter((result) => !isUnexecuted(result)).length + drift.results.filter(isMeasured).length;
  return {
    schema: 'passloop/data-report/v1',
    dataset: { name: dataset.name, uri: dataset.uri, digest: dataset.digest ?? null },
    engine: session.engine,
    rows: table.rows,
    verdict: table.rows === 0 ? 'fail' : worstVerdict(results.map((result) => result.verdict)),
    executed,
    scans: scans(),
    checks: results,
    drift: drift.results,
    ...drawnDistributions(drift.distributions),
  };

  async function runShared(scope: ValidateOptions & { table: Table }, into: JudgedDrift): Promise<CheckResult[]> {
    const plan = createPlan();
    const context: CheckContext = {
      session,
      table,
      plan,
      now: options.now,
      other,
      history: options.history ?? null,
      roles: options.roles,
      key: options.key ?? [],
      isShown: (name = dataset.name) => options.shown?.has(name) === true,
      once: remembered(),
    };
    const planned: PlannedCheck[] = [];
    for (const check of scope.checks) planned.push(await planCheck(check, context, profile, into));
    const answer = await runPlan(session, plan, table);
    const second = createPlan();
    for (const check of planned) check.again?.(answer, second);
    const again = second.aggregates.length === 0 ? scanAnswer([]) : await runPlan(session, second, table);
    const finished: CheckResult[] = [];
    for (const check of planned) {
      const result = await check.finish(answer, again);
      finished.push(result);
      if (options.onFailing === undefined || check.failing === undefined) continue;
      if ((result.failingRows ?? 0) === 0 || result.verdict === 'pass') continue;
      const { failing } = check;
      const query = 'query' in failing ? failing.query : `SELECT * FROM ${table.relation} WHERE ${failing.condition}`;
      await options.onFailing(result, query, table);
    }
    return finished;
  }
}

/** What all drift checks of a report found. */
type JudgedDrift = { results: DriftResult[]; distributions: SizedDistribution[] };

/** Remembers what was computed, while one report is made. */
function remembered(): CheckContext['once'] {
  const known = new Map<string, Promise<unknown>>();
  return <T>(key: string, work: () => Promise<T>): Promise<T> => {
    // One key, one kind of work: what stands there has its type.
    const found = known.get(key) as Promise<T> | undefined;
    const made = found ?? work();
    known.set(key, made);
    return made;
  };
}

/** The session, and how often its queries read the table. */
function countedScans(session: TableSession, { relation }: Table): { session: TableSession; scans(): number } {
  let passes = 0;
  const counted: TableSession = {
    ...session,
    rows(sql) {
      passes += session.passes(sql, relation);
      return session.rows(sql);
    },
    scan(sql, visit) {
      passes += sql.split(relation).length - 1;
      return session.scan(sql, visit);
    },
    distinctBetween(values, low, high) {
      passes += session.passes(values, relation);
      return session.distinctBetween(values, low, high);
    },
  };
  return { session: counted, scans: () => passes };
}

async function openOther({ session, otherDataset }: ValidateOptions, name: string): Promise<Table> {
  if (otherDataset === undefined)
    throw new ConfigurationError(`There is no dataset ${JSON.stringify(plainText(name, 60))} here.`, {
      hint: 'A plain file is validated alone; name the dataset in a model file.',
    });
  return session.open({ ...(await otherDataset(name)), name });
}

async function planCheck(
  check: Check,
  context: CheckContext,
  profile: Profile | null,
  drift: JudgedDrift,
): Promise<PlannedCheck> {
  if (check.kind !== 'drift') return planOf(check, context);
  const problem = driftProblem(check);
  if (problem !== null) return notExecuted(check, expectedOf(check, 'the profile'), `the check ${problem}.`);
  const { dataset } = check;
  return dataset === undefined
    ? planDriftCheck(check, context, profile, drift)
    : planDriftBetween({ ...check, dataset }, context, drift);
}

function planDriftCheck(
  check: Extract<Check, { kind: 'drift' }>,
  { table, plan, roles, isShown }: CheckContext,
  profile: Profile | null,
  drift: JudgedDrift,
): PlannedCheck {
  if (profile === null) {
    const reason = 'the dataset has no profile. Run `passloop data profile` and commit it.';
    return notExecuted(check, expectedOf(check, 'the profile'), reason);
  }
  const planned = planDrift(plan, table, profile, check);
  return {
    finish(answer: ScanAnswer) {
      const { candidates, shapes } = planned.finish(answer);
      const results = withRoles(judgeDrift(candidates, check.minRows ?? 1000), roles);
      const graded = gradedDrift(check, results, 'the profile');
      drift.results.push(...graded.drift);
      const subject = { against: 'the profile', isShown: isShown() };
      drift.distributions.push(...distributionsOf(graded.drift, shapes, subject));
      return graded.summary;
    },
  };
}

/** Drift from the rows of another dataset: queries of its own, and none of the shared scan's. */
function planDriftBetween(
  check: Extract<Check, { kind: 'drift' }> & { dataset: string },
  { session, table, other, roles, key, isShown }: CheckContext,
  drift: JudgedDrift,
): PlannedCheck {
  return {
    async finish() {
      const reference = await other(check.dataset);
      const { results, shapes } = await driftResultsBetween({
        ...check,
        session,
        reference,
        current: table,
        roles,
        key,
      });
      const graded = gradedDrift(check, results, check.dataset);
      drift.results.push(...graded.drift);
      // Edges and categories are of both.
      const subject = { against: check.dataset, isShown: isShown() && isShown(check.dataset) };
      drift.distributions.push(...distributionsOf(graded.drift, shapes, subject));
      return graded.summary;
    },
  };
}

async function failed(check: Check | undefined, error: unknown): Promise<CheckResult> {
  if (check === undefined || !(error instanceof ConfigurationError)) throw error;
  const planned = notExecuted(check, check.kind, error.message);
  return planned.finish(scanAnswer([]), scanAnswer([]));
}

function emptyTable(): CheckResult {
  return {
    id: 'empty-table',
    kind: 'row-count',
    column: null,
    severity: 'error',
    verdict: 'fail',
    expected: 'at least 1 row',
    observed: '0 rows',
    failingRows: null,
    sql: null,
    reason: 'An empty table passes no check: nothing in it could be judged.',
  };
}

function isUnexecuted(result: CheckResult): boolean {
  return result.reason?.startsWith('not executed: ') === true;
}
