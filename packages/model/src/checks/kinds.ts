import type { Check } from '../checks.ts';

/** `scan`: in the one scan of all checks. `query`: one query of its own. `queries`: two. `columns`: the file's description alone. */
export type CheckCost = 'columns' | 'scan' | 'query' | 'queries';

export type CheckKind = {
  meaning: string;
  cost: CheckCost;
  /** What it says depends on when it is asked. */
  isTimed?: boolean;
};

/** Every kind of check, for the documentation and for what is stored of a report. */
export const checkKinds: Readonly<Record<Check['kind'], CheckKind>> = {
  columns: {
    meaning: 'columns are there, with their types; `exact`: and no other; `ordered`: in this order',
    cost: 'columns',
  },
  'column-count': { meaning: 'number of columns', cost: 'columns' },
  type: { meaning: 'a column has one of these types', cost: 'columns' },
  'row-count': { meaning: 'number of rows', cost: 'scan' },
  'not-null': { meaning: 'no NULL', cost: 'scan' },
  'null-like': {
    meaning: 'no text that stands for a missing value: `NA`, `n/a`, `-`, `null`, blanks, or a list of your own',
    cost: 'scan',
  },
  finite: { meaning: 'neither NaN nor infinite; NULL is not its matter', cost: 'scan' },
  range: { meaning: 'values within inclusive bounds; NaN is outside', cost: 'scan' },
  set: { meaning: 'values of a list; `mostly` leaves some mass to others', cost: 'scan' },
  'not-in-set': { meaning: 'no values of a list', cost: 'scan' },
  regex: { meaning: 'text that matches a regular expression (RE2: its time is linear); `full`, `not`', cost: 'scan' },
  like: { meaning: "text that matches SQL's LIKE; `not`", cost: 'scan' },
  length: { meaning: 'characters of a text', cost: 'scan' },
  expression: { meaning: 'one SQL condition over the columns of a row', cost: 'scan' },
  aggregate: {
    meaning: 'min, max, sum, mean, median, sd, variance, distinct, distinct-share or null-share within bounds',
    cost: 'query',
  },
  quantile: { meaning: 'a quantile within bounds, exactly', cost: 'query' },
  constant: { meaning: 'the most frequent value stays below a share', cost: 'query' },
  'class-balance': { meaning: 'the rarest class has a share', cost: 'query' },
  monotonic: { meaning: 'values rise, or fall, by the order of another column', cost: 'query' },
  freshness: { meaning: 'the newest time is not older than', cost: 'scan', isTimed: true },
  correlation: { meaning: "Pearson's correlation of two columns", cost: 'queries' },
  association: { meaning: "Cramer's V of two columns of few values", cost: 'query' },
  outliers: { meaning: 'at most a share of values far from the others: `iqr`, `z`, `mad`', cost: 'queries' },
  variants: { meaning: 'no values that are one but for case, spaces and punctuation', cost: 'query' },
  'identifier-like': { meaning: 'no column in which nearly every value is another one', cost: 'query' },
  unique: { meaning: 'no two rows agree in these columns', cost: 'query' },
  'duplicate-rows': { meaning: 'rows that are there more than once', cost: 'query' },
  'duplicate-columns': { meaning: 'columns that hold the same in every row', cost: 'queries' },
  references: { meaning: 'values that are in another dataset, as a foreign key', cost: 'query' },
  'known-values': { meaning: 'no value that another dataset lacks: new labels, new categories', cost: 'query' },
  'row-ratio': { meaning: 'rows by those of another dataset', cost: 'columns' },
  'conflicting-labels': { meaning: 'rows with the same features and another label', cost: 'query' },
  leakage: { meaning: 'rows, ids or a time that training and test share', cost: 'query' },
  history: {
    meaning: 'rows, null-share, mean or distinct as in earlier committed versions of the profile',
    cost: 'query',
  },
  drift: { meaning: 'distributions against the committed profile', cost: 'scan' },
};
