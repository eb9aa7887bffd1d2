import { ascendingIndices } from '@passloop/statistics';

/** By the scores themselves, which nobody changes: to sort them is the most of what a ranking costs, and many ask for it. */
const orders = new WeakMap<Float64Array, Uint32Array>();

/** The rows from the lowest score to the highest, ties in the rows' order. Read it, don't change it. */
export function rankOrder(scores: Float64Array): Uint32Array {
  const known = orders.get(scores) ?? ascendingIndices(scores);
  orders.set(scores, known);
  return known;
}

/**
 * Tells the order of parts whose whole was ranked already.
 * @param partOf the part that each row of the whole is in
 * @param places each row's number there
 */
export function rankParts(
  whole: Float64Array,
  parts: readonly Float64Array[],
  partOf: Uint32Array,
  places: Uint32Array,
): void {
  const order = orders.get(whole);
  if (order === undefined) return;
  const found = parts.map((part) => new Uint32Array(part.length));
  const ends = new Uint32Array(parts.length);
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at]!;
    const part = partOf[row]!;
    found[part]![ends[part]!++] = places[row]!;
  }
  for (const [at, part] of parts.entries()) orders.set(part, found[at]!);
}
