import type { LintRule } from './finding.ts';
import type { ManifestText } from './lint.ts';

/** For every rule a manifest that breaks it, at a line, and its like that doesn't. */
export type LintCase = {
  /** For the documentation: what holds, or what it is about. */
  about: string;
  verdict: 'fail' | 'warn';
  line: number;
  /** A part of what is said. */
  says: string;
  fires: string | ManifestText[];
  silent: string | ManifestText[];
};

const digest = `sha256:${'a'.repeat(64)}`;
const pinned = `ghcr.io/acme/flight@${digest}`;

const seldon = (spec: string) =>
  `apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: flight}\nspec:\n${spec}\n`;
/** Predictors from line 6 on. */
const predictors = (...lines: string[]) =>
  seldon(['  predictors:', ...lines.map((line) => `    - ${line}`)].join('\n'));
const predictor = (name: string, more: string) => `{name: ${name}, ${more}${graph}}`;
const graph = 'graph: {name: clf, implementation: SKLEARN_SERVER, modelUri: "s3://m/1"}';
const unit = (fields: string) => predictors(`{name: main, graph: {${fields}}}`);
const router = (parameters: string) =>
  predictors(
    `{name: main, componentSpecs: [{spec: {containers: [{name: r, image: ${pinned}}]}}], graph: {name: r, type: ROUTER, parameters: [${parameters}], children: [{name: a, implementation: SIMPLE_MODEL}, {name: b, implementation: SIMPLE_MODEL}]}}`,
  );

const experiment = (spec: string, models: string[] = []) =>
  [
    `apiVersion: mlops.seldon.io/v1alpha1\nkind: Experiment\nmetadata: {name: flight}\nspec: {${spec}}\n`,
    ...models.map(
      (name) =>
        `apiVersion: mlops.seldon.io/v1alpha1\nkind: Model\nmetadata: {name: ${name}}\nspec: {storageUri: "s3://m"}\n`,
    ),
  ].join('---\n');
const candidates = 'candidates: [{name: a, weight: 90}, {name: b, weight: 10}]';

const served =
  'model: {name: kserve-container, modelFormat: {name: sklearn}, runtime: kserve-mlserver, protocolVersion: v2, storageUri: "s3://m/1"}';
const kserve = (mode: string | null, spec: string, name = 'flight') =>
  `apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata:\n  name: ${name}\n${mode === null ? '' : `  annotations: {serving.kserve.io/deploymentMode: ${mode}}\n`}spec:\n${spec}\n`;
const canary = (name: string, percent: number, more = '') =>
  `    - {trafficPercent: ${percent}, predictor: {name: ${name}, ${more}${served}}}`;
const stable = `  predictor: {name: v1, minReplicas: 2, ${served}}`;
const canaries = (...lines: string[]) => kserve('Standard', [stable, '  canary:', ...lines].join('\n'));

const virtualService = (route: string, metadata = 'name: flight') =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {${metadata}}\nspec:\n  hosts: [flight]\n  http:\n    - ${route}\n`;
const weights = (left: number, right: number, host = 'flight') =>
  `route: [{destination: {host: ${host}, subset: stable}, weight: ${left}}, {destination: {host: ${host}, subset: canary}, weight: ${right}}]`;
const subsets = (...names: string[]) =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: flight}\nspec: {host: flight.models.svc.cluster.local, subsets: [${names.map((name) => `{name: ${name}, labels: {slot: ${name}}}`).join(', ')}]}\n`;
const flagger = (service: string) =>
  `apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: flight}\nspec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: ${service}}}\n`;

const rollout = (canary: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: flight}\nspec:\n  strategy:\n    canary: {${canary}}\n`;
const template = (args: string, query = 'up{job="{{args.service}}"}') =>
  `apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: errors}\nspec:\n  args: [${args}]\n  metrics:\n    - {name: errors, provider: {prometheus: {query: '${query}'}}}\n`;
const analysis = (args: string) => rollout(`analysis: {templates: [{templateName: errors}], args: [${args}]}`);

const deployment = (image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: flight}\nspec:\n  template:\n    spec:\n      containers:\n        - {name: model, image: ${image}}\n`;
const kustomization = (entry: string): ManifestText[] => [
  { file: 'apps/kustomization.yaml', text: `images:\n  - name: ghcr.io/acme/flight\n    ${entry}\n` },
];

export const lintCases: Record<LintRule, LintCase> = {
  yaml: {
    about: 'The file is no YAML, has duplicate keys, or expands without bound.',
    verdict: 'fail',
    line: 2,
    says: 'not valid YAML',
    fires: 'a: 1\na: 2\n',
    silent: 'a: 1\n---\na: 2\n',
  },
  'seldon-traffic': {
    about: 'The traffic of the predictors that answer sums to 100; a single one has 0 or 100.',
    verdict: 'fail',
    line: 6,
    says: 'main 80, canary 10',
    fires: predictors(predictor('main', 'traffic: 80, '), predictor('canary', 'traffic: 10, ')),
    silent: predictors(
      predictor('main', 'traffic: 90, '),
      predictor('canary', 'traffic: 10, '),
      predictor('shadow', 'shadow: true, traffic: 50, '),
    ),
  },
  'seldon-zero-traffic': {
    about: 'Traffic 0 is left out on the way, and Ambassador then shares evenly: remove the predictor.',
    verdict: 'fail',
    line: 7,
    says: 'canary has traffic 0',
    fires: predictors(predictor('main', 'traffic: 100, '), predictor('canary', 'traffic: 0, ')),
    silent: predictors(predictor('main', 'traffic: 99, '), predictor('canary', 'traffic: 1, ')),
  },
  'seldon-shadow': {
    about: 'At most one shadow, not alone, with 0 to 100.',
    verdict: 'fail',
    line: 8,
    says: 'at most one',
    fires: predictors(
      predictor('main', 'traffic: 100, '),
      predictor('s1', 'shadow: true, '),
      predictor('s2', 'shadow: true, '),
    ),
    silent: predictors(predictor('main', ''), predictor('s1', 'shadow: true, ')),
  },
  'seldon-predictor-name': {
    about: 'Predictors have names of their own.',
    verdict: 'fail',
    line: 7,
    says: 'named main',
    fires: predictors(predictor('main', 'traffic: 90, '), predictor('main', 'traffic: 10, ')),
    silent: predictors(predictor('main', 'traffic: 90, '), predictor('other', 'traffic: 10, ')),
  },
  'seldon-container': {
    about: 'A unit without an implementation has a container of its name.',
    verdict: 'fail',
    line: 6,
    says: 'containers are: modell',
    fires: predictors(
      `{name: main, componentSpecs: [{spec: {containers: [{name: modell, image: ${pinned}}]}}], graph: {name: model, type: MODEL}}`,
    ),
    silent: predictors(
      `{name: main, componentSpecs: [{spec: {containers: [{name: model, image: ${pinned}}]}}], graph: {name: model, type: MODEL}}`,
    ),
  },
  'seldon-model-uri': {
    about: "A prepackaged server has a `modelUri`, except for Hugging Face's.",
    verdict: 'fail',
    line: 6,
    says: 'XGBOOST_SERVER',
    fires: unit('name: clf, implementation: XGBOOST_SERVER'),
    silent: unit('name: clf, implementation: HUGGINGFACE_SERVER'),
  },
  'seldon-no-engine': {
    about: 'Without an engine a graph has one unit.',
    verdict: 'fail',
    line: 6,
    says: '2 units',
    fires: predictors(
      '{name: main, annotations: {seldon.io/no-engine: "true"}, graph: {name: a, implementation: SIMPLE_MODEL, children: [{name: b, implementation: SIMPLE_MODEL}]}}',
    ),
    silent: predictors(
      '{name: main, annotations: {seldon.io/no-engine: "true"}, graph: {name: a, implementation: SIMPLE_MODEL}}',
    ),
  },
  'seldon-endpoint': {
    about: 'Endpoints are all REST or all gRPC, as `transport` is.',
    verdict: 'fail',
    line: 6,
    says: 'REST at a, GRPC at b',
    fires: unit(
      'name: a, implementation: SIMPLE_MODEL, endpoint: {type: REST}, children: [{name: b, implementation: SIMPLE_MODEL, endpoint: {type: GRPC}}]',
    ),
    silent: unit(
      'name: a, implementation: SIMPLE_MODEL, endpoint: {type: REST}, children: [{name: b, implementation: SIMPLE_MODEL, endpoint: {type: REST}}]',
    ),
  },
  'seldon-logger': {
    about: 'A logger has a mode.',
    verdict: 'fail',
    line: 6,
    says: '`mode`',
    fires: unit('name: clf, implementation: SIMPLE_MODEL, logger: {url: "http://log"}'),
    silent: unit('name: clf, implementation: SIMPLE_MODEL, logger: {mode: all}'),
  },
  'seldon-protocol': {
    about: 'Servers of scikit-learn, XGBoost, MLflow and Hugging Face speak no TensorFlow protocol.',
    verdict: 'fail',
    line: 7,
    says: 'tensorflow',
    fires: seldon(`  protocol: tensorflow\n  predictors:\n    - {name: main, ${graph}}`),
    silent: seldon(`  protocol: v2\n  predictors:\n    - {name: main, ${graph}}`),
  },
  'seldon-branches': {
    about: 'An A/B test has two children, and `n_branches` counts those that there are.',
    verdict: 'fail',
    line: 6,
    says: 'n_branches 3 and has 2 children',
    fires: router('{name: n_branches, value: "3", type: INT}'),
    silent: router('{name: n_branches, value: "2", type: INT}'),
  },
  'seldon-kafka': {
    about: 'A deployment on Kafka names broker and topics.',
    verdict: 'fail',
    line: 7,
    says: 'KAFKA_INPUT_TOPIC, KAFKA_OUTPUT_TOPIC',
    fires: seldon(
      `  serverType: kafka\n  predictors:\n    - {name: main, svcOrchSpec: {env: [{name: KAFKA_BROKER, value: k}]}, ${graph}}`,
    ),
    silent: seldon(
      `  serverType: kafka\n  predictors:\n    - {name: main, svcOrchSpec: {env: [{name: KAFKA_BROKER, value: k}, {name: KAFKA_INPUT_TOPIC, value: i}, {name: KAFKA_OUTPUT_TOPIC, value: o}]}, ${graph}}`,
    ),
  },
  'experiment-default': {
    about: 'The default of an Experiment is one of its candidates.',
    verdict: 'fail',
    line: 4,
    says: 'default c is none of the candidates: a, b',
    fires: experiment(`default: c, ${candidates}`),
    silent: experiment(`default: a, ${candidates}`),
  },
  'experiment-candidates': {
    about: 'An Experiment has a candidate or a mirror, and each once.',
    verdict: 'fail',
    line: 4,
    says: 'neither a candidate nor a mirror',
    fires: experiment('candidates: []'),
    silent: experiment('mirror: {name: c, percent: 50}'),
  },
  'experiment-weights': {
    about: 'Weights are from 0, and one is above; a mirror gets 0 to 100 percent.',
    verdict: 'fail',
    line: 4,
    says: '0, 0',
    fires: experiment('candidates: [{name: a, weight: 0}, {name: b, weight: 0}]'),
    silent: experiment(candidates),
  },
  'experiment-model': {
    about: 'Candidates and mirror are Models (or Pipelines) of these files, if they hold any.',
    verdict: 'warn',
    line: 4,
    says: 'No Model is named b',
    fires: experiment(candidates, ['a']),
    silent: experiment(candidates, ['a', 'b']),
  },
  'kserve-name': {
    about: 'Lower case letters, digits and "-", with a letter first.',
    verdict: 'fail',
    line: 4,
    says: '2flight',
    fires: kserve(null, stable, '2flight'),
    silent: kserve(null, stable),
  },
  'kserve-canary-ignored': {
    about: '`canaryTrafficPercent` works in Knative mode alone; in Standard mode all traffic would move at once.',
    verdict: 'fail',
    line: 7,
    says: 'ignored in the mode RawDeployment',
    fires: kserve('RawDeployment', `  predictor: {canaryTrafficPercent: 10, ${served}}`),
    silent: kserve('Knative', `  predictor: {canaryTrafficPercent: 10, ${served}}`),
  },
  'kserve-canary-mode': {
    about: '`spec.canary` needs the annotation `Standard`, to the letter.',
    verdict: 'fail',
    line: 8,
    says: 'it is RawDeployment',
    fires: kserve('RawDeployment', [stable, '  canary:', canary('v2', 10)].join('\n')),
    silent: canaries(canary('v2', 10)),
  },
  'kserve-canary-model': {
    about: '`spec.canary` needs a stable predictor with a `model`, not bare containers.',
    verdict: 'fail',
    line: 7,
    says: 'refuses one beside containers',
    fires: kserve(
      'Standard',
      `  predictor: {name: v1, containers: [{name: kserve-container, image: ${pinned}}]}\n  canary:\n${canary('v2', 10)}`,
    ),
    silent: canaries(canary('v2', 10)),
  },
  'kserve-canary-names': {
    about: "A canary has a name of its own, which isn't the stable one's.",
    verdict: 'fail',
    line: 9,
    says: 'named v1',
    fires: canaries(canary('v1', 10)),
    silent: canaries(canary('v2', 10), canary('v3', 10)),
  },
  'kserve-canary-traffic': {
    about: 'Percentages are 0 to 100, and all canaries together take at most 100.',
    verdict: 'fail',
    line: 8,
    says: 'take 110 percent',
    fires: canaries(canary('v2', 50), canary('v3', 60)),
    silent: canaries(canary('v2', 50), canary('v3', 50)),
  },
  'kserve-canary-fields': {
    about:
      'A canary takes no autoscaling field, no `workerSpec`, at most the stable `minReplicas`, and its `model` has a `name` (the schema asks for it).',
    verdict: 'fail',
    line: 9,
    says: 'maxReplicas',
    fires: canaries(canary('v2', 10, 'maxReplicas: 3, ')),
    silent: canaries(canary('v2', 10, 'minReplicas: 2, ')),
  },
  'kserve-protocol': {
    about: 'Where nothing says v2, KServe speaks v1, which an image of Passloop and MLServer do not.',
    verdict: 'fail',
    line: 6,
    says: 'absent, which means v1',
    fires: kserve(
      null,
      '  predictor: {model: {modelFormat: {name: sklearn}, runtime: kserve-mlserver, storageUri: "s3://m"}}',
    ),
    silent: kserve(null, stable),
  },
  'kserve-framework': {
    about: '`sklearn:` and its like are rewritten to `model:`, a difference for ever.',
    verdict: 'warn',
    line: 6,
    says: '`sklearn:`',
    fires: kserve(null, '  predictor: {sklearn: {storageUri: "s3://m", protocolVersion: v2}}'),
    silent: kserve(null, stable),
  },
  'istio-weights': {
    about: 'The weights of a route sum to 100: they are shares of their sum.',
    verdict: 'fail',
    line: 7,
    says: 'flight/stable 90, flight/canary 5',
    fires: virtualService(weights(90, 5)),
    silent: virtualService(weights(90, 10)),
  },
  'istio-subset': {
    about: 'A subset stands in the DestinationRule of its host, if these files hold one.',
    verdict: 'fail',
    line: 7,
    says: 'no subset canary; it has: stable',
    fires: [
      { file: 'route.yaml', text: virtualService(weights(90, 10)) },
      { file: 'subsets.yaml', text: subsets('stable') },
    ],
    silent: [
      { file: 'route.yaml', text: virtualService(weights(90, 10)) },
      { file: 'subsets.yaml', text: subsets('stable', 'canary') },
    ],
  },
  'istio-mirror-percent': {
    about: 'Deprecated; `mirrorPercentage` is read.',
    verdict: 'warn',
    line: 7,
    says: 'deprecated',
    fires: virtualService('{route: [{destination: {host: flight}}], mirror: {host: shadow}, mirror_percent: 10}'),
    silent: virtualService(
      '{route: [{destination: {host: flight}}], mirror: {host: shadow}, mirrorPercentage: {value: 10}}',
    ),
  },
  'istio-mirror-all': {
    about: 'Without `mirrorPercentage` every request is mirrored.',
    verdict: 'warn',
    line: 7,
    says: 'mirrored to shadow',
    fires: virtualService('{route: [{destination: {host: flight}}], mirror: {host: shadow}}'),
    silent: virtualService(
      '{route: [{destination: {host: flight}}], mirror: {host: shadow}, mirrorPercentage: {value: 10}}',
    ),
  },
  'rollout-steps': {
    about: 'A step is one of those that Argo Rollouts knows, and weights are percentages.',
    verdict: 'fail',
    line: 6,
    says: 'Step 2 is setwieght',
    fires: rollout('steps: [{setWeight: 10}, {setwieght: 20}]'),
    silent: rollout('steps: [{setWeight: 10}, {pause: {}}, {setWeight: 100}]'),
  },
  'rollout-arguments': {
    about: 'Arguments of an analysis are declared, given, and written `{{args.name}}`.',
    verdict: 'fail',
    line: 6,
    says: 'argument service, which has no default',
    fires: [analysis('{name: servce, value: flight}'), template('{name: service}')].join('---\n'),
    silent: [analysis('{name: service, value: flight}'), template('{name: service}')].join('---\n'),
  },
  'rollout-template': {
    about: 'Templates of an analysis are in these files, if they hold any.',
    verdict: 'warn',
    line: 6,
    says: 'No AnalysisTemplate is named latency',
    fires: [rollout('analysis: {templates: [{templateName: latency}]}'), template('{name: service}')].join('---\n'),
    silent: rollout('analysis: {templates: [{templateName: latency}]}'),
  },
  'owned-weights': {
    about: 'Flagger or Argo Rollouts sets these weights; in Git they are drift.',
    verdict: 'fail',
    line: 7,
    says: 'Flagger (Canary flight) sets the weights',
    fires: [virtualService(weights(90, 10)), flagger('flight')].join('---\n'),
    silent: [virtualService(weights(90, 10)), flagger('other')].join('---\n'),
  },
  'image-tag': {
    about: 'An image is named by tag, which can be moved.',
    verdict: 'warn',
    line: 8,
    says: 'ghcr.io/acme/flight:1.4.0 is named by tag',
    fires: deployment('ghcr.io/acme/flight:1.4.0'),
    silent: deployment(pinned),
  },
  'image-latest': {
    about: 'An image is named `latest`, or without any version.',
    verdict: 'fail',
    line: 8,
    says: 'pushed last',
    fires: deployment('ghcr.io/acme/flight:latest'),
    silent: [{ file: 'd.yaml', text: deployment('ghcr.io/acme/flight') }, ...kustomization(`digest: ${digest}`)],
  },
  'kustomize-key': {
    about:
      '`images` of a kustomization knows `name`, `newName`, `newTag`, `digest`, `tagSuffix`; there is no `newDigest`.',
    verdict: 'fail',
    line: 3,
    says: 'newDigest',
    fires: kustomization(`newDigest: ${digest}`),
    silent: kustomization(`digest: ${digest}`),
  },
  'image-policy': {
    about: "A `$imagepolicy` marker: Flux's image automation sets this field.",
    verdict: 'warn',
    line: 3,
    says: 'flux-system:flight',
    fires: kustomization(`digest: ${digest} # {"$imagepolicy": "flux-system:flight:digest"}`),
    silent: kustomization(`digest: ${digest} # pinned`),
  },
  'image-automation': {
    about: 'An automation writes images on its own: it undoes promotions and rollbacks.',
    verdict: 'warn',
    line: 2,
    says: 'of its own accord',
    fires:
      'apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\nmetadata: {name: all}\nspec: {interval: 5m}\n',
    silent:
      'apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\nmetadata: {name: all}\nspec: {suspend: true}\n',
  },
};
