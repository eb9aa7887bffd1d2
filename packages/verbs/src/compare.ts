import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, canonicalJson, sha256 } from '@passloop/core';
import type { ComparisonDocument } from '@passloop/documents';
import {
  compareFiles,
  compareNumbers,
  defaultResampling,
  type NumbersSide,
  parseGateFlag,
  parseMetricFlags,
  powerOf,
} from '@passloop/evaluation';
import { isComparative, largestMetricsFile, type Model, parseMetricsFile, parseMetricsFolder } from '@passloop/model';
import { openTables } from '@passloop/tables';
import { metricsTexts } from '@passloop/training';
import type { Context } from './context.ts';

export type CompareRequest = {
  /** One file a side compares two models; several are trainings with other seeds. */
  production: readonly string[];
  candidate: readonly string[];
  /** Labels and slice columns; one of the predictions files where absent. */
  dataset?: string | undefined;
  task?: Model['task'] | undefined;
  key?: readonly string[] | undefined;
  label?: string | undefined;
  score?: string | undefined;
  /** `CLASS=COLUMN`: a multiclass model's scores. */
  scores?: readonly string[] | undefined;
  prediction?: string | undefined;
  positive?: string | undefined;
  weight?: string | undefined;
  unit?: string | undefined;
  query?: string | undefined;
  /** `name={kind: ...}`: metrics of one's own. */
  define?: readonly string[] | undefined;
  /** The two files hold numbers, no predictions. */
  numbers?: boolean | undefined;
  /** `name:direction:margin`, as flags. */
  metrics: readonly string[];
  slices?: readonly string[] | undefined;
  /** Say also what the rows can show. */
  power?: boolean | undefined;
  resamples?: number | undefined;
  seed?: number | undefined;
};

/** Compares predictions files, gate by gate, or the numbers of two metrics files. */
export async function compare(context: Context, request: CompareRequest): Promise<ComparisonDocument> {
  if (request.metrics.length === 0) {
    throw new ConfigurationError('No gate is given.', {
      hint: 'For example: --metric roc_auc:higher:0.005 (name:direction:margin).',
    });
  }
  refuseSeveral(request);
  const document = await compareNamed(context, request);
  return request.power === true ? { ...document, power: powerOf(document) } : document;
}

/** @throws ConfigurationError for what is only known of two models */
function refuseSeveral({ production, candidate, numbers, power }: CompareRequest): void {
  if (production.length <= 1 && candidate.length <= 1) return;
  if (numbers === true) {
    throw new ConfigurationError('--numbers compares two metrics files, and several are given for a side.', {
      hint: 'Several seeds are compared by their predictions: without --numbers.',
    });
  }
  if (power === true) {
    throw new ConfigurationError('--power sizes margins for two models, and several files are given for a side.', {
      hint: 'Ask it with one file a side; how many seeds would decide stands beside an undecided gate.',
    });
  }
}

async function compareNamed(context: Context, request: CompareRequest): Promise<ComparisonDocument> {
  if (request.numbers === true) {
    const [before, after] = [request.production[0] as string, request.candidate[0] as string];
    const document = compareNumbers({
      production: await numbersOf(context, before),
      candidate: await numbersOf(context, after),
      flags: request.metrics,
    });
    const [place, other] = await Promise.all([before, after].map((name) => realpath(path.resolve(context.cwd, name))));
    if (place === other && document.metrics.some(({ margin, relative }) => margin !== null || relative != null)) {
      throw new ConfigurationError(`${before} and ${after} are the same: it would be compared with itself.`, {
        file: after,
        hint: 'Name the numbers of two models. For the numbers of one, give `min=` or `max=` and no margin.',
      });
    }
    return document;
  }
  const { key, label } = request;
  if (key === undefined || key.length === 0 || label === undefined) {
    throw new ConfigurationError(`--${label === undefined ? 'label' : 'key'} is not given.`, {
      hint: 'Predictions are joined by --key, and held against --label. Two files of numbers: --numbers.',
    });
  }
  const declared = parseMetricFlags(request.define ?? []);
  const resamples = request.resamples ?? defaultResampling.resamples;
  if (resamples < 200 || resamples > 100_000) {
    throw new ConfigurationError(`--resamples is ${resamples}; it must be between 200 and 100,000.`, {
      hint: 'The default, 2000, fits nearly always.',
    });
  }
  // With what Node and the allocator need, below 1 GiB however many rows there are.
  await using session = await openTables({ memoryLimit: '400MB' });
  const source = (uri: string) => ({ uri, root: context.cwd });
  context.progress.phase('compare');
  return await compareFiles({
    session,
    production: request.production.map(source),
    candidate: request.candidate.map(source),
    dataset: request.dataset === undefined ? null : source(request.dataset),
    task: request.task ?? null,
    columns: {
      key: [...key],
      label,
      score: request.score,
      scores: scoresOf(request.scores ?? []),
      prediction: request.prediction,
      positive: request.positive,
      weight: request.weight,
      unit: request.unit,
      query: request.query,
    },
    declared,
    gates: request.metrics.map((flag) => {
      const gate = parseGateFlag(flag, declared);
      // A gap between groups has no slices: `--slice` is about the other gates.
      const isGap = declared[gate.metric]?.kind === 'fairness';
      return !isComparative(gate) || isGap
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

function scoresOf(flags: readonly string[]): Record<string, string> | undefined {
  if (flags.length === 0) return undefined;
  const found = new Map<string, string>();
  for (const flag of flags) {
    const at = flag.lastIndexOf('=');
    const [name, column] = [flag.slice(0, at), flag.slice(at + 1)];
    if (at <= 0 || column === '' || found.has(name)) {
      throw new ConfigurationError(
        `--scores ${JSON.stringify(flag)}: ${found.has(name) ? 'the class is named twice' : 'CLASS=COLUMN is needed'}.`,
      );
    }
    found.set(name, column);
  }
  return Object.fromEntries(found);
}

/** A metrics file, or the folder of a run. */
async function numbersOf(context: Context, name: string): Promise<NumbersSide> {
  const place = path.resolve(context.cwd, name);
  const found = await stat(place).catch(() => null);
  if (found === null || !(found.isFile() || found.isDirectory())) {
    throw new ConfigurationError(`There is no file or folder ${name}.`, { file: name });
  }
  const texts = await metricsTexts(place, found.isDirectory(), { name, most: largestMetricsFile });
  const digest = sha256(canonicalJson(Object.fromEntries(texts)));
  const file = found.isDirectory() ? parseMetricsFolder(texts, name) : parseMetricsFile(texts.get('') as string, name);
  return { name, digest, file };
}
