import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { lintChange, lintManifests } from '../lint/lint.ts';
import { editTarget, readTarget } from '../targets.ts';
import { graphOf, graphShapes } from './graph-cases.ts';
import { environmentsText, type GraphManifests, graphManifests } from './graph-manifests.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const next = `sha256:${'fedcba9876543210'.repeat(4)}`;
const image = { repository: 'ghcr.io/acme/flight', digest };

function written(shape: (typeof graphShapes)[number], more: object = {}, model = 'flight-delay'): GraphManifests {
  return graphManifests({ graph: graphOf(shape, more), model, environment: 'prod', image });
}

function lintTexts({ files }: GraphManifests) {
  return files.map(({ path, text }) => ({ file: path, text }));
}

describe.each(graphShapes)('%s', (shape) => {
  const manifests = written(shape);
  const textOf = (file: string) => manifests.files.find(({ path }) => path === file)?.text ?? '';

  it('passes the lint', () => {
    const findings = lintManifests(lintTexts(manifests));
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    // The images of others, which a team names, are pinned too.
    expect(findings).toEqual([]);
  });

  it('gives the same bytes each time', () => {
    expect(written(shape)).toEqual(manifests);
  });

  it('lists its files, and no other, in the kustomization', () => {
    const [kustomization] = parseAllDocuments(textOf('apps/flight-delay/prod/kustomization.yaml'));
    const names = manifests.files.map(({ path }) => path.replace('apps/flight-delay/prod/', ''));
    expect([...(kustomization?.toJS().resources ?? []), 'kustomization.yaml']).toEqual(names);
  });

  it('has targets that read what runs, take the next image, and leave what passes the lint', () => {
    const edited = new Map(manifests.files.map(({ path, text }) => [path, text]));
    for (const { targets } of manifests.environments) {
      for (const target of targets) {
        const text = edited.get(target.file) ?? '';
        const state = readTarget(target, { path: target.file, text, mode: '100644', blob: '' });
        expect(state.problem).toBeNull();
        if (target.kind !== 'istio') expect(state.digest).toBe(digest);
        const after = editTarget(text, target, { repository: image.repository, digest: next, tag: null });
        expect(after).not.toBe(text);
        edited.set(target.file, after);
      }
      const findings = lintChange(
        lintTexts(manifests),
        [...edited].map(([file, text]) => ({ file, text })),
      );
      expect(findings).toEqual([]);
    }
    expect([...edited.values()].join('')).toContain(next);
  });
});

it('goes from canary to stable as the environments say', () => {
  expect(written('kserve').environments).toEqual([
    {
      name: 'prod-canary',
      targets: [
        {
          kind: 'kserve',
          file: 'apps/flight-delay/prod/inferenceservice.yaml',
          name: 'flight-delay',
          slot: 'canary',
          percent: 10,
        },
      ],
    },
    {
      name: 'prod',
      after: 'prod-canary',
      targets: [
        { kind: 'kserve', file: 'apps/flight-delay/prod/inferenceservice.yaml', name: 'flight-delay', slot: 'stable' },
      ],
    },
  ]);
  expect(environmentsText(written('plain').environments)).toBe(
    'environments:\n  - name: prod\n    targets:\n      - {kind: kustomize, file: apps/flight-delay/prod/kustomization.yaml, image: ghcr.io/acme/flight}\n',
  );
});

describe('hostile names', () => {
  /** What go-yaml of YAML 1.1, which Kubernetes uses, would take for something else. */
  it.each(['no', 'y', 'on', 'null', 'e1'])('keeps %s a text, for readers of YAML 1.1 too', (name) => {
    for (const shape of graphShapes) {
      for (const { text } of written(shape, { name }, name).files) {
        for (const version of ['1.1', '1.2'] as const) {
          const kinds = parseAllDocuments(text, { version }).map((document) => document.toJS());
          const named = kinds.filter(({ kind }) => kind !== 'Kustomization');
          for (const { metadata } of named) {
            expect(typeof metadata.name).toBe('string');
            expect(metadata.name.startsWith(name)).toBe(true);
            expect(metadata.labels['app.kubernetes.io/name']).toBe(name);
          }
        }
      }
    }
  });

  it.each(['../../etc', '/etc', 'a/../../b', 'a\\b', ''])('refuses the folder %j', (folder) => {
    expect(() => graphOf('plain', { folder })).toThrow();
  });

  it.each([
    ['an image by tag', 'seldon-v1', { outlier: { image: 'ghcr.io/acme/outlier:1' } }],
    ['a query in an address', 'rollout', { prometheus: 'http://p:9090/{{args.x}}' }],
    ['a line break in an address', 'rollout', { prometheus: 'http://p:9090\nkind: Secret' }],
    ['two shapes at once', 'seldon-v1', { canary: 10, shadow: 10 }],
    ['epsilon for Thompson', 'seldon-v1', { router: { strategy: 'thompson', image: `a/b@${digest}`, epsilon: 0.1 } }],
    ['steps beyond 99', 'rollout', { steps: [100] }],
    ['a quantity of words', 'plain', { resources: { limits: { memory: 'much' } } }],
    ['an unknown key', 'plain', { replica: 2 }],
  ] as const)('refuses %s', (_, shape, more) => {
    expect(() => graphOf(shape, more)).toThrow();
  });
});
