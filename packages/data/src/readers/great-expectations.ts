import { ColumnType, checkAliases } from '@passloop/model';
import { z } from 'zod';
import { collect, type ForeignChecks, Named, noEqual, readDocument } from './foreign-checks.ts';

const Suite = z.looseObject({
  expectations: z
    .array(
      z.looseObject({
        expectation_type: z.string().optional(),
        type: z.string().optional(),
        kwargs: Named,
        severity: z.unknown().optional(),
      }),
    )
    .max(10_000),
});

/** What says how a result is told, and not what is checked. */
const about = new Set([
  'batch_id',
  'result_format',
  'include_config',
  'catch_exceptions',
  'meta',
  'auto',
  'profiler_config',
  'parse_strings_as_datetimes',
]);

/** A suite of expectations as Great Expectations saves it (0.x `expectation_type`, 1.x `type`). */
export function readGreatExpectations(text: string, file: string): ForeignChecks {
  const found = collect();
  for (const { expectation_type: old, type = old ?? '', kwargs, severity } of readDocument(
    text,
    file,
    Suite,
    'suite of Great Expectations',
  ).expectations) {
    const fields = Object.fromEntries(
      Object.entries(kwargs).filter(([name, value]) => !about.has(name) && value !== null && value !== false),
    );
    const what = `${type}${typeof fields.column === 'string' ? ` of ${fields.column}` : ''}`;
    const level = severity === 'warning' || severity === 'info' ? { severity: 'warn' } : {};
    if (fields.strict_min === true || fields.strict_max === true)
      found.leave(what, 'its bound is not part of the range');
    else if (fields.row_condition !== undefined) found.leave(what, 'its row_condition is written in another language');
    else if (type === 'expect_column_to_exist' && fields.column_index !== undefined)
      found.leave(what, 'it says at which place the column stands');
    else if (type === 'expect_column_to_exist')
      found.add({ kind: 'type', column: fields.column, types: ColumnType.options, ...level }, what);
    else if (type === 'expect_compound_columns_to_be_unique') found.add({ ...compound(fields), ...level }, what);
    else if (Object.hasOwn(checkAliases, type)) found.add({ kind: type, ...fields, ...level }, what);
    else found.leave(what, noEqual);
  }
  return { tool: 'Great Expectations', ...found };
}

/** Rows in which all of the columns are missing aren't judged there. */
function compound(fields: Record<string, unknown>): Record<string, unknown> {
  const columns = z.array(z.string()).safeParse(fields.column_list).data ?? [];
  const { column_list: _, ignore_row_if: ignored, ...rest } = fields;
  const where = columns.map((name) => `"${name.replaceAll('"', '""')}" IS NOT NULL`).join(' OR ');
  const isUsual = ignored === undefined || ignored === 'all_values_are_missing';
  return { kind: 'unique', columns, ...rest, ...(isUsual ? { where } : { ignore_row_if: ignored }) };
}
