import type { Target } from '@passloop/model';
import { expect, it } from 'vitest';
import { editTarget, editWarnings, readTarget } from '../targets.ts';
import { file } from '../testing/records.ts';
import { fixtureText, image, olderDigest } from './target-cases.ts';

const path = 'apps/x.yaml';

function target(fields: Record<string, unknown>): Target {
  return { file: path, ...fields } as Target;
}

type Refusal = [what: string, target: Record<string, unknown>, text: string, message: RegExp, hint?: RegExp];

const deployments = ['a', 'b']
  .map(
    (name) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec: {template: {spec: {containers: [{name: m, image: r}]}}}\n`,
  )
  .join('---\n');
const pod = (containers: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: ${containers}}}\n`;
const seldon = (predictors: string) =>
  `apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: a}\nspec: {predictors: ${predictors}}\n`;
const kserve = (mode: string, spec: string) =>
  `apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a${mode === '' ? '' : `, annotations: {serving.kserve.io/deploymentMode: ${mode}}`}}\nspec: ${spec}\n`;
const application = (spec: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: ${spec}\n`;
const routes = (http: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {http: ${http}}\n`;
const oci = '{predictor: {model: {storageUri: "oci://ghcr.io/acme/flight"}}}';
const canary = { kind: 'kserve', slot: 'canary', percent: 10 };

it.each<Refusal>([
  [
    'several workloads',
    { kind: 'workload' },
    deployments,
    /several that fit: Deployment a \(line 1\), Deployment b \(line 6\)/,
    /`name` of the target/,
  ],
  ['a workload of another name', { kind: 'workload', name: 'c' }, deployments, /no .* named c; it holds Deployment a/],
  [
    'a Deployment of another group',
    { kind: 'workload' },
    'apiVersion: example.com/v1\nkind: Deployment\n',
    /holds no Deployment/,
  ],
  ['no workload at all', { kind: 'workload' }, 'a: 1\n', /holds no Deployment.*a document without kind \(line 1\)/],
  [
    'several containers',
    { kind: 'workload' },
    pod('{containers: [{name: x, image: r}, {name: y, image: r}]}'),
    /has 2 containers/,
    /x \(line 4\), y \(line 4\)/,
  ],
  [
    'several containers of one image',
    { kind: 'workload', image: 'r' },
    pod('{containers: [{name: x, image: r}, {name: y, image: "r:1"}]}'),
    /2 containers with an image of r/,
  ],
  [
    'an init container unnamed',
    { kind: 'workload' },
    pod('{initContainers: [{name: x, image: r}]}'),
    /has no container/,
    /x \(line 4\)/,
  ],
  [
    'a container that is none',
    { kind: 'workload', container: 'modle' },
    pod('{containers: [{name: proxy, image: r}, {name: model, image: r}]}'),
    /no container named modle/,
    /^Say which by `container`: model/,
  ],
  ['a container without image', { kind: 'workload' }, pod('{containers: [{name: x}]}'), /has no image/],
  [
    'a container list as an alias',
    { kind: 'workload' },
    `x-c: &c [{name: x, image: r}]\n${pod('{containers: *c}')}`,
    /must be a list/,
    /alias/,
  ],
  [
    'a pod out of a merge key',
    { kind: 'workload' },
    `x-p: &p {containers: [{name: x, image: r}]}\n${pod('{<<: *p}')}`,
    /merge key/,
  ],
  [
    'an image that is no reference',
    { kind: 'workload' },
    pod('{containers: [{name: x, image: "a b"}]}'),
    /no image reference/,
  ],
  [
    'an image that is a number',
    { kind: 'workload' },
    pod('{containers: [{name: x, image: 1.20}]}'),
    /must be a string/,
  ],
  [
    'a Rollout that refers elsewhere',
    { kind: 'workload' },
    'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {workloadRef: {name: x}}\n',
    /no pod template/,
    /workloadRef/,
  ],
  [
    'values that are not there',
    { kind: 'helm-values', address: 'imag' },
    'image: {tag: v1}\nother: 1\n',
    /has no imag\b/,
    /Nearest: image\.tag/,
  ],
  [
    'values without tag and digest',
    { kind: 'helm-values', address: 'image' },
    'image: {repository: r}\n',
    /neither tag nor digest/,
  ],
  [
    'a digest that is none',
    { kind: 'helm-values', address: 'image' },
    'image: {digest: latest}\n',
    /"latest", which is no digest/,
  ],
  ['a tag that is a number', { kind: 'helm-values', address: 'image' }, 'image: {tag: 1.20}\n', /must be a string/],
  [
    'values in two documents',
    { kind: 'helm-values', address: 'image' },
    'image: r\n---\nimage: r\n',
    /several documents: line 1, line 3/,
  ],
  [
    'an Application without that image',
    { kind: 'argocd', image: 'ghcr.io/acme/flight' },
    application('{source: {kustomize: {images: ["ghcr.io/acme/fligth:1"]}}}'),
    /no kustomize image ghcr\.io\/acme\/flight/,
    /It has: ghcr\.io\/acme\/fligth/,
  ],
  [
    'an image in two sources',
    { kind: 'argocd', image: 'r' },
    application('{sources: [{kustomize: {images: ["r:1"]}}, {kustomize: {images: ["r:2"]}}]}'),
    /has 2 of kustomize image r/,
  ],
  [
    'a parameter that is not there',
    { kind: 'argocd', parameter: 'image.tag' },
    application('{source: {helm: {parameters: [{name: image.tga, value: "1"}]}}}'),
    /no Helm parameter image\.tag/,
    /image\.tga/,
  ],
  [
    'a parameter twice',
    { kind: 'argocd', parameter: 'a' },
    application('{source: {helm: {parameters: [{name: a, value: "1"}, {name: a, value: "2"}]}}}'),
    /2 entries whose name is a/,
  ],
  [
    'values as one text',
    { kind: 'argocd', address: 'image' },
    application('{source: {helm: {values: "image: r"}}}'),
    /no helm\.valuesObject/,
    /`helm\.values` is one text/,
  ],
  [
    'a Flux Kustomization without images',
    { kind: 'flux-kustomization', image: 'r' },
    'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {}\n',
    /no spec\.images/,
    /- name: r/,
  ],
  [
    'a kustomization in place of a Flux one',
    { kind: 'flux-kustomization', image: 'r' },
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: r}]\n',
    /holds no Kustomization/,
    /kustomize\.toolkit\.fluxcd\.io/,
  ],
  [
    'a HelmRelease without values',
    { kind: 'flux-helmrelease', address: 'image' },
    'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {}\n',
    /no spec\.values/,
  ],
  [
    'a HelmRelease with other values',
    { kind: 'flux-helmrelease', address: 'image.tag' },
    'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {values: {imag: {tag: x}}}\n',
    /has no image\.tag/,
    /Nearest: imag\.tag/,
  ],
  ['several predictors', { kind: 'seldon-v1' }, seldon('[{name: a}, {name: b}]'), /has 2 predictors/, /a, b/],
  [
    'a predictor that is none',
    { kind: 'seldon-v1', predictor: 'c' },
    seldon('[{name: a}, {name: b}]'),
    /no predictor named c/,
  ],
  [
    'a prepackaged server',
    { kind: 'seldon-v1' },
    seldon('[{name: a, graph: {implementation: SKLEARN_SERVER}}]'),
    /no componentSpecs/,
    /prepackaged/,
  ],
  [
    'two containers of one name',
    { kind: 'seldon-v1', container: 'x' },
    seldon(
      '[{name: a, componentSpecs: [{spec: {containers: [{name: x, image: r}]}}, {spec: {containers: [{name: x, image: r}]}}]}]',
    ),
    /2 containers named x/,
  ],
  [
    'a model in a bucket',
    { kind: 'seldon-v2' },
    'apiVersion: mlops.seldon.io/v1alpha1\nkind: Model\nspec: {storageUri: "s3://m/v1"}\n',
    /"s3:\/\/m\/v1", which names no image/,
  ],
  [
    'a candidate that is none',
    { kind: 'seldon-v2', experiment: 'e', candidate: 'c', weight: 1 },
    'apiVersion: mlops.seldon.io/v1alpha1\nkind: Experiment\nmetadata: {name: e}\nspec: {candidates: [{name: d, weight: 1}]}\n',
    /no candidate c/,
    /It has: d/,
  ],
  [
    'a weight that is none',
    { kind: 'seldon-v2', experiment: 'e', candidate: 'c', weight: 1 },
    'apiVersion: mlops.seldon.io/v1alpha1\nkind: Experiment\nmetadata: {name: e}\nspec: {candidates: [{name: c, weight: "1"}, {name: d}]}\n',
    /whole number/,
  ],
  [
    'a service without mode',
    canary,
    kserve('', oci),
    /doesn't say its deployment mode/,
    /serving\.kserve\.io\/deploymentMode/,
  ],
  ['a mode without canary', canary, kserve('RawDeployment', oci), /RawDeployment, which takes no canary/],
  [
    'a predictor with a bucket',
    { kind: 'kserve', slot: 'stable' },
    kserve('', '{predictor: {model: {storageUri: "gs://m"}}}'),
    /names no image/,
  ],
  [
    'a predictor without image',
    { kind: 'kserve', slot: 'stable' },
    kserve('', '{predictor: {sklearn: {}}}'),
    /names no image/,
  ],
  [
    'several canaries',
    canary,
    kserve(
      'Standard',
      `{predictor: {model: {storageUri: "oci://r"}}, canary: [{trafficPercent: 1, predictor: {name: b, model: {storageUri: "oci://r"}}}, {trafficPercent: 1, predictor: {name: c, model: {storageUri: "oci://r"}}}]}`,
    ),
    /several canaries: line 4, line 4/,
  ],
  [
    'a percent that is none',
    canary,
    kserve('Knative', '{predictor: {canaryTrafficPercent: 101, model: {storageUri: "oci://r"}}}'),
    /from 0 to 100/,
  ],
  [
    'a subset in two routes',
    { kind: 'istio', subset: 'c', weight: 1 },
    routes('[{name: x, route: [{destination: {subset: c}}]}, {name: y, route: [{destination: {subset: c}}]}]'),
    /several places: line 4, line 4/,
    /`route` of the target/,
  ],
  [
    'a subset that is none',
    { kind: 'istio', subset: 'c', weight: 1 },
    routes('[{route: [{destination: {subset: canary}}]}]'),
    /no destination of subset c/,
    /canary/,
  ],
  [
    'a route that is none',
    { kind: 'istio', route: 'z', subset: 'c', weight: 1 },
    routes('[{name: x, route: [{destination: {subset: c}}]}]'),
    /no HTTP route named z/,
    /x/,
  ],
  [
    'the only destination',
    { kind: 'istio', subset: 'c', weight: 1 },
    routes('[{route: [{destination: {subset: c}}]}]'),
    /only destination/,
    /other 99 %/,
  ],
  [
    'a document that is none',
    { kind: 'yaml-path', address: 'a', writes: 'digest', document: 'Job/x' },
    'kind: Job\nmetadata: {name: y}\na: ""\n',
    /holds no document Job\/x/,
    /Job\/y/,
  ],
  [
    'a digest in place of a text',
    { kind: 'yaml-path', address: 'a', writes: 'digest' },
    'a: hello\n',
    /"hello", which is no digest/,
    /writes: reference/,
  ],
  [
    'a reference in place of a text',
    { kind: 'yaml-path', address: 'a', writes: 'reference' },
    'a: hello world\n',
    /no image reference/,
  ],
])('refuses %s', (_, fields, text, message, hint = /./) => {
  const { problem } = readTarget(target(fields), file(path, text));
  let thrown: unknown = null;
  try {
    editTarget(text, target(fields), image);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'configuration', message: expect.stringMatching(message), file: path });
  if (hint.source !== '.') expect(thrown).toMatchObject({ hint: expect.stringMatching(hint) });
  // What can't be edited can't be read either, but for what only an edit needs.
  if (!/neither tag|only destination|deployment mode/.test(String(thrown))) expect(problem).toMatch(message);
});

it('tells apart what a slot of KServe carries', () => {
  const text = fixtureText('kserve-knative.yaml');
  const stable = target({ kind: 'kserve', slot: 'stable' });
  const ten = target(canary);
  const rolling = editTarget(text, ten, image);
  expect(readTarget(stable, file(path, text))).toMatchObject({ value: olderDigest });
  // While the predictor is the canary, nothing names what is stable; without one, the canary is what is stable.
  expect(readTarget(stable, file(path, rolling))).toMatchObject({ value: null, hidden: true, problem: null });
  expect(readTarget(ten, file(path, text))).toMatchObject({ value: olderDigest, hidden: true });
  expect(readTarget(target({ ...canary, percent: 20 }), file(path, rolling))).toMatchObject({
    value: `${image.digest} at 10 %`,
  });
  const standard = fixtureText('kserve-standard.yaml');
  const beside = editTarget(standard, ten, image);
  expect(readTarget(stable, file(path, beside))).toMatchObject({ value: olderDigest });
  expect(readTarget(ten, file(path, beside))).toMatchObject({ value: image.digest });
  const raised = editTarget(beside, target({ ...canary, percent: 50 }), image);
  expect(raised).toBe(beside.replace('trafficPercent: 10', 'trafficPercent: 50'));
});

it('takes a canary away when another image becomes stable, and leaves the name then', () => {
  const other = { ...image, digest: `sha256:${'f'.repeat(64)}` };
  const rolling = editTarget(fixtureText('kserve-standard.yaml'), target(canary), image);
  const promoted = editTarget(rolling, target({ kind: 'kserve', slot: 'stable' }), other);
  expect(promoted).toBe(fixtureText('kserve-standard.yaml').replace(olderDigest, other.digest));
});

it('shares out weights that are no percents, and those which are not written', () => {
  const text = routes(
    '\n  - route:\n    - destination: {subset: a}\n      weight: 1\n    - destination: {subset: b}\n      weight: 1\n    - destination: {subset: c}\n    - destination: {subset: d}\n      weight: 1\n',
  ).replace(/\{http: ([\s\S]*)\}\n$/, '\n  http:$1');
  const edited = editTarget(text, target({ kind: 'istio', subset: 'c', weight: 0 }), image);
  expect([...edited.matchAll(/weight: (\d+)/g)].map((match) => match[1])).toEqual(['34', '33', '0', '33']);
  expect(readTarget(target({ kind: 'istio', subset: 'c', weight: 0 }), file(path, edited)).value).toBe('c=0');
  const all = editTarget(text, target({ kind: 'istio', subset: 'c', weight: 100 }), image);
  expect([...all.matchAll(/weight: (\d+)/g)].map((match) => match[1])).toEqual(['0', '0', '100', '0']);
  const back = editTarget(all, target({ kind: 'istio', subset: 'c', weight: 40 }), image);
  expect([...back.matchAll(/weight: (\d+)/g)].map((match) => match[1])).toEqual(['60', '0', '40', '0']);
});

it("warns where a container isn't a unit of its graph, and where a canary leaves something out", () => {
  const named = target({ kind: 'seldon-v1', predictor: 'a' });
  const text = seldon(
    '[{name: a, graph: {name: model}, componentSpecs: [{spec: {containers: [{name: x, image: r}]}}]}]',
  );
  expect(editWarnings(text, editTarget(text, named, image), named)).toEqual([
    `${path}:4: no unit of the graph is named x, so Seldon doesn't run that container as one; the graph has model.`,
  ]);
  const standard = fixtureText('kserve-standard.yaml');
  expect(editWarnings(standard, editTarget(standard, target(canary), image), target(canary))).toEqual([
    `${path}:7: the canary is written without maxReplicas, which KServe refuses there.`,
  ]);
});

it('writes a tag only where one is known, and never one of another image', () => {
  const unknown = { ...image, tag: null };
  const pinned = target({ kind: 'helm-values', address: 'image' });
  expect(editTarget('image: {tag: v1}\n', pinned, unknown)).toBe(`image: {tag: sha256-a1b2c3d4a1b2@${image.digest}}\n`);
  expect(editTarget(`image: {tag: "v1@${image.digest}"}\n`, pinned, unknown)).toBe(
    `image: {tag: "v1@${image.digest}"}\n`,
  );
  const whole = target({ kind: 'helm-values', address: 'image' });
  expect(editTarget(`image: r:v1@${olderDigest}\n`, whole, unknown)).toBe(`image: r@${image.digest}\n`);
});

it('knows by its name what a scalar of values holds', () => {
  const value = (address: string, text: string) => editTarget(text, target({ kind: 'helm-values', address }), image);
  expect(value('image.tag', 'image: {tag: v1}\n')).toBe(`image: {tag: ik1-c0ffee@${image.digest}}\n`);
  expect(value('imageDigest', 'imageDigest: ""\n')).toBe(`imageDigest: "${image.digest}"\n`);
  expect(value('model', `model: ${olderDigest}\n`)).toBe(`model: ${image.digest}\n`);
  expect(value('model', 'model: r\n')).toBe(`model: r@${image.digest}\n`);
  expect(() => value('imageDigest', 'imageDigest: latest\n')).toThrow(/no digest/);
});
