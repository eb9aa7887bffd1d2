import { z } from 'zod';
import { Check } from './checks.ts';
import { Graph } from './graph.ts';
import { HealthyWhen } from './health.ts';
import { DeclaredMetrics, MetricName } from './metrics.ts';
import { ImageRepository, InsidePath, Name, PinnedImage } from './scalars.ts';
import { Target } from './targets.ts';

/** The model file, `passloop.yaml`. Strict everywhere: an unknown key is an error. */

const Column = z.string().min(1).max(256);
const MeasuredNumber = z.number().refine(Number.isFinite, 'must be a finite number');
const Scalar = z.union([z.string().max(1024), z.number(), z.boolean()]);
const Platform = z.string().regex(/^linux\/(amd64|arm64)$/, 'must be linux/amd64 or linux/arm64');
const Age = z.string().regex(/^[1-9]\d{0,3}[hd]$/, 'must be a number of hours or days, such as 36h or 14d');

export const DatasetSource = z.strictObject({
  path: InsidePath.optional(),
  uri: z
    .string()
    .max(2048)
    .regex(/^(https?|s3|gs):\/\//, 'must be an address: https://, s3://bucket/key or gs://bucket/key')
    .optional(),
  profile: InsidePath.optional(),
  checks: z.array(Check).max(2000).default([]),
  /** Logs may show the values of failing rows, and not only which rows they are. Absent where nobody said so: digests stay. */
  showValues: z.boolean().optional(),
});
export type DatasetSource = z.infer<typeof DatasetSource>;

export const Stage = z.strictObject({
  name: Name,
  run: z.array(z.string().min(1).max(8192)).min(1).max(256),
  code: z.array(z.string().min(1).max(1024)).min(1),
  data: z.array(Name).default([]),
  params: z.strictObject({ file: InsidePath, keys: z.array(z.string().min(1).max(256)).min(1).optional() }).optional(),
  outputs: z.array(InsidePath).min(1),
  /** Names of earlier stages whose outputs this one reads. */
  needs: z.array(Name).default([]),
  timeout: z
    .string()
    .regex(/^[1-9]\d{0,4}[smh]$/, 'must be a time such as 90s, 30m or 6h')
    .default('6h'),
});
export type Stage = z.infer<typeof Stage>;

const TrainingEnvironment = z.union([
  z.strictObject({
    python: z
      .string()
      .regex(/^3\.\d{1,2}(\.\d{1,2})?$/, 'must be a Python version such as "3.11" or "3.11.9", in quotes'),
    lock: InsidePath,
    platform: Platform.default('linux/amd64'),
  }),
  z.strictObject({ image: PinnedImage, platform: Platform.default('linux/amd64') }),
]);

export const Train = z.strictObject({
  environment: TrainingEnvironment,
  seeds: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/),
      z
        .int()
        .min(0)
        .max(2 ** 32 - 1),
    )
    .default({}),
  /** Environment variables of every stage. Nothing else of the environment reaches a stage. */
  variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), z.string().max(4096)).default({}),
  stages: z.array(Stage).min(1).max(64),
  trust: z.enum(['writers', 'attested', 'retrain']).default('writers'),
});
export type Train = z.infer<typeof Train>;

const Evaluate = z.strictObject({
  dataset: Name,
  scoring: z.enum(['image', 'stage']).default('image'),
  predictions: InsidePath,
  metrics: InsidePath.optional(),
  resamples: z.int().min(200).max(100_000).default(2000),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(7),
  /** Knowledge of production that is older than this is inconclusive. */
  maxAge: Age.default('30d'),
  /** `metrics`: production can't score these rows; gates hold the candidate against the numbers of production's own run. */
  baseline: z.enum(['rows', 'metrics']).default('rows'),
});

/** A plot's file among the outputs, by its path alone or with what to draw of it; DVC's names of templates. */
export const PlotFile = z.union([
  InsidePath,
  z.strictObject({
    path: InsidePath,
    title: z.string().min(1).max(200).optional(),
    x: Column.optional(),
    y: z.union([Column, z.array(Column).min(1).max(6)]).optional(),
    /** DVC's name, or the file of a template of one's own. */
    template: z
      .union([
        z.enum([
          'linear',
          'simple',
          'smooth',
          'scatter',
          'confusion',
          'confusion_normalized',
          'bar_horizontal',
          'bar_horizontal_sorted',
        ]),
        InsidePath.regex(/\.json$/, "is neither one of DVC's templates nor a file that ends in .json"),
      ])
      .optional(),
  }),
]);
export type PlotFile = z.infer<typeof PlotFile>;

export const Gate = z
  .strictObject({
    metric: MetricName,
    direction: z.enum(['higher', 'lower']),
    margin: MeasuredNumber.optional(),
    /** The same as a share of production's value. */
    relative: MeasuredNumber.optional(),
    min: MeasuredNumber.optional(),
    max: MeasuredNumber.optional(),
    slices: z.array(Column).max(16).default([]),
    minRows: z.int().min(2).default(100),
    severity: z.enum(['error', 'warn']).default('error'),
  })
  .refine((gate) => isComparative(gate) || gate.min !== undefined || gate.max !== undefined, {
    message: 'needs `margin` (how much worse than production is allowed), or an absolute `min` or `max`',
  })
  .refine((gate) => gate.margin === undefined || gate.relative === undefined, {
    message: '`relative` and `margin` say the same in two ways: give one',
    path: ['relative'],
  })
  .refine((gate) => gate.relative === undefined || (gate.relative >= 0 && gate.relative < 1), {
    message: "`relative` is a share of production's value, from 0 and below 1, such as 0.02",
    path: ['relative'],
  })
  .refine((gate) => gate.margin === undefined || gate.margin >= 0, {
    message: '`margin` must not be negative',
    path: ['margin'],
  })
  .refine((gate) => gate.min === undefined || gate.max === undefined || gate.min <= gate.max, {
    message: '`min` is above `max`: no value passes',
    path: ['min'],
  })
  .refine((gate) => gate.slices.length === 0 || isComparative(gate), {
    message: '`slices` compare with production and need a `margin`',
    path: ['slices'],
  });
export type Gate = z.infer<typeof Gate>;

/** Whether a gate compares with production, beside its absolute bounds. */
export function isComparative(gate: { margin?: number | undefined; relative?: number | undefined }): boolean {
  return gate.margin !== undefined || gate.relative !== undefined;
}

export const Package = z.strictObject({
  model: InsidePath,
  requirements: InsidePath,
  signature: InsidePath,
  base: PinnedImage,
  repository: ImageRepository,
  platforms: z.array(Platform).min(1).max(1).default(['linux/amd64']),
  /** Globals beyond the frameworks' own which a model file may import, as `module.name`. */
  allow: z.array(z.string().regex(/^[A-Za-z_][\w.]{0,255}$/)).default([]),
});
export type Package = z.infer<typeof Package>;

const Store = z.union([
  z.strictObject({ oci: ImageRepository }),
  z.strictObject({ directory: z.string().min(1).max(4096) }),
]);

export const Environment = z.strictObject({
  name: Name,
  merge: z.enum(['review', 'auto']).default('review'),
  /** Promoted into only when that environment runs this very model and is healthy. */
  after: Name.optional(),
  healthy: HealthyWhen.optional(),
  production: z.boolean().optional(),
  /** Of a promotion to it alone: on top of the model's, and in place of one on the same metric. */
  gates: z.array(Gate).max(256).optional(),
  rollback: z.strictObject({ merge: z.enum(['review', 'auto']) }).optional(),
  targets: z.array(Target).min(1).max(64),
});
export type Environment = z.infer<typeof Environment>;

const Deploy = z
  .strictObject({
    repository: z.string().min(1).max(1024),
    branch: z.string().min(1).max(255).optional(),
    /** None while the first manifests are still to be written. */
    environments: z.array(Environment).max(32).default([]),
    graph: Graph.optional(),
  })
  .refine(({ environments, graph }) => environments.length > 0 || graph !== undefined, {
    message: 'needs `environments`, or a `graph` from which `passloop manifests` writes the first manifests',
  });

export const Model = z.strictObject({
  name: Name,
  task: z.enum(['binary', 'multiclass', 'regression', 'ranking', 'forecast']),
  columns: z.strictObject({
    key: z.array(Column).min(1).max(16),
    label: Column,
    score: Column.optional(),
    /** Of a multiclass model: the column of each class's score. */
    scores: z.record(z.string().max(256), Column).optional(),
    prediction: Column.optional(),
    positive: Scalar.optional(),
    /** Of the dataset: how much a row counts. */
    weight: Column.optional(),
    /** Of the dataset: what rows belong to (a user, a series) and are resampled by. */
    unit: Column.optional(),
    /** Of the dataset: which query a row of a ranking belongs to. */
    query: Column.optional(),
  }),
  data: z.record(Name, DatasetSource),
  train: Train.optional(),
  evaluate: Evaluate.optional(),
  metrics: DeclaredMetrics.default({}),
  gates: z.array(Gate).max(256).default([]),
  /** Shown in the report beside Passloop's own; they decide nothing. */
  plots: z.array(PlotFile).max(20).optional(),
  package: Package.optional(),
  store: Store.default({ directory: '.passloop/store' }),
  deploy: Deploy.optional(),
});
export type Model = z.infer<typeof Model>;

export const ModelFile = z.strictObject({ version: z.literal(1), models: z.array(Model).min(1).max(200) });
export type ModelFile = z.infer<typeof ModelFile>;

/** Kept for later versions: refused today with that word, so that nobody believes that they work. */
export const reservedKeys = new Set([
  'components',
  'use',
  'defaults',
  'compute',
  'resources',
  'detectors',
  'explainer',
  'budget',
  'when',
  'dvc',
]);

export function modelFileJsonSchema(): Record<string, unknown> {
  return {
    $id: 'https://passloop.dev/schemas/model-file.json',
    title: 'Passloop model file (passloop.yaml)',
    ...z.toJSONSchema(ModelFile, { target: 'draft-2020-12', io: 'input' }),
  };
}
