import type { FirstImage, Graph, GraphOf, Target } from '@passloop/model';
import { istioManifests } from './istio.ts';
import { kserveManifests } from './kserve.ts';
import { type ManifestObject, objectText } from './object-text.ts';
import { plainManifests } from './plain.ts';
import { rolloutManifests } from './rollout.ts';
import { seldonV1Manifests } from './seldon-v1.ts';
import { seldonV2Manifests } from './seldon-v2.ts';

export type GraphRequest<Of extends Graph = Graph> = {
  graph: Of;
  /** Name of the model, which the image answers to. */
  model: string;
  /** `metadata.name` of what is written. */
  name: string;
  /** The environment for which it is written, and the folder of its files. */
  environment: string;
  folder: string;
  image: FirstImage;
};

/** What a kind of graph writes. */
export type GraphParts = {
  /** Files of the folder, in the order of the kustomization. */
  files: readonly { name: string; objects: readonly ManifestObject[] }[];
  /** Further fields of the kustomization. */
  kustomization?: { images: readonly Record<string, string>[] };
  /** The environments whose promotions write these files, the first one first. */
  environments: readonly GraphEnvironment[];
};

/** An entry of `deploy.environments` in the model file. */
export type GraphEnvironment = { name: string; after?: string; targets: readonly Target[] };

export type GraphManifests = { files: { path: string; text: string }[]; environments: readonly GraphEnvironment[] };

/** The first manifests of a model, and the targets under which promotions write them from then on. */
export function graphManifests(request: Omit<GraphRequest, 'name' | 'folder'>): GraphManifests {
  const { graph, environment, model } = request;
  const folder = `${graph.folder}/${environment}`;
  const parts = partsOf({ ...request, folder, name: graph.name ?? model });
  const files = parts.files.map(({ name, objects }) => ({ path: `${folder}/${name}`, text: objectText(objects) }));
  const kustomization: ManifestObject = {
    head: `What Argo CD or Flux applies for ${model} in ${environment}.\nThe namespace is theirs to say: destination.namespace, or targetNamespace.`,
    value: {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: parts.files.map(({ name }) => name),
      ...parts.kustomization,
    },
    comments:
      parts.kustomization === undefined ? [] : [[['images'], 'Passloop writes the digest here, and nothing else.']],
  };
  return {
    files: [...files, { path: `${folder}/kustomization.yaml`, text: objectText([kustomization]) }],
    environments: parts.environments,
  };
}

function partsOf(request: GraphRequest): GraphParts {
  const { graph } = request;
  const of = <Kind extends Graph['kind']>(one: GraphOf<Kind>): GraphRequest<GraphOf<Kind>> => ({
    ...request,
    graph: one,
  });
  switch (graph.kind) {
    case 'plain':
      return plainManifests(of(graph));
    case 'rollout':
      return rolloutManifests(of(graph));
    case 'istio':
      return istioManifests(of(graph));
    case 'kserve':
      return kserveManifests(of(graph));
    case 'seldon-v1':
      return seldonV1Manifests(of(graph));
    case 'seldon-v2':
      return seldonV2Manifests(of(graph));
  }
}

/** The entries as they go into the model file, below `deploy:`. */
export function environmentsText(environments: readonly GraphEnvironment[]): string {
  return objectText([
    { value: { environments }, flow: environments.map((_, index) => ['environments', index, 'targets']) },
  ]);
}
