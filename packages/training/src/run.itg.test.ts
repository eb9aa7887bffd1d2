import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationError, InfrastructureError, type PassloopError, runOrThrow, sha256Hex } from '@passloop/core';
import { openDirectoryStore } from '@passloop/record';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestRepository } from './fixtures/repository.ts';
import {
  createRequest,
  createRunner,
  createToy,
  fitScript,
  recordingProgress,
  searchPath,
  testCsv,
  trainCsv,
} from './fixtures/toy-model.ts';
import { trainRun } from './run.ts';

let shared: string;
let python: string;
let folder: string;
let repository: TestRepository;

beforeAll(async () => {
  shared = await mkdtemp(path.join(tmpdir(), 'passloop-runs-'));
  const question = 'import platform; print(".".join(platform.python_version().split(".")[:2]))';
  python = (await runOrThrow({ argv: ['python3', '-c', question], env: { PATH: searchPath } })).toString().trim();
});
afterAll(async () => {
  await runOrThrow({ argv: ['chmod', '-R', 'u+w', shared], env: { PATH: searchPath } });
  await rm(shared, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(shared, 'run-'));
  repository = await createToy(folder, python);
});
afterEach(() => repository[Symbol.asyncDispose]());

/** One environment for all tests: it depends on the lock alone. */
function runner(overrides: Parameters<typeof createRunner>[1] = {}) {
  return createRunner(folder, { cacheFolder: path.join(shared, 'cache'), ...overrides });
}

async function request(overrides: Parameters<typeof createRequest>[2] = {}) {
  return createRequest(folder, repository, { runner: runner(), ...overrides });
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(repository.folder, file), 'utf8');
  expect(text).toContain(from);
  await repository.write(file, text.replace(from, to));
  await repository.commit();
}

async function runs(): Promise<number> {
  const text = await readFile(path.join(folder, 'counter'), 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}

async function outputFiles(): Promise<string[]> {
  const below = path.join(folder, 'outputs');
  const names = await readdir(below, { recursive: true }).catch(() => []);
  const files: string[] = [];
  for (const name of names) if ((await stat(path.join(below, name))).isFile()) files.push(name);
  return files.sort();
}

async function failure(promise: Promise<unknown>): Promise<PassloopError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).not.toBeNull();
  return thrown as PassloopError;
}

describe('a run', () => {
  it('gives its outputs, their digests, metrics and what it was made of', async () => {
    const progress = recordingProgress();
    const { run, saved } = await trainRun(await request({ runner: runner({ progress }) }));

    expect(saved).toBe('stored');
    expect(run.cache).toBe('miss');
    const model = await readFile(path.join(folder, 'outputs/out/model.json'), 'utf8');
    expect(model).toBe('{"cut": 3.0}');
    expect(run.modelDigest).toBe(`sha256:${sha256Hex(model)}`);
    expect(run.outputs).toContainEqual({ path: 'out/model.json', digest: run.modelDigest, bytes: 12 });
    expect(run.metrics).toEqual([
      { name: 'accuracy', value: '0.75' },
      { name: 'rows', value: '2' },
    ]);
    expect(run.params).toEqual([{ name: 'fit.scale', value: '2.0' }]);
    expect(run.producer.commit).toBe(await repository.git('rev-parse', 'HEAD'));
    expect(run.producer.tree).toBe(await repository.git('rev-parse', 'HEAD^{tree}'));
    expect(run.machine.interpreter).toMatch(/^CPython 3\./);
    expect(run.startedAt).toBe('2026-11-22T10:00:00Z');
    expect(progress.lines).toContain('trained on 3 rows');
    expect(await readFile(path.join(folder, 'logs/fit.log'), 'utf8')).toBe('trained on 3 rows\n');
    expect(await outputFiles()).toEqual(['out/metrics.json', 'out/model.json', 'out/predictions.csv']);
  });

  it('of the same key is restored and verified, not trained: outputs deleted, Python gone, from another clone', async () => {
    const first = await trainRun(await request());
    await rm(path.join(folder, 'outputs'), { recursive: true });
    const clone = path.join(folder, 'clone');
    await repository.git('clone', '--quiet', repository.folder, clone);
    await rm(path.join(clone, 'data'), { recursive: true });
    const nowhere = runner({ searchPath: path.join(folder, 'empty'), cacheFolder: path.join(folder, 'no-cache') });

    const second = await trainRun(await request({ workTree: clone, runner: nowhere }));

    expect(await runs()).toBe(1);
    expect(second.run).toEqual({ ...first.run, cache: 'hit' });
    expect(await outputFiles()).toEqual(['out/metrics.json', 'out/model.json', 'out/predictions.csv']);
    expect(await readFile(path.join(folder, 'outputs/out/model.json'), 'utf8')).toBe('{"cut": 3.0}');
  });

  it('comes back by a revert: the command became `false`, which fails, and was reverted', async () => {
    const first = await trainRun(await request());
    await edit('passloop.yaml', 'run: [python, fit.py]', 'run: ["false"]');
    const broken = await failure(trainRun(await request()));
    await repository.git('revert', '--no-edit', 'HEAD');
    await rm(path.join(folder, 'outputs'), { recursive: true });
    const back = await trainRun(await request());

    expect(broken.message).toMatch(/stage fit failed with exit code 1/);
    expect(back.run.runKey).toBe(first.run.runKey);
    expect(back.run.cache).toBe('hit');
    expect(await runs()).toBe(1);
    expect(await outputFiles()).toHaveLength(3);
  });

  it('of another key is trained', async () => {
    await trainRun(await request());
    await edit('params.json', '2.0', '4.0');
    const { run } = await trainRun(await request());
    expect(run.cache).toBe('miss');
    expect(await runs()).toBe(2);
    expect(await readFile(path.join(folder, 'outputs/out/model.json'), 'utf8')).toBe('{"cut": 6.0}');
  });

  it('leaves no output of an earlier one in its folders', async () => {
    await mkdir(path.join(folder, 'outputs/out/model.json'), { recursive: true });
    await writeFile(path.join(folder, 'outputs/out/model.json/old'), 'x');
    await trainRun(await request());
    expect(await outputFiles()).toEqual(['out/metrics.json', 'out/model.json', 'out/predictions.csv']);
  });

  it('sees its declared files and a scrubbed environment, nothing else', async () => {
    await repository.write(
      'fit.py',
      fitScript.replace('COUNTER', path.join(folder, 'counter')) +
        `
seen = sorted(str(p) for p in pathlib.Path(".").rglob("*") if p.is_file())
(out / "seen.json").write_text(json.dumps({"files": seen, "params": params, "env": dict(os.environ)}))
`,
    );
    await edit('passloop.yaml', 'outputs: [', 'outputs: [out/seen.json, ');
    process.env.PASSLOOP_TEST_SECRET = 'token';
    await trainRun(await request());
    delete process.env.PASSLOOP_TEST_SECRET;
    const seen = JSON.parse(await readFile(path.join(folder, 'outputs/out/seen.json'), 'utf8'));

    expect(seen.files).toEqual([
      'data/test.csv',
      'data/train.csv',
      'fit.py',
      'out/metrics.json',
      'out/model.json',
      'out/predictions.csv',
      'params.json',
    ]);
    expect(seen.params).toEqual({ fit: { scale: 2 } });
    const { PATH, HOME, TMPDIR, ...rest } = seen.env;
    expect(PATH).toMatch(/^\/.*\/bin:\/usr\/local\/bin:\/usr\/bin:\/bin$/);
    expect(HOME).not.toBe(process.env.HOME);
    expect(TMPDIR).toContain('passloop-train-');
    expect(rest).toEqual({
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
      LANG: 'C.UTF-8',
      PYTHONHASHSEED: '0',
      SOURCE_DATE_EPOCH: '0',
      OMP_NUM_THREADS: '1',
      OPENBLAS_NUM_THREADS: '1',
      MKL_NUM_THREADS: '1',
      NUMEXPR_NUM_THREADS: '1',
      VECLIB_MAXIMUM_THREADS: '1',
      CUBLAS_WORKSPACE_CONFIG: ':4096:8',
      MODE: 'fast',
      PASSLOOP_SEED_FRAMEWORK: '7',
      PYTHONNOUSERSITE: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
    });
  });

  it('cannot change the data of the repository', async () => {
    await edit(
      'fit.py',
      'rows = list',
      'os.chmod("data/train.csv", 0o644); open("data/train.csv", "a").write("9,9,9\\n")\nrows = list',
    );
    await trainRun(await request());
    expect(await readFile(path.join(repository.folder, 'data/train.csv'), 'utf8')).toBe(trainCsv);
  });

  it('takes the data of the commit where the work tree has other line ends', async () => {
    await repository.write('data/train.csv', trainCsv.replaceAll('\n', '\r\n'));
    const { run } = await trainRun(await request());
    expect(run.outputs.find((output) => output.path === 'out/model.json')?.digest).toBe(
      `sha256:${sha256Hex('{"cut": 3.0}')}`,
    );
  });

  it('gives a stage the files that a glob matches, verified together', async () => {
    await repository.git('mv', 'data/train.csv', 'data/part-1.csv');
    await repository.write('data/part-2.csv', '5,9.5,1\n');
    // Written by hand: the listing that dirHash1 hashes.
    const listing = `${sha256Hex(trainCsv)}  part-1.csv\n${sha256Hex('5,9.5,1\n')}  part-2.csv\n`;
    const lock = JSON.parse(await readFile(path.join(repository.folder, 'passloop.lock'), 'utf8'));
    const entry = lock.datasets.find((dataset: { uri: string }) => dataset.uri === 'data/train.csv');
    Object.assign(entry, { uri: 'data/part-*.csv', digest: `sha256:${sha256Hex(listing)}` });
    await repository.write('passloop.lock', JSON.stringify(lock));
    await edit('passloop.yaml', 'path: data/train.csv', 'path: data/part-*.csv');
    await edit('fit.py', 'open("data/train.csv")', 'open("data/part-1.csv")');
    await edit('fit.py', 'print("trained', 'print(open("data/part-2.csv").read())\nprint("trained');
    const { run } = await trainRun(await request());
    expect(run.data.find((dataset) => dataset.name === 'train')?.digest).toBe(`sha256:${sha256Hex(listing)}`);

    await repository.write('data/part-2.csv', '5,9.5,0\n');
    await edit('params.json', '2.0', '3.0');
    expect((await failure(trainRun(await request()))).message).toMatch(
      /^The lock is stale: data\/part-\*\.csv is sha256:/,
    );
  });

  it('hands a stage the outputs of the stages that it needs, and a folder may be an output', async () => {
    await repository.write(
      'prepare.py',
      'import os; os.mkdir("out/features"); open("out/features/a.txt", "w").write("a"); open("out/features/b.txt", "w").write("b")\n',
    );
    await edit(
      'passloop.yaml',
      '        - name: fit',
      '        - {name: prepare, run: [python, prepare.py], code: [prepare.py], outputs: [out/features]}\n        - name: fit\n          needs: [prepare]',
    );
    await edit(
      'fit.py',
      'print("trained',
      'assert sorted(os.listdir("out/features")) == ["a.txt", "b.txt"]\nprint("trained',
    );
    const { run } = await trainRun(await request());
    expect(run.stages.map((stage) => stage.name)).toEqual(['prepare', 'fit']);
    expect(await outputFiles()).toContain('out/features/b.txt');
    await rm(path.join(folder, 'outputs'), { recursive: true });
    await trainRun(await request());
    expect(await outputFiles()).toContain('out/features/b.txt');
  });

  it('uses the result that came first when two train at once with other bytes', async () => {
    await edit('fit.py', 'json.dumps({"cut": cut})', 'json.dumps({"cut": cut, "run": os.getpid()})');
    const [one, two] = await Promise.all([
      trainRun(await request()),
      trainRun(await request({ outputFolder: path.join(folder, 'other') })),
    ]);
    expect([one.saved, two.saved].sort()).toEqual(['other-result', 'stored']);
    expect(one.run.modelDigest).toBe(two.run.modelDigest);
    expect(await readFile(path.join(folder, 'outputs/out/model.json'))).toEqual(
      await readFile(path.join(folder, 'other/out/model.json')),
    );
    expect(await openDirectoryStore(path.join(folder, 'store')).otherResults(one.run.runKey)).toHaveLength(1);
  });
});

describe('a run that cannot be', () => {
  async function refused(): Promise<PassloopError> {
    const found = await failure(trainRun(await request()));
    expect(await outputFiles()).toEqual([]);
    expect(await readdir(path.join(folder, 'store')).catch(() => [])).toEqual([]);
    return found;
  }

  it('names the stage, the exit code, the last lines and the log of a command that fails', async () => {
    await edit(
      'fit.py',
      'params = json',
      'import sys; print("::error::loud", file=sys.stderr); raise SystemExit("no such feature: x")\nparams = json',
    );
    const found = await refused();
    expect(found).toBeInstanceOf(ConfigurationError);
    expect(found.message).toBe(
      'passloop.yaml:14: stage fit failed with exit code 1. Its last lines:\n    | ::error::loud\n    no such feature: x',
    );
    expect(found.hint).toBe(`The whole output is in ${path.join(folder, 'logs/fit.log')}.`);
    expect(found.line).toBe(14);
  });

  it('shows the last state of a progress bar, and keeps what was printed before a time limit', async () => {
    const progress = recordingProgress();
    await edit('passloop.yaml', 'timeout: 60s', 'timeout: 2s');
    await edit(
      'fit.py',
      'params = json',
      'import sys, time; print("epoch 1"); sys.stderr.write("\\r 10%\\r 20%\\n"); time.sleep(61)\nparams = json',
    );
    await failure(trainRun(await request({ runner: runner({ progress }) })));
    expect(progress.lines.sort()).toEqual([' 20%', 'epoch 1']);
    expect(await readFile(path.join(folder, 'logs/fit.log'), 'utf8')).toContain('\r 10%\r 20%\n');
  });

  it('stops a command that hangs, with all that it started', async () => {
    await edit('passloop.yaml', 'timeout: 60s', 'timeout: 1s');
    await edit('fit.py', 'params = json', 'import subprocess; subprocess.run(["sleep", "61.25"])\nparams = json');
    const found = await refused();
    expect(found).toBeInstanceOf(InfrastructureError);
    expect(found.message).toBe(
      'passloop.yaml:14: stage fit did not finish within 1s and was stopped. It wrote nothing to stderr.',
    );
    expect(found.hint).toMatch(/Raise `timeout`/);
    const left = await runOrThrow({
      argv: ['sh', '-c', "ps -eo args | grep -c '^sleep 61.25' || true"],
      env: { PATH: searchPath },
    });
    expect(left.toString().trim()).toBe('0');
  });

  it.each([
    ['that was not written', 'os.remove(out / "model.json")', 'stage fit did not write out/model.json.'],
    ['that is empty', '(out / "model.json").write_text("")', 'stage fit wrote out/model.json empty.'],
    [
      'that is a link',
      'os.remove(out / "model.json"); os.symlink("/etc/passwd", out / "model.json")',
      'stage fit wrote out/model.json as a symbolic link.',
    ],
    [
      'in a folder that is a link',
      'os.rename("out", "real"); os.symlink("real", "out")',
      'stage fit wrote out/model.json as a symbolic link.',
    ],
    [
      'that is an empty folder',
      'os.remove(out / "model.json"); os.mkdir(out / "model.json")',
      'stage fit wrote out/model.json as an empty folder.',
    ],
    [
      'that is a pipe',
      'os.remove(out / "model.json"); os.mkfifo(out / "model.json")',
      'stage fit wrote out/model.json as something that is no regular file.',
    ],
    [
      'that is a device',
      'os.remove(out / "model.json"); os.mknod(out / "model.json", stat.S_IFCHR | 0o600, os.makedev(1, 8)) if os.getuid() == 0 else os.mkfifo(out / "model.json")',
      'stage fit wrote out/model.json as something that is no regular file.',
    ],
    [
      'that is a link to another output',
      'os.remove(out / "model.json"); os.symlink("metrics.json", out / "model.json")',
      'stage fit wrote out/model.json as a symbolic link.',
    ],
    [
      'that is a folder with a link in it',
      'os.remove(out / "model.json"); os.mkdir(out / "model.json"); os.symlink("/etc/shadow", out / "model.json/x")',
      'stage fit wrote what is no regular file into out/model.json: out/model.json/x is a symbolic link.',
    ],
    [
      'that is a folder with a pipe in it',
      'os.remove(out / "model.json"); os.mkdir(out / "model.json"); os.mkfifo(out / "model.json/x")',
      'stage fit wrote what is no regular file into out/model.json: out/model.json/x is neither a file nor a folder.',
    ],
  ])('refuses an output %s', async (_title, code, message) => {
    await edit('fit.py', 'print("trained', `import stat\n${code}\nprint("trained`);
    const found = await refused();
    expect(found).toBeInstanceOf(ConfigurationError);
    expect(found.message).toBe(`passloop.yaml:14: ${message}`);
  });

  it.each([
    ['NaN', 'float("nan")', /^out\/metrics\.json: accuracy is NaN, not a finite number\.$/],
    ['infinite', '-float("inf")', /^out\/metrics\.json: accuracy is -Infinity, not a finite number\.$/],
    ['null', 'None', /^out\/metrics\.json: accuracy is null, not a finite number\.$/],
    ['text', '"high"', /^out\/metrics\.json: accuracy is "high", not a finite number\.$/],
    ['a list', '[1]', /^out\/metrics\.json: accuracy is \[1\], not a finite number\.$/],
  ])('refuses a metric that is %s', async (_title, value, message) => {
    await edit('fit.py', '"accuracy": 0.75', `"accuracy": ${value}`);
    expect((await refused()).message).toMatch(message);
  });

  it('names file and digests of a stale lock', async () => {
    const changed = `${trainCsv}9,9.5,1\n`;
    await repository.write('data/train.csv', changed);
    await repository.commit();
    const found = await refused();
    expect(found).toBeInstanceOf(ConfigurationError);
    expect(found.message).toBe(
      `The lock is stale: data/train.csv is sha256:${sha256Hex(changed)}, but passloop.lock says sha256:${sha256Hex(trainCsv)}.`,
    );
    expect(found.file).toBe('passloop.lock');
    expect(found.hint).toMatch(/passloop data lock/);
    expect(await runs()).toBe(0);
  });

  it('names data that is not there', async () => {
    await repository.remove('data/test.csv');
    await repository.commit();
    expect((await refused()).message).toBe('The dataset test is not there: data/test.csv.');
  });

  it('says what a pointer in the place of data is, and how to get the data', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256Hex(trainCsv)}\nsize 37\n`;
    await repository.write('data/train.csv', pointer);
    await repository.commit();
    const lfs = await refused();
    await repository.remove('data/train.csv');
    await repository.write('data/train.csv.dvc', 'outs:\n- md5: a304afb96060aad90176268345e10355\n  path: train.csv\n');
    await repository.commit();
    const dvc = await refused();

    expect(lfs.message).toBe('The dataset train is not there: data/train.csv is a Git LFS pointer to it.');
    expect(lfs.hint).toMatch(/git lfs pull/);
    expect(dvc.message).toBe('The dataset train is not there: data/train.csv.');
    expect(dvc.hint).toMatch(/^DVC keeps it \(data\/train\.csv\.dvc\): fetch it with `dvc pull data\/train\.csv`/);
  });

  it('refuses data that is reached through a link out of the repository', async () => {
    await repository.remove('data/test.csv');
    await writeFile(path.join(folder, 'secret.csv'), testCsv);
    await runOrThrow({
      argv: ['ln', '-s', path.join(folder, 'secret.csv'), path.join(repository.folder, 'data/test.csv')],
      env: { PATH: searchPath },
    });
    await repository.commit();
    expect((await refused()).message).toMatch(/data\.test\.path is "data\/test\.csv", which is not a path inside/);
  });

  it('names a program that is not there', async () => {
    await edit('passloop.yaml', 'run: [python, fit.py]', 'run: [pyhton, fit.py]');
    expect((await refused()).message).toBe(
      'passloop.yaml:14: stage fit could not start: The program "pyhton" was not found.',
    );
  });

  it('refuses another platform than this machine is', async () => {
    await edit('passloop.yaml', 'lock: requirements.lock', 'lock: requirements.lock, platform: linux/arm64');
    expect((await refused()).message).toBe(
      'passloop.yaml:10: the model trains on linux/arm64; this machine is linux/amd64.',
    );
  });

  it('finds one flipped byte in the store, and writes nothing', async () => {
    const { run } = await trainRun(await request());
    await rm(path.join(folder, 'outputs'), { recursive: true });
    const id = run.modelDigest.slice('sha256:'.length);
    const blob = path.join(folder, 'store/blobs/sha256', id.slice(0, 2), id);
    const bytes = await readFile(blob);
    bytes[3] = bytes[3]! ^ 1;
    await chmod(blob, 0o644);
    await writeFile(blob, bytes);
    const found = await failure(trainRun(await request()));
    expect(found.exitCode).toBe(3);
    expect(found.message).toMatch(
      new RegExp(`^The store entry ${run.runKey} is damaged: out/model\\.json has sha256:`),
    );
    expect(await outputFiles()).toEqual([]);
    expect(await runs()).toBe(1);
  });
});
