import { openTables } from '@passloop/tables';
import { expect, it } from 'vitest';
import { bucketing, bucketSql } from './buckets.ts';

it('gives a number the same bucket in SQL', async () => {
  await using session = await openTables({ threads: 1 });
  const numbers = [...Array(3000).keys(), 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  for (const [seed, buckets] of [
    [7, 1000],
    [4_294_967_296, 200],
  ] as const) {
    const rows = await session.rows(
      `SELECT ${bucketSql('n', seed, buckets)} FROM (SELECT unnest([${numbers.join(', ')}]) AS n)`,
    );

    expect(rows.map(([bucket]) => bucket)).toEqual(numbers.map(bucketing(seed, buckets)));
  }
});

it.each([7, 8])('fills the buckets evenly and depends on the seed %i', (seed) => {
  const counts = new Array<number>(1000).fill(0);
  const [bucketOf, other] = [bucketing(seed, 1000), bucketing(seed + 1, 1000)];
  let same = 0;
  for (let number = 0; number < 200_000; number += 1) {
    counts[bucketOf(number)]! += 1;
    if (bucketOf(number) === other(number)) same += 1;
  }
  const chiSquare = counts.reduce((total, count) => total + (count - 200) ** 2 / 200, 0);

  // 999 degrees of freedom: 800 and 1,200 are 4.5 standard deviations off.
  expect(chiSquare).toBeGreaterThan(800);
  expect(chiSquare).toBeLessThan(1200);
  expect(same).toBeGreaterThan(100);
  expect(same).toBeLessThan(300);
});
