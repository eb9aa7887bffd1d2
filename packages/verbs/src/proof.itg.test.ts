import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type {
  ComparedMetric,
  ComparisonDocument,
  DataReport,
  ImageDocument,
  PromotionDocument,
} from '@passloop/documents';
import type { Gate } from '@passloop/model';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPromotionOf } from './open-promotion.ts';
import { planPromotions } from './plan-promotion.ts';
import { promote } from './promote.ts';
import { takeProof } from './proof-check.ts';
import { deploy } from './testing/deployed-world.ts';
import { overwrite, type ProvenWorld, provenWorld } from './testing/proven-world.ts';

/** The half of a promotion that writes, on what another job proved: with no engine, no rows and no training. */
let folder: TemporaryFolder;
let proven: ProvenWorld;

beforeAll(async () => {
  folder = await temporaryFolder('proof');
  proven = await provenWorld(folder.path);
}, 60_000);
afterAll(async () => {
  await proven?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function take(overrides: { env?: Record<string, string>; folder?: string | null } = {}): Promise<PromotionDocument> {
  const context = { ...proven.context, env: { ...proven.context.env, ...overrides.env } };
  return promote(context, { proof: { folder: overrides.folder === undefined ? proven.folder : overrides.folder } });
}

/** Nothing was written, and why. */
async function refusal(overrides: Parameters<typeof take>[0] = {}): Promise<PromotionDocument> {
  const before = proven.writes();
  const document = await take(overrides);
  expect(proven.writes(), 'a call that writes').toBe(before);
  expect(document).toMatchObject({ pullRequest: null, promotionId: null });
  return document;
}

const gate = (comparison: ComparisonDocument, name: string) =>
  comparison.metrics.find((metric) => metric.name === name) as ComparedMetric;

describe('a plan', () => {
  it('asks for the image and its proof where the run is known', async () => {
    const { document } = await planPromotions(proven.context, {});
    expect(document).toMatchObject({
      verdict: 'pass',
      models: [{ name: 'flight-delay', environment: 'prod', needs: 'image', outcome: 'pending' }],
    });
    expect(proven.writes()).toBe(0);
  });
});

describe('a proof is not taken', () => {
  it.each<[string, Parameters<ProvenWorld['prove']>[0], RegExp]>([
    ['of another commit', { about: { commit: 'a'.repeat(40) } }, /of another commit/],
    ['of another environment', { about: { environment: 'staging' } }, /of another environment/],
    ['of another model', { about: { model: 'churn' } }, /of another model/],
    ['of another workflow run', { about: { run: 'https://x/acme/flights/actions/runs/1' } }, /of another workflow run/],
    ['about another image', { about: { imageDigest: sha256('x') } }, /about another model or image/],
    ['about another model digest', { about: { modelDigest: sha256('x') } }, /about another model or image/],
    ['without the report of a dataset', { leave: 'test' }, /it has no data-report-test\.json/],
    [
      'whose report is on other data',
      { edit: { 'data-report': (report: DataReport) => (report.dataset.digest = sha256('x')) } },
      /on other data than the commit locks/,
    ],
    [
      'whose report ran less than is declared',
      { edit: { 'data-report': (report: DataReport) => void report.checks.pop() } },
      /lacks checks that the commit declares/,
    ],
    [
      'with a failing check under a passing verdict',
      {
        edit: {
          'data-report': (report: DataReport) => {
            for (const check of report.checks.slice(0, 1)) check.verdict = 'fail';
          },
        },
      },
      /rows of train fail columns-0/,
    ],
    ['whose run has other outputs', { edit: { run: (run) => void run.outputs.pop() } }, /its run differs/],
    [
      'whose run the store lacks',
      { edit: { run: (run) => (run.runKey = `rk1-${'0'.repeat(64)}`) } },
      /has no run rk1-0/,
    ],
    [
      'whose image was not pushed',
      { edit: { image: (image: ImageDocument) => (image.digest = sha256('x')) } },
      /its image is not the one that was pushed/,
    ],
    ['whose scan refuses the model', { edit: { scan: (scan) => (scan.verdict = 'fail') } }, /its scan does not pass/],
    [
      'whose scan is of another file',
      {
        edit: {
          scan: (scan) => {
            for (const file of scan.files) file.path = 'out/other.joblib';
          },
        },
      },
      /its scan does not pass/,
    ],
    [
      'whose probe was of another image',
      { edit: { probe: (probe) => (probe.target = sha256('x')) } },
      /it probed sha256:/,
    ],
    ['whose probe did nothing', { edit: { probe: (probe) => (probe.executed = 0) } }, /its probe checked nothing/],
    [
      'whose image was not held against the run',
      { edit: { probe: (probe) => (probe.predictions = null) } },
      /predictions were not held against/,
    ],
    [
      'with a failed probe under a passing verdict',
      {
        edit: {
          probe: (probe) => {
            for (const check of probe.checks) check.verdict = 'fail';
          },
        },
      },
      /The image failed its probe: rest\.infer/,
    ],
    [
      'that compared the predictions of the stage',
      { edit: { comparison: (comparison) => (comparison.candidate.scoredBy = 'stage') } },
      /not of the predictions of this image/,
    ],
    [
      'that compared another model',
      { edit: { comparison: (comparison) => (comparison.candidate.digest = sha256('x')) } },
      /not of the predictions of this image/,
    ],
    [
      'that compared with another production',
      { edit: { comparison: (comparison) => (comparison.production = { digest: sha256('x'), scoredBy: 'image' }) } },
      /with another model than the one in production/,
    ],
    [
      'that lacks a gate',
      { edit: { comparison: (comparison) => void comparison.metrics.shift() } },
      /it has 2 metrics, and 3 gates/,
    ],
    [
      'with a bound that was loosened',
      { edit: { comparison: (comparison) => (gate(comparison, 'roc_auc').min = '0.1') } },
      /roc_auc: its bounds are not those of the model file/,
    ],
    [
      'with a value outside its bound',
      { edit: { comparison: (comparison) => (gate(comparison, 'roc_auc').candidate = '0.5') } },
      /roc_auc: 0\.5 is below 0\.65/,
    ],
    [
      'with a gate that was skipped',
      { edit: { comparison: (comparison) => (gate(comparison, 'roc_auc').gate = 'skipped') } },
      /roc_auc: it was skipped/,
    ],
    [
      'with a better verdict than its gates give',
      {
        edit: {
          comparison: (comparison) => {
            Object.assign(gate(comparison, 'roc_auc'), { verdict: 'outside', gate: 'fail', candidate: '0.5' });
          },
        },
      },
      /it says pass, and its gates say fail/,
    ],
    [
      'of a comparison that calls itself a rollback, which no gate blocks',
      { edit: { comparison: (comparison) => (comparison.outcome = 'rollback') } },
      /says rollback, and this is first/,
    ],
    [
      'of a comparison without a row',
      { edit: { comparison: (comparison) => (comparison.rows = 0) } },
      /no row was compared/,
    ],
  ])('%s', async (_, change, reason) => {
    await proven.prove(change);
    const document = await refusal();
    expect(document.outcome).toBe('blocked');
    expect(document.reason).toMatch(reason);
  });

  it('that says itself why it does not pass', async () => {
    await proven.prove({ about: { verdict: 'fail', reason: 'roc_auc is worse.' } });
    expect(await refusal()).toMatchObject({ outcome: 'blocked', reason: 'roc_auc is worse.' });
  });

  it('whose gate is inconclusive in the last environment, whatever the proof makes of it', async () => {
    for (const made of ['warn', 'inconclusive'] as const) {
      await proven.prove({
        edit: {
          comparison: (comparison) => {
            Object.assign(gate(comparison, 'roc_auc'), { verdict: 'inconclusive', gate: made });
            comparison.verdict = made;
          },
        },
      });
      const document = await refusal();
      expect(document.outcome).toBe('blocked');
      expect(document.reason).toMatch(
        made === 'warn' ? /it is inconclusive, and its gate says warn/ : /^ROC AUC cannot be decided/,
      );
    }
  });

  it('with NaN in it, or anything that is no document', async () => {
    await proven.prove();
    const file = path.join(proven.folder, 'comparison.json');
    for (const text of ['{"schema": "passloop/comparison/v1", "rows": NaN}', '', '[]']) {
      await writeFile(file, text);
      expect((await refusal()).reason).toMatch(/comparison\.json is not the file that was proven/);
      await proven.prove();
    }
    await writeFile(path.join(proven.folder, 'proof.json'), 'NaN');
    expect((await refusal()).reason).toMatch(/proof\.json is not JSON/);
  });

  it('with NaN where a document has the digest that the proof names', async () => {
    await proven.prove();
    const text = '{"schema": "passloop/comparison/v1", "rows": NaN}';
    await writeFile(path.join(proven.folder, 'comparison.json'), text);
    await overwrite(proven.folder, 'proof', (proof) => {
      for (const one of proof.files) if (one.path === 'comparison.json') one.digest = sha256(text);
    });
    expect((await refusal()).outcome).toBe('blocked');
  });

  it('whose documents were changed after it was closed', async () => {
    await proven.prove();
    await overwrite(proven.folder, 'comparison', (comparison) => (comparison.rows = 61_000));
    expect((await refusal()).reason).toMatch(/comparison\.json is not the file that was proven/);
  });

  it('where there is none', async () => {
    expect((await refusal({ folder: null })).reason).toMatch(/There is no proof of flight-delay in prod/);
    await proven.prove();
    await rm(path.join(proven.folder, 'proof.json'));
    expect((await refusal()).reason).toMatch(/There is no proof document/);
  });
});

describe('where the store has a hand-over key', () => {
  const identity = 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ';

  async function taken(
    options: Parameters<ProvenWorld['prove']>[0],
    tamper: () => Promise<void> = async () => {},
    model = proven.model,
  ) {
    const { context, workspace, folder: place } = proven;
    await proven.prove(options);
    await tamper();
    const { promotion } = await openPromotionOf(context, workspace, model, {});
    const store = { ...promotion.store, handOverKey: async () => ({ identity, recipient: 'age1x' }) };
    return takeProof({ ...promotion, store }, place);
  }

  it('takes what was sealed under it, and nothing else', async () => {
    expect(await taken({ key: identity })).toMatchObject({ kind: 'proven' });
    for (const key of [null, 'AGE-SECRET-KEY-OF-ANOTHER-STORE']) {
      expect(await taken({ key })).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('its seal is not'),
      });
    }
  });

  it('holds it to the gates of its environment, not to those of the model that they take the place of', async () => {
    const stricter: Gate = { ...proven.model.gates[0]!, metric: 'roc_auc', margin: undefined, min: 0.75, slices: [] };
    const { deploy } = proven.model;
    const environments = deploy!.environments.map((one) => ({ ...one, gates: [{ ...stricter }] }));
    const model = { ...proven.model, deploy: { ...deploy!, environments } };
    /** As its job would have judged it: the environment's gates stand behind the model's. */
    const judged = (comparison: ComparisonDocument, candidate: string) => {
      const [auc, ...others] = comparison.metrics;
      const passes = Number(candidate) >= 0.75;
      const verdict = passes ? ('within' as const) : ('outside' as const);
      const own = {
        ...auc!,
        candidate,
        margin: null,
        min: '0.75',
        verdict,
        gate: passes ? ('pass' as const) : ('fail' as const),
      };
      Object.assign(comparison, { metrics: [...others, own], verdict: own.gate });
    };
    const made = (candidate: string) =>
      taken({ key: identity, edit: { comparison: (comparison) => judged(comparison, candidate) } }, undefined, model);

    expect(await taken({ key: identity }, undefined, model)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('its comparison does not hold: log_loss: roc_auc stands in its place'),
    });
    expect(await made('0.7531')).toMatchObject({ kind: 'proven' });
    expect(await made('0.7431')).toMatchObject({ kind: 'refused', reason: 'ROC AUC is 0.7431, and must be ≥ 0.75.' });
  });

  it('takes nothing where the store has none: anybody could have made it', async () => {
    const { context, workspace, model, folder: place } = proven;
    await proven.prove({ key: null });
    const { promotion } = await openPromotionOf(context, workspace, model, {});
    const store = { ...promotion.store, handOverKey: async () => null };
    expect(await takeProof({ ...promotion, store }, place)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('has no hand-over key'),
    });
  });

  it('notices what was changed under the seal', async () => {
    const proof = await taken({ key: identity }, () =>
      overwrite(proven.folder, 'proof', (document) => (document.verdict = 'warn')),
    );
    expect(proof).toMatchObject({ kind: 'refused', reason: expect.stringContaining('its seal is not') });
  });
});

it('a proof of the production that runs is taken once, and promoted', async () => {
  await proven.prove();
  const document = await take();
  expect(document, document.reason ?? '').toMatchObject({ outcome: 'created', change: 'first', merged: false });
  expect(document.pullRequest?.url).toMatch(/\/acme\/deploy\/pull\/\d+$/);
  const before = proven.writes();
  expect(await take()).toMatchObject({ outcome: 'unchanged', pullRequest: document.pullRequest });
  expect(proven.writes()).toBe(before);
  const { document: plan } = await planPromotions(proven.context, {});
  expect(plan.models[0]).toMatchObject({ needs: 'nothing', outcome: 'unchanged' });
});

it('a proof against an older production is superseded', async () => {
  await using place = await temporaryFolder('proof-moved');
  await using world = await provenWorld(place.path);
  await deploy(world.world, 'meanwhile');
  const before = world.writes();
  const document = await promote(world.context, { proof: { folder: world.folder } });
  expect(document).toMatchObject({
    outcome: 'superseded',
    reason: expect.stringMatching(/^prod moved since this was proven: nothing was recorded, now it runs meanwhile/),
    pullRequest: null,
  });
  expect(world.writes()).toBe(before);
}, 60_000);

it('a commit that is no longer the head of the default branch is superseded, in the plan and in the promotion', async () => {
  await using place = await temporaryFolder('proof-late');
  await using late = await provenWorld(place.path);
  const { world, context } = late;
  await world.git(world.flightsClone, 'commit', '-q', '--allow-empty', '-m', 'Later');
  const ahead = await planPromotions(context, {});
  expect(ahead.document.models[0]).toMatchObject({ needs: 'nothing', outcome: 'superseded' });
  expect(ahead.document.models[0]?.reason).toMatch(/is at|is not on/);
  await world.git(world.flightsClone, 'push', '-q', 'origin', 'HEAD:main');
  const current = await planPromotions(context, {});
  expect(current.document.models[0]?.outcome).toBe('pending');
  await world.git(world.flightsClone, 'reset', '-q', '--hard', 'HEAD^');
  const old = await planPromotions(context, {});
  expect(old.document).toMatchObject({ verdict: 'pass', models: [{ needs: 'nothing', outcome: 'superseded' }] });
  // The job that promotes may be run again alone, long after its plan.
  const before = late.writes();
  const again = await promote(context, { proof: { folder: late.folder } });
  expect(again).toMatchObject({ outcome: 'superseded', reason: old.document.models[0]?.reason, pullRequest: null });
  expect(late.writes()).toBe(before);
  expect(old.document.models[0]?.reason).toMatch(/main is at [0-9a-f]{12} by now/);
}, 60_000);

it('what is trained for two stores is encrypted to the readers of its own', async () => {
  await using place = await temporaryFolder('proof-stores');
  await using two = await provenWorld(place.path);
  const { world, context } = two;
  const file = path.join(world.flightsClone, 'passloop.yaml');
  const declared = load(await readFile(file, 'utf8')) as { version: number; models: Record<string, unknown>[] };
  const models = ['flight-delay', 'flight-return'].map((name) => ({
    ...declared.models[0],
    name,
    store: { directory: path.join('.passloop', name) },
  }));
  await writeFile(file, JSON.stringify({ ...declared, models }));
  await world.git(world.flightsClone, 'commit', '-q', '-am', 'Two models, two stores');
  await world.git(world.flightsClone, 'push', '-q', 'origin', 'HEAD:main');
  const { document, recipients } = await planPromotions(context, {});
  expect(document.models.map(({ needs }) => needs)).toEqual(['train', 'train']);
  expect(Object.keys(recipients)).toEqual(['flight-delay', 'flight-return']);
  for (const recipient of Object.values(recipients)) expect(recipient).toMatch(/^age1/);
  expect(recipients['flight-return']).not.toBe(recipients['flight-delay']);
}, 60_000);
