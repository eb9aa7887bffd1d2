import type { AvroValue } from './avro.ts';

/**
 * A value of a partition as text that the engine casts to the column's type; null where there is none.
 * @param plain the column's type as the format calls it
 * @param scale of a decimal
 * @returns undefined for a value that doesn't belong to the type
 */
export function partitionText(plain: string, scale: number, value: AvroValue): string | null | undefined {
  if (value === null) return null;
  switch (plain) {
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'int':
    case 'long':
      return isWhole(value) ? String(value) : undefined;
    case 'float':
    case 'double':
      return typeof value === 'number' ? String(value) : undefined;
    case 'date':
      return isWhole(value) ? dateText(BigInt(value)) : undefined;
    case 'time':
      return isWhole(value) ? timeText(BigInt(value)) : undefined;
    case 'timestamp':
    case 'timestamptz':
      return isWhole(value) ? momentText(BigInt(value), plain === 'timestamptz' ? '+00' : '') : undefined;
    case 'uuid':
      return Buffer.isBuffer(value) && value.length === 16 ? uuidText(value.toString('hex')) : undefined;
    case 'decimal':
      return Buffer.isBuffer(value) && value.length <= 16 ? decimalText(unscaled(value), scale) : undefined;
    default:
      return undefined;
  }
}

function isWhole(value: AvroValue): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** What JavaScript's calendar reaches; others are not written by anybody, and refused. */
const mostDays = 100_000_000n;
const perDay = 86_400_000_000n;

function dateText(days: bigint): string | undefined {
  if (days > mostDays || days < -mostDays) return undefined;
  const text = new Date(Number(days) * 86_400_000).toISOString().slice(0, -14);
  return /^\d{4}-/.test(text) ? text : undefined;
}

function timeText(micros: bigint): string | undefined {
  if (micros < 0n || micros >= perDay) return undefined;
  const two = (value: bigint) => String(value % 60n).padStart(2, '0');
  const seconds = micros / 1_000_000n;
  const hours = String(seconds / 3600n).padStart(2, '0');
  return `${hours}:${two(seconds / 60n)}:${two(seconds)}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}

function momentText(micros: bigint, zone: string): string | undefined {
  const within = ((micros % perDay) + perDay) % perDay;
  const date = dateText((micros - within) / perDay);
  return date === undefined ? undefined : `${date} ${timeText(within)}${zone}`;
}

function uuidText(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function unscaled(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
}

function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}
