import type { YamlPath } from '@passloop/core';
import { type LintFinding, say } from './finding.ts';
import { type LintDocument, type LintFile, objectsOf } from './manifest-set.ts';
import { itemsAt, numberAt, repeated, textAt } from './values.ts';

/** Experiments of Seldon Core v2, whose scheduler judges them after everything was applied. */
export function lintSeldonV2(files: readonly LintFile[]): LintFinding[] {
  const models = namesOf(objectsOf(files, 'mlops.seldon.io', 'Model'));
  const pipelines = namesOf(objectsOf(files, 'mlops.seldon.io', 'Pipeline'));
  return objectsOf(files, 'mlops.seldon.io', 'Experiment').flatMap((document) => {
    const isPipeline = textAt(document.value, 'spec', 'resourceType') === 'pipeline';
    return experimentFindings(document, isPipeline ? pipelines : models, isPipeline ? 'Pipeline' : 'Model');
  });
}

function namesOf(documents: readonly LintDocument[]): Set<string> {
  return new Set(documents.flatMap(({ name }) => name ?? []));
}

function experimentFindings(document: LintDocument, known: Set<string>, kind: string): LintFinding[] {
  const findings: LintFinding[] = [];
  const candidates = itemsAt(document.value, ['spec', 'candidates']);
  const names = candidates.map(({ value }) => textAt(value, 'name'));
  const mirror = textAt(document.value, 'spec', 'mirror', 'name');
  if (candidates.length === 0 && mirror === null) {
    const message = 'The experiment has neither a candidate nor a mirror.';
    findings.push(say('experiment-candidates', 'fail', document, ['spec', 'candidates'], message));
  }
  const standard = textAt(document.value, 'spec', 'default');
  if (standard !== null && !names.includes(standard)) {
    const message = `The default ${standard} is none of the candidates: ${names.map((name) => name ?? 'one without a name').join(', ') || 'there are none'}.`;
    findings.push(say('experiment-default', 'fail', document, ['spec', 'default'], message));
  }
  for (const one of repeated(candidates, ({ value }) => textAt(value, 'name'))) {
    const message = `The candidate ${textAt(one.value, 'name')} is listed twice.`;
    findings.push(say('experiment-candidates', 'fail', document, [...one.path, 'name'], message));
  }
  if (mirror !== null && names.includes(mirror)) {
    const message = `${mirror} is a candidate and the mirror of one experiment.`;
    findings.push(say('experiment-candidates', 'fail', document, ['spec', 'mirror', 'name'], message));
  }
  const weights = candidates.map(({ value }) => numberAt(value, 'weight') ?? 0);
  if (candidates.length > 0 && !(weights.every((weight) => weight >= 0) && weights.some((weight) => weight > 0))) {
    const message = `The weights of the candidates are ${weights.join(', ')}: none may be negative, and one must be above 0.`;
    findings.push(say('experiment-weights', 'fail', document, ['spec', 'candidates'], message));
  }
  const percent = numberAt(document.value, 'spec', 'mirror', 'percent');
  if (percent !== null && !(percent >= 0 && percent <= 100)) {
    const message = `The mirror gets ${percent} percent.`;
    findings.push(say('experiment-weights', 'fail', document, ['spec', 'mirror', 'percent'], message));
  }
  // Where no model is at hand, nothing can be said: they may lie in another file.
  if (known.size === 0) return findings;
  for (const { path, value } of candidates) {
    const name = textAt(value, 'name');
    if (name !== null && !known.has(name)) findings.push(unknown(document, [...path, 'name'], kind, name));
  }
  if (mirror !== null && !known.has(mirror)) {
    findings.push(unknown(document, ['spec', 'mirror', 'name'], kind, mirror));
  }
  return findings;
}

function unknown(document: LintDocument, path: YamlPath, kind: string, name: string): LintFinding {
  const message = `No ${kind} is named ${name} in these files.`;
  return say('experiment-model', 'warn', document, path, message, 'Fine where another file holds it.');
}
