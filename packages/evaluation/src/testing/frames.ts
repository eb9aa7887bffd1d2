import type { Gate } from '@passloop/model';
import { createRandom } from '@passloop/statistics';
import type { CompareRequest } from '../compare.ts';
import { type EvaluationFrame, predictionsOf } from '../frame.ts';
import { defaultResampling } from '../measure.ts';

/** A gate as the model file gives it, with its defaults. */
export function createGate(overrides: Partial<Gate> & { metric: string }): Gate {
  return { direction: 'higher', slices: [], minRows: 100, severity: 'error', ...overrides };
}

/** Two standard normal numbers (Box & Muller 1958). */
export function normalPair(random: { uniform(): number }): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  const angle = 2 * Math.PI * random.uniform();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

export type ScoredOptions = {
  rows?: number;
  seed?: number;
  /** Distance of the classes' means in standard deviations: the area under the curve is Φ(separation / √2). */
  production?: number;
  candidate?: number;
};

/**
 * A binary holdout with scores of two models whose areas under the curve are known: Φ(separation / √2). Their noise is
 * correlated (0.8), as that of two models of the same rows is. One slice column, `hub`, of three values.
 */
export function scoredFrame(options: ScoredOptions = {}): EvaluationFrame {
  const { rows = 4000, seed = 1, production = 1, candidate = 1 } = options;
  const random = createRandom(seed);
  const labels = new Float64Array(rows);
  const sides = [production, candidate].map(() => ({
    score: new Float64Array(rows),
    prediction: new Float64Array(rows),
  }));
  const codes = new Uint32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const label = random.uniform() < 0.3 ? 1 : 0;
    const [shared, own] = normalPair(random);
    const [other] = normalPair(random);
    labels[row] = label;
    codes[row] = row % 10 === 0 ? 2 : row % 3 === 0 ? 1 : 0;
    for (const [i, separation] of [production, candidate].entries()) {
      const value = separation * (label - 0.5) + Math.sqrt(0.8) * shared + Math.sqrt(0.2) * (i === 0 ? own : other);
      sides[i]!.score[row] = 1 / (1 + Math.exp(-value));
      sides[i]!.prediction[row] = value > 0 ? 1 : 0;
    }
  }
  return {
    task: 'binary',
    rows,
    evaluationDigest: `sha256:${'e'.repeat(64)}`,
    classes: ['0', '1'],
    labels,
    weights: null,
    units: null,
    declared: {},
    production: predictionsOf(sides[0]!),
    candidate: predictionsOf(sides[1]!),
    slices: [{ column: 'hub', codes, values: ['large', 'medium', 'small'] }],
  };
}

export const digestOf = (character: string) => `sha256:${character.repeat(64)}`;

export function createRequest(overrides: Partial<CompareRequest> = {}): CompareRequest {
  return {
    outcome: 'compared',
    reason: null,
    gates: [createGate({ metric: 'roc_auc', margin: 0.01 })],
    frame: scoredFrame(),
    production: { digest: digestOf('a'), scoredBy: 'image' },
    candidate: { digest: digestOf('b'), scoredBy: 'image' },
    scalars: {},
    resampling: { ...defaultResampling, resamples: 500 },
    inconclusive: 'warn',
    ...overrides,
  };
}
