import { Check, type CheckInput } from '@passloop/model';
import { openTables, quoteIdentifier, quoteText, type Table } from '@passloop/tables';
import { expect, it } from 'vitest';
import { validateTable } from './index.ts';
import { createPlan, runPlan } from './plan.ts';
import { spiedSession } from './testing/spied-session.ts';

it('reads a table whose columns do not fit into memory some columns at a time, and says so', async () => {
  await using session = await openTables({ threads: 2 });
  const names = Array.from({ length: 200 }, (_, k) => `c"${k}`);
  const columns = names.map((name) => `i AS ${quoteIdentifier(name)}`);
  const table = await session.derive(`SELECT ${columns.join(', ')} FROM range(245_760) t(i)`, 'wide');
  const { spied, queries } = spiedSession(session);
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

it('reads no column of which the file notes all that is asked, and all of them where it notes too little', async () => {
  await using session = await openTables();
  const names = ['id', 'day', 'amount', 'text', 'some'];
  const query = `SELECT i AS id, DATE '2026-01-01' + i::INTEGER AS day, i / 4 AS amount, 'v' || i AS text, nullif(i, 3) AS some
    FROM range(8) t(i)`;
  await session.run(`COPY (${query}) TO ${quoteText(`${session.scratch}/noted.parquet`)} (FORMAT parquet)`);
  const table = await session.open({ uri: 'noted.parquet', root: session.scratch });
  const { spied, queries } = spiedSession(session);
  const validate = async (checks: CheckInput[], of: Table) => {
    const options = { profile: null, now: new Date('2026-01-09T00:00:00Z') };
    const dataset = { name: 'noted', uri: 'noted', root: '/' };
    const parsed = checks.map((check) => Check.parse(check));
    const { scans, checks: results } = await validateTable({
      session: spied,
      table: of,
      dataset,
      checks: parsed,
      ...options,
    });
    const asked = queries.splice(0).join();
    const read = names.filter((name) => asked.includes(quoteIdentifier(name)));
    return {
      scans,
      read,
      results: results.map(({ verdict, observed, failingRows }) => [verdict, observed, failingRows]),
    };
  };
  const noted: CheckInput[] = [
    ...['id', 'day', 'text'].map((column) => ({ kind: 'not-null', column }) as const),
    { kind: 'range', column: 'id', min: 0, max: 7 },
    { kind: 'range', column: 'day', min: '2026-01-01' },
    { kind: 'aggregate', column: 'id', function: 'max', max: 7 },
    { kind: 'freshness', column: 'day', within: '2d' },
  ];
  const few = await session.derive(`SELECT * FROM ${table.relation}`, 'few');

  const [short, long] = [await validate(noted, table), await validate(noted, few)];

  expect(short).toMatchObject({ scans: 1, read: [] });
  expect(long).toMatchObject({ scans: 1, read: ['id', 'day', 'text'] });
  expect(short.results.map(([verdict]) => verdict)).toEqual(noted.map(() => 'pass'));
  expect(short.results).toEqual(long.results);
  const broken: CheckInput[] = [
    { kind: 'range', column: 'id', max: 6 },
    { kind: 'range', column: 'amount', max: 7 },
    { kind: 'not-null', column: 'some' },
  ];
  const failing = await validate(broken, table);
  expect(failing).toMatchObject({ scans: 2, read: ['id', 'amount', 'some'] });
  expect(failing.results).toEqual((await validate(broken, few)).results);
});

it('asks for the rows where there is nothing else to ask', async () => {
  await using session = await openTables();
  const answer = await runPlan(session, createPlan(), await session.derive('SELECT 1 AS a', 'one'));

  expect(answer.text(0)).toBeNull();
});
