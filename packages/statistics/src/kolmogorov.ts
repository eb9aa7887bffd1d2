/** A p-value and the formula that made it. */
export interface KolmogorovPValue {
  /** P(D >= statistic) when both samples come from one continuous distribution; conservative when there are ties. */
  pValue: number;
  /** `exact`: the path recursion; `asymptotic`: the one-sample distribution at n = round(nm / (n+m)). */
  method: 'exact' | 'asymptotic';
}

const EXACT_ROWS = 10_000;
const EXACT_CELLS = 2e7;

/**
 * The p-value of a two-sample Kolmogorov-Smirnov statistic, two-sided.
 *
 * `exact` up to 10,000 rows a side: the share of the lattice paths from (0,0) to (n,m) that leave the band
 * |i/n - j/m| < D (Hodges 1958, "The significance probability of the Smirnov two-sample test"), by a recursion in
 * probabilities whose terms are all positive, so that small p-values keep their digits; in closed form for n = m. Agrees with scipy's
 * `ks_2samp(method='exact')` to 1e-10 relative. Where the band alone has more than 2e7 cells (the p-value is then below
 * 1e-40), and for larger samples, `asymptotic`: {@link kolmogorovSf} at n = round(nm/(n+m)), scipy's own choice.
 *
 * @param statistic D, 0 .. 1
 * @param n rows of one sample, a positive integer
 * @param m rows of the other
 */
export function kolmogorovTwoSample(statistic: number, n: number, m: number): KolmogorovPValue {
  if (!(Number.isInteger(n) && n > 0 && Number.isInteger(m) && m > 0)) {
    throw new RangeError(`a two-sample test needs rows on both sides, not ${n} and ${m}`);
  }
  if (!(statistic >= 0 && statistic <= 1)) throw new RangeError(`D is ${statistic}; it must be between 0 and 1`);
  if (Math.max(n, m) <= EXACT_ROWS && 2 * statistic * n * m <= EXACT_CELLS) {
    return { pValue: exactPaths(statistic, n, m), method: 'exact' };
  }
  return { pValue: kolmogorovSf(statistic, Math.round((n * m) / (n + m))), method: 'asymptotic' };
}

function exactPaths(statistic: number, n: number, m: number): number {
  const divisor = greatestCommonDivisor(n, m);
  const stepI = m / divisor;
  const stepJ = n / divisor;
  // D in units of the lattice, so that a tie with the observed D counts as at least as extreme.
  const limit = Math.ceil(statistic * n * stepI - 1e-6);
  if (limit <= 0) return 1;
  if (n === m) return equalPaths(limit, n);
  // left[j]: the probability that a uniformly random path to (i, j) has left the band; 1 outside the band.
  const left = new Float64Array(m + 1).fill(1);
  for (let j = 0; j <= m && j * stepJ < limit; j++) left[j] = 0;
  for (let i = 1; i <= n; i++) {
    const low = Math.max(0, Math.floor((i * stepI - limit) / stepJ) + 1);
    const high = Math.min(m, Math.ceil((i * stepI + limit) / stepJ) - 1);
    if (low > 0) left[low - 1] = 1;
    for (let j = low; j <= high; j++) {
      left[j] = (i * left[j]! + (j > 0 ? j * left[j - 1]! : 0)) / (i + j);
    }
  }
  return Math.min(1, left[m]!);
}

/**
 * The same for two samples of n rows, in n steps: 2 (A1 - A2 + A3 - ..), Ak = C(2n, n - kh) / C(2n, n) (Gnedenko & Korolyuk 1951), nested from its last
 * term on, so that every step is a share of the one before and nothing cancels.
 */
function equalPaths(h: number, n: number): number {
  let tail = 0;
  for (let k = Math.floor(n / h); k >= 1; k--) {
    let ratio = 1;
    for (let j = (k - 1) * h; j < k * h; j++) ratio *= (n - j) / (n + j + 1);
    tail = ratio * (1 - tail);
  }
  return Math.min(1, 2 * tail);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * P(D_n >= x) of the one-sample, two-sided Kolmogorov statistic, by the pieces that Simard & L'Ecuyer (2011,
 * "Computing the two-sided Kolmogorov-Smirnov distribution", J. Stat. Softw. 39:11) compare:
 * twice the one-sided sum in the tail, the matrix power of Marsaglia, Tsang & Wang (2003) up to n = 140 and for small x,
 * the series of Pelz & Good (1976) above. Within 1e-13 of scipy's `kstwo.sf` up to n = 100,000, and within 2e-6 relative
 * up to n = 1,000,000 (beyond, scipy's own expansion of the tail is the coarser one, 1e-4).
 */
export function kolmogorovSf(x: number, n: number): number {
  if (!(Number.isInteger(n) && n >= 1)) throw new RangeError(`the Kolmogorov distribution needs n >= 1, not ${n}`);
  if (Number.isNaN(x)) return Number.NaN;
  if (x * n <= 0.5) return 1;
  if (x >= 1) return 0;
  const square = n * x * x;
  if (square > 370) return 0;
  if (n <= 140) return square > 4 || x >= 0.5 ? oneSidedTail(x, n) : clip(1 - matrixPowerCdf(x, n));
  if (square >= 2.2) return oneSidedTail(x, n);
  return clip(1 - (n <= 100_000 && n * x ** 1.5 <= 1.4 ? matrixPowerCdf(x, n) : pelzGoodCdf(x, n)));
}

function clip(p: number): number {
  return Math.min(1, Math.max(0, p));
}

/** 2 P(D+ >= x): exact for x >= 1/2, and off by less than P(both sides exceed) elsewhere. */
function oneSidedTail(x: number, n: number): number {
  if (n > 100_000) {
    // Smirnov's (1944) expansion of it to order 1/n.
    const z2 = n * x * x;
    return clip(2 * Math.exp(-((6 * n * x + 1) ** 2) / (18 * n) + ((4 / 9) * z2 * (1 - z2) + 1 / 18) / n));
  }
  // Smirnov's sum, x sum C(n,j) (x + j/n)^(j-1) (1 - x - j/n)^(n-j), in logarithms; all terms are positive.
  let total = 0;
  let logChoose = 0;
  let compensation = 0;
  for (let j = 0; j <= n * (1 - x); j++) {
    const rest = 1 - x - j / n;
    if (rest <= 0) break;
    total += Math.exp(logChoose + (j - 1) * Math.log(x + j / n) + (n - j) * Math.log(rest));
    const term = Math.log((n - j) / (j + 1)) - compensation;
    const next = logChoose + term;
    compensation = next - logChoose - term;
    logChoose = next;
  }
  return clip(2 * x * total);
}

/** P(D_n < x) = n!/n^n (H^n)[k-1][k-1], H as in Marsaglia, Tsang & Wang (2003), "Evaluating Kolmogorov's distribution". */
function matrixPowerCdf(x: number, n: number): number {
  const k = Math.floor(n * x) + 1;
  const size = 2 * k - 1;
  const h = k - n * x;
  const base = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) base[i * size + j] = i - j + 1 < 0 ? 0 : 1;
  }
  for (let i = 0; i < size; i++) {
    base[i * size]! -= h ** (i + 1);
    base[(size - 1) * size + i]! -= h ** (size - i);
  }
  if (2 * h > 1) base[(size - 1) * size]! += (2 * h - 1) ** size;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let g = 2; g <= i - j + 1; g++) base[i * size + j]! /= g;
    }
  }
  const whole = power({ matrix: base, exponent: 0 }, n, size);
  let result = whole.matrix[(k - 1) * size + k - 1]!;
  let { exponent } = whole;
  for (let i = 1; i <= n; i++) {
    result *= i / n;
    if (result > 0 && result < 2 ** -scale) {
      result *= 2 ** scale;
      exponent -= scale;
    }
  }
  return result * 2 ** exponent;
}

/** Powers grow like e^n: what is beyond 2^scale is kept as an exponent of two, which rounds nothing. */
const scale = 400;
type Scaled = { matrix: Float64Array; exponent: number };

function power(base: Scaled, n: number, size: number): Scaled {
  if (n === 1) return base;
  const half = power(base, Math.floor(n / 2), size);
  const square = multiply(half, half, size);
  return n % 2 === 0 ? square : multiply(square, base, size);
}

function multiply({ matrix: a, ...left }: Scaled, { matrix: b, ...right }: Scaled, size: number): Scaled {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k]!;
      for (let j = 0; j < size; j++) product[i * size + j]! += factor * b[k * size + j]!;
    }
  }
  const exponent = left.exponent + right.exponent;
  if (product.every((entry) => entry < 2 ** scale)) return { matrix: product, exponent };
  return { matrix: product.map((entry) => entry * 2 ** -scale), exponent: exponent + scale };
}

/** P(D_n < x) ~ K0 + K1/sqrt(n) + K2/n + K3/n^(3/2) in the theta-function form of Pelz & Good (1976). */
function pelzGoodCdf(x: number, n: number): number {
  const z = Math.sqrt(n) * x;
  const z2 = z * z;
  const pi2 = Math.PI ** 2;
  const terms = Math.ceil((16 * z) / Math.PI);
  const k = [0, 0, 0, 0];
  for (let i = terms; i >= 1; i--) {
    const odd = (2 * i - 1) ** 2;
    const weight = Math.exp((-pi2 * odd) / (8 * z2));
    const u = (pi2 * odd) / 4;
    k[0]! += weight;
    k[1]! += weight * (u - z2);
    k[2]! += weight * (6 * z2 ** 3 + 2 * z2 ** 2 + (2 * z2 ** 2 - 5 * z2) * u + (1 - 2 * z2) * u * u);
    k[3]! +=
      weight *
      (-30 * z2 ** 3 -
        90 * z2 ** 4 +
        (135 * z2 ** 2 - 96 * z2 ** 3) * u +
        (212 * z2 ** 2 - 60 * z2) * u * u +
        (5 - 30 * z2) * u ** 3);
  }
  let extra2 = 0;
  let extra3 = 0;
  for (let i = terms; i >= 1; i--) {
    const square = i * i;
    const weight = square * Math.exp((-pi2 * square) / (2 * z2));
    extra2 += weight;
    extra3 += weight * (3 * z2 - pi2 * square);
  }
  const root = Math.sqrt(2 * Math.PI);
  const k0 = (root * k[0]!) / z;
  const k1 = (root * k[1]!) / (6 * z ** 4);
  const k2 = (root * k[2]!) / (72 * z ** 7) - (root * pi2 * extra2) / (36 * z ** 3);
  const k3 = (root * k[3]!) / (6480 * z ** 10) + (root * pi2 * extra3) / (216 * z ** 6);
  return k0 + k1 / Math.sqrt(n) + k2 / n + k3 / n ** 1.5;
}
