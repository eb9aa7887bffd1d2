import { createRandom } from '@passloop/statistics';
import { describe, expect, it } from 'vitest';
import { type EvaluationFrame, predictionsOf } from './frame.ts';
import { pairedVerdict } from './gate.ts';
import { defaultResampling, measurePaired } from './measure.ts';
import { metrics } from './metrics.ts';
import { normalPair } from './testing/frames.ts';

const rows = 2000;
const trials = 1500;

/** Two classifiers that are right with these chances, and are right together more often than by chance. */
function frameOf(random: { uniform(): number }, production: number, candidate: number): EvaluationFrame {
  const labels = new Float64Array(rows).fill(1);
  const old = new Float64Array(rows);
  const fresh = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    // On half of the rows one draw decides for both.
    const first = random.uniform();
    const second = row % 2 === 0 ? first : random.uniform();
    old[row] = first < production ? 1 : 0;
    fresh[row] = second < candidate ? 1 : 0;
  }
  const side = (prediction: Float64Array) => predictionsOf({ prediction });
  return {
    task: 'binary',
    rows,
    evaluationDigest: null,
    classes: ['0', '1'],
    labels,
    weights: null,
    units: null,
    declared: {},
    production: side(old),
    candidate: side(fresh),
    slices: [],
  };
}

function simulate(production: number, candidate: number, seed: number) {
  const random = createRandom(seed);
  const counts = { covered: 0, blocked: 0, passed: 0 };
  for (let trial = 0; trial < trials; trial += 1) {
    const measured = measurePaired(metrics.accuracy!, frameOf(random, production, candidate), defaultResampling);
    if (typeof measured === 'string' || measured.interval === null) throw new Error('not measured');
    const [low, high] = measured.interval;
    if (low <= candidate - production && candidate - production <= high) counts.covered += 1;
    const verdict = pairedVerdict(
      'higher',
      [String(Number(low.toPrecision(12))), String(Number(high.toPrecision(12)))],
      '0.01',
    );
    if (verdict === 'worse') counts.blocked += 1;
    if (verdict === 'better' || verdict === 'non-inferior') counts.passed += 1;
  }
  return { covered: counts.covered / trials, blocked: counts.blocked / trials, passed: counts.passed / trials };
}

// 1,500 trials: two standard errors of a share of 0.95 are 0.011, of 0.025 they are 0.008.
describe('the accuracy gate on 2,000 rows, simulated', () => {
  it('covers the truth 95 times in a hundred, and hardly ever blocks a model that is as good', () => {
    const { covered, blocked } = simulate(0.85, 0.85, 11);
    expect(covered).toBeGreaterThan(0.935);
    expect(covered).toBeLessThan(0.967);
    expect(blocked).toBeLessThan(0.005);
  });

  it('at the margin itself it errs to either side as its level says', () => {
    const { covered, blocked, passed } = simulate(0.85, 0.84, 12);
    expect(covered).toBeGreaterThan(0.935);
    expect(covered).toBeLessThan(0.967);
    for (const share of [blocked, passed]) {
      expect(share).toBeGreaterThan(0.012);
      expect(share).toBeLessThan(0.04);
    }
  });

  it('sees a model that is far worse, and one that is far better', () => {
    expect(simulate(0.85, 0.8, 13).blocked).toBeGreaterThan(0.9);
    expect(simulate(0.85, 0.89, 14).passed).toBeGreaterThan(0.99);
  });
});

/** Scores of two equally good models on few rows, with correlated noise; a row is positive with this chance. */
function fewRows(random: { uniform(): number }, count: number, share: number): EvaluationFrame {
  const labels = new Float64Array(count);
  const sides = [0, 1].map(() => ({ prediction: new Float64Array(count) }));
  for (let row = 0; row < count; row += 1) {
    const label = random.uniform() < share ? 1 : 0;
    const [shared] = normalPair(random);
    labels[row] = label;
    for (const side of sides)
      side.prediction[row] = 2 * label + Math.sqrt(0.8) * shared + Math.sqrt(0.2) * normalPair(random)[0] > 1.3 ? 1 : 0;
  }
  const [production, candidate] = sides as [(typeof sides)[0], (typeof sides)[0]];
  return {
    ...frameOf(random, 0.5, 0.5),
    rows: count,
    labels,
    production: predictionsOf(production),
    candidate: predictionsOf(candidate),
  };
}

describe('intervals on 130 rows of which 30 are positive, simulated', () => {
  it.each(['f1', 'mcc', 'balanced_accuracy', 'recall'])('%s covers the truth', (metric) => {
    const random = createRandom(21);
    let covered = 0;
    for (let trial = 0; trial < 500; trial += 1) {
      const measured = measurePaired(metrics[metric]!, fewRows(random, 130, 0.23), {
        ...defaultResampling,
        resamples: 499,
      });
      if (typeof measured === 'string' || measured.interval === null) throw new Error('not measured');
      if (measured.interval[0] <= 0 && 0 <= measured.interval[1]) covered += 1;
    }
    // Two standard errors of 500 trials are 0.019. Never much less than 0.95: a good model would be blocked too often.
    expect(covered / 500).toBeGreaterThan(0.93);
  });
});
