import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from '@passloop/model';
import type { TargetImage } from '../target-kind.ts';

/** The image that the cases promote. */
export const image: TargetImage = {
  repository: 'ghcr.io/acme/flight',
  digest: `sha256:${'a1b2c3d4'.repeat(8)}`,
  tag: 'ik1-c0ffee',
};
export const olderDigest = `sha256:${'0'.repeat(63)}1`;

/** A real edit of a file as public deploy repositories have them. */
export type TargetCase = {
  /** What it shows, for the page. */
  shows: string;
  fixture: string;
  target: Target;
  /** Edits before this one, such as the canary that a promotion takes away. */
  first?: readonly Target[];
  /** The lines that differ, by hand: `-` gone, `+` new. */
  lines: readonly string[];
};

export function fixtureText(name: string): string {
  return readFileSync(path.join(import.meta.dirname, 'fixtures', name), 'utf8');
}

const { digest } = image;

export const targetCases: readonly TargetCase[] = [
  {
    shows: 'An `images` entry: the tag becomes the digest, the mirror stays.',
    fixture: 'overlay-kustomization.yaml',
    target: { kind: 'kustomize', file: 'apps/flight/prod/kustomization.yaml', image: 'ghcr.io/acme/flight' },
    lines: ['-    newTag: 2026.10.01-a1b2c3d         # last by hand', `+    digest: ${digest}         # last by hand`],
  },
  {
    shows: 'Values with tag and digest: both are written.',
    fixture: 'chart-values.yaml',
    target: { kind: 'helm-values', file: 'apps/flight/values.yaml', address: 'image' },
    lines: [
      '-  tag: "ik1-9f8e"        # informs people; the digest decides',
      `-  digest: "${olderDigest}"`,
      '+  tag: "ik1-c0ffee"        # informs people; the digest decides',
      `+  digest: "${digest}"`,
    ],
  },
  {
    shows: 'A single reference in values.',
    fixture: 'chart-values.yaml',
    target: { kind: 'helm-values', file: 'apps/flight/values.yaml', address: 'metrics.exporter.image' },
    lines: [
      "-    image: 'quay.io/acme/exporter:1.20'   # single reference",
      `+    image: 'quay.io/acme/exporter@${digest}'   # single reference`,
    ],
  },
  {
    shows: 'Values with a tag alone: `TAG@sha256:…`, which a chart renders into a valid reference.',
    fixture: 'create-values.yaml',
    target: { kind: 'helm-values', file: 'apps/flight/values.yaml', address: 'image' },
    lines: ['-  tag: ""', `+  tag: "ik1-c0ffee@${digest}"`],
  },
  {
    shows: 'A kustomize image of an Application.',
    fixture: 'application-kustomize.yaml',
    target: { kind: 'argocd', file: 'argocd/flight-prod.yaml', image: 'ghcr.io/acme/flight' },
    lines: [
      '-        - ghcr.io/acme/flight=registry.prod.local/flight:v7   # mirrored',
      `+        - ghcr.io/acme/flight=registry.prod.local/flight@${digest}   # mirrored`,
    ],
  },
  {
    shows: 'A Helm parameter, and the tag beside it.',
    fixture: 'application-helm.yaml',
    target: { kind: 'argocd', file: 'argocd/flight-staging.yaml', parameter: 'image.digest' },
    lines: [
      '-            value: ik1-9f8e',
      '+            value: ik1-c0ffee',
      `-          - {name: image.digest, value: "${olderDigest}"}`,
      `+          - {name: image.digest, value: "${digest}"}`,
    ],
  },
  {
    shows: 'An address in `helm.valuesObject`.',
    fixture: 'application-helm.yaml',
    target: { kind: 'argocd', file: 'argocd/flight-staging.yaml', address: 'sidecar.image' },
    lines: [
      '-            image: {repository: ghcr.io/acme/flight, tag: ik1-9f8e}   # same image, other command',
      `+            image: {repository: ghcr.io/acme/flight, tag: ik1-c0ffee@${digest}}   # same image, other command`,
    ],
  },
  {
    shows: '`spec.images` of a Flux Kustomization: the digest stays alone.',
    fixture: 'flux-kustomization.yaml',
    target: { kind: 'flux-kustomization', file: 'clusters/prod/flight.yaml', image: 'ghcr.io/acme/flight' },
    lines: ['-    newTag: v7', `-    digest: ${olderDigest}`, `+    digest: ${digest}`],
  },
  {
    shows:
      "Values of a HelmRelease. The comment of Flux's image automation stays, and a warning says that the two fight.",
    fixture: 'helmrelease.yaml',
    target: { kind: 'flux-helmrelease', file: 'apps/flight/release.yaml', address: 'server.image' },
    lines: [
      '-        tag: v7   # {"$imagepolicy": "flux-system:flight:tag"}',
      `+        tag: ik1-c0ffee@${digest}   # {"$imagepolicy": "flux-system:flight:tag"}`,
    ],
  },
  {
    shows: 'The container of a Deployment, by the repository of its image.',
    fixture: 'deployment.yaml',
    target: { kind: 'workload', file: 'apps/flight/all.yaml', name: 'flight', image: 'ghcr.io/acme/flight' },
    lines: ['-          image: ghcr.io/acme/flight:v7', `+          image: ghcr.io/acme/flight@${digest}`],
  },
  {
    shows: 'The only container of a CronJob in the same file; the mirror stays.',
    fixture: 'deployment.yaml',
    target: { kind: 'workload', file: 'apps/flight/all.yaml', name: 'flight-batch' },
    lines: [
      `-          containers: [{name: score, image: "registry.prod.local:5000/flight@${olderDigest}"}]`,
      `+          containers: [{name: score, image: "registry.prod.local:5000/flight@${digest}"}]`,
    ],
  },
  {
    shows: 'An Argo Rollout that names tag and digest.',
    fixture: 'rollout.yaml',
    target: { kind: 'workload', file: 'apps/flight/rollout.yaml', container: 'model' },
    lines: [
      `-        - image: ghcr.io/acme/flight:v7@${olderDigest}`,
      `+        - image: ghcr.io/acme/flight:ik1-c0ffee@${digest}`,
    ],
  },
  {
    shows: 'A container of a SeldonDeployment, in the predictor that is named.',
    fixture: 'seldon-deployment.yaml',
    target: { kind: 'seldon-v1', file: 'apps/flight/seldon.yaml', predictor: 'canary', container: 'flight' },
    lines: [
      '-        - spec: {containers: [{name: flight, image: "ghcr.io/acme/flight:v7"}]}   # the next one',
      `+        - spec: {containers: [{name: flight, image: "ghcr.io/acme/flight@${digest}"}]}   # the next one`,
    ],
  },
  {
    shows: 'The `storageUri` of a Model of Seldon Core v2.',
    fixture: 'seldon-v2.yaml',
    target: { kind: 'seldon-v2', file: 'apps/flight/models.yaml' },
    lines: ['-  storageUri: "oci://ghcr.io/acme/flight"', `+  storageUri: "oci://ghcr.io/acme/flight@${digest}"`],
  },
  {
    shows: 'The weight of a candidate of an Experiment: the others share the rest as they stand to each other.',
    fixture: 'seldon-v2.yaml',
    target: {
      kind: 'seldon-v2',
      file: 'apps/flight/models.yaml',
      experiment: 'flight',
      candidate: 'flight-next',
      weight: 10,
    },
    lines: ['-      weight: 2', '+      weight: 60', '-      weight: 1', '+      weight: 30', '+      weight: 10'],
  },
  {
    shows: 'A canary of KServe in Knative mode.',
    fixture: 'kserve-knative.yaml',
    target: { kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'canary', percent: 10 },
    lines: [
      `-      storageUri: oci+native://ghcr.io/acme/flight@${olderDigest}`,
      `+      storageUri: oci+native://ghcr.io/acme/flight@${digest}`,
      '+    canaryTrafficPercent: 10',
    ],
  },
  {
    shows: 'Then the stable slot: the share goes, and the canary is promoted.',
    fixture: 'kserve-knative.yaml',
    first: [{ kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'canary', percent: 10 }],
    target: { kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'stable' },
    lines: ['-    canaryTrafficPercent: 10'],
  },
  {
    shows: 'A canary of KServe in Standard mode: a predictor of its own, without what KServe refuses there.',
    fixture: 'kserve-standard.yaml',
    target: { kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'canary', percent: 10 },
    lines: [
      '+  canary:',
      '+    - trafficPercent: 10',
      '+      predictor:',
      '+        name: v-a1b2c3d4',
      '+        minReplicas: 1',
      '+        model:',
      '+          name: kserve-container',
      '+          modelFormat:',
      '+            name: passloop',
      '+          runtime: flight-passloop',
      '+          protocolVersion: v2',
      `+          image: ghcr.io/acme/flight@${digest}`,
      '+          resources:',
      '+            limits:',
      '+              cpu: "1"',
    ],
  },
  {
    shows: 'Then the stable slot: it takes the name of the canary, whose pods serve on, and the canary goes.',
    fixture: 'kserve-standard.yaml',
    first: [{ kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'canary', percent: 10 }],
    target: { kind: 'kserve', file: 'apps/flight/isvc.yaml', slot: 'stable' },
    lines: [
      '-    name: v1',
      '+    name: v-a1b2c3d4',
      `-      image: ghcr.io/acme/flight@${olderDigest}`,
      `+      image: ghcr.io/acme/flight@${digest}`,
      '-  canary:',
      '-    - trafficPercent: 10',
      '-      predictor:',
      '-        name: v-a1b2c3d4',
      '-        minReplicas: 1',
      '-        model:',
      '-          name: kserve-container',
      '-          modelFormat:',
      '-            name: passloop',
      '-          runtime: flight-passloop',
      '-          protocolVersion: v2',
      `-          image: ghcr.io/acme/flight@${digest}`,
      '-          resources:',
      '-            limits:',
      '-              cpu: "1"',
    ],
  },
  {
    shows: 'The weight of a subset: all weights of the route sum to 100.',
    fixture: 'virtual-service.yaml',
    target: { kind: 'istio', file: 'apps/flight/routes.yaml', route: 'predict', subset: 'canary', weight: 10 },
    lines: [
      '-          weight: 100',
      '+          weight: 90',
      '-          weight: 0   # raised by promotions',
      '+          weight: 10   # raised by promotions',
    ],
  },
  {
    shows: 'A whole reference anywhere, under a key with a dot.',
    fixture: 'settings.yaml',
    target: {
      kind: 'yaml-path',
      file: 'apps/flight/settings.yaml',
      address: 'data."model.image"',
      writes: 'reference',
    },
    lines: [
      '-  "model.image": registry.prod.local/flight:v7',
      `+  "model.image": registry.prod.local/flight@${digest}`,
    ],
  },
  {
    shows: 'A digest alone, in an item of a list by its name.',
    fixture: 'settings.yaml',
    target: {
      kind: 'yaml-path',
      file: 'apps/flight/settings.yaml',
      address: 'spec.runtimes[name=gpu].digest',
      writes: 'digest',
      document: 'Scorer/nightly',
    },
    lines: [
      `-    - {name: gpu, digest: "${olderDigest}"}   # pinned`,
      `+    - {name: gpu, digest: "${digest}"}   # pinned`,
    ],
  },
];
