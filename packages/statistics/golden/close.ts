import { expect } from 'vitest';

/** Expects two numbers to agree to a relative tolerance (absolute below 1e-300). */
export function expectClose(actual: number, expected: number, relative: number): void {
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300);
  if (actual === expected || error <= relative) return;
  expect.fail(`${actual} is off ${expected} by ${error} relative; allowed ${relative}`);
}
