import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { ModelReport } from '@passloop/documents';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPointer } from '../../record/src/fixtures/documents.ts';
import { planCheck } from './plan.ts';
import { planJob } from './plan-job.ts';
import {
  type Forgery,
  filesBelow,
  modelIn,
  replaceIn,
  type SealedWorld,
  sealedWorld,
  writeImagePredictions,
} from './testing/sealed-world.ts';
import { trainCandidate } from './train-candidate.ts';

/** What the job that seals makes of honest, damaged and forged candidates. Forgeries come first: nothing may have been kept by then. */
let folder: TemporaryFolder;
let world: SealedWorld;

beforeAll(async () => {
  folder = await temporaryFolder('seal-test');
  world = await sealedWorld(folder.path);
}, 120_000);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const key = (letter: string) => `rk1-${letter.repeat(64)}`;

async function refused(forgery: Forgery): Promise<string> {
  const { report, saved } = await world.seal(await world.candidate(forgery));
  const [model] = report.models;
  expect(report.verdict).toBe('fail');
  expect(model).toMatchObject({ verdict: 'fail', run: null, image: null, probe: null, comparison: null });
  expect(saved).toEqual({ run: null, proof: null });
  expect(await world.kept()).toEqual([]);
  return model?.missing.find((missing) => missing.part === 'run')?.reason ?? '';
}

describe('a candidate that says what is not so', () => {
  it.each<[string, Forgery['report'], RegExp]>([
    [
      'a better metric',
      ({ run }) => {
        for (const metric of run.metrics) if (metric.name === 'scale') metric.value = '99';
      },
      /it says that scale is 99, and its metrics file says 9/,
    ],
    ['a metric more', ({ run }) => run.metrics.push({ name: 'roc_auc', value: '0.99' }), /metrics file has not/],
    [
      'another digest of an output',
      ({ run }) => {
        for (const output of run.outputs) output.digest = digest('a');
      },
      /it says that out\/metrics\.json is sha256:a+ \(27 bytes\), and the file is sha256:5716/,
    ],
    [
      'another size of an output',
      ({ run }) => {
        for (const output of run.outputs) output.bytes = 1;
      },
      /\(1 bytes\), and the file is/,
    ],
    [
      'an output that is not there',
      ({ run }) => run.outputs.push({ path: 'out/x', digest: digest('a'), bytes: 1 }),
      /names outputs that are not there/,
    ],
    ['no output', ({ run }) => run.outputs.splice(0), /it names no output out\/metrics\.json/],
    [
      'another model digest',
      ({ run }) => {
        run.modelDigest = digest('a');
      },
      /its `modelDigest` is not what the commit and the files give/,
    ],
    ['other data', ({ run }) => run.data.splice(0), /its `data` is not/],
    ['other params', ({ run }) => run.params.push({ name: 'x', value: '1' }), /its `params` is not/],
    ['other seeds', ({ run }) => run.seeds.push({ name: 'x', value: '1' }), /its `seeds` is not/],
    [
      'another environment',
      ({ run }) => {
        run.environment.lock = digest('a');
      },
      /its `environment` is not/,
    ],
    [
      'more trust',
      ({ run }) => {
        run.trust = 'attested';
      },
      /its `trust` is not/,
    ],
    [
      'another run key in its run',
      ({ run }) => {
        run.runKey = key('a');
      },
      /its `runKey` is not/,
    ],
    [
      'another run key',
      (model) => {
        model.runKey = key('a');
      },
      /its report is about rk1-a+, and the commit gives rk1-/,
    ],
    [
      'another stage key',
      ({ run }) => {
        for (const stage of run.stages) stage.key = key('a');
      },
      /its stages or their keys are not those of the commit/,
    ],
    ['no stage', ({ run }) => run.stages.splice(0), /its stages or their keys/],
    [
      'a stage of negative time',
      ({ run }) => {
        for (const stage of run.stages) stage.seconds = '-1';
      },
      /the stage fit took -1 seconds/,
    ],
    [
      'an end before its start',
      ({ run }) => {
        run.startedAt = '2026-12-31T00:00:00Z';
      },
      /which can't be/,
    ],
    [
      'a time to come',
      ({ run }) => {
        run.startedAt = run.finishedAt = '2999-01-01T00:00:00Z';
      },
      /which can't be/,
    ],
    [
      'another commit in its run',
      ({ run }) => {
        run.producer.commit = 'a'.repeat(40);
      },
      /it is of commit aaaaaaaaaaaa/,
    ],
    [
      'another model in its run',
      ({ run }) => {
        run.model = 'other';
      },
      /its `model` is not/,
    ],
    [
      'another model',
      (model) => {
        model.name = 'other';
      },
      /its report is about the model other/,
    ],
    [
      'another head',
      (_model, report) => {
        report.head = 'a'.repeat(40);
      },
      /its report is about the commit aaaaaaaaaaaa/,
    ],
    [
      'another policy',
      (model) => {
        model.policy.digest = digest('a');
      },
      /judged by another policy/,
    ],
    ['two models', (model, report) => report.models.push(model), /its report is about 2 models/],
    ['no model', (_model, report) => report.models.splice(0), /its report is about 0 models/],
    [
      'an image of another key',
      ({ image }) => {
        if (image !== null) image.imageKey = `ik1-${'a'.repeat(64)}`;
      },
      /its image says that `imageKey` is ik1-a+, and the commit and its model give ik1-/,
    ],
    [
      'an image of another model',
      ({ image }) => {
        if (image !== null) image.modelDigest = digest('a');
      },
      /its image says that `modelDigest`/,
    ],
    [
      'an image on another base',
      ({ image }) => {
        if (image !== null) image.base = 'python:3.12';
      },
      /its image says that `base`/,
    ],
    [
      'a probe of another image',
      ({ probe }) => {
        if (probe !== null) probe.target = digest('a');
      },
      /it probed another image than it built/,
    ],
    ['a probe without a check', ({ probe }) => probe?.checks.splice(0), /its probe checked nothing/],
    [
      'a negative latency',
      ({ probe }) => {
        if (probe !== null) probe.latency = { requests: 1, p50Ms: '-5', p95Ms: '1' };
      },
      /its probe names times that can't be/,
    ],
    [
      'a median above its 95th percentile',
      ({ probe }) => {
        if (probe !== null) probe.latency = { requests: 1, p50Ms: '5', p95Ms: '1' };
      },
      /a median above/,
    ],
    [
      'no run, while its files are there',
      (model) => {
        (model as { run: unknown }).run = null;
      },
      /it holds files, and its report no run/,
    ],
  ])('%s', async (_title, report, message) => {
    expect(await refused({ report })).toMatch(message);
  });

  it('NaN, which is no number of a report', async () => {
    const forgery: Forgery = {
      async folder(place) {
        await replaceIn(path.join(place, 'report.json'), /"value":"9"/, '"value":"NaN"');
      },
    };
    expect(await refused(forgery)).toMatch(/report\.json: models\.0\.run\.metrics\.\d\.value/);
  });
});

it('a probe whose parts fail fails, whatever it says of itself', async () => {
  const forgery: Forgery = {
    report({ probe }) {
      if (probe === null) return;
      probe.verdict = 'pass';
      probe.checks.push({ id: 'grpc.infer', verdict: 'fail', detail: 'no answer' });
    },
  };
  const { report, saved } = await world.seal(await world.candidate(forgery), { store: false });
  expect(report).toMatchObject({ verdict: 'fail', models: [{ comparison: null, probe: { verdict: 'fail' } }] });
  expect(saved).toEqual({ run: null, proof: null });
});

describe('files that are not what a run of this commit leaves', () => {
  const output = (name: string) => `files/out/${name}`;
  it.each<[string, (place: string) => Promise<void>, RegExp]>([
    [
      'an output is missing',
      (place) => rm(path.join(place, output('metrics.json'))),
      /its run did not write out\/metrics\.json/,
    ],
    [
      'an output is empty',
      (place) => writeFile(path.join(place, output('metrics.json')), ''),
      /wrote out\/metrics\.json empty/,
    ],
    [
      'a file is more',
      (place) => writeFile(path.join(place, output('more.json')), '{}'),
      /"out\/more\.json" is no output of the model file/,
    ],
    [
      'a file is more, beside the outputs',
      (place) => writeFile(path.join(place, 'notes.txt'), 'x'),
      /"notes\.txt" is no file of a candidate/,
    ],
    [
      'an output is a folder',
      async (place) => {
        await rm(path.join(place, output('metrics.json')));
        await mkdir(path.join(place, output('metrics.json')));
        await writeFile(path.join(place, output('metrics.json/x')), '{}');
      },
      /out\/metrics\.json: is no file/,
    ],
    [
      'the metrics are NaN',
      (place) => writeFile(path.join(place, output('metrics.json')), '{"scale": NaN}'),
      /out\/metrics\.json: scale is NaN, not a finite number/,
    ],
    [
      'the metrics are words',
      (place) => writeFile(path.join(place, output('metrics.json')), '{"scale": "9"}'),
      /not a finite number/,
    ],
    [
      'the model is another',
      (place) => replaceIn(path.join(place, output('model.safetensors')), 'w', 'v'),
      /it says that out\/model\.safetensors is sha256:6197/,
    ],
    [
      "the image's predictions are missing",
      (place) => rm(path.join(place, 'image-predictions.parquet')),
      /its image answers the probe, and image-predictions\.parquet is missing/,
    ],
    [
      "the image's predictions are garbage",
      (place) => writeFile(path.join(place, 'image-predictions.parquet'), 'PAR1 no'),
      /image's predictions/,
    ],
    [
      "the image's predictions are about fewer rows",
      async (place) => {
        const csv = path.join(place, '..', `${path.basename(place)}.csv`);
        const text = await readFile(path.join(place, output('predictions.csv')), 'utf8');
        await writeFile(csv, `${text.trimEnd().split('\n').slice(0, -10).join('\n')}\n`);
        await writeImagePredictions(csv, path.join(place, 'image-predictions.parquet'));
      },
      /about other rows/,
    ],
  ])('%s', async (_title, files, message) => {
    expect(await refused({ files })).toMatch(message);
  });

  it("predictions that are better than the stage's fail as skew, and nothing is compared with them", async () => {
    const forgery: Forgery = {
      async files(place) {
        const csv = path.join(place, '..', `${path.basename(place)}.csv`);
        const text = await readFile(path.join(place, output('predictions.csv')), 'utf8');
        await writeFile(csv, text.replace(/^(1?\d),.*$/gm, '$1,0.999'));
        await writeImagePredictions(csv, path.join(place, 'image-predictions.parquet'));
      },
    };
    const { report } = await world.seal(await world.candidate(forgery), { store: false });
    expect(report.verdict).toBe('fail');
    expect(report.models[0]).toMatchObject({
      comparison: null,
      probe: { verdict: 'fail', predictions: { verdict: 'fail' } },
    });
    expect(report.models[0]?.probe?.predictions?.equal).toBe(220);
  });

  it.each(['nan', ''])('scores that are %j on both sides measure nothing', async (score) => {
    const csv = `id,score\n${Array.from({ length: 240 }, (_, row) => `${row},${score}`).join('\n')}\n`;
    const forgery: Forgery = {
      async files(place) {
        await writeFile(path.join(place, output('predictions.csv')), csv);
        const target = path.join(place, 'image-predictions.parquet');
        await writeImagePredictions(path.join(place, output('predictions.csv')), target);
      },
      report({ run }) {
        for (const one of run.outputs)
          if (one.path === 'out/predictions.csv') Object.assign(one, { digest: sha256(csv), bytes: csv.length });
      },
    };
    expect(await refused(forgery)).toMatch(/`score` is NULL, NaN or infinite in 240 of 240 rows/);
  });

  it('a model file that runs code is refused by the scan that is made again', async () => {
    const pickle = Buffer.from("cos\nsystem\n(S'id'\ntR.");
    const forgery: Forgery = {
      async files(place) {
        await writeFile(path.join(place, output('model.safetensors')), pickle);
      },
      report({ run, image }) {
        for (const one of run.outputs) {
          if (one.path !== 'out/model.safetensors') continue;
          Object.assign(one, { digest: sha256(pickle), bytes: pickle.length });
          run.modelDigest = sha256(pickle);
        }
        if (image !== null) image.modelDigest = sha256(pickle);
      },
    };
    const { report, saved, notes } = await world.seal(await world.candidate(forgery));
    expect(report.verdict).toBe('fail');
    expect(report.models[0]).toMatchObject({ image: null, comparison: null, scan: { verdict: 'fail' } });
    expect(saved).toEqual({ run: null, proof: null });
    expect(notes.join()).toMatch(/refused by the scan/);
  });
});

describe('a folder as anybody may have written it', () => {
  it.each<[string, (place: string) => Promise<void>, RegExp]>([
    ['no report', (place) => rm(path.join(place, 'report.json')), /it has no report\.json/],
    [
      'a report that is none',
      (place) => writeFile(path.join(place, 'report.json'), '[]'),
      /expected passloop\/report\/v1/,
    ],
    [
      'garbage that ends in .age',
      (place) => writeFile(path.join(place, 'files/out/metrics.json.age'), 'garbage'),
      /files\/out\/metrics\.json\.age can't be read: it is no age file/,
    ],
    [
      'an encrypted file that was cut off',
      async (place) => {
        const file = path.join(place, 'files/out/metrics.json.age');
        await writeFile(file, (await readFile(file)).subarray(0, -3));
      },
      /can't be read: it was cut off or changed/,
    ],
    [
      'plain and encrypted files',
      (place) => writeFile(path.join(place, 'files/out/metrics.json'), '{"scale": 9, "rows": 240}'),
      /"image-predictions\.parquet\.age" is no file of a candidate/,
    ],
    [
      'a file that is a folder of another',
      async (place) => {
        await mkdir(path.join(place, 'files/out/metrics.json'));
        await cp(path.join(place, 'files/out/metrics.json.age'), path.join(place, 'files/out/metrics.json/x.age'));
      },
      /files\/out\/metrics\.json is both file and folder/,
    ],
    [
      'names that differ in case alone',
      (place) => cp(path.join(place, 'files/out/metrics.json.age'), path.join(place, 'files/out/Metrics.json.age')),
      /is in it twice/,
    ],
    [
      'predictions without outputs',
      (place) => rm(path.join(place, 'files'), { recursive: true }),
      /it holds predictions, and no output of its run/,
    ],
    [
      'files under another name',
      (place) => rename(path.join(place, 'files'), path.join(place, 'outputs')),
      /"outputs\/out\/metrics\.json" is no file of a candidate/,
    ],
  ])('%s', async (_title, edit, message) => {
    expect(await refused({ folder: edit })).toMatch(message);
  });

  it('what is encrypted to another key is named so, and how to come out of it', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    expect(await refused({ recipient })).toMatch(
      /it is encrypted to another key than this store's\. Run the whole workflow/,
    );
  });

  it('an archive that could not be unpacked', async () => {
    const { report } = await world.seal({
      problem: 'The artifact passloop-candidate-toy holds "../x", which leads out of it.',
    });
    expect(report.verdict).toBe('fail');
    expect(report.models[0]?.missing[0]?.reason).toMatch(/was not taken: The artifact passloop-candidate-toy holds/);
  });

  it('no artifact fails the report of a check, and ends a promotion: the job that trains did not finish', async () => {
    expect((await world.seal(null)).report.models[0]?.reasons.join()).toMatch(/the job did not finish/);
    await expect(world.seal(null, { compare: false })).rejects.toThrow(
      /There is no artifact with the candidate of toy in this run/,
    );
  });
});

it('a plan of another commit is refused', async () => {
  const { document } = await planCheck(world.context, { against: world.base, asksStore: false });
  const plan = { ...document, commit: 'a'.repeat(40) };
  await expect(world.seal(await world.candidate(), { plan })).rejects.toThrow(/^The plan is of aaaaaaaaaaaa against/);
  const other = { ...document, models: document.models.map((model) => ({ ...model, runKey: key('b') })) };
  await expect(world.seal(await world.candidate(), { plan: other })).rejects.toThrow(/toy differs/);
  expect(await world.kept()).toEqual([]);
});

it('a job that may not write keeps nothing, and compares all the same', async () => {
  const sealed = await world.seal(await world.candidate(), { store: false });
  expect(sealed.report).toMatchObject({
    verdict: 'pass',
    models: [{ outcome: 'first', comparison: { verdict: 'pass' } }],
  });
  expect(await world.kept()).toEqual([]);
});

it('rows that were not handed over are not compared, and the reason names both ways', async () => {
  const forgery: Forgery = {
    async folder(place) {
      await rm(path.join(place, 'files'), { recursive: true });
      await rm(path.join(place, 'image-predictions.parquet.age'));
    },
  };
  const { report, saved } = await world.seal(await world.candidate(forgery));
  const [model] = report.models;
  expect(report.verdict).toBe('inconclusive');
  expect(model).toMatchObject({ run: null, image: null, comparison: null, probe: { verdict: 'pass' } });
  const reason = model?.missing.find((missing) => missing.part === 'comparison');
  expect(reason?.verdict).toBe('inconclusive');
  expect(reason?.reason).toMatch(/`share-rows: true`.*a store that the job can read/s);
  expect(saved).toEqual({ run: null, proof: null });
  expect(await world.kept()).toEqual([]);
  const promotion = await world.seal(await world.candidate(forgery), { compare: false });
  expect(promotion.report.verdict).toBe('fail');
});

it('a job without an engine leaves no image, which fails, whatever the rest says', async () => {
  const place = path.join(await world.fresh(), 'out');
  const trained = await trainCandidate(world.context, {
    model: 'toy',
    against: world.base,
    recipient: world.recipient,
    out: place,
  });
  expect(await filesBelow(trained.folder)).toEqual([
    'files/out/metrics.json.age',
    'files/out/model.safetensors.age',
    'files/out/predictions.csv.age',
    'report.json',
  ]);
  const { report } = await world.seal(trained.folder, { store: false });
  expect(report.verdict).toBe('fail');
  expect(report.models[0]?.missing).toContainEqual({
    part: 'image',
    verdict: 'fail',
    reason: expect.stringMatching(/The image was neither built nor proven\./),
  });
  expect(report.models[0]?.comparison).toMatchObject({ outcome: 'first', candidate: { scoredBy: 'stage' } });
});

it('without a recipient nothing but the report leaves the machine', async () => {
  const place = path.join(await world.fresh(), 'out');
  const trained = await trainCandidate(world.context, { model: 'toy', against: world.base, out: place });
  expect(await filesBelow(trained.folder)).toEqual(['report.json']);
});

it('an honest candidate is kept, with all that can be found out found out again', async () => {
  const before = await planJob(world.context, { against: world.base });
  expect(before.models).toEqual([{ name: 'toy', stored: 'none' }]);
  expect(before.recipients).toEqual({ toy: world.recipient });
  // What a candidate says that its plots are is not looked at: they are drawn from its files.
  const forged = (model: ModelReport) => {
    model.plots = [{ file: 'x', title: 'forged', lines: null, bars: null, matrix: null, reason: 'forged' }];
  };
  const candidate = await world.candidate({ report: forged });
  const sealed = await world.seal(candidate, { plan: before.plan, head: undefined });
  expect(sealed.saved).toEqual({ run: 'stored', proof: 'stored' });
  const [scores, metrics, ...others] = sealed.report.models[0]?.plots ?? [];
  expect(scores?.lines).toMatchObject({ x: 'id', y: 'score', rows: 240, series: [{ name: 'score' }] });
  expect(scores?.lines?.series[0]?.points).toHaveLength(200);
  expect(metrics).toMatchObject({ file: 'out/metrics.json', lines: null, reason: 'it holds no list of records' });
  expect(others).toEqual([]);
  expect(sealed.report).toMatchObject({
    verdict: 'pass',
    head: world.head,
    models: [
      {
        name: 'toy',
        outcome: 'first',
        run: {
          trust: 'writers',
          producer: { commit: world.head, run: 'https://github.example.com/acme/toy/actions/runs/4711' },
        },
        scan: { verdict: 'pass', files: [{ path: 'out/model.safetensors', format: 'safetensors' }] },
        probe: { verdict: 'pass', predictions: { rows: 240, equal: 240 } },
        comparison: { candidate: { scoredBy: 'image' }, metrics: [{ name: 'roc_auc', gate: 'pass' }] },
        missing: [],
      },
    ],
  });
  expect((await world.kept()).sort()).toEqual([expect.stringMatching(/^pf1-/), expect.stringMatching(/^rk1-/)]);
  expect((await world.seal(await world.candidate())).saved).toEqual({ run: 'present', proof: 'present' });
});

it('a key with run and proof needs neither training nor engine', async () => {
  const planned = await planJob(world.context, { against: world.base });
  expect(planned.models).toEqual([{ name: 'toy', stored: 'proof' }]);
  expect(planned.plan.models[0]?.store).toBe('hit');
  const place = path.join(await world.fresh(), 'out');
  const request = {
    model: 'toy',
    against: world.base,
    stored: 'proof' as const,
    recipient: world.recipient,
    out: place,
  };
  const trained = await trainCandidate(world.context, request);
  expect(await filesBelow(trained.folder)).toEqual(['report.json']);
  expect(await modelIn(trained.folder)).toMatchObject({ run: null, data: [{ verdict: 'pass' }] });

  const { report, saved } = await world.seal(trained.folder, { plan: planned.plan });

  expect(saved).toEqual({ run: null, proof: null });
  expect(report).toMatchObject({
    verdict: 'pass',
    models: [{ outcome: 'first', run: { cache: 'hit' }, probe: { verdict: 'pass' }, comparison: { verdict: 'pass' } }],
  });
});

it('another result of a key that is kept already is said to be one, and the kept one stays', async () => {
  const forgery: Forgery = {
    async files(place) {
      await writeFile(path.join(place, 'files/out/metrics.json'), '{"scale": 9.5, "rows": 240}');
    },
    report({ run }) {
      const content = '{"scale": 9.5, "rows": 240}';
      for (const output of run.outputs) {
        if (output.path === 'out/metrics.json')
          Object.assign(output, { digest: sha256(content), bytes: content.length });
      }
      run.metrics = run.metrics.map((metric) => (metric.name === 'scale' ? { ...metric, value: '9.5' } : metric));
    },
  };
  const { report, saved } = await world.seal(await world.candidate(forgery));
  expect(saved).toEqual({ run: 'other-result', proof: null });
  expect(report.verdict).toBe('warn');
  expect(report.models[0]?.reasons[0]).toMatch(/The store has another result of rk1-/);
});

describe('what is in production', () => {
  const pointer = createPointer({
    model: 'toy',
    imageReference: `localhost:5000/toy@${digest('6')}`,
    runKey: null,
    at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  });

  it('is compared by the predictions that the store has of it for these rows', async () => {
    const lines = Array.from({ length: 240 }, (_, row) => `${row},${((row * 37) % 101) / 200}`);
    const file = path.join(await world.fresh(), 'predictions.csv');
    await writeFile(file, ['id,score', ...lines, ''].join('\n'));
    const { document } = await planCheck(world.context, { against: world.base, asksStore: false });
    expect(document.models).toHaveLength(1);
    const lock = JSON.parse(await readFile(path.join(world.repository.folder, 'passloop.lock'), 'utf8'));
    const evaluatedOn = lock.datasets[0].digest;
    await world.store.writePointer({ ...pointer, evaluatedOn }, { path: 'predictions.csv', file });

    const { report } = await world.seal(await world.candidate());

    expect(report.models[0]).toMatchObject({
      outcome: 'compared',
      production: { modelDigest: digest('4') },
      comparison: {
        production: { digest: digest('4'), scoredBy: 'image' },
        metrics: [{ name: 'roc_auc', delta: '0' }],
      },
    });
  });

  it('is not compared where it can be had from nowhere: no engine is here to start its image', async () => {
    await world.store.writePointer(pointer, null);
    const { report } = await world.seal(await world.candidate());
    expect(report.verdict).not.toBe('pass');
    expect(report.models[0]?.comparison).toMatchObject({ outcome: 'not-comparable' });
  });

  it('is not what a candidate says to be by an id: a packaging change would pass unlooked at', async () => {
    const { modelDigest } = (await modelIn(await world.candidate())).run ?? { modelDigest: '' };
    await world.store.writePointer({ ...pointer, modelDigest }, null);
    const forged = await world.candidate({
      report({ image, probe }) {
        if (image !== null && probe !== null) image.imageId = probe.target = pointer.imageDigest;
      },
    });
    const { report } = await world.seal(forged);
    expect(report).toMatchObject({ verdict: 'fail', models: [{ outcome: null, comparison: null }] });
    expect(report.models[0]?.reasons[0]).toMatch(/its image says to be production's/);
    expect((await world.seal(await world.candidate())).report.models[0]?.outcome).toBe('same-model');
  });

  it('a model that is held is said to be held', async () => {
    const { modelDigest } = (await modelIn(await world.candidate())).run ?? { modelDigest: '' };
    await world.store.writePointer({ ...pointer, held: [modelDigest] }, null);
    const { report } = await world.seal(await world.candidate());
    expect(report).toMatchObject({ verdict: 'fail', models: [{ outcome: 'held' }] });
  });

  it('is left to the job that promotes, where that one compares', async () => {
    const { report } = await world.seal(await world.candidate(), { compare: false });
    expect(report.models[0]).toMatchObject({
      comparison: null,
      missing: [
        {
          part: 'comparison',
          verdict: 'skipped',
          reason: expect.stringContaining('the job that promotes compares it'),
        },
      ],
    });
  });
});

describe.each(['retrain', 'attested'])('under trust: %s', (trust) => {
  it('the run of a pull request is compared and not kept; that of the default branch is', async () => {
    await using place = await temporaryFolder('seal-trust');
    await using other = await sealedWorld(place.path, { trust });
    const pull = await other.seal(await other.candidate());
    expect(pull.saved).toEqual({ run: null, proof: null });
    expect(pull.notes).toEqual([expect.stringMatching(/^Nothing of toy was kept: under `trust: /)]);
    expect(pull.report).toMatchObject({ verdict: 'pass', models: [{ comparison: { outcome: 'first' } }] });
    expect(await other.kept()).toEqual([]);
    const merged = await other.seal(await other.candidate(), { isPullRequest: false });
    expect(merged.saved).toEqual({ run: 'stored', proof: 'stored' });
  });
});
