import type { Check } from '@passloop/model';

/** A check that holds on the file of the cases, one that it breaks, and what is then observed. Both as a model file has them. */
export type CheckCase = { passes: string; fails: string; observed: string; failingRows: number | null };

/** The files of the cases: a small one with something wrong of every kind, and another one that checks look into. */
export const caseFiles = {
  'orders.csv': [
    'id,order_ref,customer,amount,discount,country,note,placed,shipped,returned,copy,score',
    '1,R-001,10,12.5,0,DE,gift,2026-11-01,2026-11-02,kept,12.5,0.1',
    '2,R-002,11,7.25,0,de,n/a,2026-11-02,2026-11-03,kept,7.25,0.2',
    '3,R-003,12,8,0,FR,,2026-11-03,2026-11-05,back,8,nan',
    '4,R-004,10,9.75,0,FR,late,2026-11-04,2026-11-03,kept,9.75,0.4',
    '5,R-005,13,11,0,ES,late,2026-11-05,2026-11-08,kept,11,inf',
    '6,R-006,99,900,0,ES,late again,2026-11-06,2026-11-07,kept,900,0.5',
    '7,R-007,11,10,0,FR,-,2026-11-07,2026-11-09,kept,10,0.6',
    '7,R-007,11,10,0,FR,-,2026-11-07,2026-11-09,kept,10,0.6',
  ],
  'past.csv': [
    'customer,country,amount,placed',
    '10,DE,12.5,2026-10-01',
    '11,FR,7.25,2026-10-20',
    '12,FR,8,2026-11-02',
    '13,DE,3,2026-10-02',
  ],
} as const;

export const checkCases: Readonly<Record<Exclude<Check['kind'], 'drift' | 'history'>, CheckCase>> = {
  columns: {
    passes: '{kind: columns, types: {id: integer, amount: float, placed: date}, ordered: true}',
    fails: '{kind: columns, types: {amount: integer, id: integer, price: float}, ordered: true}',
    observed: 'amount is float, not integer; price is missing; id stands where amount should',
    failingRows: null,
  },
  'column-count': {
    passes: '{kind: column-count, min: 12, max: 12}',
    fails: '{kind: column-count, max: 11}',
    observed: '12 columns',
    failingRows: null,
  },
  type: {
    passes: '{kind: type, column: amount, types: [float, decimal]}',
    fails: '{kind: type, column: placed, types: [timestamp]}',
    observed: 'date',
    failingRows: null,
  },
  'row-count': {
    passes: '{kind: row-count, min: 8}',
    fails: '{kind: row-count, min: 9}',
    observed: '8 rows',
    failingRows: null,
  },
  'not-null': {
    passes: '{kind: not-null, column: id}',
    fails: '{kind: not-null, column: note}',
    observed: '1 of 8 rows are NULL (12.5 %)',
    failingRows: 1,
  },
  'null-like': {
    passes: "{kind: null-like, column: country, values: [XX, '?']}",
    fails: '{kind: null-like, column: note}',
    observed: '3 of 7 rows mean missing (42.9 %)',
    failingRows: 3,
  },
  finite: {
    passes: '{kind: finite, column: amount}',
    fails: '{kind: finite, column: score}',
    observed: '2 of 8 rows are NaN or infinite (25 %)',
    failingRows: 2,
  },
  range: {
    passes: '{kind: range, column: amount, min: 0, max: 100, mostly: 0.85}',
    fails: '{kind: range, column: amount, min: 0, max: 100}',
    observed: '7.25 .. 900.0; 1 of 8 rows are outside (12.5 %)',
    failingRows: 1,
  },
  set: {
    passes: '{kind: set, column: returned, values: [kept, back]}',
    fails: '{kind: set, column: country, values: [DE, FR, ES]}',
    observed: '1 of 8 rows have another value (12.5 %)',
    failingRows: 1,
  },
  'not-in-set': {
    passes: '{kind: not-in-set, column: country, values: [XX]}',
    fails: '{kind: not-in-set, column: country, values: [ES, XX]}',
    observed: '2 of 8 rows have one of them (25 %)',
    failingRows: 2,
  },
  regex: {
    passes: "{kind: regex, column: order_ref, pattern: 'R-[0-9]{3}', full: true}",
    fails: '{kind: regex, column: note, pattern: late, not: true}',
    observed: '3 of 7 rows match (42.9 %)',
    failingRows: 3,
  },
  like: {
    passes: "{kind: like, column: order_ref, pattern: 'R-%'}",
    fails: "{kind: like, column: note, pattern: '%late%', not: true}",
    observed: '3 of 7 rows match (42.9 %)',
    failingRows: 3,
  },
  length: {
    passes: '{kind: length, column: country, min: 2, max: 2}',
    fails: '{kind: length, column: note, max: 5}',
    observed: '1 of 7 rows are shorter or longer (14.3 %)',
    failingRows: 1,
  },
  expression: {
    passes: "{kind: expression, expression: 'amount >= discount'}",
    fails: "{kind: expression, expression: 'shipped >= placed'}",
    observed: "1 of 8 rows don't fulfil it (12.5 %)",
    failingRows: 1,
  },
  aggregate: {
    passes: '{kind: aggregate, column: amount, function: median, min: 9, max: 11}',
    fails: '{kind: aggregate, column: amount, function: mean, max: 100}',
    observed: 'mean 121.0625',
    failingRows: null,
  },
  quantile: {
    passes: '{kind: quantile, column: amount, at: 0.25, min: 8}',
    fails: '{kind: quantile, column: amount, at: 0.9, max: 100}',
    observed: '278.75',
    failingRows: null,
  },
  constant: {
    passes: '{kind: constant, column: country, below: 0.6}',
    fails: '{kind: constant, column: discount}',
    observed: 'the most frequent of 1 values has 8 of 8 rows (100 %)',
    failingRows: null,
  },
  'class-balance': {
    passes: '{kind: class-balance, column: returned, min: 0.1}',
    fails: '{kind: class-balance, column: returned, min: 0.2}',
    observed: 'the rarest of 2 classes has 1 of 8 rows (12.5 %)',
    failingRows: null,
  },
  monotonic: {
    passes: '{kind: monotonic, column: id, by: placed}',
    fails: '{kind: monotonic, column: shipped, by: placed, direction: increasing, strict: true}',
    observed: '3 of 8 rows are on the wrong side of the one before',
    failingRows: 3,
  },
  freshness: {
    passes: '{kind: freshness, column: shipped, within: 30d}',
    fails: '{kind: freshness, column: shipped, within: 24h}',
    observed: 'the newest is 2026-11-09T00:00:00Z, 19330 minutes old',
    failingRows: null,
  },
  correlation: {
    passes: '{kind: correlation, columns: [id, amount], min: -0.5, max: 0.9}',
    fails: '{kind: correlation, columns: [amount, copy], max: 0.95}',
    observed: '1 over 8 rows',
    failingRows: null,
  },
  association: {
    passes: '{kind: association, columns: [country, returned], max: 0.9}',
    fails: '{kind: association, columns: [order_ref, customer]}',
    observed: '1 (7 x 5 values)',
    failingRows: null,
  },
  outliers: {
    passes: '{kind: outliers, column: amount, method: z, k: 3}',
    fails: '{kind: outliers, column: amount}',
    observed: '1 of 8 values are outside 6.21875 .. 14.46875 (12.5 %)',
    failingRows: 1,
  },
  variants: {
    passes: '{kind: variants, column: returned}',
    fails: '{kind: variants, column: country}',
    observed: '1 values have several spellings, in 2 rows',
    failingRows: 2,
  },
  'identifier-like': {
    passes: '{kind: identifier-like, except: [id, order_ref]}',
    fails: '{kind: identifier-like, columns: [id, order_ref, country], below: 0.85}',
    observed: 'id, order_ref',
    failingRows: null,
  },
  unique: {
    passes: "{kind: unique, columns: [id], where: 'id < 7'}",
    fails: '{kind: unique, columns: [id]}',
    observed: '1 repeated, in 2 rows',
    failingRows: 2,
  },
  'duplicate-rows': {
    passes: '{kind: duplicate-rows, except: [note], max: 0.2}',
    fails: '{kind: duplicate-rows}',
    observed: '1 of 8 rows are there already (12.5 %)',
    failingRows: 1,
  },
  'duplicate-columns': {
    passes: '{kind: duplicate-columns, except: [copy]}',
    fails: '{kind: duplicate-columns}',
    observed: 'amount = copy',
    failingRows: null,
  },
  references: {
    passes: '{kind: references, columns: [customer], dataset: past, to: [customer], mostly: 0.8}',
    fails: '{kind: references, columns: [customer], dataset: past}',
    observed: '1 of 8 rows are not there (12.5 %)',
    failingRows: 1,
  },
  'known-values': {
    passes: '{kind: known-values, column: customer, dataset: past, mostly: 0.8}',
    fails: '{kind: known-values, column: country, dataset: past}',
    observed: '3 of 8 rows are not there (37.5 %); 2 values are new',
    failingRows: 3,
  },
  'row-ratio': {
    passes: '{kind: row-ratio, dataset: past, min: 2}',
    fails: '{kind: row-ratio, dataset: past, min: 0.1, max: 0.5}',
    observed: '2: 8 rows, and 4 in past',
    failingRows: null,
  },
  'conflicting-labels': {
    passes: '{kind: conflicting-labels, label: returned, except: [id], max: 0.1}',
    fails: '{kind: conflicting-labels, label: returned, features: [country]}',
    observed: '4 of 8 rows (50 %)',
    failingRows: 4,
  },
  'label-power': {
    passes: '{kind: label-power, label: returned, features: [amount]}',
    fails: '{kind: label-power, label: amount, features: [copy], max: 0.95}',
    observed: 'copy 1',
    failingRows: null,
  },
  leakage: {
    passes: '{kind: leakage, dataset: past, except: [placed], max: 0.5}',
    fails: '{kind: leakage, dataset: past, by: time, columns: [placed]}',
    observed: '2 of 8 rows are not after the last one of past (25 %)',
    failingRows: 2,
  },
};
