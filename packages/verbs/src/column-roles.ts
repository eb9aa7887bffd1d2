import type { ColumnRoles } from '@passloop/data';
import type { Model } from '@passloop/model';

/** The model file's `columns`, as drift names them. */
export function columnRoles({ columns: { label, prediction, score } }: Pick<Model, 'columns'>): ColumnRoles {
  return { label, predictions: [prediction, score].filter((name) => name !== undefined) };
}
