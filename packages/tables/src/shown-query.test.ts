import { describe, expect, it } from 'vitest';
import { shownQuery } from './shown-query.ts';

const printed = "read_parquet('a.parquet')";
const tables = [{ printed, floats: ['x', 'odd "name"', 'Price'] }];

describe('a query as people paste it', () => {
  it.each([
    [`SELECT max("x") FROM ${printed}`],
    [`SELECT * FROM ${printed} WHERE "x" IS NULL`],
    [`SELECT * FROM ${printed} WHERE "x" IS NOT NULL AND (isnan("x") OR NOT ("x" >= (0) AND "x" <= (5)))`],
    [`SELECT * FROM ${printed} WHERE ((id > 3)) IS NOT NULL`],
    ["SELECT * FROM read_csv('x.csv') WHERE x > 3"],
  ])('stays as it is where no float is limited: %s', (sql) => {
    expect(shownQuery(sql, tables)).toBe(sql);
  });

  it.each([
    ['((x <= 0)) IS NOT NULL', '"x" * 1 AS "x"'],
    ['((PRICE > 0))', '"Price" * 1 AS "Price"'],
    ['(("odd ""name""" > 0))', '"odd ""name""" * 1 AS "odd ""name"""'],
    ['((x > 1)) AND (isnan("x") OR NOT ("x" <= (5)))', '"x" * 1 AS "x"'],
  ])('reads limited floats without their extremes: %s', (condition, replaced) => {
    expect(shownQuery(`SELECT * FROM ${printed} WHERE ${condition}`, tables)).toBe(
      `SELECT * FROM (SELECT * REPLACE (${replaced}) FROM ${printed}) WHERE ${condition}`,
    );
  });
});
