import type { Check } from '../checks.ts';

export type CheckKind = {
  meaning: string;
  /** Passes over the table beside the one scan that all checks share; a span where it depends on what is asked. */
  passes: number | readonly [number, number];
  /** What it says depends on when it is asked. */
  isTimed?: boolean;
};

/** Every kind of check, for the documentation and for what is stored of a report. */
export const checkKinds: Readonly<Record<Check['kind'], CheckKind>> = {
  columns: {
    meaning: 'columns are there, with their types; `exact`: and no other; `ordered`: in this order',
    passes: 0,
  },
  'column-count': { meaning: 'number of columns', passes: 0 },
  type: { meaning: 'a column has one of these types', passes: 0 },
  'row-count': { meaning: 'number of rows', passes: 0 },
  'not-null': { meaning: 'no NULL', passes: [0, 1] },
  'null-like': {
    meaning: 'no text that stands for a missing value: `NA`, `n/a`, `-`, `null`, blanks, or a list of your own',
    passes: 0,
  },
  finite: { meaning: 'neither NaN nor infinite; NULL is not its matter', passes: 0 },
  range: { meaning: 'values within inclusive bounds; NaN is outside', passes: [0, 1] },
  set: { meaning: 'values of a list; `mostly` leaves some mass to others', passes: 0 },
  'not-in-set': { meaning: 'no values of a list', passes: 0 },
  regex: { meaning: 'text that matches a regular expression (RE2: its time is linear); `full`, `not`', passes: 0 },
  like: { meaning: "text that matches SQL's LIKE; `not`", passes: 0 },
  length: { meaning: 'characters of a text', passes: 0 },
  expression: { meaning: 'one SQL condition over the columns of a row', passes: 0 },
  aggregate: {
    meaning: 'min, max, sum, mean, median, sd, variance, distinct, distinct-share or null-share within bounds',
    passes: [0, 2],
  },
  quantile: { meaning: 'a quantile within bounds, exactly', passes: 1 },
  constant: { meaning: 'the most frequent value stays below a share', passes: 1 },
  'class-balance': { meaning: 'the rarest class has a share', passes: 1 },
  monotonic: { meaning: 'values rise, or fall, by the order of another column', passes: 2 },
  freshness: { meaning: 'the newest time is not older than', passes: 0, isTimed: true },
  correlation: { meaning: "Pearson's correlation of two columns", passes: 2 },
  association: { meaning: "Cramer's V of two columns of few values", passes: 1 },
  outliers: { meaning: 'at most a share of values far from the others: `iqr`, `z`, `mad`', passes: [3, 5] },
  variants: { meaning: 'no values that are one but for case, spaces and punctuation', passes: 2 },
  'identifier-like': { meaning: 'no column in which nearly every value is another one', passes: 1 },
  unique: { meaning: 'no two rows agree in these columns', passes: [1, 2] },
  'duplicate-rows': { meaning: 'rows that are there more than once', passes: 1 },
  'duplicate-columns': {
    meaning:
      'columns that hold the same in every row; `share`: in nearly all (every two of up to 100 columns are compared)',
    passes: [1, 2],
  },
  references: { meaning: 'values that are in another dataset, as a foreign key', passes: 2 },
  'known-values': { meaning: 'no value that another dataset lacks: new labels, new categories', passes: [2, 3] },
  'row-ratio': { meaning: 'rows by those of another dataset', passes: 0 },
  'conflicting-labels': { meaning: 'rows with the same features and another label', passes: 1 },
  'label-power': {
    meaning:
      "how much one feature tells of the label: Cramer's V, the correlation ratio, or Pearson's correlation; with `dataset`, how much that differs from there. Passes are those of one feature",
    passes: [2, 3],
  },
  leakage: { meaning: 'rows, ids or a time that training and test share', passes: 2 },
  history: {
    meaning: 'rows, null-share, mean or distinct as in earlier committed versions of the profile',
    passes: [0, 2],
  },
  drift: {
    meaning:
      'distributions against the committed profile; with `dataset`, against the rows of another one, in up to four passes more a column',
    passes: 0,
  },
};
