import { quoteIdentifier } from '../quote.ts';
import type { NotedQuestion, Table, TableSession } from '../session.ts';

/** All that a file may note of a table's columns: of each its extremes, and how many rows have a value. */
export function noteQuestions(table: Table): NotedQuestion[] {
  return table.columns.flatMap((column): NotedQuestion[] => {
    const name = quoteIdentifier(column.name);
    return [
      { column, about: 'extremes', aggregate: `min(${name})::VARCHAR || ' ' || max(${name})::VARCHAR` },
      { column, about: 'presence', aggregate: `count(${name})` },
    ];
  });
}

/** What is noted, and the same as its rows say it. */
export async function notedAndRead(
  session: TableSession,
  table: Table,
): Promise<{ noted: unknown[]; read: unknown[] }> {
  const questions = noteQuestions(table);
  const answers = await session.noted(table, questions);
  const told = questions.flatMap(({ aggregate }, at) => (answers[at] === undefined ? [] : [aggregate]));
  const [read = []] = await session.rows(
    `SELECT ${['1', ...told].join(', ')} FROM (SELECT * FROM ${table.relation} OFFSET 0)`,
  );
  return { noted: answers.filter((answer) => answer !== undefined), read: read.slice(1) };
}
