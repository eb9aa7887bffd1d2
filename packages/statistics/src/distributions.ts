import binomial from '@stdlib/stats-base-dists-binomial';
import chisquare from '@stdlib/stats-base-dists-chisquare';
import normal from '@stdlib/stats-base-dists-normal';
import t from '@stdlib/stats-base-dists-t';

/** P(Z <= x) of the standard normal distribution. The upper tail is `normalCdf(-x)`, without cancellation. */
export function normalCdf(x: number): number {
  return normal.cdf(x, 0, 1);
}

/**
 * The z with P(Z <= z) = p, for p in [0, 1]; NaN outside. In the far tail the library's inverse loses digits (it starts
 * from 2p - 1); there Newton's steps on the logarithm of the lower tail bring them back.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (!(p > 0 && p < 0.01)) return normal.quantile(p, 0, 1);
  const logP = Math.log(p);
  let z = -Math.sqrt(-2 * logP);
  for (let step = 0; step < 50; step++) {
    const tail = normalCdf(z);
    const change = ((Math.log(tail) - logP) * tail) / normal.pdf(z, 0, 1);
    z -= change;
    if (Math.abs(change) <= 1e-15 * Math.abs(z)) break;
  }
  return z;
}

/** P(T <= x) of Student's t; `degreesOfFreedom` > 0. */
export function tCdf(x: number, degreesOfFreedom: number): number {
  return t.cdf(x, degreesOfFreedom);
}

/** The t with P(T <= t) = p; `degreesOfFreedom` > 0. */
export function tQuantile(p: number, degreesOfFreedom: number): number {
  return t.quantile(p, degreesOfFreedom);
}

/** P(X <= successes) of `trials` with probability `p`. Relative error below 1e-10 up to a million trials; 0 below 1e-290. */
export function binomialCdf(successes: number, trials: number, p: number): number {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  return binomial.cdf(successes, trials, p);
}

/** The x with P(X <= x) = p of the chi-squared distribution. */
export function chiSquareQuantile(p: number, degreesOfFreedom: number): number {
  return chisquare.quantile(p, degreesOfFreedom);
}

/**
 * P(X > x) of the chi-squared distribution with an integer number of degrees of freedom, precise in the far tail too
 * (down to the smallest double), where 1 - cdf would be 0.
 *
 * Above the mean: sf(x; k) = 2 f(x; k) + sf(x; k-2) (DLMF 8.8.2, f the density), a sum of positive falling terms
 * that ends in 0 for an even k and in 2 Phi(-sqrt(x)) for an odd one. Below the mean: 1 - cdf.
 */
export function chiSquareSf(x: number, degreesOfFreedom: number): number {
  if (!Number.isInteger(degreesOfFreedom) || degreesOfFreedom < 1) {
    throw new RangeError(`chiSquareSf needs a positive integer of degrees of freedom, not ${degreesOfFreedom}`);
  }
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x <= degreesOfFreedom) return 1 - chisquare.cdf(x, degreesOfFreedom);
  const remainder = degreesOfFreedom % 2 === 1 ? 2 * normalCdf(-Math.sqrt(x)) : 0;
  if (degreesOfFreedom === 1) return remainder;
  let term = 2 * chisquare.pdf(x, degreesOfFreedom);
  let total = 0;
  for (let k = degreesOfFreedom; k >= 2 && term > total * 1e-18; k -= 2) {
    total += term;
    term *= (k - 2) / x;
  }
  return Math.min(1, total + remainder);
}
