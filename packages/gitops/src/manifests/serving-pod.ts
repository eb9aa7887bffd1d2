import type { GraphRequest } from './graph-manifests.ts';

/** What every image of Passloop serves, and as whom; the recipe of the image says the same. */
export const imageInterface = {
  restPort: 8080,
  grpcPort: 8081,
  user: 10001,
  live: '/v2/health/live',
  ready: '/v2/health/ready',
  metrics: '/metrics',
  nameVariable: 'PASSLOOP_MODEL_NAME',
} as const;

export function reference({ image }: Pick<GraphRequest, 'image'>): string {
  return `${image.repository}@${image.digest}`;
}

export function labelsOf(name: string, more: Record<string, string> = {}): Record<string, string> {
  return { 'app.kubernetes.io/name': name, ...more };
}

/** For a Prometheus that finds Pods by annotation. */
export const scrapeAnnotations = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(imageInterface.restPort),
  'prometheus.io/path': imageInterface.metrics,
};

/** A container that serves the model: bounded, without privileges, ready when the model is loaded. */
export function servingContainer(
  request: Pick<GraphRequest, 'graph' | 'model'>,
  options: { name: string; image?: string; answersTo?: string },
): Record<string, unknown> {
  const { restPort, grpcPort, live, ready, nameVariable } = imageInterface;
  const { answersTo = request.model } = options;
  const probe = (path: string) => ({ httpGet: { path, port: 'http' } });
  return {
    name: options.name,
    image: options.image,
    // The image answers to the model's name; where the caller asks by another, it must know.
    env: answersTo === request.model ? undefined : [{ name: nameVariable, value: answersTo }],
    ports: [
      { name: 'http', containerPort: restPort },
      { name: 'grpc', containerPort: grpcPort },
    ],
    startupProbe: { ...probe(ready), periodSeconds: 2, failureThreshold: 90 },
    readinessProbe: { ...probe(ready), periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe(live), periodSeconds: 10, failureThreshold: 3 },
    resources: request.graph.resources,
    securityContext: containerSecurity,
  };
}

const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** What a Pod of models may not do: it is no root, calls no API server, and sees no variables of its neighbours. */
export const podSettings = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: imageInterface.user,
    runAsGroup: imageInterface.user,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

export function serviceObject(name: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: labelsOf(name) },
    spec: {
      selector: labelsOf(name),
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'grpc', port: 81, targetPort: 'grpc' },
      ],
    },
  };
}
