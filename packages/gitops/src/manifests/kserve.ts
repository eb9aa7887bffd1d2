import type { GraphOf } from '@passloop/model';
import type { GraphParts, GraphRequest } from './graph-manifests.ts';
import { labelsOf, podSettings, reference, servingContainer } from './serving-pod.ts';

/**
 * A ServingRuntime for images of Passloop, and an InferenceService that names the image. KServe takes a canary only beside a
 * `model`, so the image is the model's own server and no bare container.
 */
export function kserveManifests(request: GraphRequest<GraphOf<'kserve'>>): GraphParts {
  const { name, folder, environment, graph } = request;
  const canary = `${environment}-canary`;
  const runtime = `${name}-passloop`;
  const { image: _, ...container } = servingContainer(request, { name: 'kserve-container', answersTo: name });
  const file = `${folder}/inferenceservice.yaml`;
  return {
    files: [
      {
        name: 'servingruntime.yaml',
        objects: [
          {
            head: `How an image of ${request.model} is run; which image, each InferenceService says. Yours to change.`,
            value: {
              apiVersion: 'serving.kserve.io/v1alpha1',
              kind: 'ServingRuntime',
              metadata: { name: runtime, labels: labelsOf(name) },
              spec: {
                supportedModelFormats: [{ name: 'passloop', version: '1', autoSelect: false }],
                protocolVersions: ['v2', 'grpc-v2'],
                containers: [container],
              },
            },
          },
        ],
      },
      {
        name: 'inferenceservice.yaml',
        objects: [
          {
            head: `Serves ${request.model}. Promotions into ${canary} write spec.canary (KServe 0.20 and later),\nand those into ${environment} write the image of the predictor and take the canary away.`,
            value: {
              apiVersion: 'serving.kserve.io/v1beta1',
              kind: 'InferenceService',
              metadata: {
                name,
                labels: labelsOf(name),
                annotations: { 'serving.kserve.io/deploymentMode': 'Standard' },
              },
              spec: {
                predictor: {
                  name: 'stable',
                  minReplicas: graph.replicas,
                  ...podSettings,
                  model: {
                    name: 'kserve-container',
                    modelFormat: { name: 'passloop', version: '1' },
                    runtime,
                    protocolVersion: 'v2',
                    image: reference(request),
                  },
                },
              },
            },
            comments: [
              [
                ['metadata', 'annotations', 'serving.kserve.io/deploymentMode'],
                'To the letter: spec.canary is refused in any other mode, and canaryTrafficPercent is ignored in this one.',
              ],
              [
                ['spec', 'predictor', 'model', 'name'],
                'The schema of a canary asks for it, and a canary begins as a copy.',
              ],
              [['spec', 'predictor', 'model', 'protocolVersion'], 'KServe takes v1 where nothing stands.'],
              [['spec', 'predictor', 'model', 'image'], 'Passloop writes the digest here.'],
            ],
          },
        ],
      },
    ],
    environments: [
      { name: canary, targets: [{ kind: 'kserve', file, name, slot: 'canary', percent: graph.canary }] },
      { name: environment, after: canary, targets: [{ kind: 'kserve', file, name, slot: 'stable' }] },
    ],
  };
}
