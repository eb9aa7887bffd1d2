import { isMap, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';

/** A field of a manifest that sends a share of the traffic to something beside the addressed image. */
export type CanaryField = {
  line: number;
  field: string;
  value: string;
  /** A version of its own that gets no traffic: deployed, forgotten, and what the next rollout grows. */
  isIdle: boolean;
};

const names = new Set(['canaryTrafficPercent', 'trafficPercent', 'traffic', 'weight', 'setWeight', 'maxWeight']);

/** Those that belong to a deployed version. An idle `weight` is a route's: where a controller owns it, that is how it rests. */
const shares = new Set(['canaryTrafficPercent', 'trafficPercent', 'traffic']);

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
      Pair(_, { key, value }, path) {
        if (!isScalar(key) || typeof key.value !== 'string') return;
        const line = lines.linePos(key.range?.[0] ?? 0).line;
        if (names.has(key.value) && isScalar(value) && typeof value.value === 'number') {
          const parent = path.at(-1);
          const isShadow = isMap(parent) && parent.get('shadow') === true;
          const isIdle = value.value === 0 && shares.has(key.value) && !isShadow;
          fields.push({ line, field: key.value, value: String(value.value), isIdle });
        } else if (key.value === 'canary' && isMap(value)) {
          fields.push({ line, field: 'canary', value: 'a section', isIdle: false });
        }
      },
    });
  }
  return fields;
}
