import { ConfigurationError } from '@passloop/core';
import type { ComparisonDocument } from '@passloop/documents';
import { compareFiles, defaultResampling, parseGateFlag } from '@passloop/evaluation';
import { openTables } from '@passloop/tables';
import type { Context } from './context.ts';

export type CompareRequest = {
  production: string;
  candidate: string;
  /** Labels and slice columns; one of the predictions files where absent. */
  dataset?: string | undefined;
  task?: 'binary' | 'multiclass' | 'regression' | undefined;
  key: readonly string[];
  label: string;
  score?: string | undefined;
  prediction?: string | undefined;
  positive?: string | undefined;
  /** `name:direction:margin`, as flags. */
  metrics: readonly string[];
  slices?: readonly string[] | undefined;
  resamples?: number | undefined;
  seed?: number | undefined;
};

/** Compares two predictions files, gate by gate. */
export async function compare(context: Context, request: CompareRequest): Promise<ComparisonDocument> {
  if (request.metrics.length === 0) {
    throw new ConfigurationError('No gate is given.', {
      hint: 'For example: --metric roc_auc:higher:0.005 (name:direction:margin).',
    });
  }
  const resamples = request.resamples ?? defaultResampling.resamples;
  if (resamples < 200 || resamples > 100_000) {
    throw new ConfigurationError(`--resamples is ${resamples}; it must be between 200 and 100,000.`, {
      hint: 'The default, 2000, fits nearly always.',
    });
  }
  await using session = await openTables();
  const source = (uri: string) => ({ uri, root: context.cwd });
  context.progress.phase('compare');
  return await compareFiles({
    session,
    production: source(request.production),
    candidate: source(request.candidate),
    dataset: request.dataset === undefined ? null : source(request.dataset),
    task: request.task ?? null,
    columns: {
      key: [...request.key],
      label: request.label,
      score: request.score,
      prediction: request.prediction,
      positive: request.positive,
    },
    gates: request.metrics.map((flag) => {
      const gate = parseGateFlag(flag);
      return gate.margin === undefined
        ? gate
        : { ...gate, slices: [...new Set([...gate.slices, ...(request.slices ?? [])])] };
    }),
    resampling: {
      ...defaultResampling,
      resamples,
      seed: request.seed ?? defaultResampling.seed,
    },
    inconclusive: 'block',
  });
}
