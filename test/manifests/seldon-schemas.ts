import { z } from 'zod';

/** What Seldon's objects may hold, as far as our manifests reach; strict, and written for this project. */

const Metadata = z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) });
const Port = z.strictObject({ name: z.string(), containerPort: z.int() });
const Probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }),
  periodSeconds: z.int(),
  failureThreshold: z.int(),
});
const Container = z.strictObject({
  name: z.string(),
  image: z.string(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  ports: z.array(Port).optional(),
  startupProbe: Probe.optional(),
  readinessProbe: Probe.optional(),
  livenessProbe: Probe.optional(),
  resources: z.record(z.enum(['requests', 'limits']), z.record(z.string(), z.string())).optional(),
  securityContext: z
    .strictObject({
      allowPrivilegeEscalation: z.boolean(),
      readOnlyRootFilesystem: z.boolean(),
      capabilities: z.strictObject({ drop: z.array(z.string()) }),
    })
    .optional(),
});
const PodSpec = z.strictObject({
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  securityContext: z
    .strictObject({
      runAsNonRoot: z.boolean(),
      runAsUser: z.int(),
      runAsGroup: z.int(),
      seccompProfile: z.strictObject({ type: z.string() }),
    })
    .optional(),
  containers: z.array(Container).min(1),
});
const Parameter = z.strictObject({
  name: z.string(),
  value: z.string(),
  type: z.enum(['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOL']),
});
const Unit = z.strictObject({
  name: z.string(),
  type: z.enum(['MODEL', 'ROUTER', 'COMBINER', 'TRANSFORMER', 'OUTPUT_TRANSFORMER', 'UNKNOWN_TYPE']).optional(),
  implementation: z.enum(['SIMPLE_MODEL', 'SIMPLE_ROUTER', 'RANDOM_ABTEST', 'AVERAGE_COMBINER']).optional(),
  parameters: z.array(Parameter).optional(),
  get children() {
    return z.array(Unit);
  },
});

export const SeldonDeployment = z.strictObject({
  apiVersion: z.literal('machinelearning.seldon.io/v1'),
  kind: z.literal('SeldonDeployment'),
  metadata: Metadata,
  spec: z.strictObject({
    protocol: z.enum(['seldon', 'tensorflow', 'kfserving', 'v2']),
    predictors: z
      .array(
        z.strictObject({
          name: z.string(),
          replicas: z.int(),
          traffic: z.int().min(0).max(100).optional(),
          shadow: z.boolean().optional(),
          annotations: z.record(z.string(), z.string()),
          graph: Unit,
          componentSpecs: z.array(z.strictObject({ spec: PodSpec })),
          explainer: z.strictObject({ type: z.string(), modelUri: z.string() }).optional(),
        }),
      )
      .min(1),
  }),
});

export const SeldonModel = z.strictObject({
  apiVersion: z.literal('mlops.seldon.io/v1alpha1'),
  kind: z.literal('Model'),
  metadata: Metadata,
  spec: z.strictObject({
    storageUri: z.string(),
    requirements: z.array(z.string()),
    memory: z.string(),
    replicas: z.int(),
  }),
});

export const SeldonExperiment = z.strictObject({
  apiVersion: z.literal('mlops.seldon.io/v1alpha1'),
  kind: z.literal('Experiment'),
  metadata: Metadata,
  spec: z.strictObject({
    default: z.string(),
    candidates: z.array(z.strictObject({ name: z.string(), weight: z.int().min(0) })).min(1),
  }),
});
