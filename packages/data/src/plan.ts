import type { Note, Scalar, Table, TableSession } from '@passloop/tables';

/** The place of an aggregate in a plan: ask the scan's answer for it. */
export type Slot = number;

/**
 * Every aggregate that one pass over a table can answer, of all checks and of drift. Equal aggregates share a slot.
 * Only counts, minima, maxima, integer sums and histograms over fixed edges belong here: they are exact, so that neither
 * threads nor the order of rows can change a digit.
 */
export type ScanPlan = {
  /** @param note what may be noted beside the rows, and is all that the aggregate needs */
  add(aggregate: string, note?: Note | null): Slot;
  aggregates: readonly string[];
  notes: ReadonlyMap<Slot, Note>;
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
  const notes = new Map<Slot, Note>();
  return {
    aggregates,
    notes,
    add(aggregate, note = null) {
      const slot = slots.get(aggregate) ?? aggregates.push(aggregate) - 1;
      slots.set(aggregate, slot);
      if (note !== null) notes.set(slot, note);
      return slot;
    },
  };
}

/** A reader holds a page of each column of a row group, on each thread: so many numbers take some 400 MB. */
const cellsAtOnce = 48_000_000;
const rowsAtOnce = 2 * 122_880;

/**
 * Answers a plan by what is noted of the table, and for the rest by one query; where a table is so wide that its
 * columns would not fit into memory, by some.
 */
export async function runPlan(session: TableSession, plan: ScanPlan, table: Table): Promise<ScanAnswer> {
  const mostColumns = Math.max(1, Math.floor(cellsAtOnce / Math.min(Math.max(table.rows, 1), rowsAtOnce)));
  const answer = await notedAnswers(session, plan, table);
  const open = plan.aggregates.map((_, slot) => slot).filter((slot) => answer[slot] === undefined);
  for (const slots of planParts(plan, open, mostColumns)) {
    const list = slots.map((slot) => `${plan.aggregates[slot]} AS a${slot}`);
    const [row] = await session.rows(`SELECT ${list.join(',\n  ') || 'count(*)'}\nFROM ${table.relation}`);
    for (const [i, slot] of slots.entries()) answer[slot] = row?.[i] ?? null;
  }
  return scanAnswer(answer);
}

async function notedAnswers(session: TableSession, plan: ScanPlan, table: Table): Promise<(Scalar | undefined)[]> {
  const asked = [...plan.notes].map(([slot, note]) => ({
    ...note,
    slot,
    aggregate: plan.aggregates[slot] as string,
  }));
  const noted = await session.noted(table, asked);
  const answer: (Scalar | undefined)[] = plan.aggregates.map(() => undefined);
  for (const [at, { slot }] of asked.entries()) answer[slot] = noted[at];
  return answer;
}

/** A plan's slots by the column that each aggregate names first, so that no part reads more than its columns. */
function planParts(plan: ScanPlan, slots: readonly Slot[], mostColumns: number): Slot[][] {
  const parts: Slot[][] = [[]];
  /** By column, its part. */
  const known = new Map<string, number>();
  for (const slot of slots) {
    const aggregate = plan.aggregates[slot] as string;
    const [column] = /"(?:[^"]|"")*"/.exec(aggregate.replace(/'(?:[^']|'')*'/g, "''")) ?? [];
    const part = column === undefined ? 0 : (known.get(column) ?? Math.floor(known.size / mostColumns));
    if (column !== undefined) known.set(column, part);
    if (parts[part] === undefined) parts.push([]);
    parts[part]?.push(slot);
  }
  return parts;
}

export function scanAnswer(row: readonly (Scalar | undefined)[]): ScanAnswer {
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
