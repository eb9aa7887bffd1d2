/**
 * Measurements, params, margins and bounds travel as decimal strings of at most 12 significant digits:
 * the text of a JSON number differs between writers, and a gate decides on the printed value.
 */
export type Decimal = string;

export const significantDigits = 12;

/** The shape alone; `isDecimal` also counts the digits. */
export const decimalPattern = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?(?:e[+-][1-9]\d*)?$/;

export function isDecimal(text: string): boolean {
  if (!decimalPattern.test(text) || text === '-0' || !Number.isFinite(Number(text))) return false;
  const digits = (text.split('e')[0] ?? '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  return digits.length <= significantDigits;
}

/** The number rounded to 12 significant digits, in its shortest form. Throws on NaN and Infinity: they are never a measurement. */
export function toDecimal(value: number): Decimal {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number and cannot be a measurement.`);
  const rounded = Number(value.toPrecision(significantDigits));
  return Object.is(rounded, -0) ? '0' : String(rounded);
}

/** As `toDecimal`, but NaN, Infinity and absent values give null (their reason stands beside them). */
export function toDecimalOrNull(value: number | null | undefined): Decimal | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : toDecimal(value);
}

export function fromDecimal(text: Decimal): number {
  if (!isDecimal(text)) throw new RangeError(`${JSON.stringify(text)} is not a decimal string.`);
  return Number(text);
}
