import { describe, expect, it } from 'vitest';
import { Document, parseAllDocuments } from 'yaml';
import { type LintRule, lintRules } from './finding.ts';
import { lintChange, lintLine, lintManifests, type ManifestText } from './lint.ts';
import { lintCases } from './lint-cases.ts';

function texts(manifests: string | ManifestText[]): ManifestText[] {
  return typeof manifests === 'string' ? [{ file: 'apps/flight.yaml', text: manifests }] : manifests;
}

function findingsOf(rule: LintRule, manifests: string | ManifestText[]) {
  return lintManifests(texts(manifests)).filter((finding) => finding.rule === rule);
}

describe.each(lintRules)('%s', (rule) => {
  const { fires, silent, line, verdict, says } = lintCases[rule];

  it('fires, and says where', () => {
    const [finding] = findingsOf(rule, fires);
    expect(finding).toMatchObject({ rule, line, verdict, message: expect.stringContaining(says) });
  });

  it('is silent for what is right, in which nothing else fails either', () => {
    expect(findingsOf(rule, silent)).toEqual([]);
    expect(lintManifests(texts(silent)).filter((finding) => finding.verdict === 'fail')).toEqual([]);
  });
});

const digest = `sha256:${'a'.repeat(64)}`;

describe('more of a rule', () => {
  const seldon = (predictors: string) =>
    `apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nspec: {predictors: [${predictors}]}\n`;
  const unit = 'graph: {name: a, implementation: SIMPLE_MODEL}';

  it.each([
    ['a single predictor takes 0 or 100', 'seldon-traffic', seldon(`{name: a, traffic: 50, ${unit}}`)],
    [
      'negative traffic sums to 100 and is wrong',
      'seldon-traffic',
      seldon(`{name: a, traffic: 110, ${unit}}, {name: b, traffic: -10, ${unit}}`),
    ],
    ['a shadow alone', 'seldon-shadow', seldon(`{name: a, shadow: true, ${unit}}`)],
    [
      'a shadow beyond 100',
      'seldon-shadow',
      seldon(`{name: a, ${unit}}, {name: b, shadow: true, traffic: 101, ${unit}}`),
    ],
    [
      'a text is no traffic',
      'seldon-traffic',
      seldon(`{name: a, traffic: "90", ${unit}}, {name: b, traffic: 10, ${unit}}`),
    ],
    [
      'a transport against the endpoint',
      'seldon-endpoint',
      `apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nspec: {transport: grpc, predictors: [{name: a, graph: {name: a, implementation: SIMPLE_MODEL, endpoint: {type: REST}}}]}\n`,
    ],
    [
      'an A/B test of one',
      'seldon-branches',
      seldon(
        '{name: a, graph: {name: ab, implementation: RANDOM_ABTEST, children: [{name: x, implementation: SIMPLE_MODEL}]}}',
      ),
    ],
    ['a Helm tag without digest', 'image-tag', 'image:\n  repository: ghcr.io/acme/flight\n  tag: 1.4.0\n'],
    [
      'a Helm release',
      'image-tag',
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {values: {image: {repository: ghcr.io/acme/flight, tag: 1.4.0}}}\n',
    ],
    [
      'an image override of an Application',
      'image-tag',
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {kustomize: {images: ["old=ghcr.io/acme/flight:1.4.0"]}}}\n',
    ],
    [
      "an argument in GitHub's syntax",
      'rollout-arguments',
      `apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nspec: {args: [{name: s}], metrics: [{name: m, provider: {web: {url: "http://\${{ args.s }}"}}}]}\n`,
    ],
    [
      'an updater by annotation',
      'image-automation',
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {annotations: {argocd-image-updater.argoproj.io/image-list: flight}}\n',
    ],
    [
      'weights that Rollouts has moved',
      'owned-weights',
      'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {strategy: {canary: {trafficRouting: {istio: {virtualService: {name: vs}}}}}}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs}\nspec: {http: [{route: [{destination: {host: a}, weight: 80}, {destination: {host: b}, weight: 20}]}]}\n',
    ],
  ] satisfies [string, LintRule, string][])('%s', (_, rule, text) => {
    expect(findingsOf(rule, text)).toHaveLength(1);
  });

  it.each([
    ['Helm with tag and digest', `image:\n  repository: ghcr.io/acme/flight\n  tag: 1.4.0\n  digest: ${digest}\n`],
    ["a chart's own version", 'image:\n  repository: ghcr.io/acme/flight\n  tag: ""\n'],
    [
      'one destination without a weight',
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {http: [{route: [{destination: {host: a}}]}]}\n',
    ],
    ['a list, a text, and nothing', '- a\n---\nplain\n---\n'],
  ])('is silent for %s', (_, text) => {
    expect(lintManifests(texts(text))).toEqual([]);
  });
});

it('names the line in a file of several documents, with Windows line ends and anchors', () => {
  const text = `a: &a {repository: x, tag: "1"}\r\n---\r\n# é\r\nimage: # ☃\r\n  repository: ghcr.io/acme/flight\r\n  tag: "2"\r\nother: &b\r\n  repository: y\r\n  tag: "3"\r\nagain: *b\r\n`;
  expect(lintManifests(texts(text)).map(({ line, message }) => [line, message.split(' ')[0]])).toEqual([
    [1, 'x:1'],
    [6, 'ghcr.io/acme/flight:2'],
    [9, 'y:3'],
    [10, 'y:3'],
  ]);
});

describe('a change', () => {
  const at = (weight: number, other: number, extra = '') =>
    `${extra}apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {http: [{route: [{destination: {host: a}, weight: ${weight}}, {destination: {host: b}, weight: ${other}}]}]}\n`;

  it('fails for what it makes wrong', () => {
    expect(lintChange(texts(at(90, 10)), texts(at(90, 20)))).toMatchObject([
      { rule: 'istio-weights', verdict: 'fail' },
    ]);
  });

  it('warns of what was wrong before, wherever that stands now', () => {
    const findings = lintChange(texts(at(90, 20)), texts(at(90, 20, '# a line more\n')));
    expect(findings).toMatchObject([{ rule: 'istio-weights', verdict: 'warn', line: 5 }]);
  });

  it('fails again where it makes something else of what was wrong', () => {
    expect(lintChange(texts(at(90, 20)), texts(at(90, 30)))).toMatchObject([{ verdict: 'fail' }]);
  });
});

describe('hostile manifests', () => {
  it('refuses a bomb of aliases, as a finding', () => {
    const bomb = ['a: &a [1, 1]', ...Array.from({ length: 40 }, (_, index) => `x${index}: *a`)].join('\n');
    expect(lintManifests(texts(bomb))).toMatchObject([{ rule: 'yaml', verdict: 'fail' }]);
  });

  it('refuses depth before it recurses', () => {
    expect(lintManifests(texts('['.repeat(5000)))).toMatchObject([{ rule: 'yaml' }]);
  });

  it('says names on one line, cut short', () => {
    const name = `a\\n::error::b${'c'.repeat(2000)}`;
    const text = `apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nspec: {predictors: [{name: "${name}", traffic: 5, graph: {name: a, implementation: SIMPLE_MODEL}}]}\n`;
    const [finding] = lintManifests(texts(text));
    expect(finding?.message).not.toMatch(/\n/);
    expect(finding?.message.length).toBeLessThanOrEqual(601);
  });

  it('takes prototype names for names', () => {
    const text =
      'apiVersion: mlops.seldon.io/v1alpha1\nkind: Experiment\nspec: {default: __proto__, candidates: [{name: constructor, weight: 1}]}\n__proto__: {kind: Canary}\n';
    expect(lintManifests(texts(text))).toMatchObject([{ rule: 'experiment-default' }]);
  });
});

it('prints a finding on one line', () => {
  const [finding] = lintManifests(texts(lintCases['kustomize-key'].fires));
  expect(finding === undefined ? '' : lintLine(finding)).toBe(
    "apps/kustomization.yaml:3: The images entry ghcr.io/acme/flight has a key newDigest, which kustomize doesn't know; it knows name, newName, newTag, digest, tagSuffix. The digest is written as `digest:`.",
  );
});

/** Every path of a value. */
function* pathsOf(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value))
    yield* pathsOf(child, [...path, Array.isArray(value) ? Number(key) : key]);
}

describe('a manifest of another shape than anybody expects', () => {
  const strange: unknown[] = [null, -1, 'text', [null], { name: ['x'] }];

  it.each(lintRules.filter((rule) => rule !== 'yaml'))('is judged without an accident: %s', (rule) => {
    let judged = 0;
    for (const { file, text } of texts(lintCases[rule].fires)) {
      const documents = parseAllDocuments(text);
      for (const [index, document] of documents.entries()) {
        for (const path of pathsOf(document.toJS())) {
          for (const value of strange) {
            const changed = documents.map((one) => one.clone());
            if (path.length === 0) changed[index] = new Document(value) as (typeof changed)[number];
            else changed[index]?.setIn(path, value);
            const findings = lintManifests([{ file, text: changed.map(String).join('---\n') }]);
            for (const { line, message } of findings) {
              expect(line).toBeGreaterThan(0);
              expect(message).not.toMatch(/undefined|\[object/);
            }
            judged += 1;
          }
        }
      }
    }
    expect(judged).toBeGreaterThan(20);
  });
});
