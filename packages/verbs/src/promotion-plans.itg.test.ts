import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText } from '../../../test/world/team.ts';
import { type ProvenWorld, provenWorld } from './testing/proven-world.ts';

/** `passloop promote --plan` on deploy repositories as public ones are laid out, and the page that shows what it said. */
const root = path.resolve(import.meta.dirname, '../../..');
const repositories = path.join(root, 'test/fixtures/deploy-repositories');
const page = path.join(root, 'docs/promotion-plans.md');
const image = 'ghcr.io/acme/flight-delay';

type PlanCase = {
  layout: string;
  repository: string;
  /** Where a repository is shown twice. */
  title?: string;
  /** As the model file has them. */
  targets: readonly string[];
  exitCode: number;
  /** The lines that differ, by hand; IMAGE and DIGEST are the candidate's. */
  lines: readonly string[];
  /** What is said beside the edits. */
  says?: readonly RegExp[];
};

const cases: readonly PlanCase[] = [
  {
    layout: 'Argo CD, an app of apps: several Applications in one file, the image behind a mirror.',
    repository: 'argocd-apps',
    targets: [`{kind: argocd, file: apps/children.yaml, name: flight-delay, image: ${image}}`],
    exitCode: 0,
    lines: [
      '-        - "IMAGE=registry.example.com/ml/flight-delay:2026-10"   # by hand since the outage',
      '+        - "IMAGE=registry.example.com/ml/flight-delay@DIGEST"   # by hand since the outage',
    ],
  },
  {
    layout: 'kustomize, base and overlays: CRLF, keys in any order, a quoted tag that looks like a number.',
    repository: 'kustomize-overlays',
    targets: [`{kind: kustomize, file: overlays/prod/kustomization.yaml, image: ${image}}`],
    exitCode: 0,
    lines: [
      "-  newTag: '2026.10'      # was 2026.9 until the 3rd",
      "+  digest: 'DIGEST'      # was 2026.9 until the 3rd",
    ],
  },
  {
    layout: 'Helm, a values file an environment: anchors, merge keys, and a block of text that looks like values.',
    repository: 'helm-values',
    targets: ['{kind: helm-values, file: env/prod.yaml, address: models.flight-delay.image}'],
    exitCode: 0,
    lines: [
      '-      tag: "2026.10"        # without quotes a number, and then 2026.1',
      '-      digest: ""',
      '+      tag: "TAG"        # without quotes a number, and then 2026.1',
      '+      digest: "DIGEST"',
    ],
  },
  {
    layout:
      "Flux, clusters that patch a base release: the markers of Flux's image automation stay, and a note says that the two fight.",
    repository: 'flux-fleet',
    targets: ['{kind: flux-helmrelease, file: apps/production/flight-delay-values.yaml, address: server.image}'],
    exitCode: 0,
    lines: [
      '-        tag: 2026.10.01 # {"$imagepolicy": "flux-system:flight-delay:tag"}',
      '+        tag: TAG@DIGEST # {"$imagepolicy": "flux-system:flight-delay:tag"}',
    ],
    says: [/look at .*:\d+: Flux's image automation writes this field too/],
  },
  {
    title: 'flux-fleet, the images of a Kustomization',
    layout:
      'Flux, where a cluster overrides images: a tag that stands alone gives way to the digest, its marker stays.',
    repository: 'flux-fleet',
    targets: [`{kind: flux-kustomization, file: clusters/production/apps.yaml, image: ${image}}`],
    exitCode: 0,
    lines: [
      '-    newTag: 2026.10.01 # {"$imagepolicy": "flux-system:flight-delay:tag"}',
      '+    digest: DIGEST # {"$imagepolicy": "flux-system:flight-delay:tag"}',
    ],
    says: [/look at .*:\d+: Flux's image automation writes this field too/],
  },
  {
    title: 'helm-values, a template',
    layout: 'A template of a chart is no YAML: values are what is edited.',
    repository: 'helm-values',
    targets: ['{kind: workload, file: templates/deployment.yaml, container: model}'],
    exitCode: 2,
    lines: [],
    says: [/templates\/deployment\.yaml/],
  },
  {
    layout:
      'KServe: a share of traffic that this mode ignores is taken away; one in another object of the file is told.',
    repository: 'kserve',
    targets: ['{kind: kserve, file: models/flight-delay.yaml, name: flight-delay, slot: stable}'],
    says: [/look at models\/flight-delay\.yaml:21: canaryTrafficPercent is ignored in the mode Standard/],
    exitCode: 0,
    lines: [
      '-    canaryTrafficPercent: 20   # from when it ran in Knative mode',
      '-        image: "IMAGE:2026-10"',
      '+        image: "IMAGE@DIGEST"',
    ],
  },
  {
    layout: 'Seldon Core v1: a shadow that stays as it is, whose image is an alias.',
    repository: 'seldon-v1',
    targets: ['{kind: seldon-v1, file: serving/flight-delay.yaml, predictor: default, container: classifier}'],
    exitCode: 0,
    lines: ["-          image: 'IMAGE:2026-10'", "+          image: 'IMAGE@DIGEST'"],
  },
  {
    title: 'seldon-v1, the shadow',
    layout: 'The same, but into the shadow: what an alias stands for may be used elsewhere, and isn’t followed.',
    repository: 'seldon-v1',
    targets: ['{kind: seldon-v1, file: serving/flight-delay.yaml, predictor: shadow, container: classifier}'],
    exitCode: 2,
    lines: [],
    says: [/an alias is not followed/],
  },
  {
    layout: 'Seldon Core v2: models and an experiment in one file, the model named.',
    repository: 'seldon-v2',
    targets: ['{kind: seldon-v2, file: serving/flight-delay.yaml, name: flight-delay}'],
    exitCode: 0,
    lines: [
      '-  storageUri: "oci://IMAGE"     # the digest comes by promotions',
      '+  storageUri: "oci://IMAGE@DIGEST"     # the digest comes by promotions',
    ],
  },
  {
    title: 'seldon-v2, with a share of traffic',
    layout: 'The model, and its share of an experiment: the weights keep their sum.',
    repository: 'seldon-v2',
    targets: [
      '{kind: seldon-v2, file: serving/flight-delay.yaml, name: flight-delay}',
      '{kind: seldon-v2, file: serving/flight-delay.yaml, experiment: flight-delay, candidate: flight-delay, weight: 80}',
    ],
    exitCode: 0,
    lines: [
      '-  storageUri: "oci://IMAGE"     # the digest comes by promotions',
      '+  storageUri: "oci://IMAGE@DIGEST"     # the digest comes by promotions',
      '-    weight: 9',
      '-  - {name: flight-delay-next, weight: 1}',
      '+    weight: 80',
      '+  - {name: flight-delay-next, weight: 20}',
    ],
  },
  {
    layout: 'Argo Rollouts behind Istio: the image alone is written, the weights are the controller’s.',
    repository: 'progressive',
    targets: ['{kind: workload, file: apps/flight-delay/rollout.yaml, container: model}'],
    exitCode: 0,
    lines: [`-        image: IMAGE:2026-10@sha256:${'0'.repeat(63)}1`, '+        image: IMAGE:TAG@DIGEST'],
  },
  {
    layout: 'Plain manifests, two of which run the image: nobody guesses which one is meant.',
    repository: 'plain',
    targets: [`{kind: workload, file: k8s/all.yaml, image: ${image}}`],
    exitCode: 2,
    lines: [],
    says: [/Deployment flight-delay-api \(line 5\), CronJob flight-delay-nightly/],
  },
  {
    title: 'plain, both of them',
    layout: 'The same repository with both of them named: one commit.',
    repository: 'plain',
    targets: [
      `{kind: workload, file: k8s/all.yaml, name: flight-delay-api, image: ${image}}`,
      '{kind: workload, file: k8s/all.yaml, name: flight-delay-nightly}',
    ],
    exitCode: 0,
    lines: [
      '-  template: {spec: {containers: [{name: api, image: IMAGE:2026-10}]}}',
      '+  template: {spec: {containers: [{name: api, image: IMAGE@DIGEST}]}}',
      '-  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: score, image: IMAGE:2026-10}]}}}}',
      '+  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: score, image: IMAGE@DIGEST}]}}}}',
    ],
  },
];

let folder: TemporaryFolder;
let proven: ProvenWorld;

beforeAll(async () => {
  folder = await temporaryFolder('plans');
  proven = await provenWorld(folder.path);
}, 60_000);

afterAll(async () => {
  await proven[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** The deploy repository's content and the model file's targets, then the plan as the command prints it. */
async function planInto({ repository, targets }: PlanCase): Promise<{ exitCode: number; text: string }> {
  const { world } = proven;
  const git = (clone: string, ...args: string[]) => world.git(clone, ...args);
  await git(world.deployClone, 'rm', '-rqf', '.');
  await cp(path.join(repositories, repository), world.deployClone, { recursive: true });
  for (const entry of await readdir(path.join(repositories, repository), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.relative(path.join(repositories, repository), path.join(entry.parentPath, entry.name));
    const text = await readFile(path.join(world.deployClone, file), 'utf8');
    await writeFile(path.join(world.deployClone, file), text.replaceAll(image, world.image));
  }
  await git(world.deployClone, 'add', '-A');
  await git(world.deployClone, 'commit', '-qm', `As ${repository}`, '--allow-empty');
  await git(world.deployClone, 'push', '-q', 'origin', 'HEAD:main');

  const listed = targets.map((target) => `            - ${target.replaceAll(image, world.image)}`).join('\n');
  await replaceText(world.flightsClone, 'passloop.yaml', / {10}targets:\n[\s\S]*$/, `          targets:\n${listed}\n`);
  await git(world.flightsClone, 'commit', '-qam', `Deploy to ${repository}`, '--allow-empty');
  const commit = await git(world.flightsClone, 'rev-parse', 'HEAD');
  await proven.prove({ about: { commit, run: null } });

  const heads = () => git(world.deploy.directory, 'for-each-ref', '--format=%(refname) %(objectname)');
  const before = await heads();
  const url = world.deploy.cloneUrlWith(world.tokens.deploy);
  const answer = await world.passloop(['promote', '--plan', '--proof', proven.folder, '--deploy-repo', url], {
    env: { PASSLOOP_DEPLOY_TOKEN: '', GITHUB_TOKEN: '' },
  });
  expect(await heads()).toBe(before);
  const text = answer.exitCode === 0 ? answer.stdout : answer.stderr;
  return {
    exitCode: answer.exitCode,
    text: text.replaceAll(world.image, image).replaceAll(url, 'the deploy repository'),
  };
}

it('keeps the ends of lines: what is printed without them is in the document', async () => {
  const one = cases.find(({ repository }) => repository === 'kustomize-overlays');
  if (one === undefined) throw new Error('the case is gone');
  await planInto(one);
  const { world } = proven;
  const url = world.deploy.cloneUrlWith(world.tokens.deploy);
  const args = ['promote', '--plan', '--proof', proven.folder, '--deploy-repo', url, '--json', '-'];
  const { stdout } = await world.passloop(args, { env: { PASSLOOP_DEPLOY_TOKEN: '', GITHUB_TOKEN: '' } });
  const { edits } = parseDocument('promotion', stdout, 'promotion.json');
  const diff = edits.find(({ file }) => file.endsWith('kustomization.yaml'))?.diff ?? '';
  expect(
    diff
      .split('\n')
      .filter((line) => /^[-+ ](?![-+])/.test(line))
      .every((line) => line.endsWith('\r')),
  ).toBe(true);
}, 60_000);

/** The lines of the diffs in what was printed, without their heads. */
function changedLines(text: string): string[] {
  return text.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));
}

function section(one: PlanCase, text: string): string {
  const declared = ['targets:', ...one.targets.map((target) => `  - ${target}`)].join('\n');
  const shown = text
    .replace(/^read .*\n/, '')
    .replace(/ik1-[0-9a-f]{64}/g, 'ik1-1a2b…')
    .replace(/[0-9]+ lines changed/, 'a new record')
    .trimEnd();
  return `## ${one.title ?? one.repository}\n\n${one.layout}\n\n\`\`\`yaml\n${declared}\n\`\`\`\n\n\`\`\`diff\n$ passloop promote --plan\n${shown}\n\`\`\`\n`;
}

it('changes the addressed lines alone, says what people should look at, and guesses nothing', async () => {
  const sections: string[] = [];
  for (const one of cases) {
    const { exitCode, text } = await planInto(one);
    expect.soft(exitCode, `${one.repository}: ${text}`).toBe(one.exitCode);
    const digest = /sha256:(?!0{63}1)[0-9a-f]{64}/.exec(changedLines(text).join('\n'))?.[0] ?? 'none';
    const lines = changedLines(text).map((line) =>
      line
        .replaceAll(digest, 'DIGEST')
        .replaceAll(image, 'IMAGE')
        .replace(/ik1-[0-9a-f]+/, 'TAG'),
    );
    expect.soft(lines, one.repository).toEqual(one.lines);
    for (const pattern of one.says ?? []) expect.soft(text, one.repository).toMatch(pattern);
    sections.push(section(one, text));
  }
  const text = await readFile(page, 'utf8');
  const [start, end] = ['<!-- plans-start -->', '<!-- plans-end -->'];
  const head = text.slice(0, text.indexOf(start) + start.length);
  await expect(`${head}\n\n${sections.join('\n')}\n${text.slice(text.indexOf(end))}`).toMatchFileSnapshot(page);
}, 120_000);
