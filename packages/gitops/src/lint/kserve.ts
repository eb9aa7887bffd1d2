import { type LintFinding, say } from './finding.ts';
import { type LintDocument, type LintFile, objectsOf } from './manifest-set.ts';
import { type Fields, itemsAt, numberAt, type Placed, textAt, valueAt } from './values.ts';

/** Fields of the first API, which the webhook rewrites to `model`: what Git says then never is what the cluster has (kserve #2232). */
const frameworks = [
  'sklearn',
  'xgboost',
  'tensorflow',
  'pytorch',
  'triton',
  'onnx',
  'huggingface',
  'pmml',
  'lightgbm',
  'paddle',
];
const refusedInCanary = ['maxReplicas', 'scaleTarget', 'scaleMetric', 'autoScaling', 'workerSpec'];
const modeAnnotation = 'serving.kserve.io/deploymentMode';

/** InferenceServices: the two canaries, of which each works in one mode, and defaults that surprise. */
export function lintKserve(files: readonly LintFile[]): LintFinding[] {
  return objectsOf(files, 'serving.kserve.io', 'InferenceService').flatMap((document) => {
    const canaries = itemsAt(document.value, ['spec', 'canary']);
    const predictors = [['spec', 'predictor'], ...canaries.map(({ path }) => [...path, 'predictor'])];
    return [
      ...nameFindings(document),
      ...percentFindings(document),
      ...canaryFindings(document, canaries),
      ...predictors.flatMap((path) => predictorFindings(document, path)),
    ];
  });
}

function nameFindings(document: LintDocument): LintFinding[] {
  if (document.name === null || /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(document.name)) return [];
  const message = `${document.name} is no name for an InferenceService: lower case letters, digits and "-", with a letter first.`;
  return [say('kserve-name', 'fail', document, ['metadata', 'name'], message)];
}

function modeOf(document: LintDocument): string | null {
  return textAt(document.value, 'metadata', 'annotations', modeAnnotation);
}

/** `canaryTrafficPercent` splits between Knative revisions; without Knative the new model simply replaces the old one. */
function percentFindings(document: LintDocument): LintFinding[] {
  const path = ['spec', 'predictor', 'canaryTrafficPercent'];
  const percent = numberAt(document.value, ...path);
  if (percent === null) return [];
  if (!(percent >= 0 && percent <= 100)) {
    const message = `canaryTrafficPercent is ${percent}; it is a percentage.`;
    return [say('kserve-canary-traffic', 'fail', document, path, message)];
  }
  const mode = modeOf(document);
  if (mode === 'Standard' || mode === 'RawDeployment') {
    const message = `canaryTrafficPercent is ignored in the mode ${mode}: the new model would get all of the traffic at once.`;
    const hint = 'In this mode a canary is an entry of `spec.canary` (KServe 0.20), with the annotation Standard.';
    return [say('kserve-canary-ignored', 'fail', document, path, message, hint)];
  }
  if (mode !== null) return [];
  const message = `canaryTrafficPercent works in the mode Knative alone, and nothing says that this is the cluster's default.`;
  return [
    say('kserve-canary-ignored', 'warn', document, path, message, `Set the annotation ${modeAnnotation}: Knative.`),
  ];
}

function canaryFindings(document: LintDocument, canaries: readonly Placed<Fields>[]): LintFinding[] {
  if (canaries.length === 0) return [];
  const findings: LintFinding[] = [];
  const mode = modeOf(document);
  if (mode !== 'Standard') {
    const message = `\`spec.canary\` needs the annotation ${modeAnnotation}: Standard, to the letter; it is ${mode ?? 'absent'}.`;
    findings.push(say('kserve-canary-mode', 'fail', document, ['spec', 'canary'], message));
  }
  if (valueAt(document.value, ['spec', 'predictor', 'canaryTrafficPercent']) !== undefined) {
    const message = 'The two canaries, `spec.canary` and `canaryTrafficPercent`, are of different modes.';
    findings.push(say('kserve-canary-mode', 'fail', document, ['spec', 'canary'], message, 'Remove one of them.'));
  }
  const stablePath = ['spec', 'predictor'];
  if (!hasModel(valueAt(document.value, stablePath))) {
    const message = 'A canary needs a stable predictor with a `model`: KServe refuses one beside containers.';
    const hint = 'Write model: {modelFormat, runtime, image} with a ServingRuntime; `passloop manifests` does.';
    findings.push(say('kserve-canary-model', 'fail', document, stablePath, message, hint));
  }
  const taken = new Set([textAt(document.value, 'spec', 'predictor', 'name')]);
  const stable = numberAt(document.value, 'spec', 'predictor', 'minReplicas') ?? 1;
  let sum = 0;
  for (const canary of canaries) {
    const name = textAt(canary.value, 'predictor', 'name');
    const path = [...canary.path, 'predictor'];
    if (name === null || taken.has(name)) {
      const message =
        name === null ? 'A canary needs a `predictor.name` of its own.' : `Two predictors are named ${name}.`;
      findings.push(say('kserve-canary-names', 'fail', document, [...path, 'name'], message));
    }
    taken.add(name);
    for (const field of refusedInCanary) {
      if (valueAt(canary.value, ['predictor', field]) === undefined) continue;
      const message = `A canary has a fixed size: ${field} is refused there.`;
      findings.push(say('kserve-canary-fields', 'fail', document, [...path, field], message));
    }
    if (
      valueAt(canary.value, ['predictor', 'model']) !== undefined &&
      !textAt(canary.value, 'predictor', 'model', 'name')
    ) {
      const message = 'The schema of a canary asks for `model.name`, which that of the stable predictor does not.';
      const hint = 'Write name: kserve-container there.';
      findings.push(say('kserve-canary-fields', 'fail', document, [...path, 'model'], message, hint));
    }
    const replicas = numberAt(canary.value, 'predictor', 'minReplicas');
    if (replicas !== null && !(replicas <= stable)) {
      const message = `The canary has minReplicas ${replicas}, more than the stable predictor's ${stable}.`;
      findings.push(say('kserve-canary-fields', 'fail', document, [...path, 'minReplicas'], message));
    }
    const percent = numberAt(canary.value, 'trafficPercent') ?? Number.NaN;
    sum += percent;
    if (percent >= 0 && percent <= 100) continue;
    const message = `The trafficPercent of a canary is ${percent}; it is a percentage.`;
    findings.push(say('kserve-canary-traffic', 'fail', document, [...canary.path, 'trafficPercent'], message));
  }
  if (sum > 100) {
    const message = `The canaries take ${sum} percent of the traffic.`;
    findings.push(say('kserve-canary-traffic', 'fail', document, ['spec', 'canary'], message));
  }
  return findings;
}

/** As the webhook sees it: a model, one of the old fields, or a container that is told where its model lies. */
function hasModel(predictor: unknown): boolean {
  const isNamed = ['model', ...frameworks].some((key) => valueAt(predictor, [key]) !== undefined);
  const variables = itemsAt(predictor, ['containers']).flatMap(({ value }) => itemsAt(value, ['env']));
  return isNamed || variables.some(({ value }) => value.name === 'STORAGE_URI');
}

function predictorFindings(document: LintDocument, path: (string | number)[]): LintFinding[] {
  const predictor = valueAt(document.value, path);
  const findings: LintFinding[] = [];
  const old = frameworks.find((framework) => valueAt(predictor, [framework]) !== undefined);
  if (old !== undefined) {
    const message = `The webhook rewrites \`${old}:\` to \`model:\`, so a GitOps controller sees a difference for ever.`;
    const hint = `Write model: {modelFormat: {name: ${old}}, ...}.`;
    findings.push(say('kserve-framework', 'warn', document, [...path, old], message, hint));
  }
  return [...findings, ...protocolFindings(document, path, predictor)];
}

/** KServe takes v1 where nobody says otherwise; MLServer, and an image of Passloop, answer v2 alone. */
function protocolFindings(document: LintDocument, path: (string | number)[], predictor: unknown): LintFinding[] {
  const runtime = textAt(predictor, 'model', 'runtime') ?? '';
  if (valueAt(predictor, ['model']) !== undefined) {
    const protocol = textAt(predictor, 'model', 'protocolVersion');
    if (protocol !== null && protocol !== 'v1') return [];
    if (/mlserver|passloop/.test(runtime)) {
      const message = `The runtime ${runtime} answers protocol v2 alone, and protocolVersion is ${protocol ?? 'absent, which means v1'}.`;
      const at = [...path, 'model', ...(protocol === null ? [] : ['protocolVersion'])];
      return [say('kserve-protocol', 'fail', document, at, message, 'Set protocolVersion: v2.')];
    }
    if (protocol !== null) return [];
    const message = 'protocolVersion is absent, which means v1; an image of Passloop answers v2.';
    return [say('kserve-protocol', 'warn', document, [...path, 'model'], message, 'Say which: protocolVersion: v2.')];
  }
  return itemsAt(predictor, ['containers'])
    .slice(0, 1)
    .flatMap((container) => {
      const variable = itemsAt(container.value, ['env']).find(({ value }) => value.name === 'PROTOCOL');
      if (variable !== undefined && textAt(variable.value, 'value') !== 'v1') return [];
      const message = `A custom predictor speaks v1 unless its variable PROTOCOL says v2; an image of Passloop answers v2.`;
      const hint = 'Add env: [{name: PROTOCOL, value: v2}].';
      return [say('kserve-protocol', 'warn', document, [...path, ...container.path], message, hint)];
    });
}
