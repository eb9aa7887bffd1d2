import { spawn } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { PromotionDocument, RecordDocument, ReportDocument, RunDocument } from '@passloop/documents';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replaceText, type Team, teamOf } from '../world/team.ts';
import { createWorld, type World } from '../world/world.ts';

/**
 * The road as a team walks it, with the built command, a real GitHub of this machine, a real registry, a real engine and real
 * training. The steps build on one another: one world, in order.
 */
let folder: TemporaryFolder;
let world: World;
let team: Team;
/** Training writes a line here each time it really runs: outside of everything that is declared, so no key sees it. */
let counter: string;
let first: { model: string; image: string };
let second: { commit: string; image: string };

beforeAll(async () => {
  folder = await temporaryFolder('road');
  world = await createWorld({ folder: folder.path, base: 'passloop-base:bookworm' });
  team = teamOf(world);
  counter = path.join(folder.path, 'trainings');
  await writeFile(counter, '');
  expect(world.docker, 'a Docker engine must answer').not.toBeNull();
  await replaceText(
    world.flightsClone,
    'flight_delay/train.py',
    /\nif __name__ == "__main__":\n/,
    `\nif __name__ == "__main__":\n    open(${JSON.stringify(counter)}, "a").write("trained\\n")\n`,
  );
  await world.git(world.flightsClone, 'commit', '-qam', 'Count trainings');
  await world.git(world.flightsClone, 'push', '-q');
  await world.flights.protectBranch('main', { requiredChecks: ['passloop'] });
}, 300_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const noEngine = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

async function document<T>(args: string[], exitCode: number, env: Record<string, string> = {}): Promise<T> {
  const file = path.join(folder.path, 'document.json');
  const answer = await world.passloop([...args, '--json', file], { env });
  expect(answer.exitCode, `passloop ${args.join(' ')}\n${answer.stdout}\n${answer.stderr}`).toBe(exitCode);
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

async function trainings(): Promise<number> {
  return (await readFile(counter, 'utf8')).split('\n').filter((line) => line !== '').length;
}

/** What the engine did meanwhile: builds are told by the images that they tag or commit. */
async function engineEvents<T>(work: () => Promise<T>): Promise<{ result: T; events: string[] }> {
  const child = spawn(
    world.docker as string,
    ['events', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  try {
    const result = await work();
    return { result, events: output.split('\n').filter((line) => line !== '') };
  } finally {
    child.kill('SIGKILL');
  }
}

async function improve(clone: string): Promise<void> {
  await replaceText(clone, 'params.yaml', 'max_iter: 60', 'max_iter: 120');
  await replaceText(clone, 'params.yaml', 'max_depth: 3', 'max_depth: 6');
  await appendFile(path.join(clone, 'params.yaml'), '  - origin_late_3h\n  - destination_late_3h\n');
}

it('adopts what runs already', async () => {
  const run = await document<RunDocument>(['train', 'run'], 0);
  const image = await document<{ digest: string }>(['package', 'push'], 0);
  await team.deployByHand(image.digest);

  const adopted = await document<PromotionDocument>(['adopt'], 0);
  expect(adopted.outcome).toBe('created');
  await team.mergeDeployment();

  const record = JSON.parse(
    await readFile(path.join(world.deployClone, '.passloop/prod/flight-delay.json'), 'utf8'),
  ) as RecordDocument;
  expect(record.modelDigest).toBe(run.modelDigest);
  expect(record.image.digest).toBe(image.digest);
  expect(record.deployment.cause).toBe('adopt');
  first = { model: run.modelDigest, image: image.digest };
  const again = await document<PromotionDocument>(['promote'], 0);
  expect(again.outcome).toBe('already-promoted');
  expect(await trainings()).toBe(1);
}, 300_000);

it('a better model passes its check, is merged, and reaches prod without a second training', async () => {
  const pullRequest = await team.propose({
    branch: 'deeper',
    title: 'Deeper trees',
    change: improve,
  });
  const report = await document<ReportDocument>(
    ['check', '--against', 'origin/main', '--pull-request', String(pullRequest.number)],
    0,
  );
  const [model] = report.models;
  const auc = model?.comparison?.metrics.find((metric) => metric.name === 'roc_auc');
  expect(auc).toMatchObject({ verdict: 'better', gate: 'pass' });
  expect(Number(auc?.interval?.[0])).toBeGreaterThan(0);
  expect(model?.probe?.predictions).toMatchObject({ rows: 60_000, equal: 60_000, verdict: 'pass' });
  expect(model?.outcome).toBe('compared');
  const [comment] = await team.comments(pullRequest);
  expect(comment).toMatch(/^### (✅|⚠️)/);
  expect(await trainings()).toBe(2);

  const merged = await team.merge(pullRequest);
  expect(merged.message).toBe('');
  const before = world.github.log.length;
  const promotion = await document<PromotionDocument>(['promote'], 0);
  const calls = world.github.log.slice(before).filter((call) => call.login === 'passloop-bot');
  console.log(`a promotion: ${calls.map((call) => call.operations.join('+')).join(', ')}`);
  expect(promotion).toMatchObject({ outcome: 'created', change: 'compared' });
  expect(calls.length).toBeLessThanOrEqual(6);
  expect(calls.filter((call) => call.writes).length).toBeLessThanOrEqual(5);
  expect(await trainings()).toBe(2);
  // Sent again while its pull request waits: nothing is proven again, though a latency would be another one.
  const waiting = world.github.log.length;
  const again = await document<PromotionDocument>(['promote'], 0);
  expect(again).toMatchObject({ outcome: 'unchanged', commit: promotion.commit, pullRequest: promotion.pullRequest });
  expect(world.github.log.slice(waiting).filter((call) => call.login === 'passloop-bot')).toHaveLength(1);

  const deployed = await team.mergeDeployment();
  expect(deployed.title).toMatch(/^promote\(flight-delay → prod\)/);
  second = { commit: merged.commit, image: await team.deployedDigest() };
  expect(second.image).not.toBe(first.image);
  const quiet = world.github.log.length;
  expect((await document<PromotionDocument>(['promote'], 0)).outcome).toBe('already-promoted');
  const noop = world.github.log.slice(quiet).filter((call) => call.login === 'passloop-bot');
  console.log(`a no-op: ${noop.map((call) => call.operations.join('+')).join(', ')}`);
  expect(noop.length).toBeLessThanOrEqual(2);
}, 300_000);

it('a change of code that gives the same model is trained once and promotes nothing', async () => {
  const trained = await trainings();
  await appendFile(path.join(world.flightsClone, 'flight_delay/train.py'), '\n# Another key, the same model.\n');
  await world.git(world.flightsClone, 'commit', '-qam', 'Say more');

  const out = path.join(folder.path, 'same-model');

  const promotion = await document<PromotionDocument>(['promote', '--out', out], 0, noEngine);

  expect(promotion.outcome).toBe('already-promoted');
  expect(await trainings()).toBe(trained + 1);
  // No engine was within reach: there was nothing to prove.
  const written = await readdir(out, { recursive: true });
  expect(written.filter((name) => /\.json$/.test(name)).map((name) => path.basename(name))).toContain('run.json');
  expect(written.filter((name) => /(probe|comparison)\.json$/.test(name))).toEqual([]);
  await world.git(world.flightsClone, 'reset', '-q', '--hard', 'HEAD~1');
}, 300_000);

it('broken data is blocked before anything is trained: which column, which rule, how many rows', async () => {
  const pullRequest = await team.propose({
    branch: 'broken',
    title: 'Export again',
    change: async (clone) => {
      const { openTables, writeParquet } = await import('@passloop/tables');
      await using session = await openTables();
      const table = await session.open({ uri: 'data/train.parquet', root: clone });
      await writeParquet(
        session,
        `SELECT * REPLACE (CASE WHEN id % 100 = 0 THEN NULL ELSE distance END AS distance) FROM ${table.relation} ORDER BY id`,
        path.join(clone, 'data/train.parquet'),
      );
      expect((await world.passloop(['data', 'lock'])).exitCode).toBe(0);
    },
  });
  const trained = await trainings();
  const report = await document<ReportDocument>(
    ['check', '--against', 'origin/main', '--pull-request', String(pullRequest.number)],
    1,
  );
  expect(report.models[0]?.reasons[0]).toMatch(/^[\d,]+ rows of `distance` of `train` are null/);
  expect(report.models[0]?.run).toBeNull();
  expect(await trainings()).toBe(trained);
  expect((await team.merge(pullRequest)).merged).toBe(false);
}, 120_000);

it('a worse model is blocked with its whole interval beyond the margin, and a wider margin does not help it', async () => {
  const worse = async (clone: string) => {
    const params = await readFile(path.join(clone, 'params.yaml'), 'utf8');
    await writeFile(
      path.join(clone, 'params.yaml'),
      `${params.slice(0, params.indexOf('features:'))}features:\n  - day_of_week\n  - departure_minute\n  - distance\n  - origin_late_3h\n`,
    );
  };
  const pullRequest = await team.propose({ branch: 'fewer', title: 'Fewer features', change: worse });
  const report = await document<ReportDocument>(
    ['check', '--against', 'origin/main', '--pull-request', String(pullRequest.number)],
    1,
  );
  const auc = report.models[0]?.comparison?.metrics.find((metric) => metric.name === 'roc_auc');
  expect(auc).toMatchObject({ verdict: 'worse', gate: 'fail', margin: '0.005' });
  expect(Number(auc?.interval?.[1])).toBeLessThan(-0.005);
  expect((await team.merge(pullRequest)).merged).toBe(false);

  const wider = await team.propose({
    branch: 'wider',
    title: 'Fewer features, wider margin',
    change: async (clone) => {
      await worse(clone);
      await replaceText(clone, 'passloop.yaml', 'margin: 0.005', 'margin: 0.05');
    },
  });
  const trained = await trainings();
  const loosened = await document<ReportDocument>(
    ['check', '--against', 'origin/main', '--pull-request', String(wider.number)],
    1,
  );
  expect(loosened.models[0]?.reasons[0]).toBe(
    'It loosens its own policy: `gates.roc_auc.margin` `0.005` → `0.05`. An override, `.passloop/overrides/NAME.yaml` with gate, reason and until, would allow it.',
  );
  expect(loosened.models[0]?.comparison?.metrics.find((metric) => metric.name === 'roc_auc')).toMatchObject({
    margin: '0.005',
    verdict: 'worse',
  });
  expect(await trainings()).toBe(trained);
  expect((await team.merge(wider)).merged).toBe(false);
}, 300_000);

it('git revert brings the old image back: nothing is trained, nothing is built, and the reverted model stays out', async () => {
  const revert = await team.proposeRevert({
    branch: 'revert-deeper',
    title: 'Revert "Deeper trees"',
    commits: [second.commit],
  });
  const trained = await trainings();
  const report = await document<ReportDocument>(
    ['check', '--against', 'origin/main', '--pull-request', String(revert.number)],
    0,
  );
  expect(report.models[0]?.outcome).toBe('rollback');
  expect(report.models[0]?.run?.cache).toBe('hit');
  expect((await team.merge(revert)).message).toBe('');

  const before = world.github.log.length;
  // No engine is within reach, and none is missed.
  const { result: promotion, events } = await engineEvents(() => document<PromotionDocument>(['promote'], 0, noEngine));
  const calls = world.github.log.slice(before).filter((call) => call.login === 'passloop-bot');
  console.log(`a rollback: ${calls.map((call) => call.operations.join('+')).join(', ')}`);
  expect(promotion).toMatchObject({ outcome: 'created', change: 'rollback' });
  expect(calls.length).toBeLessThanOrEqual(6);
  expect(calls.filter((call) => call.writes).length).toBeLessThanOrEqual(5);
  // Of this world's images: another test may use the same engine.
  expect(events.filter((event) => event.startsWith('image') && event.includes(world.image))).toEqual([]);
  expect(await trainings()).toBe(trained);
  await team.mergeDeployment();
  expect(await team.deployedDigest()).toBe(first.image);
  // What the next push does first: it sees the merged promotion, changes nothing, and tells the store what production is.
  expect((await document<PromotionDocument>(['promote'], 0)).outcome).toBe('already-promoted');

  const again = await team.proposeRevert({ branch: 'again', title: 'Deeper trees, again', commits: ['HEAD'] });
  expect(
    (await document<ReportDocument>(['check', '--against', 'origin/main', '--pull-request', String(again.number)], 1))
      .models[0]?.outcome,
  ).toBe('held');
  const held = await document<PromotionDocument>(['promote'], 1);
  expect(held.outcome).toBe('held');
  expect(held.reason).toMatch(/passloop hold sha256:[0-9a-f]{64} --lift/);
  expect(await team.deployedDigest()).toBe(first.image);
  await world.git(world.flightsClone, 'checkout', '-q', '-f', 'main');
}, 300_000);

it('git revert typed by hand in the deploy repository holds too: an unrelated push to the model repository promotes nothing', async () => {
  // A model that nobody has seen: its key is unknown, so the promotion trains it first.
  await improve(world.flightsClone);
  await replaceText(world.flightsClone, 'params.yaml', 'learning_rate: 0.1', 'learning_rate: 0.08');
  await world.git(world.flightsClone, 'commit', '-qam', 'Deeper trees that learn slowly');
  const trained = await trainings();
  const promoted = await document<PromotionDocument>(['promote'], 0);
  expect(promoted).toMatchObject({ outcome: 'created', change: 'compared' });
  expect(await trainings()).toBe(trained + 1);
  await team.mergeDeployment();
  expect(await team.deployedDigest()).not.toBe(first.image);

  await world.git(world.deployClone, 'revert', '--no-edit', 'HEAD');
  await world.git(world.deployClone, 'push', '-q');
  await writeFile(path.join(world.flightsClone, 'README.md'), 'An unrelated change.\n');
  await world.git(world.flightsClone, 'commit', '-qam', 'Say something else');

  const nothing = await document<PromotionDocument>(['promote'], 1);
  expect(nothing.outcome).toBe('held');
  expect(nothing.reason).toMatch(/reverted/);
  expect(await team.deployedDigest()).toBe(first.image);
}, 300_000);

it('a revert whose tree nobody trained, since other changes came between: production goes back at once, the new tree trains next', async () => {
  const main = world.flightsClone;
  await replaceText(main, 'params.yaml', 'learning_rate: 0.08', 'learning_rate: 0.12');
  await world.git(main, 'commit', '-qam', 'Learn fast');
  const regretted = await world.git(main, 'rev-parse', 'HEAD');
  expect(await document<PromotionDocument>(['promote'], 0)).toMatchObject({ outcome: 'created', change: 'compared' });
  await team.mergeDeployment();
  expect(await team.deployedDigest()).not.toBe(first.image);
  await replaceText(main, 'params.yaml', 'max_iter: 120', 'max_iter: 110');
  await world.git(main, 'commit', '-qam', 'Fewer trees');
  await world.git(main, 'revert', '--no-edit', regretted);
  const trained = await trainings();

  const back = await document<PromotionDocument>(['promote'], 0);
  expect(back).toMatchObject({ outcome: 'created', change: 'rollback' });
  expect(await trainings()).toBe(trained);
  await team.mergeDeployment();
  expect(await team.deployedDigest()).toBe(first.image);

  const next = await document<PromotionDocument>(['promote'], 0);
  expect(next).toMatchObject({ outcome: 'created', change: 'compared' });
  expect(await trainings()).toBe(trained + 1);
  const hold = `.passloop/holds/flight-delay`;
  expect(await world.git(world.deployClone, 'ls-files', hold)).not.toBe('');
}, 300_000);

it('explain tells the whole chain of what runs, and every link holds', async () => {
  const answer = await world.passloop(['explain', first.image]);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  expect(answer.stdout).toContain(first.model);
  expect(answer.stdout).toMatch(/ok {4}manifest/);
  expect(answer.stdout).toMatch(/ok {4}image/);
  expect(answer.stdout).toMatch(/ok {4}run/);
  expect(answer.stdout).toMatch(/ok {4}key/);
}, 60_000);
