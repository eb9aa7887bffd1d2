import { metricCatalog, parameterNames } from '@passloop/model/metric-catalog';

/** The metrics that a gate may name, by what they need of a prediction. (It imports one table alone: `--help` reads it.) */
export const metricNames = {
  score: needing('score'),
  prediction: needing('prediction'),
  parameters: parameterNames,
} as const;

function needing(column: 'score' | 'prediction'): string[] {
  return Object.entries(metricCatalog).flatMap(([name, { needs }]) => (needs === column ? [name] : []));
}
