import { gateLists, unpairedGates } from './gates.ts';
import { parameterNames } from './metric-catalog.ts';
import { eitherOf, isBuiltInMetric, likelyMetrics, metricForm, metricNames } from './metrics.ts';
import type { Model } from './schema.ts';

/** What is wrong with a metric that a model names or declares, and where. */
export type MetricProblem = { path: (string | number)[]; message: string; hint?: string };

/** The first metric or column that a schema can't refuse: an unknown name, or one that the task hasn't. */
export function metricProblem(model: Model): MetricProblem | null {
  for (const [name, metric] of Object.entries(model.metrics)) {
    const path = ['metrics', name];
    if (isBuiltInMetric(name)) {
      return { path, message: `${name} is a metric that is known already`, hint: 'Give yours another name.' };
    }
    if (metric.kind === 'file' && model.evaluate?.metrics === undefined) {
      return { path, message: 'reads a metrics file, and `evaluate.metrics` names none' };
    }
  }
  if (model.evaluate?.baseline === 'metrics' && model.evaluate.metrics === undefined) {
    return {
      path: ['evaluate', 'baseline'],
      message: 'needs `evaluate.metrics`: the numbers of production come from there',
    };
  }
  for (const { path, gates } of gateLists(model)) {
    for (const [position, gate] of gates.entries()) {
      const problem = gateProblem(model, gate);
      if (problem !== null) return { path: [...path, position, 'metric'], ...problem };
    }
  }
  return columnProblem(model);
}

function gateProblem(model: Model, gate: Model['gates'][number]): Omit<MetricProblem, 'path'> | null {
  const { metrics, task } = model;
  const form = metricForm(gate.metric, metrics);
  if (form === 'image') return null;
  if (form === null) {
    const names = metricNames(metrics);
    const likely = likelyMetrics(gate.metric, names).map((name) => `\`${name}\``);
    return {
      message: `no metric is named \`${gate.metric}\``,
      hint:
        likely.length > 0
          ? `Did you mean ${eitherOf(likely)}?`
          : `There are ${[...names, ...parameterNames].join(', ')}, and what \`metrics\` declares.`,
    };
  }
  if (!form.tasks.includes(task)) {
    return { message: `${gate.metric} is for ${form.tasks.join(' and ')} models; this one is ${task}` };
  }
  const declared = Object.hasOwn(metrics, gate.metric) ? metrics[gate.metric] : undefined;
  if (declared?.kind === 'fairness' && gate.slices.length > 0) {
    return { message: `${gate.metric} is a gap between groups, which has no slices` };
  }
  if (gate.slices.length > 0 && unpairedGates(model).has(gate.metric)) {
    return {
      message: `${gate.metric} is compared by two numbers${declared?.kind === 'file' ? '' : ' (`evaluate.baseline: metrics`)'}, which have no slices`,
      hint: 'Leave `slices` out.',
    };
  }
  return null;
}

function columnProblem({ task, columns }: Model): MetricProblem | null {
  const at = (field: string, message: string) => ({ path: ['columns', field], message });
  if (columns.scores !== undefined && task !== 'multiclass') {
    return at('scores', `is for multiclass models, and this one is ${task}: name one column as \`score\``);
  }
  if (columns.query !== undefined && task !== 'ranking') {
    return at('query', `is for rankings, and this model is ${task}: rows of one user or series have a \`unit\``);
  }
  if (task === 'ranking' && columns.unit !== undefined) {
    return at('unit', 'is given in a ranking, which is resampled by its `query`');
  }
  return null;
}
