import type { HeldColumns, Table, TableColumn, TableSession } from '@passloop/tables';
import { valueText } from './cells.ts';
import type { TimeColumn, Working } from './profile-cells.ts';

/** From so many columns on, each query on the table itself costs more by its other columns than by its own. */
const manyColumns = 48;
/** The numbers that are held at a time: 64 MB of doubles. */
const heldCells = 8_000_000;
const mostHeld = 64;
/** Bytes of text that are held beside them. */
const heldText = 256 << 20;
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

/**
 * A copy of a group's columns (and of the time) to ask in the table's place, until it is disposed. Null: the table itself
 * is asked, since the group is not to be held, or its texts are too long to be.
 */
export async function holdGroup(
  session: TableSession,
  table: Table,
  { columns, isHeld }: ColumnGroup,
  time: TimeColumn | null,
): Promise<HeldColumns | null> {
  const held = new Set(columns.filter(({ profile }) => profile.kind !== 'unsupported').map(({ column }) => column));
  if (!isHeld || held.size === 0) return null;
  if ((await textBytes(session, table, [...held])) > heldText) return null;
  if (time !== null) held.add(time.column);
  return session.hold(table, [...held]);
}

async function textBytes(session: TableSession, table: Table, columns: readonly TableColumn[]): Promise<number> {
  const texts = columns.filter((column) => column.type === 'string');
  if (texts.length === 0) return 0;
  const sizes = texts.map((column) => `coalesce(sum(strlen(${valueText(column)})), 0)::DOUBLE`);
  const [[bytes] = []] = await session.rows(`SELECT ${sizes.join(' + ')} FROM ${table.relation}`);
  return Number(bytes);
}
