import path from 'node:path';
import { ConfigurationError, fromDecimal, temporaryFolder } from '@passloop/core';
import type { Reproduction, ReproductionLevel, RunDocument } from '@passloop/documents';
import type { Store } from '@passloop/record';
import type { Runner } from './local-runner.ts';
import { readMetrics } from './outputs.ts';
import type { TrainRequest } from './run.ts';
import { planTraining } from './training-plan.ts';

/**
 * Whether two tables of predictions have the same rows by key and equal numbers; `worst` is the largest difference found, in
 * units of the tolerance: up to 1 is equal.
 */
export type ComparePredictions = (
  left: string,
  right: string,
  key: readonly string[],
) => Promise<{ equal: boolean; worst: string | null; detail: string | null }>;

export type ReproduceRequest = Pick<TrainRequest, 'repository' | 'commit' | 'model' | 'workTree' | 'progress'> & {
  store: Store;
  runner: Runner;
  comparePredictions: ComparePredictions;
  /** A metric is equal where it differs by at most `absolute` + `relative` times the stored value. Default 1e-9 and 1e-6. */
  tolerance?: { absolute: number; relative: number } | undefined;
};

const levels: readonly ReproductionLevel[] = ['bitwise', 'functional', 'metric', 'diverged'];

/**
 * Runs a stored result's stages again and says of each output how alike it is, strongest first:
 * - `bitwise`: the same bytes;
 * - `functional`: predictions with the same rows by key and equal numbers; for another output, its run's predictions are so;
 * - `metric`: the run's metrics agree within the tolerance;
 * - `diverged`: nothing of this.
 * The level of the whole is the weakest of its outputs. A file that holds metrics is `metric` where they agree.
 * @returns the stored run with its reproduction
 * @throws ConfigurationError where the key is not in the store: there is nothing to compare with
 */
export async function reproduceRun(request: ReproduceRequest): Promise<RunDocument> {
  const { model } = request;
  const plan = await planTraining(request.repository, request.commit, model);
  const found = await request.store.findRun(plan.key.runKey);
  if (found === null) {
    throw new ConfigurationError(
      `${plan.key.runKey} is not in the ${request.store.description}: nothing to reproduce.`,
      {
        hint: 'Train it first: `passloop train run`.',
      },
    );
  }
  await using stored = await temporaryFolder('stored');
  const run = await request.store.restoreRun(plan.key.runKey, stored.path);
  await using work = await temporaryFolder('reproduce');
  const again = await request.runner(plan, request, work.path);

  const newFiles = new Map(again.outputs.map((output) => [output.path, output]));
  const predictionsPath = model.evaluate?.predictions;
  const metricsPath = model.evaluate?.metrics;
  const predictions = await comparePredictionsOf();
  const metrics = await compareMetricsOf();

  async function comparePredictionsOf() {
    const file = predictionsPath === undefined ? undefined : newFiles.get(predictionsPath);
    if (predictionsPath === undefined || file === undefined) return null;
    return request.comparePredictions(below(stored.path, predictionsPath), file.file, model.columns.key);
  }

  async function compareMetricsOf(): Promise<{ equal: boolean; detail: string } | null> {
    const file = metricsPath === undefined ? undefined : newFiles.get(metricsPath);
    if (metricsPath === undefined || file === undefined) return null;
    const before = await readMetrics(model, stored.path);
    const after = await readMetrics(model, file.file.slice(0, -metricsPath.length - 1));
    const { absolute, relative } = request.tolerance ?? { absolute: 1e-9, relative: 1e-6 };
    const values = new Map(after.map(({ name, value }) => [name, fromDecimal(value)]));
    for (const { name, value } of before) {
      const one = fromDecimal(value);
      const other = values.get(name);
      if (other === undefined) return { equal: false, detail: `the metric ${name} is missing` };
      if (Math.abs(one - other) > absolute + relative * Math.abs(one))
        return {
          equal: false,
          detail: `${name} is ${value}, then ${after.find((metric) => metric.name === name)?.value}`,
        };
    }
    const extra = after.find(({ name }) => !before.some((metric) => metric.name === name));
    return extra === undefined
      ? { equal: true, detail: 'metrics agree' }
      : { equal: false, detail: `the metric ${extra.name} is new` };
  }

  function judge(name: string): { level: ReproductionLevel; detail: string } {
    if (name === metricsPath && metrics !== null)
      return { level: metrics.equal ? 'metric' : 'diverged', detail: metrics.detail };
    const worst =
      predictions?.worst == null || predictions.worst === '0'
        ? ''
        : `, by ${predictions.worst} of the tolerance at most`;
    if (predictions?.equal === true) return { level: 'functional', detail: `predictions are equal${worst}` };
    const unequal =
      predictions === null
        ? ''
        : `predictions differ${worst}${predictions.detail === null ? '' : ` (${predictions.detail})`}`;
    if (metrics?.equal === true)
      return { level: 'metric', detail: [unequal, metrics.detail].filter((text) => text !== '').join('; ') };
    return {
      level: 'diverged',
      detail:
        [unequal, metrics?.detail ?? ''].filter((text) => text !== '').join('; ') ||
        'other bytes, and no predictions or metrics to compare',
    };
  }

  const outputs: Reproduction['outputs'] = [];
  for (const output of run.outputs) {
    const file = newFiles.get(output.path);
    if (file === undefined) {
      throw new ConfigurationError(`The second run did not write ${output.path}, which the stored one has.`, {
        file: model.file,
      });
    }
    const verdict = file.digest === output.digest ? { level: 'bitwise' as const, detail: null } : judge(output.path);
    outputs.push({
      path: output.path,
      level: verdict.level,
      stored: output.digest,
      again: file.digest,
      detail: verdict.detail,
    });
  }
  for (const file of again.outputs) {
    if (!run.outputs.some((output) => output.path === file.path))
      throw new ConfigurationError(`The second run wrote ${file.path}, which the stored one does not have.`, {
        file: model.file,
      });
  }
  return { ...run, cache: 'hit', reproduction: { level: weakest(outputs), outputs } };
}

function weakest(outputs: Reproduction['outputs']): ReproductionLevel {
  return levels[Math.max(0, ...outputs.map((output) => levels.indexOf(output.level)))] as ReproductionLevel;
}

function below(folder: string, relative: string): string {
  return path.join(folder, ...relative.split('/'));
}
