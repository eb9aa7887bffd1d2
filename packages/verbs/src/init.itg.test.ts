import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseYaml, runProcess, silentProgress, type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { checkId, type LoadedModel, parseModelFile } from '@passloop/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { dataValidate } from './data.ts';
import { type Initialized, type InitRequest, init } from './init.ts';

let folder: TemporaryFolder;
let root: string;

beforeEach(async () => {
  folder = await temporaryFolder('init-test');
  root = path.join(folder.path, 'flights');
  await mkdir(root);
  await git('init', '-q', '-b', 'trunk');
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

async function git(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder.path,
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  };
  const result = await runProcess({ argv: ['git', '-C', root, ...args], env });
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString().trim();
}

async function put(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
}

async function run(request: InitRequest = {}, at = ''): Promise<Initialized> {
  const context: Context = {
    cwd: path.join(root, at),
    env: { PATH: process.env.PATH, HOME: folder.path },
    now: () => new Date(0),
    progress: silentProgress,
    version: '0.0.0',
  };
  return init(context, request);
}

/** The model file as it was written, and read by the loader of every other command. */
async function written(at = 'passloop.yaml'): Promise<LoadedModel> {
  const [model] = parseModelFile(await readFile(path.join(root, at), 'utf8'), at);
  if (model === undefined) throw new Error('no model');
  return model;
}

const table = 'id,distance,late\n1,100,0\n2,250,1\n3,30,0\n4,90,1\n';
const hashed = `numpy==2.1.0 \\\n    --hash=sha256:${'a'.repeat(64)}\n`;

describe('what is found', () => {
  it('plain scripts: data with its columns, the script, its outputs, the lock', async () => {
    await put({
      'data/train.csv': table.replace('late', 'label'),
      'data/test.csv': table.replace('late', 'label'),
      'predictions.csv': table,
      'train.py': `joblib.dump(model, "out/model.joblib")\nframe.to_csv('out/predictions.csv')\nopen("params.yaml")\n`,
      'features.py': '',
      'params.yaml': 'fit: {rate: 0.1}\n',
      'requirements.txt': 'numpy\n',
      'requirements.lock': hashed,
      '.python-version': '3.12\n',
    });
    const { decisions, files } = await run();
    const model = await written();
    expect(files.map((file) => file.path)).toContain('passloop.yaml');
    expect(model.name).toBe('flights');
    expect(model.task).toBe('binary');
    expect(model.columns).toMatchObject({ key: ['id'], label: 'label' });
    expect(Object.entries(model.data).map(([name, { path: at }]) => [name, at])).toEqual([
      ['train', 'data/train.csv'],
      ['test', 'data/test.csv'],
    ]);
    expect(model.data.train?.checks).toEqual([
      expect.objectContaining({ kind: 'columns', types: { id: 'integer', distance: 'integer', label: 'integer' } }),
      expect.objectContaining({ kind: 'row-count', min: 1 }),
      expect.objectContaining({ kind: 'unique', columns: ['id'] }),
      expect.objectContaining({ kind: 'not-null', column: 'label' }),
    ]);
    expect(model.train?.environment).toMatchObject({ python: '3.12', lock: 'requirements.lock' });
    expect(model.train?.stages).toEqual([
      expect.objectContaining({
        name: 'fit',
        run: ['python', 'train.py'],
        code: ['*.py'],
        data: ['train', 'test'],
        params: { file: 'params.yaml' },
        outputs: ['out/model.joblib', 'out/predictions.csv'],
      }),
    ]);
    expect(model.evaluate).toMatchObject({ dataset: 'test', predictions: 'out/predictions.csv' });
    expect(decisions.filter((decision) => decision.startsWith('passloop.yaml'))).toEqual([]);
  });

  it('of a table with rows enough, the checks that it passes, each with its reason', async () => {
    const rows = Array.from(
      { length: 1200 },
      (_, i) => `${i},${i % 7 === 0 ? '' : i * 1.5},${i % 3 ? 'new' : 'old'},${i % 2}`,
    );
    await put({ 'data/train.csv': `id,price,age,label\n${rows.join('\n')}\n`, 'data/test.csv': table });
    await run();
    const text = await readFile(path.join(root, 'passloop.yaml'), 'utf8');
    expect(text).toContain('{kind: set, column: age, values: [new, old]}   # all 2 values that came');
    const model = await written();
    const { train, test } = model.data;
    expect(train?.checks.map(checkId).slice(3)).toEqual([
      'not-null:label',
      'not-null:age',
      'set:age',
      'not-null:id',
      'finite:price',
      'range:price',
    ]);
    expect(test?.checks.map(({ kind }) => kind)).toEqual(['columns', 'row-count', 'unique']);
    const context = {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: folder.path },
      now: () => new Date(0),
      progress: silentProgress,
      version: '0.0.0',
    };
    const [validated] = await dataValidate(context, { dataset: 'train' });
    expect(validated?.report.verdict).toBe('pass');
  });

  it('DVC: its stages in the order in which they run, with what they need', async () => {
    await put({
      'data/raw.parquet.dvc': 'outs: []\n',
      'src/prepare.py': '',
      'src/fit.py': '',
      'params.yaml': 'rate: 1\n',
      'dvc.yaml': `stages:
  Fit_model:
    cmd: python src/fit.py --fast | tee log
    deps: [src/fit.py, work/rows.parquet]
    params: [rate, fit.depth]
    outs: [out/model.joblib]
    metrics: [{out/metrics.json: {cache: false}}]
  prepare:
    cmd: python src/prepare.py
    deps: [src/prepare.py, data/raw.parquet]
    outs: [work]
  each:
    foreach: [a, b]
    do:
      cmd: echo \${item}
  templated:
    cmd: python \${script}
    outs: [x]
`,
    });
    const { decisions } = await run();
    const model = await written();
    expect(model.data).toMatchObject({ raw: { path: 'data/raw.parquet' } });
    expect(model.train?.stages).toEqual([
      expect.objectContaining({
        name: 'prepare',
        run: ['python', 'src/prepare.py'],
        code: ['src/prepare.py'],
        data: ['raw'],
        outputs: ['work'],
      }),
      expect.objectContaining({
        name: 'fit-model',
        run: ['sh', '-c', 'python src/fit.py --fast | tee log'],
        code: ['src/fit.py'],
        needs: ['prepare'],
        params: { file: 'params.yaml', keys: ['rate', 'fit.depth'] },
        outputs: ['out/model.joblib', 'out/metrics.json'],
      }),
    ]);
    const said = decisions.join('\n');
    expect(said).toMatch(/The stage each of dvc\.yaml was not taken over/);
    expect(said).toMatch(/The stage templated of dvc\.yaml was not taken over/);
  });

  it('MLflow: the main entry point with its defaults, and its Python', async () => {
    await put({
      MLproject: `name: flights
python_env: python_env.yaml
entry_points:
  main:
    parameters: {alpha: {type: float, default: 0.5}, data: path}
    command: "python train.py --alpha {alpha} --data {data}"
  score: {command: "python score.py"}
`,
      'python_env.yaml': 'python: "3.10"\n',
      'train.py': 'mlflow.sklearn.log_model(model, "model")\n',
    });
    const { decisions } = await run();
    const model = await written();
    expect(model.train?.environment).toMatchObject({ python: '3.10' });
    expect(model.train?.stages[0]?.run).toEqual(['sh', '-c', 'python train.py --alpha 0.5 --data {data}']);
    const said = decisions.join('\n');
    expect(said).toMatch(/parameter data of MLproject has no default/);
    expect(said).toMatch(/entry point score/);
    expect(said).toMatch(/passloop\.yaml:\d+ `name`: outputs are the files that the stage writes/);
  });

  it('nothing: a model file that loads, and the very lines that a person must fill', async () => {
    const { decisions } = await run();
    const model = await written();
    expect(model.data).toEqual({});
    const text = (await readFile(path.join(root, 'passloop.yaml'), 'utf8')).split('\n');
    const named = decisions.filter((one) => one.startsWith('passloop.yaml:'));
    expect(named).toHaveLength(4);
    for (const decision of named) {
      const [, line = '0', key = ''] = /^passloop\.yaml:(\d+) `([^`]+)`/.exec(decision) ?? [];
      expect(text[Number(line) - 1]).toContain(`${key}:`);
      expect(text[Number(line) - 1]).toContain('# decide:');
    }
    expect(named.map((one) => one.split('`')[1])).toEqual(['task', 'key', 'label', 'data']);
  });

  it('checks of another tool, those that can not be mapped as comments', async () => {
    await put({ 'data/test.csv': table, 'data/train.csv': table, 'train.py': '' });
    const suite = {
      expectations: [
        { type: 'expect_column_values_to_be_between', kwargs: { column: 'distance', min_value: 0 } },
        { type: 'expect_column_values_to_be_between', kwargs: { column: 'distance', max_value: 5000 } },
        { type: 'expect_column_values_to_be_unique', kwargs: { column: 'id' } },
        { type: 'expect_something_else', kwargs: { column: 'late' } },
      ],
    };
    await put({ 'gx/suite.json': JSON.stringify(suite) });
    await git('add', '.');

    const { decisions } = await run({ from: 'gx/suite.json' });

    const { data } = await written();
    expect(data.train?.checks.map((check) => checkId(check))).toEqual([
      'columns',
      'range:distance',
      'range:distance:2',
      'unique:id',
    ]);
    expect(data.test?.checks.map(({ kind }) => kind)).toContain('row-count');
    expect(await readFile(path.join(root, 'passloop.yaml'), 'utf8')).toContain(
      '          # not mapped: expect_something_else of late: no check of ours is exactly this\n',
    );
    expect(decisions).toContainEqual(expect.stringMatching(/^1 checks of gx\/suite\.json could not be mapped/));
    await git('commit', '-qm', 'Checks');
    expect((await run({ from: 'gx/suite.json' })).decisions).toContainEqual(
      expect.stringMatching(/data suggest --from FILE/),
    );
    await expect(run({ from: 'gone.json' })).rejects.toThrow('There is no file gone.json.');
  });

  it('the parts of a table as its folder', async () => {
    await put({ 'data/sales/part-1.csv': table, 'data/sales/part-2.csv': table, 'data/sales/part-3.csv': table });
    await run();
    expect((await written()).data).toMatchObject({ sales: { path: 'data/sales' } });
  });

  it('a folder of a larger repository: its own file there, the rest at the top', async () => {
    await put({
      'models/delay/train.py': 'dump("out/model.joblib")\n',
      'models/delay/data/rows.csv': table,
      'train.py': '',
    });
    await git('remote', 'add', 'origin', 'https://github.com/Acme/mono.git');
    const { files } = await run({ owners: '@acme/ml' }, 'models/delay');
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining(['models/delay/passloop.yaml', '.gitignore', '.github/CODEOWNERS']),
    );
    const model = await written('models/delay/passloop.yaml');
    expect(model.name).toBe('delay');
    expect(model.data).toMatchObject({ rows: { path: 'data/rows.csv' } });
    expect(model.train?.stages[0]?.run).toEqual(['python', 'train.py']);
    expect(model.store).toEqual({ oci: 'ghcr.io/acme/delay-runs' });
  });
});

describe('what is there stays', () => {
  it('a second run changes nothing', async () => {
    await put({ 'train.py': '', '.gitignore': 'out/', CODEOWNERS: '* @acme/all' });
    const first = await run({ owners: '@acme/ml' });
    expect(first.files.find((file) => file.path === '.gitignore')?.change).toBe('append');
    expect(await readFile(path.join(root, '.gitignore'), 'utf8')).toBe('out/\n.passloop/out/\n.passloop/store/\n');
    expect(await readFile(path.join(root, 'CODEOWNERS'), 'utf8')).toBe(
      '* @acme/all\n/.github/ @acme/ml\n/.passloop/overrides/ @acme/ml\n',
    );
    await git('add', '-A');
    await git('commit', '-qm', 'Begin');
    const again = await run({ owners: '@acme/ml' });
    expect(again.files).toEqual([]);
    expect(await git('status', '--porcelain')).toBe('');
  });

  it('a plan writes nothing', async () => {
    await put({ 'train.py': '' });
    const { files, written: wrote } = await run({ plan: true });
    expect(wrote).toBe(false);
    expect(files.length).toBeGreaterThan(0);
    expect(await git('status', '--porcelain')).toBe('?? train.py');
  });

  it('a model file that git ignores is not written over, and then nothing is', async () => {
    await put({ 'passloop.yaml': 'mine\n', '.gitignore': 'passloop.yaml\n' });
    await expect(run()).rejects.toThrow(/passloop\.yaml is there already/);
    expect(await readFile(path.join(root, 'passloop.yaml'), 'utf8')).toBe('mine\n');
    expect(await readFile(path.join(root, '.gitignore'), 'utf8')).toBe('passloop.yaml\n');
  });
});

describe('a repository that somebody else made', () => {
  it('names are data: no YAML, no command and no pattern', async () => {
    await put({
      'data/$(touch owned).csv': table,
      'data/a: b, [c] #d.csv': table,
      'data/"quoted": {x}.csv': table,
      'data/yes.csv': table,
      'data/1e3.csv': table,
      'data/new\nline.csv': table,
      'data/\u202etxt.csv': table,
      '-rf.csv': table,
      '!all.csv': table,
    });
    const { decisions } = await run();
    const paths = Object.values((await written()).data).map((source) => source.path);
    expect(paths.sort()).toEqual(['data/$(touch owned).csv', 'data/1e3.csv', 'data/yes.csv']);
    expect(existsSync(path.join(root, 'owned'))).toBe(false);
    expect(decisions.join('\n')).toMatch(/6 files have names that a model file can't take/);
  });

  it('columns are data too', async () => {
    const names = [
      'id',
      'a: b',
      '- {kind: x}',
      '#hash',
      'yes',
      '1e3',
      'it"s',
      "it's",
      '{{x}}',
      'back\\slash',
      'é\u0085',
    ];
    const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
    await put({ 'train.csv': `${header}\n${names.map((_, index) => index).join(',')}\n` });
    await run();
    const [check] = (await written()).data.train?.checks ?? [];
    expect(check?.kind === 'columns' ? Object.keys(check.types).sort() : []).toEqual([...names].sort());
  });

  it('pipelines are data: a bomb, a prototype, paths outside', async () => {
    await put({
      'dvc.yaml': `stages:
  outside: {cmd: "python train.py", outs: [../../etc/passwd, /root/x], deps: [../secret, train.py]}
  __proto__: {cmd: x, outs: [y]}
  constructor: {cmd: "a\\nversion: 2", outs: [out, OUT/b]}
`,
      'train.py': '',
    });
    const { decisions } = await run();
    const model = await written();
    expect(model.train?.stages.map((stage) => stage.outputs)).toEqual([['out/outside'], ['passloop-out/constructor']]);
    expect(decisions.join('\n')).toMatch(/out of the stage constructor lies in an output of another stage/);
    expect(model.train?.stages[1]?.run).toEqual(['sh', '-c', 'a\nversion: 2']);
  });

  it('a pipeline that no model file can say is left out, and the rest is written', async () => {
    await put({ 'dvc.yaml': `stages:\n  fit: {cmd: "${'x'.repeat(9000)};", outs: [m.pkl]}\n`, 'data/a.csv': table });
    const { decisions } = await run();
    expect((await written()).train).toBeUndefined();
    expect(decisions.join('\n')).toMatch(/dvc\.yaml was not taken over: models\[0\]\.train\.stages\[0\]\.run/);
  });

  it('a link that leads outside is neither read nor written through', async () => {
    await mkdir(path.join(folder.path, 'outside'));
    await writeFile(path.join(folder.path, 'outside/secret.py'), 'dump("out/secret.joblib")\n');
    await symlink(path.join(folder.path, 'outside/secret.py'), path.join(root, 'train.py'));
    await symlink(path.join(folder.path, 'outside'), path.join(root, '.github'));
    await expect(run({ owners: '@acme/ml' })).rejects.toThrow(/not a path inside the repository/);
    expect(existsSync(path.join(folder.path, 'outside/CODEOWNERS'))).toBe(false);
    const { files } = await run({ plan: true });
    expect(files.find((file) => file.path === 'passloop.yaml')?.text).not.toContain('secret');
  });

  it.each(['@acme/ml\n* @evil', '@a @b; rm', 'everyone', '# x', ''])('refuses the owners %j', async (owners) => {
    await expect(run({ owners })).rejects.toThrow(/names no owners/);
  });

  it.each(['v1 # x', 'a\n', '$(x)', ''])('refuses the release %j', async (release) => {
    await expect(run({ release })).rejects.toThrow(/no ref of a release/);
  });
});

it('text of every plan is YAML', async () => {
  await put({ 'train.py': '' });
  const { files } = await run({ plan: true });
  for (const file of files.filter(({ path: at }) => /\.ya?ml$/.test(at))) {
    expect(parseYaml(file.text, file.path).value).toBeTruthy();
  }
});
