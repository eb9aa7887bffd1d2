import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runOrThrow, silentProgress } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createToy, fitScript, searchPath } from '../../training/src/fixtures/toy-model.ts';
import type { Context } from './context.ts';
import { trainExplain, trainReproduce, trainRunVerb } from './train.ts';

let shared: string;
let python: string;

beforeAll(async () => {
  shared = await mkdtemp(path.join(tmpdir(), 'passloop-reproduce-'));
  const question = 'import platform; print(".".join(platform.python_version().split(".")[:2]))';
  python = (await runOrThrow({ argv: ['python3', '-c', question], env: { PATH: searchPath } })).toString().trim();
});
afterAll(async () => {
  await runOrThrow({ argv: ['chmod', '-R', 'u+w', shared], env: { PATH: searchPath } });
  await rm(shared, { recursive: true, force: true });
});

/** A toy repository whose script knows how often it ran (`again` is 0, then 1), which no key does. */
async function toy(from: string, to: string) {
  const folder = await mkdtemp(path.join(shared, 'toy-'));
  expect(fitScript).toContain(from);
  const script = fitScript
    .replace(from, to)
    .replace('params = json', 'again = len(counter.read_text().splitlines()) - 1\nparams = json');
  const repository = await createToy(folder, python, script);
  const context: Context = {
    cwd: repository.folder,
    env: { PATH: searchPath, HOME: folder, PASSLOOP_CACHE: path.join(shared, 'cache') },
    now: () => new Date('2026-11-22T10:00:00Z'),
    progress: silentProgress,
    version: '0.0.0',
  };
  return { folder, repository, context };
}

const same = { 'out/metrics.json': 'bitwise', 'out/model.json': 'bitwise', 'out/predictions.csv': 'bitwise' };
const score = "{float(row['x']) / (1 + cut)!r}";

it.each([
  ['the same bytes', 'print("trained', 'print("trained', 'bitwise', same, null],
  [
    'another model file with equal predictions',
    'json.dumps({"cut": cut})',
    'json.dumps({"cut": cut, "made": again})',
    'functional',
    { ...same, 'out/model.json': 'functional' },
    /^predictions are equal$/,
  ],
  [
    'predictions that differ in their last digits',
    score,
    "{float(row['x']) / (1 + cut) + again * 1e-10!r}",
    'functional',
    { ...same, 'out/predictions.csv': 'functional' },
    // 1e-10 of a tolerance of 1e-9 + 1e-6 * 0.0625.
    /^predictions are equal, by 0\.00157\d* of the tolerance at most$/,
  ],
  [
    'other predictions with the same metrics',
    score,
    "{float(row['x']) / (1 + cut) + again * 0.01!r}",
    'metric',
    { ...same, 'out/predictions.csv': 'metric' },
    /^predictions differ, by \d+\.?\d* of the tolerance at most \(row 1, "score": the stored run has 0\.0\d+, this one 0\.07\d*\); metrics agree$/,
  ],
  [
    'other metrics, beside equal predictions',
    '"accuracy": 0.75',
    '"accuracy": 0.75 - again * 0.01',
    'diverged',
    { ...same, 'out/metrics.json': 'diverged' },
    'accuracy is 0.75, then 0.74',
  ],
  [
    'a row less',
    'for row in test:',
    'for row in test[again:]:',
    'diverged',
    { ...same, 'out/predictions.csv': 'diverged', 'out/metrics.json': 'diverged' },
    null,
  ],
])('a second run with %s is said to be so, output by output', async (_title, from, to, level, levels, detail) => {
  const rows = levels['out/predictions.csv'] === 'diverged' ? '"rows": len(test)' : null;
  const { folder, repository, context } = await toy(from, to);
  await using _ = repository;
  if (rows !== null) {
    const text = await readFile(path.join(repository.folder, 'fit.py'), 'utf8');
    await repository.write('fit.py', text.replace(rows, '"rows": len(test) - again'));
    await repository.commit();
  }
  await trainRunVerb(context, {});

  const run = await trainReproduce(context, {});

  expect((await readFile(path.join(folder, 'counter'), 'utf8')).split('\n')).toHaveLength(3);
  expect(run.reproduction?.level).toBe(level);
  expect(Object.fromEntries(run.reproduction?.outputs.map((output) => [output.path, output.level]) ?? [])).toEqual(
    levels,
  );
  if (detail !== null) {
    const told = run.reproduction?.outputs.find((output) => output.level !== 'bitwise');
    expect(told?.detail).toMatch(detail);
    expect(told?.again).not.toBe(told?.stored);
  }
});

it('there is nothing to reproduce before the first run', async () => {
  const { repository, context } = await toy('print("trained', 'print("trained');
  await using _ = repository;
  await expect(trainReproduce(context, {})).rejects.toThrow(/^rk1-[0-9a-f]{64} is not in the directory .*: nothing to/);
});

it('explains what differs between two commits', async () => {
  const { repository, context } = await toy('print("trained', 'print("trained');
  await using _ = repository;
  await repository.write('params.json', '{"fit": {"scale": 3.0}, "unused": 2}\n');
  await repository.commit();
  const key = await trainExplain(context, { against: 'HEAD~1' });
  expect(key.against?.changes).toEqual([{ kind: 'params', subject: 'fit.scale', from: '2.0', to: '3.0' }]);
  expect(key.against?.runKey).not.toBe(key.runKey);
});
