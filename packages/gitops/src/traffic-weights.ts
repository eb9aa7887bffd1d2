import { ConfigurationError } from '@passloop/core';
import { childOf, type Located, placeName, placeOf, readingAt } from './address.ts';
import { type Change, insertKey, setScalar } from './manifest-edit.ts';

/** An entry among which traffic is shared, and its weight; nothing written is no traffic. */
export type Weighted = { entry: Located; weight: number };

/** @throws ConfigurationError where a weight is no whole number from 0 */
export function weightsOf(entries: readonly Located[]): Weighted[] {
  return entries.map((entry) => {
    const at = childOf(entry, 'weight');
    const weight = at === null ? 0 : readingAt(at);
    if (weight === null) return { entry, weight: 0 };
    if (typeof weight === 'number' && Number.isSafeInteger(weight) && weight >= 0) return { entry, weight };
    throw new ConfigurationError(`${placeName(at ?? entry)} must be a whole number from 0.`, placeOf(at ?? entry));
  });
}

/** The share of one entry in percent, as a mesh reads relative weights; null where nothing is shared out. */
export function shareOf(all: readonly Weighted[], chosen: Located): number | null {
  const sum = all.reduce((total, { weight }) => total + weight, 0);
  if (all.length === 1) return 100;
  const own = all.find(({ entry }) => entry.position === chosen.position)?.weight ?? 0;
  return sum === 0 ? null : (own * 100) / sum;
}

/**
 * Gives one entry its percent and shares the rest among the others as they stand to each other, so that all are 100: Argo
 * Rollouts and some meshes ask for that, and people read it.
 * @throws ConfigurationError where there is no other entry that could take the rest
 */
export function editWeights(all: readonly Weighted[], chosen: Located, percent: number): Change[] {
  const others = all.filter(({ entry }) => entry.position !== chosen.position);
  const rest = 100 - percent;
  if (others.length === 0 && rest > 0) {
    throw new ConfigurationError(`${placeName(chosen)} is the only destination, and can't get ${percent} %.`, {
      ...placeOf(chosen),
      hint: `Add the destination that gets the other ${rest} %.`,
    });
  }
  const shares = sharedOut(
    rest,
    others.map(({ weight }) => weight),
  );
  return [writeWeight(chosen, percent), ...others.map(({ entry }, index) => writeWeight(entry, shares[index] ?? 0))];
}

/** Whole numbers in proportion to the weights, by largest remainder; all to the first where none has any. */
function sharedOut(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((left, right) => left + right, 0);
  if (sum === 0) return weights.map((_, index) => (index === 0 ? total : 0));
  const exact = weights.map((weight) => (total * weight) / sum);
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((one, other) => one + other, 0);
  const order = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((one, other) => other.remainder - one.remainder || one.index - other.index);
  for (const { index } of order.slice(0, left)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}

function writeWeight(entry: Located, weight: number): Change {
  const at = childOf(entry, 'weight');
  return at === null ? insertKey(entry, 'weight', weight) : setScalar(at, weight);
}
