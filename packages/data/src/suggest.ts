import type { Profile, ProfileColumn } from './profile.ts';
import type { Suggestion } from './suggestion.ts';

/** Under so many rows a value that never came says little of the next ones. */
const enoughRows = 1000;
const fewValues = 20;
const mostColumns = 200;

/**
 * Checks that a profile's data passes, each with its reason: what held for all of at least a thousand rows, and is a rule in most tables. Bounds are where nature has
 * them (nothing below zero), never at the largest value that happened to come: drift judges that.
 */
export function suggestChecks(profile: Profile): Suggestion[] {
  const { rows, columns } = profile;
  const named = columns.filter(({ name }) => name !== '' && name.length <= 256 && name !== '__proto__');
  const suggestions: Suggestion[] = [];
  if (named.length > 0 && named.length <= mostColumns) {
    const types = Object.fromEntries(named.map(({ name, type }) => [name, type]));
    suggestions.push({ check: { kind: 'columns', types }, reason: 'what the table has' });
  }
  if (rows > 0)
    suggestions.push({
      check: { kind: 'row-count', min: Math.max(1, Math.floor(rows / 2)) },
      reason: `half of the ${rows} rows`,
    });
  if (rows < enoughRows) return suggestions;
  const key = named.filter(({ kind }) => kind === 'key').map(({ name }) => name);
  if (
    key.length === 1 &&
    named.some((column) => column.name === key[0] && column.distinct === rows && column.nulls === 0)
  ) {
    suggestions.push({ check: { kind: 'unique', columns: key }, reason: 'the key names one row' });
  }
  for (const column of named) suggestions.push(...ofColumn(column, rows));
  if (columns.some(({ quantiles, values }) => quantiles !== null || values !== null))
    suggestions.push({ check: { kind: 'drift' }, reason: 'distributions as in the profile' });
  return suggestions;
}

function ofColumn(
  { name, type, kind, nulls, nan, infinite, values, other, minimum }: ProfileColumn,
  rows: number,
): Suggestion[] {
  const found: Suggestion[] = [];
  if (nulls === 0) found.push({ check: { kind: 'not-null', column: name }, reason: `none of ${rows} rows is NULL` });
  if (type === 'float' && nan === 0 && infinite === 0 && nulls < rows)
    found.push({ check: { kind: 'finite', column: name }, reason: 'no value is NaN or infinite' });
  const listed = values ?? [];
  const isWhole = other !== null && other.count === 0 && listed.length > 0;
  if (kind === 'categorical' && type === 'string' && isWhole && listed.length <= fewValues) {
    const seen = listed.map(({ value }) => value);
    found.push({ check: { kind: 'set', column: name, values: seen }, reason: `all ${seen.length} values that came` });
  }
  const isNumber = type === 'integer' || type === 'float' || type === 'decimal';
  if (isNumber && kind === 'numeric' && minimum !== null && Number(minimum) >= 0 && nan === 0 && infinite === 0)
    found.push({
      check: { kind: 'range', column: name, min: 0 },
      reason: `the smallest of ${rows} rows is ${minimum}`,
    });
  return found;
}
