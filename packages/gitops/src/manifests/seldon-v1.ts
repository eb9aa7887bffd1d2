import type { GraphOf } from '@passloop/model';
import type { GraphEnvironment, GraphParts, GraphRequest } from './graph-manifests.ts';
import { labelsOf, podSettings, reference, scrapeAnnotations, servingContainer } from './serving-pod.ts';

type Request = GraphRequest<GraphOf<'seldon-v1'>>;
type Unit = { name: string; type?: string; [field: string]: unknown };
/** What one environment writes; `suffix` and `after` are added to the name of the environment. */
type Place = { suffix: string; predictor: string; container: string; after?: string };
type Served = { graph: Unit; containers: readonly Record<string, unknown>[] };

/**
 * A SeldonDeployment of Core v1. Every container has a Pod of its own, since all images listen on the same ports; a unit of
 * the graph and its container have one name, by which the operator joins them, and by which the engine asks the image.
 */
export function seldonV1Manifests(request: Request): GraphParts {
  const { name, environment, folder, graph } = request;
  const { predictors, environments } = shapeOf(request);
  return {
    files: [
      {
        name: 'seldondeployment.yaml',
        objects: [
          {
            head: headOf(request),
            value: {
              apiVersion: 'machinelearning.seldon.io/v1',
              kind: 'SeldonDeployment',
              metadata: { name, labels: labelsOf(name) },
              spec: { protocol: 'v2', predictors },
            },
            comments: [[['spec', 'protocol'], 'Images of Passloop answer the Open Inference Protocol v2.']],
          },
        ],
      },
    ],
    environments: environments.map(
      ({ suffix, predictor, container, after }): GraphEnvironment => ({
        name: `${environment}${suffix}`,
        ...(after === undefined ? {} : { after: `${environment}${after}` }),
        targets: [{ kind: 'seldon-v1', file: `${folder}/seldondeployment.yaml`, name, predictor, container }],
      }),
    ),
  };

  function headOf({ model }: Request): string {
    const lines = [
      `Serves ${model}. Promotions write the images; the rest is yours, and the traffic of all but a shadow sums to 100.`,
    ];
    if (graph.router !== undefined) {
      lines.push('The router keeps what it learnt in memory, and must answer POST /v2/models/router/route.');
    }
    if (graph.outlier !== undefined)
      lines.push('The outlier detector answers the protocol v2, and hands the inputs on.');
    if (graph.explainer !== undefined) {
      lines.push('The explainer runs an image of Seldon: see its licence (BSL 1.1 from alibi 0.9.5).');
    }
    return lines.join('\n');
  }
}

/** Predictors, and which environment writes which container: the first one is tried first. */
function shapeOf(request: Request): { predictors: Record<string, unknown>[]; environments: Place[] } {
  const { model, graph } = request;
  const { canary, shadow, ab, router, replicas } = graph;
  const single = servedAs(request, model);
  const main = { suffix: '', predictor: 'main', container: model };
  if (canary !== undefined) {
    return {
      predictors: [
        predictorOf(request, 'main', single, { replicas, traffic: 100 - canary }),
        predictorOf(request, 'canary', single, { replicas: 1, traffic: canary }),
      ],
      environments: [
        { ...main, suffix: '-canary', predictor: 'canary' },
        { ...main, after: '-canary' },
      ],
    };
  }
  if (shadow !== undefined) {
    return {
      predictors: [
        predictorOf(request, 'main', single, { replicas, traffic: 100 }),
        predictorOf(request, 'shadow', single, { replicas: 1, shadow: true, traffic: shadow }),
      ],
      environments: [
        { ...main, suffix: '-shadow', predictor: 'shadow' },
        { ...main, after: '-shadow' },
      ],
    };
  }
  if (ab === undefined && router === undefined) {
    return { predictors: [predictorOf(request, 'main', single, { replicas })], environments: [main] };
  }
  const names = ['model-a', 'model-b'] as const;
  const children = names.map((name): Unit => ({ name, type: 'MODEL', children: [] }));
  const containers = names.map((name) => modelContainer(request, name));
  const served: Served =
    router === undefined
      ? { graph: abTest(ab ?? 50, children), containers }
      : { graph: bandit(router, children), containers: [{ name: 'router', image: router.image }, ...containers] };
  return {
    predictors: [predictorOf(request, 'main', served, { replicas })],
    environments: [
      { suffix: '-b', predictor: 'main', container: 'model-b' },
      { suffix: '', after: '-b', predictor: 'main', container: 'model-a' },
    ],
  };
}

function servedAs(request: Request, name: string): Served {
  return { graph: { name, type: 'MODEL', children: [] }, containers: [modelContainer(request, name)] };
}

function modelContainer(request: Request, name: string): Record<string, unknown> {
  return servingContainer(request, { name, image: reference(request), answersTo: name });
}

function abTest(percent: number, children: Unit[]): Unit {
  const ratio = { name: 'ratioA', value: String(percent / 100), type: 'FLOAT' };
  return { name: 'ab-test', implementation: 'RANDOM_ABTEST', parameters: [ratio], children };
}

/** Parameters of Seldon's two bandits; their values are texts. */
function bandit(router: NonNullable<Request['graph']['router']>, children: Unit[]): Unit {
  const epsilon = router.strategy === 'thompson' ? [] : [['epsilon', String(router.epsilon ?? 0.1), 'FLOAT']];
  const parameters = [
    ['n_branches', String(children.length), 'INT'],
    ...epsilon,
    ...(router.seed === undefined ? [] : [['seed', String(router.seed), 'INT']]),
    ['branch_names', children.map(({ name }) => name).join(':'), 'STRING'],
  ];
  return {
    name: 'router',
    type: 'ROUTER',
    parameters: parameters.map(([name, value, type]) => ({ name, value, type })),
    children,
  };
}

function predictorOf(
  request: Request,
  name: string,
  { graph, containers }: Served,
  more: { replicas: number; traffic?: number; shadow?: true },
): Record<string, unknown> {
  const { outlier, explainer } = request.graph;
  const detector = outlier === undefined ? [] : [{ name: 'outlier', image: outlier.image }];
  return {
    name,
    ...more,
    annotations: scrapeAnnotations,
    graph: outlier === undefined ? graph : { name: 'outlier', type: 'TRANSFORMER', children: [graph] },
    // The first one is the engine's Pod too.
    componentSpecs: [...detector, ...containers].map((container) => ({
      spec: { ...(isOwn(container) ? podSettings : { automountServiceAccountToken: false }), containers: [container] },
    })),
    explainer: explainer === undefined || name !== 'main' ? undefined : explainer,
  };
}

/** Images of others run as whom they say. */
function isOwn(container: Record<string, unknown>): boolean {
  return container.securityContext !== undefined;
}
