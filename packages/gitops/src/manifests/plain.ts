import type { GraphOf } from '@passloop/model';
import type { GraphParts, GraphRequest } from './graph-manifests.ts';
import { labelsOf, podSettings, scrapeAnnotations, serviceObject, servingContainer } from './serving-pod.ts';

/** Deployment and Service; the digest stands in the kustomization. */
export function plainManifests(request: GraphRequest<GraphOf<'plain'>>): GraphParts {
  const { name, folder, environment, image } = request;
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: labelsOf(name) },
    spec: {
      replicas: request.graph.replicas,
      revisionHistoryLimit: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: labelsOf(name) },
      template: {
        metadata: { labels: labelsOf(name), annotations: scrapeAnnotations },
        spec: { ...podSettings, containers: [servingContainer(request, { name: 'model', image: image.repository })] },
      },
    },
  };
  return {
    files: [
      {
        name: 'deployment.yaml',
        objects: [
          {
            head: `Serves ${request.model} by the Open Inference Protocol v2: REST and gRPC. Yours to change, except for the image.`,
            value: deployment,
            comments: [
              [['spec', 'template', 'spec', 'containers', 0, 'image'], 'The digest comes from kustomization.yaml.'],
            ],
          },
        ],
      },
      { name: 'service.yaml', objects: [{ value: serviceObject(name) }] },
    ],
    kustomization: { images: [{ name: image.repository, digest: image.digest }] },
    environments: [
      {
        name: environment,
        targets: [{ kind: 'kustomize', file: `${folder}/kustomization.yaml`, image: image.repository }],
      },
    ],
  };
}
