import { expect, it } from 'vitest';
import { findDatasets } from './data-files.ts';

it('takes a Delta table and a partitioned folder for one table each', () => {
  const log = 'data/sales/_delta_log/00000000000000000000';
  const { datasets } = findDatasets([
    `${log}.json`,
    `${log}.checkpoint.parquet`,
    'data/sales/day=1/part-0.parquet',
    'data/sales/part-1.parquet',
    'data/visits/year=2024/month=1/a.csv',
    'data/visits/year=2024/month=2/a.csv',
    'data/train.csv',
    'tests/x/_delta_log/00000000000000000000.json',
  ]);
  expect(datasets.map(({ path }) => path).sort()).toEqual(['data/sales', 'data/train.csv', 'data/visits']);
});
