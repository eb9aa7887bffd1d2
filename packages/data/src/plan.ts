import type { Scalar, TableSession } from '@passloop/tables';

/** The place of an aggregate in a plan: ask the scan's answer for it. */
export type Slot = number;

/**
 * Every aggregate that one pass over a table can answer, of all checks and of drift. Equal aggregates share a slot.
 * Only counts, minima, maxima, integer sums and histograms over fixed edges belong here: they are exact, so that neither
 * threads nor the order of rows can change a digit.
 */
export type ScanPlan = {
  add(aggregate: string): Slot;
  aggregates: readonly string[];
};

export type ScanAnswer = {
  count(slot: Slot): number;
  text(slot: Slot): string | null;
  /** A JSON array of counts, as `to_json(map_values(histogram(...)))` gives it; null where no row had a value. */
  counts(slot: Slot): number[] | null;
};

export function createPlan(): ScanPlan {
  const aggregates: string[] = [];
  const slots = new Map<string, Slot>();
  return {
    aggregates,
    add(aggregate) {
      const known = slots.get(aggregate);
      if (known !== undefined) return known;
      slots.set(aggregate, aggregates.length);
      return aggregates.push(aggregate) - 1;
    },
  };
}

/** The one query of a plan. */
function planQuery(plan: ScanPlan, relation: string): string {
  const list = plan.aggregates.length === 0 ? ['count(*)'] : plan.aggregates;
  return `SELECT ${list.map((aggregate, slot) => `${aggregate} AS a${slot}`).join(',\n  ')}\nFROM ${relation}`;
}

export async function runPlan(session: TableSession, plan: ScanPlan, relation: string): Promise<ScanAnswer> {
  const [row] = await session.rows(planQuery(plan, relation));
  return scanAnswer(row ?? []);
}

export function scanAnswer(row: readonly Scalar[]): ScanAnswer {
  return {
    count: (slot) => Number(row[slot] ?? 0),
    text: (slot) => {
      const value = row[slot];
      return value === null || value === undefined ? null : String(value);
    },
    counts: (slot) => {
      const value = row[slot];
      return value === null || value === undefined ? null : (JSON.parse(String(value)) as number[]);
    },
  };
}
