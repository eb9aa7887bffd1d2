import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGitRepository, runOrThrow, sha256Hex } from '@passloop/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createRepository, gitEnvironment, loadModel, lockOf, type TestRepository } from './fixtures/repository.ts';
import { runKey } from './run-key.ts';
import { planTraining, trainingKey } from './training-plan.ts';

const train = 'id,late\n1,0\n2,1\n';
const test = 'id,late\n3,1\n';

const modelFile = `version: 1
models:
  - name: toy
    task: binary
    columns: {key: [id], label: late, score: score}
    data:
      train: {path: data/train.csv}
      test: {path: data/test.csv}
    train:
      environment: {python: "3.11", lock: requirements.lock}
      seeds: {PYTHONHASHSEED: 0, framework: 7}
      variables: {MODE: fast}
      stages:
        - name: prepare
          run: [python, -m, toy.prepare]
          code: [src/**]
          data: [train]
          outputs: [out/features.csv]
        - name: fit
          run: [python, -m, toy.fit]
          code: [src/**, "!src/tests"]
          data: [train, test]
          needs: [prepare]
          params: {file: params.yaml, keys: [fit, features]}
          outputs: [out/model.json]
    evaluate: {dataset: test, predictions: out/model.json}
`;

const files = {
  'passloop.yaml': modelFile,
  'passloop.lock': lockOf({ 'data/train.csv': train, 'data/test.csv': test }),
  'requirements.lock': 'six==1.17.0 \\\n    --hash=sha256:1111\n',
  'params.yaml': '# rates\nfit:\n  max_depth: 8\n  rate: 0.1\nfeatures: [a, b]\nunused: 1\n',
  'data/train.csv': train,
  'data/test.csv': test,
  'src/prepare.py': 'print("prepare")\n',
  'src/fit.py': 'print("fit")\n',
  'src/tests/check.py': 'assert True\n',
  'README.md': 'A toy.\n',
  'notebooks/look.py': 'print("look")\n',
};

async function keyAt(repository: TestRepository): Promise<string> {
  const git = await repository.open();
  const commit = await repository.git('rev-parse', 'HEAD');
  return (await trainingKey(git, commit, await loadModel(git, commit))).runKey;
}

async function edit(repository: TestRepository, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(repository.folder, file), 'utf8');
  expect(text).toContain(from);
  await repository.write(file, text.replace(from, to));
}

type Mutation = [title: string, changes: boolean, change: (repository: TestRepository) => Promise<unknown>];

const mutations: Mutation[] = [
  ['an empty commit', false, async () => {}],
  ['the README', false, (repo) => repo.write('README.md', 'Another text.\n')],
  ['code that no stage declares', false, (repo) => repo.write('notebooks/look.py', 'print(2)\n')],
  ['a new file beside the code', false, (repo) => repo.write('scripts/run.sh', 'true\n')],
  ['mode 0664 instead of 0644', false, (repo) => repo.write('src/fit.py', files['src/fit.py'], 0o664)],
  ['mode 0600 instead of 0644', false, (repo) => repo.write('src/fit.py', files['src/fit.py'], 0o600)],
  ['a comment in the params', false, (repo) => edit(repo, 'params.yaml', '# rates', '# learning rates, tuned')],
  [
    'the order of the params',
    false,
    (repo) => repo.write('params.yaml', 'features: [a, b]\nfit: {rate: 0.10, max_depth: 8}\n'),
  ],
  ['a param that no stage declares', false, (repo) => edit(repo, 'params.yaml', 'unused: 1', 'unused: 2')],
  ['the quotes of a param', false, (repo) => edit(repo, 'params.yaml', '[a, b]', '["a", \'b\']')],
  [
    'the rows that the lock counts',
    false,
    (repo) => repo.write('passloop.lock', lockOf({ 'data/train.csv': train, 'data/test.csv': test }, 2)),
  ],
  [
    'the layout of the lock',
    false,
    async (repo) => repo.write('passloop.lock', JSON.stringify(JSON.parse(files['passloop.lock']))),
  ],
  [
    'a gate',
    false,
    (repo) =>
      edit(
        repo,
        'passloop.yaml',
        '    evaluate:',
        '    gates: [{metric: roc_auc, direction: higher, min: 0.5}]\n    evaluate:',
      ),
  ],
  ['data in the work tree, but not its lock', false, (repo) => repo.write('data/train.csv', `${train}3,0\n`)],
  [
    'a timeout',
    false,
    (repo) => edit(repo, 'passloop.yaml', 'needs: [prepare]', 'needs: [prepare]\n          timeout: 5m'),
  ],
  ['the name of the model', false, (repo) => edit(repo, 'passloop.yaml', 'name: toy', 'name: game')],

  ['one byte of the code', true, (repo) => repo.write('src/fit.py', 'print("fit!")\n')],
  ['line ends of the code', true, (repo) => repo.write('src/fit.py', 'print("fit")\r\n')],
  ['the execution bit', true, (repo) => repo.write('src/fit.py', files['src/fit.py'], 0o755)],
  ['a code file with another name', true, (repo) => repo.git('mv', 'src/fit.py', 'src/fitting.py')],
  ['a new code file', true, (repo) => repo.write('src/.hidden.py', '')],
  ['a code file that only the first stage has', true, (repo) => repo.write('src/tests/check.py', 'assert 1\n')],
  ['a param', true, (repo) => edit(repo, 'params.yaml', 'max_depth: 8', 'max_depth: 12')],
  ['a param in its last digit', true, (repo) => edit(repo, 'params.yaml', 'rate: 0.1', 'rate: 0.10000000000000002')],
  ['a param from 8 to 8.0', true, (repo) => edit(repo, 'params.yaml', 'max_depth: 8', 'max_depth: 8.0')],
  ['a param from 8 to "8"', true, (repo) => edit(repo, 'params.yaml', 'max_depth: 8', 'max_depth: "8"')],
  ['the order of a list in the params', true, (repo) => edit(repo, 'params.yaml', '[a, b]', '[b, a]')],
  ['one byte of the requirements lock', true, (repo) => edit(repo, 'requirements.lock', '1111', '1112')],
  ['the Python version', true, (repo) => edit(repo, 'passloop.yaml', '"3.11"', '"3.11.9"')],
  [
    'the digest of a dataset in the lock',
    true,
    (repo) => repo.write('passloop.lock', lockOf({ 'data/train.csv': `${train}3,0\n`, 'data/test.csv': test })),
  ],
  ['a seed', true, (repo) => edit(repo, 'passloop.yaml', 'framework: 7', 'framework: 8')],
  ['a variable', true, (repo) => edit(repo, 'passloop.yaml', 'MODE: fast', 'MODE: slow')],
  [
    'the command',
    true,
    (repo) => edit(repo, 'passloop.yaml', '[python, -m, toy.fit]', '[python, -m, toy.fit, --fast]'),
  ],
  ['an output more', true, (repo) => edit(repo, 'passloop.yaml', '[out/model.json]', '[out/model.json, out/log.txt]')],
  ['the name of a stage', true, (repo) => edit(repo, 'passloop.yaml', 'name: fit', 'name: learn')],
  ['the command of an earlier stage', true, (repo) => edit(repo, 'passloop.yaml', 'toy.prepare]', 'toy.prepare, -v]')],
  [
    'the platform',
    true,
    (repo) => edit(repo, 'passloop.yaml', 'lock: requirements.lock', 'lock: requirements.lock, platform: linux/arm64'),
  ],
];

describe('the run key', () => {
  const repositories: TestRepository[] = [];
  afterAll(async () => {
    for (const repository of repositories) await repository[Symbol.asyncDispose]();
  });
  async function fresh(): Promise<TestRepository> {
    const repository = await createRepository(files);
    repositories.push(repository);
    return repository;
  }

  it.each(mutations)('with %s: changes %s', async (_title, changes, change) => {
    const repository = await fresh();
    const before = await keyAt(repository);
    await change(repository);
    await repository.commit();
    const after = await keyAt(repository);
    expect(before).toMatch(/^rk1-[0-9a-f]{64}$/);
    expect(after !== before).toBe(changes);
  });

  it('is the same after an amend with another message, author and date', async () => {
    const repository = await fresh();
    const before = await keyAt(repository);
    const commit = await repository.git('rev-parse', 'HEAD');
    await repository.git(
      'commit',
      '--amend',
      '--quiet',
      '-m',
      'other words',
      '--author',
      'Bob <b@x.org>',
      '--date',
      '2001-01-01T00:00:00Z',
    );
    expect(await repository.git('rev-parse', 'HEAD')).not.toBe(commit);
    expect(await keyAt(repository)).toBe(before);
  });

  it('is the same in a clone elsewhere that checks out CRLF, and with files touched and changed in the work tree', async () => {
    const repository = await fresh();
    const before = await keyAt(repository);
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'passloop-elsewhere-'));
    try {
      const clone = path.join(elsewhere, 'a b');
      await runOrThrow({
        argv: ['git', 'clone', '--quiet', '-c', 'core.autocrlf=true', repository.folder, clone],
        env: gitEnvironment,
      });
      expect(await readFile(path.join(clone, 'src/fit.py'), 'utf8')).toBe('print("fit")\r\n');
      await utimes(path.join(clone, 'src/fit.py'), 1, 1);
      await rm(path.join(clone, 'data'), { recursive: true });
      await rm(path.join(clone, 'params.yaml'));
      const git = await openGitRepository(clone, gitEnvironment);
      const commit = (await git.resolve('HEAD')) as string;
      expect((await trainingKey(git, commit, await loadModel(git, commit))).runKey).toBe(before);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  it('is the same for another user of the machine, in a clone of theirs that nobody else may read', async () => {
    const repository = await fresh();
    const before = await keyAt(repository);
    const shared = await mkdtemp(path.join(tmpdir(), 'passloop-user-'));
    try {
      await chmod(shared, 0o777);
      await chmod(repository.folder, 0o755);
      await writeFile(path.join(shared, 'gitconfig'), '[safe]\n\tdirectory = *\n');
      const source = (name: string) => JSON.stringify(fileURLToPath(import.meta.resolve(name)));
      const script = `
        import { execFileSync } from 'node:child_process';
        import { openGitRepository } from ${source('@passloop/core')};
        import { loadModelsAt } from ${source('@passloop/model')};
        import { trainingKey } from ${source('./training-plan.ts')};
        if (process.getuid() === 0) {
          process.setgid(65534);
          process.setuid(65534);
        }
        process.umask(0o077);
        const clone = ${JSON.stringify(path.join(shared, 'clone'))};
        execFileSync('git', ['clone', '--quiet', ${JSON.stringify(repository.folder)}, clone]);
        const git = await openGitRepository(clone, process.env);
        const commit = await git.resolve('HEAD');
        const [model] = await loadModelsAt(git, commit);
        console.log((await trainingKey(git, commit, model)).runKey, process.getuid());
      `;
      const printed = await runOrThrow({
        argv: [process.execPath, '--input-type=module', '-e', script],
        env: { ...gitEnvironment, GIT_CONFIG_GLOBAL: path.join(shared, 'gitconfig') },
      });
      const uid = process.getuid?.() === 0 ? 65534 : process.getuid?.();
      expect(printed.toString().trim()).toBe(`${before} ${uid}`);
      expect((await stat(path.join(shared, 'clone/src/fit.py'))).mode & 0o777).toBe(0o600);
    } finally {
      await rm(shared, { recursive: true, force: true });
    }
  });

  it('is the same when another author with another umask commits the same tree', async () => {
    const repository = await fresh();
    const other = await mkdtemp(path.join(tmpdir(), 'passloop-umask-'));
    try {
      await cp(repository.folder, other, { recursive: true, filter: (source) => !source.includes('.git') });
      const shell = 'umask 0000; git init -q -b main . && git add -A -f && git commit -q -m x && git rev-parse HEAD';
      const env = { ...gitEnvironment, GIT_AUTHOR_NAME: 'Bob', GIT_COMMITTER_NAME: 'Bob' };
      const commit = (await runOrThrow({ argv: ['sh', '-c', shell], cwd: other, env })).toString().trim();
      const git = await openGitRepository(other, gitEnvironment);
      expect((await trainingKey(git, commit, await loadModel(git, commit))).runKey).toBe(await keyAt(repository));
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  it('is the same where the model folder lies deeper in a repository', async () => {
    const repository = await fresh();
    const before = await keyAt(repository);
    await repository.git('mv', '-k', 'passloop.yaml', 'README.md', '.');
    for (const name of Object.keys(files)) {
      await repository.write(`models/toy/${name}`, files[name as keyof typeof files]);
      await repository.remove(name);
    }
    await repository.commit();
    expect(await keyAt(repository)).toBe(before);
  });

  it('is sha256 of the RFC 8785 JSON of names and keys, which are the same of the inputs', async () => {
    const repository = await fresh();
    const git = await repository.open();
    const commit = await repository.git('rev-parse', 'HEAD');
    const key = await trainingKey(git, commit, await loadModel(git, commit));
    // Written by hand: sorted keys, no spaces.
    const names = key.stages.map((stage) => `["${stage.name}","${stage.key}"]`).join(',');
    expect(key.runKey).toBe(`rk1-${sha256Hex(`{"schema":"runkey/1","stages":[${names}]}`)}`);
    expect(key.stages[1]?.inputs.upstream).toEqual([{ stage: 'prepare', key: key.stages[0]?.key }]);
    expect(key.stages[1]?.inputs.code.map((file) => file.path)).toEqual(['src/fit.py', 'src/prepare.py']);
    expect(key.stages[1]?.inputs.params).toEqual([
      { name: 'features[0]', value: 'a' },
      { name: 'features[1]', value: 'b' },
      { name: 'fit.max_depth', value: '8' },
      { name: 'fit.rate', value: '0.1' },
    ]);
    const prepared = key.stages[0]!.inputs;
    const code = prepared.code
      .map((file) => `{"digest":"${file.digest}","mode":"100644","path":"${file.path}"}`)
      .join(',');
    const data = `{"digest":"sha256:${sha256Hex(train)}","name":"train"}`;
    const lock = `sha256:${sha256Hex(files['requirements.lock'])}`;
    expect(key.stages[0]?.key).toBe(
      `rk1-${sha256Hex(
        `{"code":[${code}],"command":["python","-m","toy.prepare"],"data":[${data}],` +
          `"environment":{"image":null,"lock":"${lock}","platform":"linux/amd64","python":"3.11"},` +
          '"outputs":["out/features.csv"],"params":[],"schema":"runkey/1",' +
          '"seeds":[{"name":"PYTHONHASHSEED","value":"0"},{"name":"framework","value":"7"}],' +
          '"stage":"prepare","upstream":[],"variables":[{"name":"MODE","value":"fast"}]}',
      )}`,
    );
  });

  it('depends on the order of the stages', () => {
    const [one, two] = [
      { name: 'a', key: 'rk1-1' },
      { name: 'b', key: 'rk1-2' },
    ];
    expect(runKey([one, two])).not.toBe(runKey([two, one]));
  });

  describe('is refused', () => {
    const refusals: [string, (repository: TestRepository) => Promise<unknown>, RegExp][] = [
      [
        'for a symbolic link in the code',
        (repo) => symlink('/etc/passwd', path.join(repo.folder, 'src/link.py')),
        /^src\/link\.py is a symbolic link; the code of a stage is regular files only\.$/,
      ],
      [
        'for code that is a link itself',
        async (repo) => {
          await repo.git('mv', 'src', 'real');
          await symlink('real', path.join(repo.folder, 'src'));
        },
        /^src is a symbolic link/,
      ],
      [
        'for a submodule in the code',
        async (repo) => {
          await mkdir(path.join(repo.folder, 'src/module'));
          await repo.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},src/module`);
        },
        /^src\/module is a submodule/,
      ],
      [
        'for a pattern that matches nothing',
        (repo) => edit(repo, 'passloop.yaml', 'code: [src/**]', 'code: [source/**]'),
        /^passloop\.yaml:16: code "source\/\*\*" matches no file of the commit\.$/,
      ],
      [
        'for a pattern that leads out',
        (repo) => edit(repo, 'passloop.yaml', 'code: [src/**]', 'code: ["../other/**"]'),
        /^passloop\.yaml:16: code "\.\.\/other\/\*\*" leads out of the folder/,
      ],
      [
        'without a lock',
        (repo) => repo.git('rm', '--quiet', 'passloop.lock'),
        /"data\/train\.csv" is not locked: there is no passloop\.lock\./,
      ],
      [
        'for a dataset that is not locked',
        (repo) => repo.write('passloop.lock', lockOf({ 'data/train.csv': train })),
        /"data\/test\.csv" is not locked\./,
      ],
      [
        'without the requirements lock',
        (repo) => repo.git('rm', '--quiet', 'requirements.lock'),
        /^passloop\.yaml:10: lock "requirements\.lock" is no file of the commit\.$/,
      ],
      [
        'without the params file',
        (repo) => repo.git('rm', '--quiet', 'params.yaml'),
        /^passloop\.yaml:24: params file "params\.yaml" is no file of the commit\.$/,
      ],
      [
        'for a params key that is not there',
        (repo) => edit(repo, 'passloop.yaml', 'keys: [fit, features]', 'keys: [fitting]'),
        /^passloop\.yaml:24: params\.yaml has no key "fitting"\.$/,
      ],
      [
        'for a variable of the runner',
        (repo) => edit(repo, 'passloop.yaml', 'MODE: fast', 'HOME: /root'),
        /^passloop\.yaml:12: the variable HOME is set by the runner/,
      ],
      [
        'for a seed among the variables',
        (repo) => edit(repo, 'passloop.yaml', 'MODE: fast', 'PASSLOOP_SEED_X: "1"'),
        /PASSLOOP_SEED_X is a seed/,
      ],
      [
        'for an output that is committed as code',
        (repo) => edit(repo, 'passloop.yaml', 'outputs: [out/model.json]', 'outputs: [out/model.json, src]'),
        /^passloop\.yaml:25: the output "src" lies where code does: src\/fit\.py\.$/,
      ],
      [
        'for an output over a dataset',
        (repo) => edit(repo, 'passloop.yaml', 'outputs: [out/features.csv]', 'outputs: [data/train.csv]'),
        /the output "data\/train\.csv" lies where the dataset train does/,
      ],
      [
        'for an output over the params',
        (repo) => edit(repo, 'passloop.yaml', 'outputs: [out/features.csv]', 'outputs: [params.yaml]'),
        /the output "params\.yaml" lies where a params file does/,
      ],
      [
        'for two seeds with one name',
        (repo) => edit(repo, 'passloop.yaml', 'framework: 7', 'framework: 7, Framework: 8'),
        /two seeds are both PASSLOOP_SEED_FRAMEWORK/,
      ],
    ];
    it.each(refusals)('%s', async (_title, change, message) => {
      const repository = await fresh();
      await change(repository);
      await repository.git('add', '--all', '--force', '--', '.').catch(() => '');
      await repository.git('commit', '--quiet', '--allow-empty', '-m', 'x');
      await expect(keyAt(repository)).rejects.toThrow(message);
    });
  });

  it('gives the plan of what a stage sees, and nothing else of the params', async () => {
    const repository = await fresh();
    const git = await repository.open();
    const commit = await repository.git('rev-parse', 'HEAD');
    const plan = await planTraining(git, commit, await loadModel(git, commit));
    expect(plan.stages[1]?.params).toEqual({
      path: 'params.yaml',
      text: '{\n  "features": [\n    "a",\n    "b"\n  ],\n  "fit": {\n    "max_depth": 8,\n    "rate": 0.1\n  }\n}\n',
    });
    expect(plan.data.map((dataset) => dataset.name)).toEqual(['test', 'train']);
  });
});
