import { z } from 'zod';
import { ImageRepository, InsidePath, Name, PinnedImage } from './scalars.ts';

/**
 * How a model is served, as its first manifests say it (`passloop manifests`). From then on the manifests are the deploy
 * repository's own: a promotion changes the image in them, and nothing reads the graph again.
 */

const Quantity = z
  .string()
  .regex(
    /^\d{1,12}(?:\.\d{1,6})?(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$/,
    'must be a Kubernetes quantity such as "500m", "2" or "1Gi"',
  );
const Percent = z.int().min(1).max(99);
const Duration = z.string().regex(/^[1-9]\d{0,5}[smh]$/, 'must be a time such as 90s, 10m or 1h');
const HttpUrl = z
  .string()
  .max(1024)
  .regex(
    /^https?:\/\/[A-Za-z0-9.[\]:-]+(?:\/[\w./~-]*)?$/,
    'must be an address such as http://prometheus.monitoring:9090',
  );

const Resources = z.strictObject({
  requests: z.strictObject({ cpu: Quantity.default('250m'), memory: Quantity.default('512Mi') }).prefault({}),
  limits: z.strictObject({ cpu: Quantity.optional(), memory: Quantity.default('1Gi') }).prefault({}),
});

const common = {
  /** A folder of the deploy repository; each environment has one below it. */
  folder: InsidePath,
  /** `metadata.name`; the model's name by default. */
  name: Name.optional(),
  replicas: z.int().min(1).max(100).default(2),
  resources: Resources.prefault({}),
};

/** Deployment, Service, kustomization. */
const PlainGraph = z.strictObject({ kind: z.literal('plain'), ...common });

/** Argo Rollout that goes in steps, and is measured by Prometheus while it does. */
const RolloutGraph = z.strictObject({
  kind: z.literal('rollout'),
  ...common,
  /** Percent of the Pods (or of the traffic, with a router) before each pause. */
  steps: z.array(Percent).min(1).max(20).default([10, 50]),
  pause: Duration.default('10m'),
  prometheus: HttpUrl,
  /** Of 1: which share of the requests may fail. */
  maxErrors: z.number().min(0).max(1).default(0.01),
  /** Latency at the 95th percentile, in milliseconds. */
  maxLatency: z.number().positive().max(3_600_000).optional(),
});

/** Two Deployments behind one Service, between which an Istio VirtualService shares the traffic. */
const IstioGraph = z.strictObject({
  kind: z.literal('istio'),
  ...common,
  /** Percent that a canary gets; none until the first. */
  canary: Percent.default(10),
});

/** KServe InferenceService with a ServingRuntime for images of Passloop, in Standard mode. */
const KserveGraph = z.strictObject({ kind: z.literal('kserve'), ...common, canary: Percent.default(10) });

const SeldonRouter = z.strictObject({
  strategy: z.enum(['epsilon-greedy', 'thompson']),
  /** Answers `route` of the protocol v2; Seldon's own routers speak the older one. */
  image: PinnedImage,
  /** How often another branch than the best is tried; epsilon-greedy alone. */
  epsilon: z.number().min(0).max(1).optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .optional(),
});

const SeldonExplainer = z.strictObject({
  type: z.enum([
    'AnchorTabular',
    'AnchorImages',
    'AnchorText',
    'Counterfactuals',
    'Contrastive',
    'KernelShap',
    'IntegratedGradients',
    'ALE',
    'TreeShap',
  ]),
  modelUri: z
    .string()
    .max(1024)
    .regex(/^[a-z][a-z0-9+.-]{0,15}:\/\/[^\s"'\\]{1,1000}$/, 'must be an address such as s3://models/explainer'),
});

/** SeldonDeployment of Seldon Core v1. */
const SeldonV1Graph = z
  .strictObject({
    kind: z.literal('seldon-v1'),
    ...common,
    /** A second predictor with this percent of the traffic. */
    canary: Percent.optional(),
    /** A second predictor that is asked this percent of the requests too, and whose answers nobody sees. */
    shadow: z.int().min(1).max(100).optional(),
    /** Two models in one graph; the first gets this percent. */
    ab: Percent.optional(),
    /** Two models in one graph, between which a multi-armed bandit chooses. */
    router: SeldonRouter.optional(),
    /** An image that answers the protocol v2, and through which each request goes first. */
    outlier: z.strictObject({ image: PinnedImage }).optional(),
    explainer: SeldonExplainer.optional(),
  })
  .refine(
    ({ canary, shadow, ab, router }) => [canary, shadow, ab, router].filter((one) => one !== undefined).length <= 1,
    'takes at most one of canary, shadow, ab and router',
  )
  .refine(({ router }) => router?.strategy !== 'thompson' || router.epsilon === undefined, {
    message: 'is for epsilon-greedy alone: Thompson sampling has no such parameter',
    path: ['router', 'epsilon'],
  });

/** Model of Seldon Core v2, alone or as one of two of an Experiment. */
const SeldonV2Graph = z.strictObject({
  kind: z.literal('seldon-v2'),
  ...common,
  /** What a server must offer, such as `sklearn`. */
  requirements: z.array(Name).min(1).max(16).default(['sklearn']),
  memory: Quantity.default('512Mi'),
  /** Percent that the second model of an Experiment gets. */
  candidate: Percent.optional(),
});

export const Graph = z.discriminatedUnion('kind', [
  PlainGraph,
  RolloutGraph,
  IstioGraph,
  KserveGraph,
  SeldonV1Graph,
  SeldonV2Graph,
]);
export type Graph = z.infer<typeof Graph>;
export type GraphOf<Kind extends Graph['kind']> = Extract<Graph, { kind: Kind }>;

/** sha256 of nothing. */
const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The image with which a model begins: one that is in its registry, by digest. */
export const FirstImage = z.strictObject({
  repository: ImageRepository,
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hex>')
    .refine(
      (digest) => !/^sha256:(.)\1{63}$/.test(digest) && digest !== emptyDigest,
      'is a placeholder, and no image has it',
    ),
});
export type FirstImage = z.infer<typeof FirstImage>;
