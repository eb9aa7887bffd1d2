import { exactSum } from './exact-sums.ts';
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import type { LargeEvidence } from './large-question.ts';
import { largestOf } from './large-sums.ts';
import { frameOfKinds } from './metric.ts';

/**
 * All rows as kinds of rows: by label, group and both predictions. It tells of the groups what all rows would.
 * @param by the slice column whose values are the groups; null where there is none
 */
export async function groupsOf(
  { table, shape, slices, hasProduction }: LargeEvidence,
  by: string,
): Promise<EvaluationFrame | null> {
  const column = slices.find((slice) => slice.column === by);
  const { label, weight, prediction } = table.side('candidate');
  if (column === undefined || prediction === null) return null;
  const before = hasProduction ? table.side('production').prediction : null;
  const total = table.weight === null ? null : exactSum(weight, await largestOf(table, weight));
  const found = await table.session.rows(
    `SELECT ${table.slices.get(by)}, ${label}, ${prediction}, ${before ?? prediction}, count(*), ${total?.sql ?? 'NULL'}
     FROM ${table.relation} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
  );
  const values = (at: number) => Float64Array.from(found, (row) => Number(row[at]));
  const [codes, labels, counts] = [Uint32Array.from(values(0)), values(1), values(4)];
  const rows: [Uint32Array, Uint32Array] = [
    new Uint32Array(column.values.length),
    new Uint32Array(column.values.length),
  ];
  for (const [at, label] of labels.entries()) rows[label === 1 ? 1 : 0][codes[at]!]! += counts[at]!;
  const weights = total === null ? counts : Float64Array.from(found, (row) => total.valueOf(row[5]));
  const kinds = frameOfKinds(shape, { labels, prediction: values(2), weights });
  return {
    ...kinds,
    production: before === null ? null : predictionsOf({ prediction: values(3) }),
    slices: [{ column: by, codes, values: [...column.values], rows }],
  };
}
