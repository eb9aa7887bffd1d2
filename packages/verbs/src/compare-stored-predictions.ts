import path from 'node:path';
import { fromDecimal, toDecimal } from '@passloop/core';
import { compareSkew, readTableColumns } from '@passloop/packaging';
import { openTables } from '@passloop/tables';
import type { ComparePredictions } from '@passloop/training';

/** Rows by key and all columns equal, numbers within the tolerance that the image is held to as well. */
export const comparePredictions: ComparePredictions = async (left, right, key) => {
  await using session = await openTables();
  const before = await session.open({
    uri: path.basename(left),
    root: path.dirname(left),
    name: 'the stored predictions',
  });
  const after = await session.open({
    uri: path.basename(right),
    root: path.dirname(right),
    name: 'the new predictions',
  });
  const names = before.columns.map((column) => column.name);
  const missing = names.find((name) => !after.columns.some((column) => column.name === name));
  if (missing !== undefined)
    return { equal: false, worst: null, detail: `the new predictions have no column ${missing}` };
  if (before.rows !== after.rows)
    return { equal: false, worst: null, detail: `${before.rows} rows before, ${after.rows} now` };
  const skew = compareSkew(
    await readTableColumns(session, before, { columns: names, key }),
    await readTableColumns(session, after, { columns: names, key }),
    new Set(before.columns.filter(({ type }) => type === 'integer').map(({ name }) => name)),
    { expected: 'the stored run', actual: 'this one' },
  );
  return {
    equal: skew.verdict === 'pass',
    worst: skew.worst === null ? null : toDecimal(fromDecimal(skew.worst)),
    detail: skew.detail,
  };
};
