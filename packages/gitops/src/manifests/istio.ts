import type { GraphOf } from '@passloop/model';
import type { GraphParts, GraphRequest } from './graph-manifests.ts';
import type { ManifestObject } from './object-text.ts';
import { labelsOf, podSettings, reference, scrapeAnnotations, serviceObject, servingContainer } from './serving-pod.ts';

const slots = ['stable', 'canary'] as const;
const slotLabel = 'passloop.dev/slot';

/** Two Deployments behind one Service. A canary is an environment of its own, and its promotion moves the weights. */
export function istioManifests(request: GraphRequest<GraphOf<'istio'>>): GraphParts {
  const { name, folder, environment, graph } = request;
  const canary = `${environment}-canary`;
  const workload = (slot: (typeof slots)[number]) =>
    ({
      kind: 'workload',
      file: `${folder}/deployment-${slot}.yaml`,
      name: `${name}-${slot}`,
      container: 'model',
    }) as const;
  return {
    files: [
      ...slots.map((slot) => ({ name: `deployment-${slot}.yaml`, objects: [deploymentOf(request, slot)] })),
      { name: 'service.yaml', objects: [{ value: serviceObject(name) }] },
      { name: 'virtualservice.yaml', objects: [routeOf(name, canary)] },
      { name: 'destinationrule.yaml', objects: [subsetsOf(name)] },
    ],
    environments: [
      {
        name: canary,
        targets: [
          workload('canary'),
          { kind: 'istio', file: `${folder}/virtualservice.yaml`, name, subset: 'canary', weight: graph.canary },
        ],
      },
      { name: environment, after: canary, targets: [workload('stable')] },
    ],
  };
}

function deploymentOf(request: GraphRequest<GraphOf<'istio'>>, slot: (typeof slots)[number]): ManifestObject {
  const { name, environment, graph } = request;
  const labels = labelsOf(name, { [slotLabel]: slot });
  const writer = slot === 'canary' ? `${environment}-canary` : environment;
  return {
    head: `The ${slot} image of ${request.model}, which promotions into ${writer} write.`,
    value: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `${name}-${slot}`, labels },
      spec: {
        replicas: slot === 'canary' ? 1 : graph.replicas,
        revisionHistoryLimit: 3,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: scrapeAnnotations },
          spec: {
            ...podSettings,
            containers: [servingContainer(request, { name: 'model', image: reference(request) })],
          },
        },
      },
    },
    comments: [[['spec', 'template', 'spec', 'containers', 0, 'image'], 'Passloop writes the digest here.']],
  };
}

function routeOf(name: string, canary: string): ManifestObject {
  return {
    head: `How the traffic is shared. Promotions into ${canary} write the weights, which sum to 100; no controller may own them too.`,
    value: {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, labels: labelsOf(name) },
      spec: {
        hosts: [name],
        http: [
          {
            name: 'model',
            route: [
              { destination: { host: name, subset: 'stable' }, weight: 100 },
              { destination: { host: name, subset: 'canary' }, weight: 0 },
            ],
          },
        ],
      },
    },
  };
}

function subsetsOf(name: string): ManifestObject {
  return {
    value: {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name, labels: labelsOf(name) },
      spec: { host: name, subsets: slots.map((slot) => ({ name: slot, labels: { [slotLabel]: slot } })) },
    },
  };
}
