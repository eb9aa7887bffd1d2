import type { ColumnRoles } from '@passloop/data';
import type { Model } from '@passloop/model';

/** The model file's `columns`, as drift names them. */
export function columnRoles({ columns }: Pick<Model, 'columns'>): ColumnRoles {
  const { label, prediction, score, scores = {} } = columns;
  return { label, predictions: [prediction, score, ...Object.values(scores)].filter((name) => name !== undefined) };
}
