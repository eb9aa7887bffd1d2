import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import type { JobPermissions } from '@passloop/local-github';
import { openOciStore } from '@passloop/record';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPointer } from '../../packages/record/src/fixtures/documents.ts';
import { eventsOf, type WorkflowEvent } from '../runner/events.ts';
import { checkout } from '../world/checkout.ts';
import { beginRun, type EventRun } from '../world/event-run.ts';
import { jobStep } from '../world/job-step.ts';
import { type PullRequest, replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';
import { type Bundle, type BundleRun, layBundle } from './run-bundle.ts';

/**
 * The jobs of a check by the built actions, each in a checkout of its own as actions/checkout makes it, with artifacts between them: plan, train
 * (which gets no token), seal. Real engine, registry, forge and artifact service.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;
let bundle: Bundle;
let pull: PullRequest;
let first: Job;

/** A run of which the first job is over. */
type Job = EventRun & { plan: BundleRun };

beforeAll(async () => {
  folder = await temporaryFolder('check-jobs');
  world = await createWorld({ folder: path.join(folder.path, 'world'), base: 'passloop-base:bookworm' });
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  team = teamOf(world);
  bundle = await layBundle(folder.path);
  // How long a request takes says what else this machine does: verdicts here are of the model alone.
  await replaceText(world.flightsClone, 'passloop.yaml', 'max: 40,', 'max: 40000,');
  await world.git(world.flightsClone, 'commit', '-qam', 'Let a request take its time');
  await world.git(world.flightsClone, 'push', '-q');
  pull = await team.propose({
    branch: 'deeper',
    title: 'Deeper trees',
    change: (clone) => replaceText(clone, 'params.yaml', 'max_depth: 3', 'max_depth: 4'),
  });
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** Begins a run for a pull request: its first job plans. */
async function begin(number: number): Promise<Job> {
  return beginWith(await eventsOf(world.github, world.tokens.team, 'acme/flights').pullRequest(number));
}

async function beginWith(event: WorkflowEvent): Promise<Job> {
  const run = await beginRun(world, folder.path, 'model-check.yml', event);
  const workspace = await checkoutOf(run, event.name === 'pull_request' ? 2 : 0);
  return { ...run, plan: await step(run, 'plan', workspace) };
}

async function checkoutOf({ event }: EventRun, depth = 2): Promise<string> {
  return checkout(world, folder.path, event.ref, depth);
}

const actions = { plan: 'plan-check', train: 'train-candidate', seal: 'seal-candidate', report: 'post-report' };

async function step(
  run: EventRun,
  job: keyof typeof actions,
  workspace: string,
  inputs: Record<string, string> = {},
): Promise<BundleRun> {
  return jobStep(world, bundle, { action: actions[job], workspace, inputs, of: { run, job } });
}

const model = 'flight-delay';

async function train(job: Job, inputs: Record<string, string> = {}): Promise<BundleRun> {
  const [{ stored }] = JSON.parse(job.plan.outputs.models ?? '') as [{ stored: string }];
  const recipient = job.plan.outputs.recipient ?? '';
  return step(job, 'train', await checkoutOf(job), { model, stored, recipient, ...inputs });
}

async function seal(job: Job, inputs: Record<string, string> = {}): Promise<BundleRun> {
  return step(job, 'seal', await checkoutOf(job), { model, plan: job.plan.outputs.plan ?? '', ...inputs });
}

async function reportOf(run: BundleRun) {
  return parseDocument('report', await readFile(run.outputs.document ?? '', 'utf8'), 'the report');
}

function artifactNames(job: Job): string[] {
  return job.handle.artifacts().map(({ name }) => name);
}

/** What is in an artifact, as anybody who may read the repository can see. */
async function namesIn(artifact: number): Promise<string[]> {
  const token = await world.github.createToken({
    login: 'reader',
    repositories: ['acme/flights'],
    permissions: { actions: 'read' },
  });
  const answer = await fetch(`${world.github.restUrl}/repos/acme/flights/actions/artifacts/${artifact}/zip`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const input = Buffer.from(await answer.arrayBuffer());
  const script =
    'import io, json, sys, zipfile\nprint(json.dumps(sorted(zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())).namelist())))';
  return JSON.parse(execFileSync('python3', ['-c', script], { input, encoding: 'utf8' })) as string[];
}

it('plan-check names what the change affects, whose head it is, and to whom rows are encrypted', async () => {
  first = await begin(pull.number);
  const { outputs, log, exitCode, summary } = first.plan;
  expect(exitCode, log).toBe(0);
  expect(outputs).toMatchObject({ verdict: 'pass', error: '', head: pull.head });
  expect(JSON.parse(outputs.models ?? '')).toEqual([{ name: model, stored: 'none' }]);
  expect(outputs.recipient).toMatch(/^age1[0-9a-z]{58}$/);
  const plan = parseDocument('plan', outputs.plan ?? '', 'the plan');
  expect(plan.commit).not.toBe(pull.head);
  expect(plan.base).toEqual({ ref: 'main', commit: await world.git(world.flightsClone, 'rev-parse', 'main') });
  expect(plan.models).toMatchObject([{ name: model, affected: true, store: 'miss' }]);
  expect(summary).toContain('### The model is affected.');
});

it('train-candidate trains and proves without a token, and hands over nothing that can be read', async () => {
  const trained = await train(first);
  expect(trained.exitCode, trained.log).toBe(0);
  expect(trained.outputs).toMatchObject({ verdict: 'pass', error: '' });
  expect(artifactNames(first)).toEqual([`passloop-candidate-${model}`]);
  expect(await namesIn(first.handle.artifacts()[0]?.id ?? 0)).toEqual([
    'files/out/metrics.json.age',
    'files/out/model.joblib.age',
    'files/out/predictions.parquet.age',
    'image-predictions.parquet.age',
    'report.json',
  ]);
  const report = await reportOf(trained);
  expect(report).toMatchObject({ head: pull.head, models: [{ probe: { verdict: 'pass' }, production: null }] });
}, 300_000);

it('seal-candidate keeps run and proof, and holds the candidate against production', async () => {
  const sealed = await seal(first);
  expect(sealed.exitCode, sealed.log).toBe(0);
  expect(sealed.outputs).toMatchObject({ verdict: 'pass', error: '' });
  expect(artifactNames(first)).toEqual([`passloop-candidate-${model}`, `passloop-report-${model}`]);
  const report = await reportOf(sealed);
  expect(report).toMatchObject({
    head: pull.head,
    verdict: 'pass',
    models: [
      {
        outcome: 'first',
        scan: { verdict: 'pass' },
        probe: { verdict: 'pass', predictions: { verdict: 'pass' } },
        comparison: { verdict: 'pass', candidate: { scoredBy: 'image' } },
        run: { producer: { run: expect.stringContaining(`/actions/runs/${first.handle.id}`) } },
      },
    ],
  });
  const store = openOciStore({ repository: `${world.image}-runs`, credentials: null });
  const { runKey } = report.models[0] ?? {};
  expect((await store.findRun(runKey ?? ''))?.run.outputs).toEqual(report.models[0]?.run?.outputs);
}, 300_000);

const allDone = { plan: 'success', train: 'success', seal: 'success' };

async function report(
  job: Job,
  results: Record<string, string> = allDone,
  token: Record<string, string> = {},
): Promise<BundleRun> {
  const needs = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, { result, outputs: {} }]));
  const { plan, head } = results.plan === 'success' ? job.plan.outputs : { plan: '', head: '' };
  const given = { plan: plan ?? '', head: head ?? '', needs: JSON.stringify(needs) };
  // The job checks nothing out.
  return step(job, 'report', folder.path, { ...given, ...token });
}

async function posted(): Promise<{ comments: { body: string }[]; check: Record<string, unknown> | undefined }> {
  const headers = { authorization: `Bearer ${world.tokens.team}` };
  const get = async (route: string) =>
    (await (await fetch(`${world.github.restUrl}/repos/acme/flights/${route}`, { headers })).json()) as unknown;
  const comments = (await get(`issues/${pull.number}/comments`)) as { body: string }[];
  const { check_runs: checks } = (await get(`commits/${pull.head}/check-runs?check_name=passloop`)) as {
    check_runs: Record<string, unknown>[];
  };
  return { comments, check: checks.sort((left, right) => Number(right.id) - Number(left.id))[0] };
}

it('post-report leaves one comment and one check, with a page that the comment links to', async () => {
  const run = await report(first);
  expect(run.exitCode, run.log).toBe(0);
  expect(run.outputs).toMatchObject({ verdict: 'pass', outcome: 'created', error: '' });
  expect(artifactNames(first)).toEqual(expect.arrayContaining(['passloop-report', 'passloop-report.html']));
  const { comments, check } = await posted();
  expect(comments).toHaveLength(1);
  expect(comments[0]?.body).toMatch(/^### ✅ Passed/);
  expect(comments[0]?.body).toMatch(/\[report\]\(\S+\/actions\/runs\/\d+\/artifacts\/\d+\)/);
  expect(check).toMatchObject({ name: 'passloop', conclusion: 'success' });
}, 120_000);

it.each<[string, Record<string, string>, RegExp]>([
  ['sealing failed', { ...allDone, seal: 'failure' }, /The job seal failed or ran out of time/],
  [
    'training failed and nothing was sealed',
    { plan: 'success', train: 'failure', seal: 'skipped' },
    /The job train failed/,
  ],
  ['it was cancelled', { ...allDone, seal: 'cancelled' }, /The job seal was cancelled/],
  ['planning failed', { plan: 'failure', train: 'skipped', seal: 'skipped' }, /the check could not be planned/],
])(
  'a check of which %s fails, whatever lies there under its name',
  async (_what, results, message) => {
    const run = await report(first, results);
    expect(run.exitCode).toBe(1);
    expect(run.outputs).toMatchObject({ verdict: 'fail', error: '', outcome: 'updated' });
    const { comments, check } = await posted();
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toMatch(message);
    expect(check).toMatchObject({ conclusion: 'failure' });
  },
  120_000,
);

it.each<[string, JobPermissions]>([
  ['pull-requests', { checks: 'write' }],
  ['checks', { 'pull-requests': 'write' }],
])(
  'without `%s: write` the verdict is kept, and the line is named',
  async (scope, permissions) => {
    const request = { repository: 'acme/flights', event: first.event.name, permissions };
    const token = await world.github.jobToken(request);
    const run = await report(first, allDone, { token });
    expect(run.exitCode, run.log).toBe(0);
    expect(run.outputs).toMatchObject({ verdict: 'pass', error: '' });
    expect(run.log).toMatch(new RegExp(`::warning.*\`${scope}: write\` is missing under`));
    expect(run.summary).toContain(`\`${scope}:`);
  },
  120_000,
);

it('a second run of the same key trains nothing and starts nothing', async () => {
  const second = await begin(pull.number);
  expect(JSON.parse(second.plan.outputs.models ?? '')).toEqual([{ name: model, stored: 'proof' }]);
  const trained = await train(second);
  expect(trained.exitCode, trained.log).toBe(0);
  expect(trained.log).not.toMatch(/Stage fit|build the image|probe/);
  const sealed = await seal(second);
  expect(sealed.exitCode, sealed.log).toBe(0);
  const report = await reportOf(sealed);
  expect(report).toMatchObject({
    verdict: 'pass',
    models: [{ outcome: 'first', run: { cache: 'hit' }, probe: { verdict: 'pass' }, comparison: { verdict: 'pass' } }],
  });
}, 300_000);

it("production's image is started by the job that seals, where the store has no predictions of it for these rows", async () => {
  await world.git(world.flightsClone, 'checkout', '-q', 'main');
  const pushed = await world.passloop(['package', 'push', '--json', '-']);
  expect(pushed.exitCode, pushed.stderr).toBe(0);
  const image = parseDocument('image', pushed.stdout, 'the image');
  const store = openOciStore({ repository: `${world.image}-runs`, credentials: null });
  await store.writePointer(
    createPointer({
      modelDigest: image.modelDigest,
      imageDigest: image.digest ?? '',
      imageReference: image.reference ?? '',
      runKey: null,
      at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    }),
    null,
  );
  // A runner is a new machine: what is in production is in its registry alone.
  execFileSync(world.docker ?? '', ['image', 'rm', '--force', image.imageId]);
  const job = await begin(pull.number);
  await train(job);
  const sealed = await seal(job);
  expect(sealed.exitCode, sealed.log).toBe(0);
  expect(sealed.log).toMatch(/score by production's image/);
  const [compared] = (await reportOf(sealed)).models;
  expect(compared).toMatchObject({
    outcome: 'compared',
    production: { modelDigest: image.modelDigest },
    comparison: { production: { scoredBy: 'image' }, candidate: { scoredBy: 'image' } },
  });
  expect(compared?.comparison?.metrics.find(({ name }) => name === 'roc_auc')?.interval).not.toBeNull();
}, 300_000);

it('a merge group is held to what it is queued on, and reported on its own head', async () => {
  const group = await world.github.createMergeGroup({ repository: 'acme/flights', pull: pull.number });
  const job = await beginWith(eventsOf(world.github, world.tokens.team, 'acme/flights').mergeGroup(group));
  expect(job.plan.exitCode, job.plan.log).toBe(0);
  expect(job.plan.outputs.head).toBe(group.headSha);
  const plan = parseDocument('plan', job.plan.outputs.plan ?? '', 'the plan');
  expect(plan).toMatchObject({ commit: group.headSha, base: { commit: group.baseSha }, models: [{ affected: true }] });
  expect(JSON.parse(job.plan.outputs.models ?? '')).toEqual([{ name: model, stored: 'proof' }]);
  await group.remove();
}, 120_000);

it('nothing of a fork enters the store, whatever the workflow says; it is compared all the same where the store can be read', async () => {
  const fork = await world.flights.fork({ owner: 'eve' });
  const clone = path.join(folder.path, 'eve');
  const token = await world.github.createToken({ login: 'eve', repositories: ['eve/flights'] });
  await world.git(folder.path, 'clone', '-q', fork.cloneUrlWith(token), clone);
  await replaceText(clone, 'params.yaml', 'max_depth: 3', 'max_depth: 5');
  await world.git(clone, 'commit', '-q', '-am', 'Even deeper trees');
  await world.git(clone, 'push', '-q', 'origin', 'HEAD:refs/heads/deepest');
  const { number } = await world.flights.openPull({ title: 'Even deeper trees', head: 'eve:deepest' });

  const job = await begin(number);
  expect(JSON.parse(job.plan.outputs.models ?? '')).toEqual([{ name: model, stored: 'none' }]);
  expect((await train(job)).outputs.error).toBe('');
  const sealed = await seal(job, { store: 'true' });

  expect(sealed.exitCode, sealed.log).toBe(0);
  const [report] = (await reportOf(sealed)).models;
  expect(report).toMatchObject({ outcome: 'compared', run: { cache: 'miss' }, probe: { verdict: 'pass' } });
  const store = openOciStore({ repository: `${world.image}-runs`, credentials: null });
  expect(await store.findRun(report?.runKey ?? '')).toBeNull();
}, 300_000);

/** A zip as Python's own zipfile writes it. */
function zip(files: Record<string, string>): Buffer {
  const script = `import io, json, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as z:
    for name, text in json.load(sys.stdin).items():
        z.writestr(name, text)
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync('python3', ['-c', script], { input: JSON.stringify(files), maxBuffer: 1 << 26 });
}

it.each<[string, Record<string, string>, RegExp]>([
  ['leads out of its folder', { 'report.json': '{}', '../../../evil.mjs': 'x' }, /was not taken: .*evil\.mjs/],
  ['is no candidate', { 'report.json': '{"schema":"passloop/report/v1"}' }, /was not taken: .*report\.json/],
])(
  'an artifact that %s makes a failing report, which is handed over',
  async (_what, files, message) => {
    const job = await begin(pull.number);
    await job.handle.uploadArtifact(`passloop-candidate-${model}`, zip(files));
    const sealed = await seal(job);
    expect(sealed.exitCode, sealed.log).toBe(0);
    expect(sealed.outputs).toMatchObject({ verdict: 'fail', error: '' });
    const report = await reportOf(sealed);
    expect(report.models[0]?.reasons.join('\n')).toMatch(message);
    expect(artifactNames(job)).toContain(`passloop-report-${model}`);
    expect((await readdir(folder.path)).filter((name) => name.includes('evil'))).toEqual([]);
  },
  120_000,
);

it('without the artifact of the training job the report fails and says why, and a promotion ends there', async () => {
  const job = await begin(pull.number);
  const sealed = await seal(job);
  expect(sealed.exitCode, sealed.log).toBe(0);
  expect(sealed.outputs).toMatchObject({ verdict: 'fail', error: '' });
  expect((await reportOf(sealed)).models[0]?.reasons.join()).toMatch(/the job did not finish: its log says why/);
  const promoted = await seal(await begin(pull.number), { compare: 'false' });
  expect(promoted.exitCode).toBe(1);
  expect(promoted.outputs).toMatchObject({ verdict: 'fail', error: 'infrastructure' });
  expect(promoted.log).toMatch(/::error.*There is no artifact with the candidate of flight-delay/);
}, 120_000);

it('a checkout of another commit than the event is about is refused, and a shallow one says how deep it must be', async () => {
  const job = await begin(pull.number);
  for (const branch of ['deeper', 'main']) {
    await world.git(world.flightsClone, 'checkout', '-q', branch);
    const other = await step(job, 'plan', world.flightsClone);
    expect(other.exitCode).toBe(1);
    expect(other.log).toMatch(/::error.*The checked-out commit [0-9a-f]{12} is not the merge of [0-9a-f]{12} with/);
  }
  const shallow = await step(job, 'plan', await checkoutOf(job, 1));
  expect(shallow.log).toMatch(/::error.*fetch-depth: 2/);
}, 120_000);

it('a store in the workspace is refused with the line that names it', async () => {
  const { number } = await team.propose({
    branch: 'local-store',
    title: 'Keep results in a folder',
    change: async (clone) => {
      const file = path.join(clone, 'passloop.yaml');
      const text = await readFile(file, 'utf8');
      await writeFile(
        file,
        text
          .replace(/store: \{oci: [^}]*\}/, 'store: {directory: .passloop/store}')
          .replaceAll('flight-delay\n    task', 'other\n    task'),
      );
    },
  });
  const job = await begin(number);
  expect(job.plan.exitCode).toBe(1);
  expect(job.plan.outputs).toMatchObject({ verdict: 'fail', error: 'configuration' });
  expect(job.plan.log).toMatch(
    /::error [^\n]*file=passloop\.yaml,line=\d+.*The store of other is the folder \.passloop\/store of the workspace.*store: \{oci: /,
  );
}, 120_000);
