import { PassloopError } from '@passloop/core';
import { z } from 'zod';
import { parseAddress } from './address.ts';
import { ImageRepository, InsidePath } from './scalars.ts';

/**
 * Where a promotion writes: one address in one file of the deploy repository. `name` is `metadata.name` of the document, and
 * is needed only where the file has several that fit.
 */

/** `metadata.name` of Kubernetes. */
const ObjectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a metadata.name: lower case letters, digits, "-" and "."');
const Label = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-"');
const Named = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^\p{Cc}\p{Z}]+$/u, 'must be one word');
const Address = z
  .string()
  .min(1)
  .max(512)
  .superRefine((text, context) => {
    try {
      parseAddress(text);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
      context.addIssue({ code: 'custom', message: `${error.message} ${error.hint ?? ''}`.trim() });
    }
  });
/** Share of the traffic. */
const Percent = z.int().min(0).max(100);

/** The `images` entry named `image` of a kustomization: its digest is written, its tag removed. */
const KustomizeTarget = z.strictObject({ kind: z.literal('kustomize'), file: InsidePath, image: ImageRepository });

/** Values of a chart: a map of repository, tag and digest at the address, or one reference. */
const HelmValuesTarget = z.strictObject({
  kind: z.literal('helm-values'),
  file: InsidePath,
  address: Address.default('image'),
});

/** An Argo CD Application: a kustomize image, a Helm parameter, or an address in Helm's valuesObject. */
const ArgocdTarget = z
  .strictObject({
    kind: z.literal('argocd'),
    file: InsidePath,
    name: ObjectName.optional(),
    image: ImageRepository.optional(),
    parameter: Named.optional(),
    address: Address.optional(),
  })
  .refine(
    ({ image, parameter, address }) => [image, parameter, address].filter((one) => one !== undefined).length === 1,
    'names exactly one of image (kustomize.images), parameter (helm.parameters) and address (in helm.valuesObject)',
  );

/** `spec.images` of a Flux Kustomization. */
const FluxKustomizationTarget = z.strictObject({
  kind: z.literal('flux-kustomization'),
  file: InsidePath,
  name: ObjectName.optional(),
  image: ImageRepository,
});

/** `spec.values` of a Flux HelmRelease, as helm-values. */
const FluxHelmreleaseTarget = z.strictObject({
  kind: z.literal('flux-helmrelease'),
  file: InsidePath,
  name: ObjectName.optional(),
  address: Address.default('image'),
});

/** The image of a container of a Deployment, StatefulSet, DaemonSet, CronJob, Job or Argo Rollout. */
const WorkloadTarget = z
  .strictObject({
    kind: z.literal('workload'),
    file: InsidePath,
    name: ObjectName.optional(),
    container: Label.optional(),
    image: ImageRepository.optional(),
  })
  .refine(
    ({ container, image }) => container === undefined || image === undefined,
    'names a container or the image of one, not both',
  );

/** The image of a container of a SeldonDeployment (Seldon Core v1). */
const SeldonV1Target = z.strictObject({
  kind: z.literal('seldon-v1'),
  file: InsidePath,
  name: ObjectName.optional(),
  predictor: Label.optional(),
  container: Label.optional(),
});

/** The storageUri of a Seldon Core v2 Model, or the weight of a candidate of an Experiment. */
const SeldonV2Target = z
  .strictObject({
    kind: z.literal('seldon-v2'),
    file: InsidePath,
    name: ObjectName.optional(),
    experiment: ObjectName.optional(),
    candidate: ObjectName.optional(),
    weight: Percent.optional(),
  })
  .refine(
    ({ experiment, candidate, weight }) =>
      (experiment === undefined) === (candidate === undefined) && (candidate === undefined) === (weight === undefined),
    'takes experiment, candidate and weight together, or none of them',
  )
  .refine(
    ({ name, experiment }) => name === undefined || experiment === undefined,
    'names a Model or an experiment, not both',
  );

/** The image of a KServe InferenceService: the stable predictor, or a canary with a share of the traffic. */
const KserveTarget = z
  .strictObject({
    kind: z.literal('kserve'),
    file: InsidePath,
    name: ObjectName.optional(),
    slot: z.enum(['stable', 'canary']).default('stable'),
    percent: Percent.optional(),
  })
  .refine(
    ({ slot, percent }) => (slot === 'canary') === (percent !== undefined),
    'takes percent with slot canary, and only with it',
  );

/** The share of one subset in a route of an Istio VirtualService; the others share the rest. */
const IstioTarget = z.strictObject({
  kind: z.literal('istio'),
  file: InsidePath,
  name: ObjectName.optional(),
  /** `name` of the route in `spec.http`, where several have the subset. */
  route: Named.optional(),
  subset: Named,
  weight: Percent,
});

/** Any scalar of any YAML file: the digest alone, or the whole reference with the repository that stands there. */
const YamlPathTarget = z.strictObject({
  kind: z.literal('yaml-path'),
  file: InsidePath,
  address: Address,
  writes: z.enum(['digest', 'reference']),
  /** `Kind` or `Kind/name`, where several documents have the address. */
  document: z
    .string()
    .max(320)
    .regex(/^[A-Za-z][A-Za-z0-9]*(?:\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/, 'must be Kind or Kind/name')
    .optional(),
});

export const Target = z.discriminatedUnion('kind', [
  KustomizeTarget,
  HelmValuesTarget,
  ArgocdTarget,
  FluxKustomizationTarget,
  FluxHelmreleaseTarget,
  WorkloadTarget,
  SeldonV1Target,
  SeldonV2Target,
  KserveTarget,
  IstioTarget,
  YamlPathTarget,
]);
export type Target = z.infer<typeof Target>;

export type TargetKind = Target['kind'];
export type TargetOf<Kind extends TargetKind> = Extract<Target, { kind: Kind }>;

export const targetKinds: readonly TargetKind[] = Target.options.map((option) => option.shape.kind.value);

/** The fields of a kind beside `kind` and `file`. */
export function targetFields(kind: TargetKind): string[] {
  const option = Target.options.find((one) => one.shape.kind.value === kind);
  return Object.keys(option?.shape ?? {}).filter((field) => field !== 'kind' && field !== 'file');
}
