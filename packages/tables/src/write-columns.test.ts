import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readColumns } from './read-columns.ts';
import { openTables } from './session.ts';
import { writeColumns } from './write-columns.ts';

it('writes columns of which every bit and every row comes back', async () => {
  await using folder = await temporaryFolder('columns-test');
  await using session = await openTables();
  const score = fc.sample(fc.double(), { numRuns: 25_000, seed: 7 });
  const id = score.map((_, row) => BigInt(row) + 2n ** 60n);
  const text = score.map((_, row) => (row % 5 === 0 ? null : `"a", 'b'\n${row}`));
  const file = path.join(folder.path, 'p.parquet');

  await writeColumns(
    session,
    [
      { name: 'id', type: 'integer', values: id },
      { name: 'sco"re', type: 'float', values: score },
      { name: 'text', type: 'string', values: text },
      { name: 'flag', type: 'boolean', values: score.map((value) => value > 0) },
    ],
    file,
  );

  const table = await session.open({ uri: 'p.parquet', root: folder.path });
  expect(table.columns.map((column) => column.type)).toEqual(['integer', 'float', 'string', 'boolean']);
  const [ids, scores, texts] = await readColumns(session, table, { columns: ['id', 'sco"re', 'text'], orderBy: ['id'] });
  expect(ids?.values.length).toBe(25_000);
  expect(ids?.values[1]).toBe(String(2n ** 60n + 1n));
  const read = Array.from(scores?.values as Float64Array);
  expect(read.every((value, row) => Object.is(value, score[row]))).toBe(true);
  expect(texts?.values[1]).toBe(`"a", 'b'\n1`);
  expect(texts?.nullCount).toBe(5_000);
});

it('refuses columns of different lengths and a fraction among whole numbers', async () => {
  await using session = await openTables();
  const long = { name: 'a', type: 'integer' as const, values: [1, 2] };
  await expect(writeColumns(session, [long, { name: 'b', type: 'integer', values: [1] }], '/nowhere')).rejects.toThrow(/column b has 1 rows/);
  await expect(writeColumns(session, [{ ...long, values: [1.5] }], '/nowhere')).rejects.toThrow(/no whole number/);
});
