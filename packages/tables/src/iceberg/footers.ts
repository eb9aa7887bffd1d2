import { plainText } from '@passloop/core';
import type { Engine } from '../engine.ts';
import { quoteText } from '../quote.ts';
import { damaged, unread } from './refusals.ts';
import type { IcebergField, IcebergType } from './schema.ts';

/** A node of a Parquet file's schema, as the engine tells it. */
type Node = { name: string; id: number | null; type: string | null; children: number };
type Shape = { files: string[]; nodes: Node[] };

/**
 * Which columns of a schema the files have, by their ids, in whole: a file has a column's values under another name, or in a
 * narrower type, and the engine widens them.
 *
 * @returns for each column, the files that lack it
 * @throws ConfigurationError for a file without ids, and for a type that Iceberg doesn't make another one of
 */
export async function missingColumns(
  engine: Engine,
  table: string,
  files: readonly string[],
  fields: readonly IcebergField[],
): Promise<Map<number, Set<string>>> {
  const missing = new Map<number, Set<string>>(fields.map(({ id }) => [id, new Set()]));
  for (const shape of await shapesOf(engine, files)) {
    const columns = new Map<number, Node[]>();
    for (const column of columnsOf(table, shape)) {
      const [{ id, name } = { id: null, name: '' }] = column;
      if (id === null)
        throw unread(
          table,
          `a file whose column ${JSON.stringify(plainText(name))} has no field id (a name mapping)`,
          'Rewrite the files that were added to it.',
        );
      if (columns.has(id)) throw damaged(table, `a file has two columns of the id ${id}`);
      columns.set(id, column);
    }
    for (const field of fields) {
      const column = columns.get(field.id);
      if (column !== undefined) refuseOther(table, field, column);
      else for (const file of shape.files) missing.get(field.id)?.add(file);
    }
  }
  return missing;
}

/** Files of one schema are told once. */
async function shapesOf(engine: Engine, files: readonly string[]): Promise<Shape[]> {
  const node = `{'name': name, 'id': field_id, 'type': duckdb_type, 'children': coalesce(num_children, 0)}`;
  const rows = await engine.rows(
    `SELECT to_json(list(file_name))::VARCHAR, nodes FROM (
       SELECT file_name, to_json(list(${node} ORDER BY column_id))::VARCHAR AS nodes
       FROM parquet_schema([${files.map(quoteText).join(', ')}]) GROUP BY file_name
     ) GROUP BY nodes`,
  );
  return rows.map(([names, nodes]) => ({ files: JSON.parse(String(names)), nodes: JSON.parse(String(nodes)) }));
}

/** The columns of a file, each with all that is in it, in the order of the file. */
function columnsOf(table: string, { nodes: [root, ...nodes] }: Shape): Node[][] {
  const columns: Node[][] = [];
  let place = 0;
  while (place < nodes.length) {
    const column: Node[] = [];
    for (let open = 1; open > 0; open--) {
      const node = nodes[place++];
      if (node === undefined) throw damaged(table, 'a file’s schema ends too early');
      column.push(node);
      open += node.children;
    }
    columns.push(column);
  }
  if (columns.length !== root?.children) throw damaged(table, 'a file’s schema is no tree');
  return columns;
}

function refuseOther(table: string, { name, type }: IcebergField, [column, ...parts]: readonly Node[]): void {
  const shown = JSON.stringify(plainText(name));
  if (type.kind !== 'plain') {
    // The engine takes the parts of a nested column by their names, and so those have to be the schema's.
    const found = parts.filter(({ id }) => id !== null).map((part) => `${part.id} ${part.type ?? ''}`);
    const named = new Map(parts.map(({ id, name }) => [id, name]));
    const wanted = partsOf(type);
    const isSame =
      wanted.length === found.length &&
      wanted.every((part, place) => `${part.id} ${part.type}` === found[place]) &&
      wanted.every((part) => part.name === null || named.get(part.id) === part.name);
    if (!isSame) throw unread(table, `a nested column, ${shown}, whose fields were changed after a file was written`);
    return;
  }
  const found = column?.type ?? 'a nested one';
  if (found !== type.engine && !isWidened(found, type.engine))
    throw damaged(table, `a file’s column ${shown} is of the type ${found}, and of ${type.engine} in the schema`);
}

type Part = { id: number; name: string | null; type: string };

function partsOf(type: IcebergType): Part[] {
  const inside = (id: number, name: string | null, part: IcebergType): Part[] => [
    { id, name, type: part.kind === 'plain' ? part.engine : '' },
    ...partsOf(part),
  ];
  switch (type.kind) {
    case 'plain':
      return [];
    case 'struct':
      return type.fields.flatMap((field) => inside(field.id, field.name, field.type));
    case 'list':
      return inside(type.element.id, null, type.element.type);
    case 'map':
      return [...inside(type.key.id, null, type.key.type), ...inside(type.value.id, null, type.value.type)];
  }
}

/** https://iceberg.apache.org/spec/#schema-evolution */
function isWidened(from: string, to: string): boolean {
  if (from === 'INTEGER') return to === 'BIGINT';
  if (from === 'FLOAT') return to === 'DOUBLE';
  const [before, after] = [from, to].map((type) => /^DECIMAL\((\d+),(\d+)\)$/.exec(type));
  return before != null && after != null && before[2] === after[2] && Number(before[1]) <= Number(after[1]);
}
