import type { TableColumn } from './column-types.ts';
import { quoteIdentifier } from './quote.ts';

/**
 * The canonical JSON text of a cell: the same for the same value whatever file format or width of type holds it.
 *
 * - NULL is `null`; true and false are themselves.
 * - A number that is an integer (`5`, `5.0`, DECIMAL `5.00`) is its digits; beyond +-(2^53 - 1) a string of its digits.
 * - Another FLOAT or DOUBLE is the JSON number of RFC 8785 (a FLOAT is widened exactly); NaN and the infinities are the
 *   strings "NaN", "Infinity", "-Infinity".
 * - Another DECIMAL of at most 15 significant digits is the same JSON number as its DOUBLE; one of more, which no double
 *   holds, is a string without trailing zeros.
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
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) return `"${BigInt(number)}"`;
  return Object.is(number, -0) ? '0' : String(number);
}

function decimalText(value: unknown): string {
  if (value === null) return 'null';
  const text = String(value);
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  if (!trimmed.includes('.')) return integerText(trimmed === '-0' ? '0' : trimmed);
  const digits = trimmed.replace(/[-.]/g, '').replace(/^0+/, '').length;
  return digits <= 15 ? String(Number(trimmed)) : `"${trimmed}"`;
}
