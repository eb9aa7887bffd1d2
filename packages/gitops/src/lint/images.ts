import path from 'node:path';
import type { YamlPath } from '@passloop/core';
import { type LintFinding, say } from './finding.ts';
import type { LintDocument, LintFile } from './manifest-set.ts';
import { type Fields, fieldsOf, itemsAt, type Placed, textAt, valueAt } from './values.ts';

const containerLists = new Set(['containers', 'initContainers', 'ephemeralContainers']);
const entryKeys = ['name', 'newName', 'newTag', 'digest', 'tagSuffix'];

/** Images that aren't pinned by digest, wherever a manifest names one. A tag can be moved; a digest is what was tested. */
export function lintImages(files: readonly LintFile[]): LintFinding[] {
  const documents = files.flatMap((file) => file.documents);
  const written = new Set(documents.flatMap((document) => entriesOf(document).flatMap(({ value }) => value.name)));
  return documents.flatMap((document) => {
    if (isKustomization(document)) return entriesOf(document).flatMap((entry) => entryFindings(document, entry));
    if (document.kind === null) return valuesFindings(document, []);
    const entries = entriesOf(document).flatMap((entry) => entryFindings(document, entry));
    return [...entries, ...objectFindings(document, written), ...chartFindings(document)];
  });
}

function isKustomization({ file, kind, group, value }: LintDocument): boolean {
  if (group === 'kustomize.config.k8s.io') return true;
  return kind === null && /^kustomization\.ya?ml$/i.test(path.posix.basename(file)) && fieldsOf(value) !== null;
}

/** `images` of a kustomization, and of a Flux Kustomization, which have one shape. */
function entriesOf(document: LintDocument): Placed<Fields>[] {
  if (isKustomization(document)) return itemsAt(document.value, ['images']);
  return document.group === 'kustomize.toolkit.fluxcd.io' ? itemsAt(document.value, ['spec', 'images']) : [];
}

function entryFindings(document: LintDocument, { path, value }: Placed<Fields>): LintFinding[] {
  const name = textAt(value, 'name') ?? 'without a name';
  const findings = Object.keys(value)
    .filter((key) => !entryKeys.includes(key))
    .map((key) => {
      const message = `The images entry ${name} has a key ${key}, which kustomize doesn't know; it knows ${entryKeys.join(', ')}.`;
      const hint = key === 'newDigest' ? 'The digest is written as `digest:`.' : null;
      return say('kustomize-key', 'fail', document, [...path, key], message, hint);
    });
  const tag = textAt(value, 'newTag');
  if (tag === null || textAt(value, 'digest') !== null) return findings;
  return [...findings, unpinned(document, [...path, 'newTag'], `${textAt(value, 'newName') ?? name}:${tag}`, tag)];
}

/** Containers of any kind, at any depth: Pod templates, component specs, predictors. */
function objectFindings(document: LintDocument, written: ReadonlySet<unknown>): LintFinding[] {
  if (document.kind === 'CustomResourceDefinition') return [];
  const findings: LintFinding[] = [];
  const judge = (image: unknown, at: YamlPath) => {
    if (typeof image !== 'string') return;
    const { repository, tag, digest } = partsOf(image);
    // What a kustomization writes needn't stand here; what is filled in later isn't known.
    if (digest !== null || (tag === null && written.has(repository)) || /\{\{|\$/.test(image)) return;
    findings.push(unpinned(document, at, image, tag));
  };
  walk(document.value, [], (value, at) => {
    const list = at.at(-1);
    if (typeof list === 'string' && containerLists.has(list) && Array.isArray(value)) {
      for (const { path, value: container } of itemsAt(document.value, at)) judge(container.image, [...path, 'image']);
    }
  });
  if (document.kind === 'InferenceService') {
    const predictors = [
      ['spec', 'predictor'],
      ...itemsAt(document.value, ['spec', 'canary']).map((one) => [...one.path, 'predictor']),
    ];
    for (const at of predictors) judge(textAt(document.value, ...at, 'model', 'image'), [...at, 'model', 'image']);
  }
  return findings;
}

/** Values of charts inside of objects: HelmRelease, and the Helm and kustomize parts of an Application. */
function chartFindings(document: LintDocument): LintFinding[] {
  if (document.group === 'helm.toolkit.fluxcd.io') return valuesFindings(document, ['spec', 'values']);
  if (document.group !== 'argoproj.io' || document.kind !== 'Application') return [];
  const sources: YamlPath[] = [
    ['spec', 'source'],
    ...itemsAt(document.value, ['spec', 'sources']).map(({ path }) => path),
  ];
  return sources.flatMap((source) => {
    const images = valueAt(document.value, [...source, 'kustomize', 'images']);
    const overrides = Array.isArray(images) ? images : [];
    return [
      ...valuesFindings(document, [...source, 'helm', 'valuesObject']),
      ...overrides.flatMap((text: unknown, index) => {
        if (typeof text !== 'string') return [];
        const image = text.slice(text.indexOf('=') + 1);
        const { tag, digest } = partsOf(image);
        const at = [...source, 'kustomize', 'images', index];
        return digest !== null || tag === null ? [] : [unpinned(document, at, image, tag)];
      }),
    ];
  });
}

/** Helm's common shape: repository and tag side by side, with a digest in charts that take one. An empty tag is the chart's. */
function valuesFindings(document: LintDocument, root: YamlPath): LintFinding[] {
  const findings: LintFinding[] = [];
  walk(valueAt(document.value, root), root, (value, at) => {
    const repository = textAt(value, 'repository');
    const tag = textAt(value, 'tag') ?? '';
    if (repository === null || tag === '' || tag.includes('sha256:') || (textAt(value, 'digest') ?? '') !== '') return;
    findings.push(unpinned(document, [...at, 'tag'], `${repository}:${tag}`, tag));
  });
  return findings;
}

function unpinned(document: LintDocument, path: YamlPath, image: string, tag: string | null): LintFinding {
  if (tag === null || tag === 'latest') {
    const what = tag === null ? 'names no version' : 'is whatever was pushed last';
    const message = `${image} ${what}: two Pods of one rollout may run two images.`;
    return say('image-latest', 'fail', document, path, message, 'Name a digest: name@sha256:<64 hex>.');
  }
  const message = `${image} is named by tag, which can be moved.`;
  return say('image-tag', 'warn', document, path, message, 'Name a digest: name@sha256:<64 hex>.');
}

function partsOf(image: string): { repository: string; tag: string | null; digest: string | null } {
  const [name = '', digest = null] = image.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return {
    repository: colon < 0 ? name : name.slice(0, colon),
    tag: colon < 0 ? null : name.slice(colon + 1),
    digest,
  };
}

/** Depth is bounded by the parser. */
function walk(value: unknown, path: YamlPath, visit: (value: unknown, path: YamlPath) => void): void {
  visit(value, path);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, [...path, index], visit);
  } else {
    for (const [key, item] of Object.entries(fieldsOf(value) ?? {})) walk(item, [...path, key], visit);
  }
}
