import type { DriftResult } from '@passloop/documents';

/** What a model's columns are to it, by name. */
export type ColumnRoles = {
  label: string | undefined;
  /** The predicted class or number, and the score. */
  predictions: readonly string[];
};

/** The same results, each with the role of its column; unchanged where no roles are known. */
export function withRoles(results: readonly DriftResult[], roles: ColumnRoles | undefined): DriftResult[] {
  if (roles === undefined) return [...results];
  return results.map((result) => ({ ...result, role: roleOf(result.column, roles) }));
}

function roleOf(column: string, { label, predictions }: ColumnRoles): NonNullable<DriftResult['role']> {
  if (label !== undefined && column === label.slice(0, 256)) return 'label';
  return predictions.some((name) => column === name.slice(0, 256)) ? 'prediction' : 'feature';
}
