import type { GraphOf } from '@passloop/model';
import type { GraphParts, GraphRequest } from './graph-manifests.ts';
import type { ManifestObject } from './object-text.ts';
import { labelsOf, reference } from './serving-pod.ts';

/** A Model of Seldon Core v2, or two of an Experiment. */
export function seldonV2Manifests(request: GraphRequest<GraphOf<'seldon-v2'>>): GraphParts {
  const { name, environment, folder, graph } = request;
  const target = (model: string, file: string) =>
    ({ kind: 'seldon-v2', file: `${folder}/${file}`, name: model }) as const;
  if (graph.candidate === undefined) {
    return {
      files: [{ name: 'model.yaml', objects: [modelObject(request, name)] }],
      environments: [{ name: environment, targets: [target(name, 'model.yaml')] }],
    };
  }
  const [stable, candidate] = [`${name}-stable`, `${name}-candidate`];
  const first = `${environment}-candidate`;
  return {
    files: [
      { name: 'model-stable.yaml', objects: [modelObject(request, stable)] },
      { name: 'model-candidate.yaml', objects: [modelObject(request, candidate)] },
      { name: 'experiment.yaml', objects: [experimentObject(name, stable, candidate, graph.candidate)] },
    ],
    environments: [
      { name: first, targets: [target(candidate, 'model-candidate.yaml')] },
      { name: environment, after: first, targets: [target(stable, 'model-stable.yaml')] },
    ],
  };
}

function modelObject(request: GraphRequest<GraphOf<'seldon-v2'>>, name: string): ManifestObject {
  const { replicas, requirements, memory } = request.graph;
  return {
    head: `Serves ${request.model}. Passloop writes the digest in storageUri. Seldon fetches models by rclone, which reads no registry:\nthis needs a server whose agent can, or an address of your own there (then promotions have nothing to write).`,
    value: {
      apiVersion: 'mlops.seldon.io/v1alpha1',
      kind: 'Model',
      metadata: { name, labels: labelsOf(request.name) },
      spec: { storageUri: `oci://${reference(request)}`, requirements, memory, replicas },
    },
    comments: [[['spec', 'storageUri'], 'Passloop writes the digest here.']],
  };
}

function experimentObject(name: string, stable: string, candidate: string, percent: number): ManifestObject {
  return {
    head: 'How the traffic of the stable model is shared. Weights are relative; these sum to 100.',
    value: {
      apiVersion: 'mlops.seldon.io/v1alpha1',
      kind: 'Experiment',
      metadata: { name, labels: labelsOf(name) },
      spec: {
        default: stable,
        candidates: [
          { name: stable, weight: 100 - percent },
          { name: candidate, weight: percent },
        ],
      },
    },
  };
}
