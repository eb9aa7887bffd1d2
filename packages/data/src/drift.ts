import { plainText } from '@passloop/core';
import type { DriftResult } from '@passloop/documents';
import { findColumn, type Table, type TableSession } from '@passloop/tables';
import { extreme, extremesNote, numericCells, numericCounts, total, valueCells, valueCounts } from './cells.ts';
import { type CountedValue, type Shape, shapeOfNumbers, shapeOfValues } from './distribution.ts';
import { type Candidate, judgeDrift } from './judge.ts';
import {
  type DriftMeasure,
  driftThresholds,
  type Measurement,
  measureCategorical,
  measureMissing,
  measureNumeric,
} from './measure.ts';
import { createPlan, runPlan, type ScanAnswer, type ScanPlan } from './plan.ts';
import type { Profile, ProfileColumn } from './profile.ts';

/** What was measured of some columns, before anyone judges it, and how each is distributed. */
export type MeasuredColumns = { candidates: Candidate[]; shapes: Map<string, Shape> };

export type MeasuredColumn = { candidates: Candidate[]; shape: Shape | null };

export type DriftMethod = 'auto' | 'ks' | 'psi' | 'js' | 'wasserstein' | 'chi2';

export type DriftRequest = {
  /** Columns by name; all that the profile can judge when undefined. A named column that can't be judged fails. */
  columns?: readonly string[] | undefined;
  except?: readonly string[];
  method: DriftMethod;
  /** Taken as it is when given; otherwise the method's own, raised to the column's wander. */
  threshold?: number | undefined;
};

/**
 * Adds to a scan what drift against a profile needs of the current table: counts over the profile's own cells. The
 * reference is not read again. `finish` turns the scan's answer into candidates for `judgeDrift`.
 */
export function planDrift(
  plan: ScanPlan,
  table: Table,
  profile: Profile,
  request: DriftRequest,
): { finish(answer: ScanAnswer): MeasuredColumns } {
  const rows = plan.add('count(*)');
  const except = new Set(request.except ?? []);
  const names = request.columns ?? profile.columns.map((column) => column.name);
  const parts = names
    .filter((name) => !except.has(name))
    .map((name) => ({ column: name.slice(0, 256), finish: planColumn(plan, table, profile, name, request, rows) }));
  return {
    finish(answer) {
      const found: MeasuredColumns = { candidates: [], shapes: new Map() };
      for (const { column, finish } of parts) {
        const { candidates, shape } = finish(answer);
        found.candidates.push(...candidates);
        if (shape !== null) found.shapes.set(column, shape);
      }
      return found;
    },
  };
}

/** Drift of a table against a profile by itself: one scan of the table, none of the reference. */
export async function driftAgainstProfile(
  session: TableSession,
  table: Table,
  profile: Profile,
  { minRows = 1000, ...request }: Partial<DriftRequest> & { minRows?: number } = {},
): Promise<DriftResult[]> {
  const plan = createPlan();
  const planned = planDrift(plan, table, profile, { method: 'auto', ...request });
  return judgeDrift(planned.finish(await runPlan(session, plan, table)).candidates, minRows);
}

function planColumn(
  plan: ScanPlan,
  table: Table,
  profile: Profile,
  name: string,
  request: DriftRequest,
  rowsSlot: number,
): (answer: ScanAnswer) => MeasuredColumn {
  const named = request.columns !== undefined;
  const reference = profile.columns.find((column) => column.name === name);
  const current = findColumn(table, name);
  const threshold = request.threshold ?? (request.method === 'auto' ? 0.1 : driftThresholds[request.method]);
  const n = { reference: profile.rows, current: table.rows };
  const none = (verdict: 'fail' | 'skipped', reason: string) => (): MeasuredColumn => ({
    candidates: [
      { kind: 'unmeasured', column: name.slice(0, 256), method: request.method, threshold, verdict, reason, n },
    ],
    shape: null,
  });
  if (reference === undefined) return none('fail', `the profile has no column ${JSON.stringify(plainText(name))}`);
  if (current === null) return none('fail', 'the column is missing');
  if (current.type !== reference.type) {
    return none('fail', `the type changed from ${reference.type} to ${current.type}`);
  }
  const unjudged = whyUnjudged(reference);
  if (unjudged !== null) return none(named ? 'fail' : 'skipped', unjudged);
  const measures = measuresFor(request.method, reference);
  if (measures.length === 0)
    return none(named ? 'fail' : 'skipped', `${request.method} needs numbers; the column has values without an order`);
  const present = profile.rows - missingOf(reference);
  if (present === 0) return none(named ? 'fail' : 'skipped', 'the reference has no value in this column');

  const quantiles = reference.kind === 'numeric' ? reference.quantiles : null;
  const values = reference.kind === 'categorical' ? (reference.values?.map((entry) => entry.value) ?? null) : null;
  const ranged = quantiles !== null && measures.includes('wasserstein');
  const slots = {
    numbers: quantiles === null ? null : plan.add(numericCounts(current, quantiles.edges)),
    minimum: ranged ? plan.add(extreme('min', current), extremesNote(current)) : null,
    maximum: ranged ? plan.add(extreme('max', current), extremesNote(current)) : null,
    values: values === null ? null : plan.add(valueCounts(current, values)),
  };
  return (answer) => {
    const rows = answer.count(rowsSlot);
    const numbers =
      quantiles === null || slots.numbers === null ? null : numericCells(answer.counts(slots.numbers), quantiles.edges);
    const found = values === null || slots.values === null ? null : valueCells(answer.text(slots.values), values);
    // What is in no cell has no finite value.
    const missing = rows - total(numbers ?? [...(found?.counts ?? []), found?.other ?? 0]);
    const shape = shapeOf(reference, { numbers, values: found }, { reference: missingOf(reference), current: missing });
    const candidates: Candidate[] = [];
    if (rows > 0 && (missing > 0 || missingOf(reference) > 0)) {
      candidates.push(
        held('missing', measureMissing({ rows: profile.rows, missing: missingOf(reference) }, { rows, missing })),
      );
    }
    if (rows - missing === 0) {
      const measured = candidates.length > 0;
      return measured ? { candidates, shape } : none('fail', 'the column has no finite value')();
    }
    for (const measure of measures) {
      if (numbers !== null && quantiles !== null) {
        const range = {
          minimum: Math.min(Number(reference.minimum), extremeOf(answer, slots.minimum, reference.minimum)),
          maximum: Math.max(Number(reference.maximum), extremeOf(answer, slots.maximum, reference.maximum)),
        };
        const pair = { reference: quantiles.counts, current: numbers, points: quantiles.edges, range };
        const sd = populationSd(reference, present);
        candidates.push(held(measure, measureNumeric(measure, { ...pair, cells: 'percentile-ref', sd })));
      } else if (found !== null && isUnordered(measure)) {
        const counts = reference.values?.map((entry) => entry.count) ?? [];
        const pair = { reference: [...counts, reference.other?.count ?? 0], current: [...found.counts, found.other] };
        candidates.push(held(measure, measureCategorical(measure, pair)));
      }
    }
    return { candidates, shape };
  };

  function held(measure: DriftMeasure, measurement: Measurement): Candidate {
    const own = driftThresholds[measure];
    const wander = Number(reference?.wander?.[measure] ?? 0);
    const asked = measure === 'missing' ? undefined : request.threshold;
    const raised = asked === undefined && wander > own;
    return {
      kind: 'measured',
      column: name.slice(0, 256),
      measurement,
      threshold: asked ?? Math.max(own, wander),
      note: raised
        ? `within the reference a tenth of its time moved it as far (by ${plainText(profile.time?.column ?? '', 60)})`
        : null,
    };
  }
}

/** Both sides of a column over the profile's own cells and values. */
function shapeOf(
  { quantiles, values: listed, other, type }: ProfileColumn,
  current: { numbers: number[] | null; values: ReturnType<typeof valueCells> | null },
  missing: { reference: number; current: number },
): Shape | null {
  const { numbers, values } = current;
  if (values !== null) {
    const counted = (listed ?? []).map(
      ({ value, count }, i): CountedValue => ({ value, reference: count, current: values.counts[i] ?? 0 }),
    );
    const rest = { reference: other?.count ?? 0, current: values.other };
    return shapeOfValues(counted, rest, missing, type === 'integer');
  }
  if (numbers === null || quantiles === null) return null;
  return shapeOfNumbers({ reference: quantiles.counts, current: numbers, points: quantiles.edges }, missing);
}

function extremeOf(answer: ScanAnswer, slot: number | null, reference: string | null): number {
  return Number(slot === null ? reference : answer.text(slot));
}

/** Why a column has no distribution to compare, or null. */
function whyUnjudged(column: ProfileColumn): string | null {
  switch (column.kind) {
    case 'key':
      return 'a key column: each row has its own';
    case 'identifier':
      return 'identifier-like: nearly every row has its own value';
    case 'time':
      return 'a date or time moves on by construction';
    case 'unsupported':
      return `${column.type} columns have no distribution`;
    default:
      return null;
  }
}

/** `auto`: KS and PSI for numbers (a shift of the whole, and of single tenths), chi-squared with Cramer's V for values. */
function measuresFor(method: DriftMethod, column: ProfileColumn): Exclude<DriftMeasure, 'missing'>[] {
  if (column.kind === 'categorical') {
    if (method === 'auto') return ['chi2'];
    return isUnordered(method) ? [method] : [];
  }
  return method === 'auto' ? ['ks', 'psi'] : [method];
}

function isUnordered(measure: string): measure is 'psi' | 'js' | 'chi2' {
  return measure === 'psi' || measure === 'js' || measure === 'chi2';
}

function missingOf(column: ProfileColumn): number {
  return column.nulls + column.nan + column.infinite;
}

function populationSd(column: ProfileColumn, rows: number): number {
  return rows < 2 ? 0 : Number(column.sd ?? 0) * Math.sqrt((rows - 1) / rows);
}
