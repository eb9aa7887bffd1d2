import { normalQuantile } from '../src/distributions.ts';
import type { Random } from '../src/random.ts';

/** `rows` independent draws of a normal distribution, for simulations. */
export function normalSample(random: Random, rows: number, center = 0, deviation = 1): Float64Array {
  return Float64Array.from(
    { length: rows },
    () => center + deviation * normalQuantile((random.uint32() + 0.5) / 4294967296),
  );
}
