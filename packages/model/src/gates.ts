import { metricForm } from './metrics.ts';
import type { Gate, Model } from './schema.ts';

type Gated = { gates: Gate[]; deploy?: Model['deploy'] | null };

/**
 * The gates of a promotion to an environment: the model's, of which those on a metric that the environment has a gate of its own on
 * give way to it, then the environment's own.
 */
export function gatesIn(model: Gated, environment: string): Gate[] {
  const own = model.deploy?.environments.find(({ name }) => name === environment)?.gates ?? [];
  return [...model.gates.filter(({ metric }) => own.every((gate) => gate.metric !== metric)), ...own];
}

/** Every list of gates, with its place in the model. */
export function gateLists(model: Gated): { path: (string | number)[]; gates: readonly Gate[] }[] {
  const ofEnvironments = (model.deploy?.environments ?? []).map(({ gates = [] }, index) => ({
    path: ['deploy', 'environments', index, 'gates'],
    gates,
  }));
  return [{ path: ['gates'], gates: model.gates }, ...ofEnvironments];
}

/** The gates that compare two numbers without pairing, each with its name in the metrics file. */
export function unpairedGates(
  model: Pick<Model, 'metrics' | 'gates' | 'evaluate' | 'deploy'>,
): Map<string, { name: string; candidate: 'file' | 'rows' }> {
  const found = new Map<string, { name: string; candidate: 'file' | 'rows' }>();
  for (const { metric } of gateLists(model).flatMap(({ gates }) => gates)) {
    const declared = Object.hasOwn(model.metrics, metric) ? model.metrics[metric] : undefined;
    if (declared?.kind === 'file') found.set(metric, { name: declared.name, candidate: 'file' });
    else if (model.evaluate?.baseline === 'metrics' && metricForm(metric) !== 'image')
      found.set(metric, { name: metric, candidate: 'rows' });
  }
  return found;
}
