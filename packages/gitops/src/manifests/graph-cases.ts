import { Graph } from '@passloop/model';

const other = `registry.example.org/acme/router@sha256:${'89abcdef01234567'.repeat(4)}`;

/** Every shape of a graph, under the name by which tests and the documentation call it. */
const shapes = {
  plain: { kind: 'plain' },
  rollout: { kind: 'rollout', prometheus: 'http://prometheus.monitoring:9090', maxLatency: 50 },
  istio: { kind: 'istio', canary: 10 },
  kserve: { kind: 'kserve', canary: 10 },
  'seldon-v1': { kind: 'seldon-v1' },
  'seldon-v1-canary': { kind: 'seldon-v1', canary: 10 },
  'seldon-v1-shadow': { kind: 'seldon-v1', shadow: 50 },
  'seldon-v1-ab': { kind: 'seldon-v1', ab: 80 },
  'seldon-v1-epsilon-greedy': {
    kind: 'seldon-v1',
    router: { strategy: 'epsilon-greedy', image: other, epsilon: 0.2, seed: 7 },
  },
  'seldon-v1-thompson': {
    kind: 'seldon-v1',
    router: { strategy: 'thompson', image: other },
    outlier: { image: other },
    explainer: { type: 'AnchorTabular', modelUri: 's3://models/flight-delay-explainer' },
  },
  'seldon-v2': { kind: 'seldon-v2' },
  'seldon-v2-experiment': { kind: 'seldon-v2', candidate: 10 },
} as const;

export type GraphShape = keyof typeof shapes;
export const graphShapes = Object.keys(shapes) as GraphShape[];

export function graphOf(shape: GraphShape, more: object = {}): Graph {
  return Graph.parse({ folder: 'apps/flight-delay', ...shapes[shape], ...more });
}
