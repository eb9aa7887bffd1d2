/**
 * How often a latency gate errs: two containers of one image side by side (A/A), and one that spends a known time more on each request (A/B).
 * Each is measured over many starts; a comparison is 8 of them, drawn 10,000 times. In A/A chance decides which container of a start is called
 * the candidate.
 *
 *     node bench/latency.ts [--starts 20] [--slower 1]     # a Docker engine, a registry, the tests' wheels
 */
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runOrThrow, silentProgress, temporaryFolder, toDecimal } from '@passloop/core';
import { measureStarts, pairedVerdict } from '@passloop/evaluation';
import { formatRequirements, parseRequirements, parseSignature } from '@passloop/model';
import {
  buildImage,
  type Column,
  engineTag,
  readRuntime,
  scanModelFile,
  type TimedStart,
  timeSideBySide,
} from '@passloop/packaging';
import { createRandom, mean, variance } from '@passloop/statistics';
import { pythonEnvironment } from '../packages/packaging/src/runtime/python-environment.ts';
import { pushBase, testEngine, testWheels } from '../packages/packaging/src/testing/images.ts';
import { startRegistry } from '../packages/packaging/src/testing/registry.ts';

const { values } = parseArgs({
  options: { starts: { type: 'string', default: '20' }, slower: { type: 'string', default: '1' } },
});
const starts = Number(values.starts);
const slowerMs = Number(values.slower);
const startsOfOne = 8;
const draws = 10_000;

await using folder = await temporaryFolder('bench-latency');
await using registry = await startRegistry();
const engine = await testEngine();
const source = path.resolve(import.meta.dirname, '../packages/packaging/src');
const env = { PATH: process.env.PATH ?? '' };
await runOrThrow({ argv: [await pythonEnvironment(), path.join(source, 'testing/train.py'), folder.path], env });
const lock = path.join(source, 'runtime/requirements-test.lock');
const served = /^(numpy|scipy|scikit-learn|joblib|cloudpickle|threadpoolctl)$/;
const requirements = parseRequirements(await readFile(lock, 'utf8'), lock).filter(({ name }) => served.test(name));
await writeFile(path.join(folder.path, 'serve.lock'), formatRequirements(requirements));
const signatureText = JSON.stringify({
  inputs: [
    { name: 'distance', datatype: 'FP64' },
    { name: 'departed', datatype: 'INT64' },
    { name: 'origin', datatype: 'BYTES' },
  ],
  outputs: [{ name: 'score', datatype: 'FP64' }],
});
await writeFile(path.join(folder.path, 'signature.json'), signatureText);
const { rows } = JSON.parse(await readFile(path.join(folder.path, 'rows.json'), 'utf8')) as {
  rows: Record<string, Column['values']>;
};
const base = await pushBase(engine, registry.host);
const { image } = await buildImage(
  {
    model: 'late',
    package: {
      model: 'honest.joblib',
      requirements: 'serve.lock',
      signature: 'signature.json',
      base,
      repository: `${registry.host}/late`,
      platforms: [engine.platform],
      allow: [],
    },
    root: folder.path,
    runtime: await readRuntime(),
  },
  {
    engine,
    wheels: testWheels(),
    scan: async (file, allow) => {
      const scanned = await scanModelFile(file, { allow });
      return { schema: 'passloop/scan/v1', verdict: scanned.verdict, files: [scanned] };
    },
    progress: silentProgress,
  },
);
if (image === null) throw new Error('The image was not built.');
const slow = await slowedImage(engineTag(image.model, image.imageKey));

const processor = os.cpus()[0]?.model ?? 'unknown';
console.log(`${processor}, ${os.cpus().length} cores, load ${os.loadavg()[0]?.toFixed(1)}; ${starts} starts of each`);
await report('A/A', image.imageId, true);
await report(`A/B, ${slowerMs} ms slower`, slow, false);
await engine.run(['image', 'rm', '--force', slow, image.imageId]);

/** The same image, whose model keeps the processor busy for a while before each answer. */
async function slowedImage(tag: string): Promise<string> {
  const hook = [
    'import sys, time',
    "if sys.orig_argv[-1] == 'passloop_runtime':",
    '    from passloop_runtime.model import Model',
    '    predict = Model.predict',
    '    def slower(*given):',
    `        until = time.perf_counter() + ${slowerMs} / 1000`,
    '        while time.perf_counter() < until: pass',
    '        return predict(*given)',
    '    Model.predict = slower',
  ];
  await writeFile(path.join(folder.path, 'sitecustomize.py'), `${hook.join('\n')}\n`);
  await writeFile(
    path.join(folder.path, 'Dockerfile'),
    `FROM ${tag}\nCOPY sitecustomize.py /opt/passloop/site-packages/\n`,
  );
  const name = 'passloop-bench/slower:latest';
  await engine.run(['build', '--tag', name, folder.path], { timeoutMs: 120_000 });
  return name;
}

async function report(title: string, candidate: string, isSame: boolean): Promise<void> {
  const columns = Object.entries(rows).map(([name, cells]) => ({ name, values: cells }));
  const begun = performance.now();
  const measured = await timeSideBySide({
    engine,
    production: image?.imageId ?? '',
    candidate,
    model: 'late',
    signature: parseSignature(signatureText, 'signature.json'),
    columns,
    withheld: [],
    starts,
    progress: silentProgress,
  });
  const seconds = (performance.now() - begun) / 1000;
  console.log(`\n${title}: ${((seconds * startsOfOne) / starts).toFixed(0)} s a comparison of ${startsOfOne} starts`);
  for (const [name, of] of [
    ['latency p50', (start: TimedStart) => start.p50Ms],
    ['latency p95', (start: TimedStart) => start.p95Ms],
    ['ready', (start: TimedStart) => start.readySeconds * 1000],
  ] as const) {
    const pairs = measured.production.map((start, index) => [of(start), of(measured.candidate[index]!)] as const);
    const ratios = pairs.map(([before, after]) => after / before - 1);
    console.log(
      `${name}: production ${mean(pairs.map(([before]) => before)).toFixed(2)} ms, candidate ${mean(pairs.map(([, after]) => after)).toFixed(2)} ms; a start differs by ${(100 * Math.sqrt(variance(ratios))).toFixed(1)} % (standard deviation)`,
    );
    for (const relative of [0, 0.05, 0.1, 0.2])
      console.log(`  relative ${relative}: ${rates(pairs, relative, isSame)}`);
  }
}

function rates(pairs: readonly (readonly [number, number])[], relative: number, isSame: boolean): string {
  const random = createRandom(11);
  const counts = { better: 0, 'non-inferior': 0, inconclusive: 0, worse: 0 };
  for (let draw = 0; draw < draws; draw += 1) {
    const left = pairs.map((pair) => (isSame && random.integer(2) === 1 ? pair.toReversed() : [...pair]));
    const drawn = Array.from({ length: startsOfOne }, () => left.splice(random.integer(left.length), 1)[0]!);
    const { interval, production } = measureStarts({
      production: drawn.map(([before]) => before!),
      candidate: drawn.map(([, after]) => after!),
    });
    const bounds: [string, string] = [toDecimal(interval![0]), toDecimal(interval![1])];
    counts[pairedVerdict('lower', bounds, toDecimal(relative * production)) as keyof typeof counts] += 1;
  }
  return Object.entries(counts)
    .map(([verdict, count]) => `${verdict} ${((100 * count) / draws).toFixed(1)} %`)
    .join(', ');
}
