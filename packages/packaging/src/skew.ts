import { ConfigurationError, toDecimal } from '@passloop/core';
import type { ProbeDocument } from '@passloop/documents';
import { type Signature, tensorColumn } from '@passloop/model';
import type { Column, Value } from './tensor.ts';

export type Skew = NonNullable<ProbeDocument['predictions']>;

const absoluteTolerance = 1e-9;
const relativeTolerance = 1e-6;

/**
 * The predictions of the training stage against those of the image, column by column and row by row (both in the same row order).
 * Numbers agree within 1e-9 + 1e-6|x|, x being the stage's; everything else must be equal, and so must numbers of the columns `whole`,
 * which are classes and counts. `worst` is the largest difference of numbers in units of that tolerance: above 1 it is too much.
 * A column that only the image has was not compared: no more than a warning.
 * @throws ConfigurationError where a column is missing or the row counts differ
 */
export function compareSkew(
  stage: readonly Column[],
  image: readonly Column[],
  whole: ReadonlySet<string> = new Set(),
  sides = { expected: 'the stage', actual: 'the image' },
): Skew {
  if (stage.length === 0) throw new ConfigurationError('There is no column of predictions to compare with the image.');
  const rows = stage[0]?.values.length ?? 0;
  const wrong = new Uint8Array(rows);
  let worst = 0;
  let first: string | null = null;
  for (const expected of stage) {
    const actual = image.find((column) => column.name === expected.name);
    if (actual === undefined) {
      throw new ConfigurationError(
        `The image gives no column ${JSON.stringify(expected.name)}; it gives ${image.map((column) => column.name).join(', ')}.`,
      );
    }
    if (expected.values.length !== rows || actual.values.length !== rows) {
      throw new ConfigurationError(
        `The stage has ${expected.values.length} predictions of ${JSON.stringify(expected.name)}, the image ${actual.values.length}.`,
        { hint: 'Both must be about the same rows, in the same order.' },
      );
    }
    for (let row = 0; row < rows; row += 1) {
      const left = expected.values[row] ?? null;
      const right = actual.values[row] ?? null;
      const distance =
        whole.has(expected.name) && !sameWhole(left, right) ? Number.POSITIVE_INFINITY : distanceOf(left, right);
      if (Number.isFinite(distance)) worst = Math.max(worst, distance);
      if (distance <= 1) continue;
      wrong[row] = 1;
      first ??= `row ${row + 1}, ${JSON.stringify(expected.name)}: ${sides.expected} has ${shown(left)}, ${sides.actual} ${shown(right)}`;
    }
  }
  const unequal = wrong.reduce((sum, flag) => sum + flag, 0);
  const uncompared = image.filter(({ name }) => !stage.some((column) => column.name === name)).map(({ name }) => name);
  const verdict = rows === 0 || unequal > 0 ? 'fail' : uncompared.length > 0 ? 'warn' : 'pass';
  const detail =
    rows === 0
      ? 'No row was compared.'
      : (first ??
        `${uncompared.length > 0 ? `The stage predicts no ${uncompared.join(', ')}, which was not compared. ` : ''}Every prediction agrees within ${absoluteTolerance} + ${relativeTolerance}|x|.`);
  return {
    rows,
    equal: rows - unequal,
    worst: rows === 0 ? null : toDecimal(worst),
    verdict,
    detail: detail.slice(0, 4096),
  };
}

/** The columns of a signature's outputs whose numbers are whole: 7 and 8 are two classes, however near. */
export function wholeColumns(signature: Signature): ReadonlySet<string> {
  return new Set(signature.outputs.filter(({ datatype }) => /^U?INT/.test(datatype)).map(tensorColumn));
}

/** Whether two values of one output are the same prediction. */
export function samePrediction(left: Value, right: Value): boolean {
  return distanceOf(left, right) <= 1;
}

/** In units of the tolerance: 0 is equal, above 1 is too far, Infinity is of another kind. */
function distanceOf(expected: Value, actual: Value): number {
  if (Object.is(expected, actual)) return 0;
  if (typeof expected === 'bigint' || typeof actual === 'bigint') {
    const comparable = isWhole(expected) && isWhole(actual);
    return comparable && BigInt(expected as number) === BigInt(actual as number) ? 0 : Number.POSITIVE_INFINITY;
  }
  if (typeof expected !== 'number' || typeof actual !== 'number') return Number.POSITIVE_INFINITY;
  if (Number.isNaN(expected) || Number.isNaN(actual)) {
    return Number.isNaN(expected) && Number.isNaN(actual) ? 0 : Number.POSITIVE_INFINITY;
  }
  if (expected === actual) return 0;
  const distance = Math.abs(expected - actual) / (absoluteTolerance + relativeTolerance * Math.abs(expected));
  return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
}

function sameWhole(left: Value, right: Value): boolean {
  if (typeof left !== 'number' || typeof right !== 'number') return true;
  return left === right || (Number.isNaN(left) && Number.isNaN(right));
}

function isWhole(value: Value): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
}

function shown(value: Value): string {
  return value === null ? 'nothing' : String(value).slice(0, 60);
}
