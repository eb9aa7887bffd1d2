import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { graphManifests } from '@passloop/gitops';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { graphOf, graphShapes } from '../../packages/gitops/src/manifests/graph-cases.ts';
import { SeldonDeployment, SeldonExperiment, SeldonModel } from './seldon-schemas.ts';

/** What is written is held against the schemas of those who read it: a field that they don't know fails. */
const folder = path.join(import.meta.dirname, '../fixtures/crds');
const ajv = new Ajv({ strict: false, allErrors: true });
const image = { repository: 'ghcr.io/acme/flight', digest: `sha256:${'0123456789abcdef'.repeat(4)}` };
const own = [SeldonDeployment, SeldonModel, SeldonExperiment];

type Manifest = { apiVersion: string; kind: string };

function problemsOf(value: Manifest): string[] {
  const seldon = own.find(
    ({ shape }) => shape.apiVersion.value === value.apiVersion && shape.kind.value === value.kind,
  );
  if (seldon !== undefined)
    return seldon.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];
  const file = path.join(folder, `${`${value.apiVersion}/${value.kind}`.replaceAll('/', '-')}.json`);
  const validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')));
  validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** No API server reads it: the command of kustomize does. */
const unchecked = new Set(['kustomize.config.k8s.io/v1beta1']);

describe.each(graphShapes)('%s', (shape) => {
  const { files } = graphManifests({ graph: graphOf(shape), model: 'flight-delay', environment: 'prod', image });
  const objects = files
    .flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS() as Manifest))
    .filter(({ apiVersion }) => !unchecked.has(apiVersion));

  it('fits the schemas', () => {
    expect(objects.length).toBeGreaterThan(0);
    for (const value of objects) expect(problemsOf(value), value.kind).toEqual([]);
  });

  it('would fail with a field more', () => {
    for (const value of objects) {
      const [before] = Object.entries((value as unknown as { spec: Record<string, unknown> }).spec);
      const wrong = { ...value, spec: { ...Object.fromEntries(before === undefined ? [] : [before]), misspelt: 1 } };
      expect(problemsOf(wrong).join('\n'), value.kind).toMatch(/additional|unrecognized/i);
    }
  });
});

it('holds for what the documentation shows for Argo CD and Flux', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/manifests.md'), 'utf8');
  const shown = [...page.matchAll(/^```yaml\n(apiVersion: [\s\S]*?)^```$/gm)].map(([, text = '']) => parse(text));
  expect(shown.map(({ kind }) => kind)).toEqual(['Application', 'Kustomization']);
  for (const value of shown) expect(problemsOf(value), value.kind).toEqual([]);
});

it('is small', () => {
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(1_500_000);
});
