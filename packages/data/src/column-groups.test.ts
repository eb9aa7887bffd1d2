import { openTables, type Table } from '@passloop/tables';
import { expect, it } from 'vitest';
import { columnGroups, holdGroup } from './column-groups.ts';
import type { Working } from './profile-cells.ts';

it.each([
  ['few columns', 47, 100, [47]],
  ['many columns of few rows', 130, 1000, [64, 64, 2]],
  ['many columns of more rows', 130, 250_000, [32, 32, 32, 32, 2]],
  ['rows by which a copy would not fit', 130, 600_000, [130]],
])('groups %s', (_, columns, rows, sizes) => {
  const groups = columnGroups(
    Array.from({ length: columns }, (_, k) => working(`c${k}`, 'float')),
    rows,
  );

  expect(groups.map((group) => group.columns.length)).toEqual(sizes);
  expect(groups.every((group) => group.isHeld === sizes.length > 1)).toBe(true);
});

it('holds what a profile asks for, but no long texts', async () => {
  await using session = await openTables({ threads: 1 });
  const open = (length: number) =>
    session.derive(`SELECT i AS a, repeat('x', ${length}) AS s, [i] AS n FROM range(100_000) t(i)`, 'texts');
  const held = async (table: Table, names: readonly string[]) => {
    const columns = table.columns
      .filter((column) => names.includes(column.name))
      .map((column) => working(column.name, column.type));
    await using copy = await holdGroup(session, table, { columns, isHeld: true }, null);
    return copy?.table.columns.map((column) => column.name) ?? null;
  };

  expect(await held(await open(2000), ['a', 's', 'n'])).toEqual(['a', 's']);
  expect(await held(await open(3000), ['a', 's', 'n'])).toBeNull();
  expect(await held(await open(3000), ['a', 'n'])).toEqual(['a']);
  expect(await held(await open(1), ['n'])).toBeNull();
});

function working(name: string, type: Working['column']['type']): Working {
  return {
    column: { name, type, engineType: type },
    finite: 1,
    profile: {
      name,
      type,
      kind: type === 'nested' ? 'unsupported' : 'numeric',
      nulls: 0,
      nan: 0,
      infinite: 0,
      distinct: null,
      minimum: null,
      maximum: null,
      mean: null,
      sd: null,
      quantiles: null,
      values: null,
      other: null,
      wander: null,
    },
  };
}
