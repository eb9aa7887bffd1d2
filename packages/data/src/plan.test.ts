import { Check } from '@passloop/model';
import { openTables, quoteIdentifier, quoteText, type TableSession } from '@passloop/tables';
import { expect, it } from 'vitest';
import { validateTable } from './index.ts';
import { createPlan, runPlan } from './plan.ts';

it('reads a table whose columns do not fit into memory some columns at a time, and says so', async () => {
  await using session = await openTables({ threads: 2 });
  const names = Array.from({ length: 200 }, (_, k) => `c"${k}`);
  const columns = names.map((name) => `i AS ${quoteIdentifier(name)}`);
  const table = await session.derive(`SELECT ${columns.join(', ')} FROM range(245_760) t(i)`, 'wide');
  const queries: string[] = [];
  const spied: TableSession = {
    ...session,
    rows(sql) {
      queries.push(sql);
      return session.rows(sql);
    },
  };
  const plan = createPlan();
  const slots = [...names].reverse().map((name) => ({
    // A text that looks like a column is none.
    label: plan.add(`${quoteText('"c"')} || typeof(min(${quoteIdentifier(name)}))`),
    maximum: plan.add(`max(${quoteIdentifier(name)})`),
    rows: plan.add('count(*)'),
  }));

  const answer = await runPlan(spied, plan, table);
  const read = queries.map((sql) => names.filter((name) => sql.includes(quoteIdentifier(name))).length);
  const report = await validateTable({
    session,
    table,
    dataset: { name: 'wide', uri: 'wide', root: '/' },
    checks: names.map((column) => Check.parse({ kind: 'not-null', column })),
    profile: null,
    now: new Date('2026-11-26T00:00:00Z'),
  });

  expect(read).toEqual([195, 5]);
  expect(slots.map((slot) => [answer.text(slot.label), answer.count(slot.maximum), answer.count(slot.rows)])).toEqual(
    names.map(() => ['"c"BIGINT', 245_759, 245_760]),
  );
  expect(report.scans).toBe(2);
  expect(report.checks.map((check) => [check.verdict, check.failingRows])).toEqual(names.map(() => ['pass', 0]));
});

it('asks for the rows where there is nothing else to ask', async () => {
  await using session = await openTables();
  const answer = await runPlan(session, createPlan(), await session.derive('SELECT 1 AS a', 'one'));

  expect(answer.text(0)).toBeNull();
});
