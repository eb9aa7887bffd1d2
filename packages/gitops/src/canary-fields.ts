import { isMap, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';

/** A field of a manifest that sends a share of the traffic to something beside the addressed image. */
export type CanaryField = { line: number; field: string; value: string };

const names = new Set(['canaryTrafficPercent', 'trafficPercent', 'traffic', 'weight', 'setWeight', 'maxWeight']);

/**
 * Fields by which a manifest shares traffic out, zero included: a canary without traffic is still deployed, still takes memory, and is what the next
 * rollout grows. What reads the manifest judges them; here they are only named. A text that is no YAML has none.
 */
export function canaryFields(text: string): CanaryField[] {
  const lines = new LineCounter();
  const fields: CanaryField[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false })) {
    if (!('contents' in document)) continue;
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key) || typeof key.value !== 'string') return;
        const line = lines.linePos(key.range?.[0] ?? 0).line;
        if (names.has(key.value) && isScalar(value) && typeof value.value === 'number') {
          fields.push({ line, field: key.value, value: String(value.value) });
        } else if (key.value === 'canary' && isMap(value)) {
          fields.push({ line, field: 'canary', value: 'a section' });
        }
      },
    });
  }
  return fields;
}
