import { ConfigurationError } from '@passloop/core';

/** A name as SQL takes it, whatever is in it. @throws ConfigurationError for a NUL, which no engine stores in a name */
export function quoteIdentifier(name: string): string {
  refuseNul(name);
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string as an SQL literal. DuckDB reads no escapes in '...', so doubling the quote is the whole rule. */
export function quoteText(text: string): string {
  refuseNul(text);
  return `'${text.replaceAll("'", "''")}'`;
}

/** A scalar of a model file as an SQL literal. Numbers keep their shortest decimal text. */
export function quoteScalar(value: string | number | boolean): string {
  if (typeof value === 'string') return quoteText(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return quoteNumber(value);
}

/** A number as an SQL literal that is the same double again. */
export function quoteNumber(value: number): string {
  if (Number.isNaN(value)) return "'NaN'::DOUBLE";
  if (value === Number.POSITIVE_INFINITY) return "'Infinity'::DOUBLE";
  if (value === Number.NEGATIVE_INFINITY) return "'-Infinity'::DOUBLE";
  if (Object.is(value, -0)) return '0';
  return value < 0 ? `(${value})` : String(value);
}

/** A double as an SQL literal of type DOUBLE (a plain `0.1` would be a DECIMAL). */
export function quoteDouble(value: number): string {
  return Number.isFinite(value) ? `'${value}'::DOUBLE` : quoteNumber(value);
}

function refuseNul(text: string): void {
  if (text.includes('\0'))
    throw new ConfigurationError(`A name or value holds a NUL character: ${JSON.stringify(text.slice(0, 80))}.`);
}
