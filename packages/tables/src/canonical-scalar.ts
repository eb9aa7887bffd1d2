import type { TableColumn } from './column-types.ts';
import { quoteIdentifier } from './quote.ts';

/**
 * The canonical JSON text of a cell: the same for the same value whatever file format or width of type holds it.
 *
 * - NULL is `null`; true and false are themselves.
 * - A FLOAT (widened exactly) or DOUBLE stands for the shortest decimal that reads as it, the one that RFC 8785 writes and
 *   that a CSV holds; an integer type and a DECIMAL stand for exactly what they hold. So 2^60 as DOUBLE is
 *   1152921504606847000, whatever holds it: a CSV with those digits, read as whole numbers, or a Parquet file.
 * - A number that is an integer (`5`, `5.0`, DECIMAL `5.00`) is its digits; beyond +-(2^53 - 1) a string of its digits.
 * - Another number is the JSON number of RFC 8785 where it is some double's shortest decimal, as any of at most 15
 *   significant digits is; a DECIMAL that no double stands for is a string without trailing zeros. NaN and the infinities
 *   are the strings "NaN", "Infinity", "-Infinity".
 * - A string is its JSON string, no character changed. Dates are "YYYY-MM-DD", times "HH:MM:SS[.ffffff]", timestamps
 *   "YYYY-MM-DDTHH:MM:SS[.ffffff]", with "Z" when the column has a time zone (converted to UTC). Binary is hex.
 */
export type CanonicalColumn = {
  /** What to select, so that `text` gets what it expects. */
  select: string;
  text(value: unknown): string;
};

/** How to select a column and write its cells. */
export function canonicalColumn(column: TableColumn): CanonicalColumn {
  const name = quoteIdentifier(column.name);
  switch (column.type) {
    case 'integer':
      return smallIntegers.has(column.engineType)
        ? { select: `${name}::DOUBLE`, text: doubleText }
        : { select: `${name}::VARCHAR`, text: integerText };
    case 'float':
      return { select: `${name}::DOUBLE`, text: doubleText };
    case 'decimal':
      return { select: `${name}::VARCHAR`, text: decimalText };
    case 'boolean':
      return { select: name, text: (value) => (value === null ? 'null' : String(value)) };
    case 'timestamp': {
      const zone = column.engineType === 'TIMESTAMP WITH TIME ZONE' ? 'Z' : '';
      return {
        select: zone === '' ? `${name}::VARCHAR` : `(${name} AT TIME ZONE 'UTC')::VARCHAR`,
        text: (value) => (value === null ? 'null' : `"${String(value).replace(' ', 'T')}${zone}"`),
      };
    }
    case 'binary':
      return { select: `hex(${name}::BLOB)`, text: stringText };
    default:
      return { select: `${name}::VARCHAR`, text: stringText };
  }
}

const smallIntegers = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT', 'UINTEGER']);

function stringText(value: unknown): string {
  return value === null ? 'null' : JSON.stringify(value);
}

function integerText(value: unknown): string {
  if (value === null) return 'null';
  const text = String(value);
  return Number.isSafeInteger(Number(text)) ? text : `"${text}"`;
}

function doubleText(value: unknown): string {
  if (value === null) return 'null';
  const number = value as number;
  if (!Number.isFinite(number)) return `"${number}"`;
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) return `"${wholeDigits(number)}"`;
  return Object.is(number, -0) ? '0' : String(number);
}

/** The shortest decimal of a whole number, without an exponent. */
function wholeDigits(number: number): string {
  const [mantissa, exponent] = String(number).split('e+') as [string, string?];
  if (exponent === undefined) return mantissa;
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  return whole + fraction.padEnd(Number(exponent), '0');
}

function decimalText(value: unknown): string {
  if (value === null) return 'null';
  const text = String(value);
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  if (!trimmed.includes('.')) return integerText(trimmed === '-0' ? '0' : trimmed);
  const shortest = String(Number(trimmed));
  // No more than 15 digits beside the point.
  if (trimmed.length <= 16) return shortest;
  return significant(shortest) === significant(trimmed) ? shortest : `"${trimmed}"`;
}

/** The digits of a decimal, from the first that is not zero to the last. */
function significant(decimal: string): string {
  return decimal
    .replace(/e.*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
