import type { HeldColumns, Table, TableSession } from '@passloop/tables';
import type { TimeColumn, Working } from './profile-cells.ts';

/** From so many columns on, each query on the table itself costs more by its other columns than by its own. */
const manyColumns = 48;
/** The numbers that are held at a time: 64 MB of doubles. */
const heldCells = 8_000_000;
const mostHeld = 64;
/** Below, a group isn't worth its copy: the rows, not the columns, take the time. */
const fewestHeld = 16;

export type ColumnGroup = { columns: readonly Working[]; isHeld: boolean };

/** Which columns are read together: all of them, or of a wide table as many as can be held in memory. */
export function columnGroups(columns: readonly Working[], rows: number): ColumnGroup[] {
  const size = Math.min(mostHeld, Math.floor(heldCells / rows));
  if (columns.length < manyColumns || size < fewestHeld) return [{ columns, isHeld: false }];
  return Array.from({ length: Math.ceil(columns.length / size) }, (_, i) => ({
    columns: columns.slice(i * size, (i + 1) * size),
    isHeld: true,
  }));
}

/** What to ask about a group: a copy of its columns (and of the time) until it is disposed; null: the table itself. */
export async function holdGroup(
  session: TableSession,
  table: Table,
  { columns, isHeld }: ColumnGroup,
  time: TimeColumn | null,
): Promise<HeldColumns | null> {
  if (!isHeld) return null;
  const held = new Set(columns.map((working) => working.column));
  if (time !== null) held.add(time.column);
  return session.hold(table, [...held]);
}
