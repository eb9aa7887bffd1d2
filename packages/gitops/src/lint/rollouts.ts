import { type LintFinding, say } from './finding.ts';
import { type LintDocument, type LintFile, objectsOf } from './manifest-set.ts';
import { type Fields, fieldsOf, itemsAt, numberAt, type Placed, textAt, valueAt } from './values.ts';

const stepKinds = new Set([
  'setWeight',
  'pause',
  'setCanaryScale',
  'analysis',
  'experiment',
  'plugin',
  'setHeaderRoute',
  'setMirrorRoute',
  'replicaProgressThreshold',
]);

/** Rollouts and their AnalysisTemplates: steps that aren't any, and arguments that one side doesn't know. */
export function lintRollouts(files: readonly LintFile[]): LintFinding[] {
  const templates = objectsOf(files, 'argoproj.io', 'AnalysisTemplate', 'ClusterAnalysisTemplate');
  return [
    ...objectsOf(files, 'argoproj.io', 'Rollout').flatMap((document) => [
      ...stepFindings(document),
      ...analysesOf(document).flatMap((analysis) => analysisFindings(document, analysis, templates)),
    ]),
    ...templates.flatMap(templateFindings),
  ];
}

function stepFindings(document: LintDocument): LintFinding[] {
  const steps = valueAt(document.value, ['spec', 'strategy', 'canary', 'steps']);
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: unknown, index): LintFinding[] => {
    const path = ['spec', 'strategy', 'canary', 'steps', index];
    const keys = Object.keys(fieldsOf(step) ?? {});
    const [key] = keys;
    if (key === undefined || keys.length > 1 || !stepKinds.has(key)) {
      const message = `Step ${index + 1} is ${keys.join(' and ') || 'nothing'}; a step is one of ${[...stepKinds].join(', ')}.`;
      return [say('rollout-steps', 'fail', document, path, message)];
    }
    const weight = key === 'setWeight' ? (numberAt(step, key) ?? Number.NaN) : 0;
    if (weight >= 0 && weight <= 100) return [];
    return [
      say('rollout-steps', 'fail', document, path, `Step ${index + 1} sets the weight ${weight}; it is a percentage.`),
    ];
  });
}

function analysesOf(document: LintDocument): Placed<Fields>[] {
  const canary = ['spec', 'strategy', 'canary'];
  const blueGreen = ['spec', 'strategy', 'blueGreen'];
  const paths = [
    [...canary, 'analysis'],
    ...itemsAt(document.value, [...canary, 'steps']).map(({ path }) => [...path, 'analysis']),
    [...blueGreen, 'prePromotionAnalysis'],
    [...blueGreen, 'postPromotionAnalysis'],
  ];
  return paths.flatMap((path) => {
    const value = fieldsOf(valueAt(document.value, path));
    return value === null ? [] : [{ path, value }];
  });
}

function analysisFindings(
  document: LintDocument,
  analysis: Placed<Fields>,
  templates: readonly LintDocument[],
): LintFinding[] {
  const findings: LintFinding[] = [];
  const given = itemsAt(document.value, [...analysis.path, 'args']);
  const declared = new Set<string | null>();
  let isWhole = true;
  for (const reference of itemsAt(document.value, [...analysis.path, 'templates'])) {
    const name = textAt(reference.value, 'templateName');
    const isCluster = reference.value.clusterScope === true;
    const kind = isCluster ? 'ClusterAnalysisTemplate' : 'AnalysisTemplate';
    const template = templates.find((one) => one.name === name && one.kind === kind);
    if (template === undefined) {
      isWhole = false;
      // Where none is at hand, they lie in another file.
      if (templates.length === 0 || name === null) continue;
      const message = `No ${kind} is named ${name} in these files.`;
      const path = [...reference.path, 'templateName'];
      findings.push(say('rollout-template', 'warn', document, path, message, 'Fine where another file holds it.'));
      continue;
    }
    for (const argument of itemsAt(template.value, ['spec', 'args'])) {
      const key = textAt(argument.value, 'name');
      declared.add(key);
      const hasDefault = argument.value.value !== undefined || argument.value.valueFrom !== undefined;
      if (hasDefault || given.some(({ value }) => value.name === key)) continue;
      const message = `The template ${name} takes the argument ${key}, which has no default and isn't given here.`;
      findings.push(say('rollout-arguments', 'fail', document, [...analysis.path, 'args'], message));
    }
  }
  if (!isWhole) return findings;
  for (const { path, value } of given) {
    const key = textAt(value, 'name');
    if (declared.has(key)) continue;
    const message = `No template of this analysis takes an argument ${key ?? 'without a name'}; they take: ${[...declared].join(', ') || 'none'}.`;
    findings.push(say('rollout-arguments', 'fail', document, path, message));
  }
  return findings;
}

/** Arguments that a metric uses must be declared, and are written `{{args.name}}`. */
function templateFindings(document: LintDocument): LintFinding[] {
  const declared = new Set(itemsAt(document.value, ['spec', 'args']).map(({ value }) => textAt(value, 'name')));
  return itemsAt(document.value, ['spec', 'metrics']).flatMap((metric) => {
    const text = JSON.stringify(metric.value);
    const findings: LintFinding[] = [];
    if (/\$\{\{\s*args\./.test(text)) {
      const message = `The metric ${textAt(metric.value, 'name') ?? ''} writes \${{ args... }}: an argument is {{args.name}}.`;
      findings.push(say('rollout-arguments', 'fail', document, metric.path, message));
    }
    const used = new Set([...text.matchAll(/\{\{\s*args\.([\w-]+)\s*\}\}/g)].map(([, name = '']) => name));
    for (const name of used) {
      if (declared.has(name)) continue;
      const message = `The metric ${textAt(metric.value, 'name') ?? ''} uses the argument ${name}, which \`spec.args\` doesn't declare.`;
      findings.push(say('rollout-arguments', 'fail', document, metric.path, message));
    }
    return findings;
  });
}
