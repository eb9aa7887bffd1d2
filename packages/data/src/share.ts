import { toDecimal } from '@passloop/core';

/** Whether at least `share` of `judged` rows pass, decided on integers: 0.95 of 100 rows is 95, not 94.99999999999999. */
export function reaches(passing: number, judged: number, share: number): boolean {
  const [whole = '0', fraction = ''] = plain(share).split('.');
  const scale = 10n ** BigInt(fraction.length);
  return BigInt(passing) * scale >= BigInt(whole + fraction) * BigInt(judged);
}

/** `0.00667 %`, three significant digits. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${toDecimal(Number(((part / whole) * 100).toPrecision(3)))} %`;
}

function plain(share: number): string {
  const text = toDecimal(share);
  return text.includes('e') ? share.toFixed(20).replace(/0+$/, '') : text;
}
