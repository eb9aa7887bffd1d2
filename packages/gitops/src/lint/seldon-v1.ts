import type { YamlPath } from '@passloop/core';
import { type LintFinding, say } from './finding.ts';
import { type LintDocument, type LintFile, objectsOf } from './manifest-set.ts';
import { type Fields, itemsAt, numberAt, type Placed, repeated, textAt, valueAt } from './values.ts';

const prepacked = new Set([
  'SKLEARN_SERVER',
  'XGBOOST_SERVER',
  'MLFLOW_SERVER',
  'TENSORFLOW_SERVER',
  'TRITON_SERVER',
  'HUGGINGFACE_SERVER',
  'TEMPO_SERVER',
]);
/** These answer the TensorFlow protocol; no other prepackaged server does. */
const refusesTensorflow = new Set(['SKLEARN_SERVER', 'XGBOOST_SERVER', 'MLFLOW_SERVER', 'HUGGINGFACE_SERVER']);
const kafkaVariables = ['KAFKA_BROKER', 'KAFKA_INPUT_TOPIC', 'KAFKA_OUTPUT_TOPIC'];

/** SeldonDeployments of Core v1: what its admission webhook refuses, and what it takes and serves otherwise. */
export function lintSeldonV1(files: readonly LintFile[]): LintFinding[] {
  return objectsOf(files, 'machinelearning.seldon.io', 'SeldonDeployment').flatMap((document) => {
    const predictors = itemsAt(document.value, ['spec', 'predictors']);
    return [
      ...trafficFindings(document, predictors),
      ...shadowFindings(document, predictors),
      ...nameFindings(document, predictors),
      ...endpointFindings(document, predictors),
      ...kafkaFindings(document, predictors),
      ...predictors.flatMap((predictor) => predictorFindings(document, predictor)),
    ];
  });
}

function isShadow({ value }: Placed<Fields>): boolean {
  return value.shadow === true;
}

function named({ value }: Placed<Fields>): string {
  return textAt(value, 'name') ?? 'without a name';
}

function trafficFindings(document: LintDocument, predictors: readonly Placed<Fields>[]): LintFinding[] {
  const serving = predictors.filter((predictor) => !isShadow(predictor));
  const shares = serving.map(({ value }) => numberAt(value, 'traffic') ?? 0);
  const sum = shares.reduce((total, share) => total + share, 0);
  const [first] = serving;
  if (first === undefined) return [];
  if (serving.length === 1) {
    if (sum === 0 || sum === 100) return [];
    const message = `Predictor ${named(first)} is the only one that answers and has traffic ${shares[0]}; it takes 0 or 100.`;
    return [say('seldon-traffic', 'fail', document, [...first.path, 'traffic'], message, 'Remove `traffic`.')];
  }
  const list = serving.map((one, index) => `${named(one)} ${shares[index]}`).join(', ');
  if (sum !== 100 || shares.some((share) => share < 0)) {
    const message = `The traffic of the predictors is ${list}: it must sum to 100 (a shadow doesn't count).`;
    return [say('seldon-traffic', 'fail', document, [...first.path, 'traffic'], message)];
  }
  // The field is left out when it is 0, and Ambassador then splits evenly (seldon-core #4067).
  return serving
    .filter((_, index) => shares[index] === 0)
    .map((one) => {
      const message = `Predictor ${named(one)} has traffic 0, which is left out on the way and is served as an equal share by Ambassador.`;
      const hint = 'Remove the predictor, or make it the shadow.';
      return say('seldon-zero-traffic', 'fail', document, [...one.path, 'traffic'], message, hint);
    });
}

function shadowFindings(document: LintDocument, predictors: readonly Placed<Fields>[]): LintFinding[] {
  const shadows = predictors.filter(isShadow);
  const findings = shadows.flatMap((shadow) => {
    const share = numberAt(shadow.value, 'traffic') ?? 0;
    if (share >= 0 && share <= 100) return [];
    const message = `The shadow ${named(shadow)} has traffic ${share}; it is a percentage.`;
    return [say('seldon-shadow', 'fail', document, [...shadow.path, 'traffic'], message)];
  });
  const [first, second] = shadows;
  if (second !== undefined) {
    const message = `${shadows.length} predictors are shadows; at most one may be.`;
    findings.push(say('seldon-shadow', 'fail', document, [...second.path, 'shadow'], message));
  } else if (first !== undefined && predictors.length === 1) {
    const message = `The shadow ${named(first)} is the only predictor: nobody would answer.`;
    findings.push(say('seldon-shadow', 'fail', document, [...first.path, 'shadow'], message));
  }
  return findings;
}

function nameFindings(document: LintDocument, predictors: readonly Placed<Fields>[]): LintFinding[] {
  return repeated(predictors, ({ value }) => textAt(value, 'name')).map((one) =>
    say('seldon-predictor-name', 'fail', document, [...one.path, 'name'], `Two predictors are named ${named(one)}.`),
  );
}

function unitsOf(value: unknown, path: YamlPath): Placed<Fields>[] {
  const unit = valueAt(value, path);
  if (typeof unit !== 'object' || unit === null || Array.isArray(unit)) return [];
  const children = itemsAt(value, [...path, 'children']).flatMap((child) => unitsOf(value, child.path));
  return [{ path, value: unit as Fields }, ...children];
}

function endpointFindings(document: LintDocument, predictors: readonly Placed<Fields>[]): LintFinding[] {
  const units = predictors.flatMap(({ path }) => unitsOf(document.value, [...path, 'graph']));
  const typed = units.filter(({ value }) => textAt(value, 'endpoint', 'type') !== null);
  const [first] = typed;
  if (first === undefined) return [];
  const type = textAt(first.value, 'endpoint', 'type') ?? '';
  const other = typed.find(({ value }) => textAt(value, 'endpoint', 'type') !== type);
  if (other !== undefined) {
    const message = `Endpoints of both kinds are in one graph: ${type} at ${named(first)}, ${textAt(other.value, 'endpoint', 'type')} at ${named(other)}.`;
    const path = [...other.path, 'endpoint', 'type'];
    return [say('seldon-endpoint', 'fail', document, path, message, 'Set `spec.transport`, and leave the types out.')];
  }
  const transport = textAt(document.value, 'spec', 'transport');
  if (transport === null || transport.toUpperCase() === type) return [];
  const message = `The transport of the deployment is ${transport}, and ${named(first)} has an endpoint of type ${type}.`;
  return [
    say('seldon-endpoint', 'fail', document, [...first.path, 'endpoint', 'type'], message, 'Leave the type out.'),
  ];
}

function kafkaFindings(document: LintDocument, predictors: readonly Placed<Fields>[]): LintFinding[] {
  if (textAt(document.value, 'spec', 'serverType') !== 'kafka') return [];
  return predictors.flatMap((predictor) => {
    const set = itemsAt(predictor.value, ['svcOrchSpec', 'env']).map(({ value }) => textAt(value, 'name'));
    const missing = kafkaVariables.filter((name) => !set.includes(name));
    if (missing.length === 0) return [];
    const message = `Predictor ${named(predictor)} reads from Kafka and lacks ${missing.join(', ')} in \`svcOrchSpec.env\`.`;
    return [say('seldon-kafka', 'fail', document, predictor.path, message)];
  });
}

function predictorFindings(document: LintDocument, predictor: Placed<Fields>): LintFinding[] {
  const units = unitsOf(document.value, [...predictor.path, 'graph']);
  const containers = new Set(
    itemsAt(predictor.value, ['componentSpecs']).flatMap(({ value }) =>
      itemsAt(value, ['spec', 'containers']).map((one) => textAt(one.value, 'name')),
    ),
  );
  const findings = units.flatMap((unit) => unitFindings(document, unit, containers));
  const isBare = valueAt(predictor.value, ['annotations', 'seldon.io/no-engine']) !== undefined;
  if (isBare && units.length > 1) {
    const message = `Predictor ${named(predictor)} runs without an engine, and its graph has ${units.length} units: only one can be served so.`;
    findings.push(say('seldon-no-engine', 'fail', document, [...predictor.path, 'annotations'], message));
  }
  return findings;
}

function unitFindings(document: LintDocument, unit: Placed<Fields>, containers: Set<string | null>): LintFinding[] {
  const findings: LintFinding[] = [];
  const name = textAt(unit.value, 'name');
  const implementation = textAt(unit.value, 'implementation') ?? 'UNKNOWN_IMPLEMENTATION';
  if (implementation === 'UNKNOWN_IMPLEMENTATION' && !containers.has(name)) {
    const known = [...containers].filter((one) => one !== null).join(', ') || 'none';
    const message = `The unit ${named(unit)} has no container of that name; the containers are: ${known}.`;
    findings.push(say('seldon-container', 'fail', document, [...unit.path, 'name'], message, 'Name both alike.'));
  }
  const uri = textAt(unit.value, 'modelUri') ?? '';
  if (prepacked.has(implementation) && implementation !== 'HUGGINGFACE_SERVER' && uri === '') {
    const message = `The unit ${named(unit)} is served by ${implementation} and has no \`modelUri\`.`;
    findings.push(say('seldon-model-uri', 'fail', document, [...unit.path, 'implementation'], message));
  }
  if (textAt(document.value, 'spec', 'protocol') === 'tensorflow' && refusesTensorflow.has(implementation)) {
    const message = `${implementation} of the unit ${named(unit)} doesn't speak the protocol tensorflow.`;
    findings.push(say('seldon-protocol', 'fail', document, [...unit.path, 'implementation'], message));
  }
  if (valueAt(unit.value, ['logger']) !== undefined && (textAt(unit.value, 'logger', 'mode') ?? '') === '') {
    const message = `The logger of the unit ${named(unit)} has no \`mode\`: all, request or response.`;
    findings.push(say('seldon-logger', 'fail', document, [...unit.path, 'logger'], message));
  }
  return [...findings, ...branchFindings(document, unit, implementation)];
}

/** A router that counts other branches than there are sends requests nowhere. */
function branchFindings(document: LintDocument, unit: Placed<Fields>, implementation: string): LintFinding[] {
  const children = itemsAt(unit.value, ['children']).length;
  if (implementation === 'RANDOM_ABTEST' && children !== 2) {
    const message = `${named(unit)} is an A/B test and has ${children} children; it takes two.`;
    return [say('seldon-branches', 'fail', document, [...unit.path, 'children'], message)];
  }
  const parameter = itemsAt(unit.value, ['parameters']).find(({ value }) => value.name === 'n_branches');
  const said = parameter === undefined ? null : textAt(parameter.value, 'value');
  if (parameter === undefined || said === String(children)) return [];
  const path = [...unit.path, ...parameter.path, 'value'];
  const message = `${named(unit)} routes to n_branches ${said ?? '(no text)'} and has ${children} children.`;
  return [say('seldon-branches', 'fail', document, path, message)];
}
