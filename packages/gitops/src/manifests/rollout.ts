import type { GraphOf } from '@passloop/model';
import type { GraphParts, GraphRequest } from './graph-manifests.ts';
import { labelsOf, podSettings, reference, scrapeAnnotations, serviceObject, servingContainer } from './serving-pod.ts';

/** An Argo Rollout that goes in steps, measured by an AnalysisTemplate while it does. */
export function rolloutManifests(request: GraphRequest<GraphOf<'rollout'>>): GraphParts {
  const { name, folder, environment, graph } = request;
  return {
    files: [
      {
        name: 'rollout.yaml',
        objects: [
          {
            head: `Serves ${request.model}. Passloop writes the image; Argo Rollouts owns the weights while it rolls out, and aborts in the cluster:\na promotion that was aborted is rolled back in Git by \`passloop rollback\`.`,
            value: rolloutObject(request),
            comments: [
              [['spec', 'template', 'spec', 'containers', 0, 'image'], 'Passloop writes the digest here.'],
              [
                ['spec', 'strategy', 'canary', 'analysis'],
                'Runs beside the steps. Without an answer of Prometheus it is inconclusive, and the rollout waits.',
              ],
            ],
          },
        ],
      },
      {
        name: 'analysistemplate.yaml',
        objects: [
          {
            head: 'What a new image must hold while it gets traffic. The Pods are found by the label that Argo Rollouts gives them,\nwhich Prometheus must keep: relabel __meta_kubernetes_pod_label_rollouts_pod_template_hash.',
            value: templateObject(request),
          },
        ],
      },
      { name: 'service.yaml', objects: [{ value: serviceObject(name) }] },
    ],
    environments: [
      {
        name: environment,
        targets: [{ kind: 'workload', file: `${folder}/rollout.yaml`, name, container: 'model' }],
      },
    ],
  };

  function rolloutObject({ graph: { replicas, steps, pause } }: typeof request): Record<string, unknown> {
    return {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name, labels: labelsOf(name) },
      spec: {
        replicas,
        revisionHistoryLimit: 3,
        selector: { matchLabels: labelsOf(name) },
        template: {
          metadata: { labels: labelsOf(name), annotations: scrapeAnnotations },
          spec: {
            ...podSettings,
            containers: [servingContainer(request, { name: 'model', image: reference(request) })],
          },
        },
        strategy: {
          canary: {
            maxUnavailable: 0,
            maxSurge: 1,
            steps: steps.flatMap((weight) => [{ setWeight: weight }, { pause: { duration: pause } }]),
            analysis: {
              startingStep: 1,
              templates: [{ templateName: name }],
              args: [{ name: 'hash', valueFrom: { podTemplateHashValue: 'Latest' } }],
            },
          },
        },
      },
    };
  }

  function templateObject({ graph: { maxErrors, maxLatency, prometheus } }: typeof request): Record<string, unknown> {
    const served = 'operation="infer",rollouts_pod_template_hash="{{args.hash}}"';
    const rate = (labels: string) => `sum(rate(passloop_requests_total{${labels}}[2m]))`;
    const faults = 'code=~"5..|INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED"';
    const metric = (metricName: string, query: string, argument: string) => ({
      name: metricName,
      interval: '1m',
      initialDelay: '1m',
      // Neither holds where nothing was measured: that is inconclusive, and no success.
      successCondition: `len(result) > 0 && result[0] <= {{args.${argument}}}`,
      failureCondition: `len(result) > 0 && result[0] > {{args.${argument}}}`,
      failureLimit: 1,
      inconclusiveLimit: 3,
      provider: { prometheus: { address: prometheus, query } },
    });
    return {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AnalysisTemplate',
      metadata: { name, labels: labelsOf(name) },
      spec: {
        args: [
          { name: 'hash' },
          { name: 'max-errors', value: String(maxErrors) },
          ...(maxLatency === undefined ? [] : [{ name: 'max-latency-seconds', value: String(maxLatency / 1000) }]),
        ],
        metrics: [
          // The counter of faults doesn't exist before the first one, which is none.
          metric('errors', `(${rate(`${served},${faults}`)} or vector(0)) / ${rate(served)}`, 'max-errors'),
          ...(graph.maxLatency === undefined
            ? []
            : [
                metric(
                  'latency',
                  'histogram_quantile(0.95, sum by (le) (rate(passloop_infer_seconds_bucket{rollouts_pod_template_hash="{{args.hash}}"}[2m])))',
                  'max-latency-seconds',
                ),
              ]),
        ],
      },
    };
  }
}
