import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, createWorld, type World } from '../world/world.ts';

/** What people type and commit by mistake, given to the built command: the exit code, the error document, and nothing half-written. */
let folder: TemporaryFolder;
let world: World;
let count = 0;

beforeAll(async () => {
  folder = await temporaryFolder('bad-input');
  world = await createWorld({ folder: folder.path });
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

/** A fresh copy of the model repository, changed and committed. */
async function clone(change: (folder: string) => Promise<void>): Promise<string> {
  count += 1;
  const copy = path.join(folder.path, `clone-${count}`);
  await cp(world.flightsClone, copy, { recursive: true });
  await change(copy);
  await world.git(copy, 'add', '-A');
  await world.git(copy, 'commit', '-q', '--allow-empty', '-m', 'A change');
  return copy;
}

async function edit(copy: string, from: string | RegExp, to: string, file = 'passloop.yaml'): Promise<void> {
  const before = await readFile(path.join(copy, file), 'utf8');
  const after = before.replace(from, to);
  expect(after, `${file} has no ${String(from)}`).not.toBe(before);
  await writeFile(path.join(copy, file), after);
}

async function refused(
  args: string[],
  cwd: string,
  expected: { exitCode: number; code: string; message: RegExp; hint?: RegExp; file?: string },
  env: Record<string, string> = {},
): Promise<Answer> {
  const file = path.join(folder.path, 'error.json');
  await rm(file, { force: true });
  const answer = await world.passloop([...args, '--json', file], { cwd, env });
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(expected.exitCode);
  const error = parseDocument('error', await readFile(file, 'utf8'), 'error.json');
  expect(error.code).toBe(expected.code);
  expect(error.message).toMatch(expected.message);
  if (expected.hint !== undefined) expect(error.hint ?? '').toMatch(expected.hint);
  if (expected.file !== undefined) expect(error.file).toBe(expected.file);
  expect(answer.stderr).toContain('passloop: ');
  expect(answer.stderr).not.toMatch(/\n\s+at .*\.m?[jt]s:\d+/);
  return answer;
}

describe('a model file', () => {
  it.each<[string, string | RegExp, string, RegExp, RegExp]>([
    [
      'with an unknown key',
      'margin: 0.005',
      'martin: 0.005',
      /passloop\.yaml:\d+: models\[0\]\.gates\[0\]\.martin: unknown key/,
      /Did you mean `margin`/,
    ],
    ['with a wrong type', 'key: [id]', 'key: id', /columns\.key: .*expected array/, /^$/],
    [
      'with a path outside',
      'path: data/train.parquet',
      'path: ../../etc/passwd',
      /must be a path inside the repository/,
      /^$/,
    ],
    [
      'that is a bomb',
      /^version: 1$/m,
      `version: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]`,
      /alias/i,
      /aliases/,
    ],
  ])('%s', async (_name, from, to, message, hint) => {
    const copy = await clone((where) => edit(where, from, to));
    await refused(['train', 'key'], copy, {
      exitCode: 2,
      code: 'configuration',
      message,
      ...(hint.source === '^$' ? {} : { hint }),
      file: 'passloop.yaml',
    });
  });
});

describe('a check of nothing is no pass', () => {
  const override = '.passloop/overrides/gone.yaml';

  it('of a name that is none', async () => {
    await refused(['check', '--model', 'fligth-delay'], world.flightsClone, {
      exitCode: 2,
      code: 'configuration',
      message: /No model is named "fligth-delay" \(there is: flight-delay\)/,
    });
  });

  it('of a repository without a model file', async () => {
    const copy = await clone((where) => rm(path.join(where, 'passloop.yaml')));
    for (const args of [['check'], ['check', '--plan']]) {
      await refused(args, copy, { exitCode: 2, code: 'configuration', message: /No passloop\.yaml/, hint: /template/ });
    }
  });

  it('of a change that removes the model with its gates, unless an override allows it', async () => {
    const copy = await clone((where) => rm(path.join(where, 'passloop.yaml')));
    const answer = await world.passloop(['check', '--against', 'origin/main'], { cwd: copy });
    expect(answer.exitCode, answer.stdout + answer.stderr).toBe(1);
    expect(answer.stdout).toMatch(/flight-delay → removed/);

    await mkdir(path.dirname(path.join(copy, override)), { recursive: true });
    await writeFile(path.join(copy, override), 'gate: model\nreason: retired\nuntil: "2999-01-01"\n');
    await world.git(copy, 'add', '-A');
    await world.git(copy, 'commit', '-q', '-m', 'Allow it');
    const allowed = await world.passloop(['check', '--against', 'origin/main'], { cwd: copy });
    expect(allowed.exitCode, allowed.stdout + allowed.stderr).toBe(0);
    expect(allowed.stdout).toMatch(/gone\.yaml/);
  });

  it('of a change that renames the model to judge itself', async () => {
    const copy = await clone((where) => edit(where, 'name: flight-delay', 'name: flight-delays'));
    const answer = await world.passloop(['check', '--plan', '--against', 'origin/main', '--json', '-'], { cwd: copy });
    const plan = parseDocument('plan', answer.stdout, 'plan');
    expect(plan.models.map((model) => [model.name, model.reason, model.policy.differences])).toEqual([
      ['flight-delays', 'the model is new', []],
      ['flight-delay', 'the change removes it', [{ path: 'model', from: 'flight-delay', to: null, loosens: true }]],
    ]);
  });
});

describe('data', () => {
  it('a missing file is named', async () => {
    const copy = await clone(async () => {});
    await rm(path.join(copy, 'data/test.parquet'));
    await refused(['check'], copy, { exitCode: 2, code: 'configuration', message: /data\/test\.parquet/ });
  });

  it('a stale lock tells both digests, and how to go on', async () => {
    const copy = await clone(async (where) =>
      cp(path.join(where, 'data/train.parquet'), path.join(where, 'data/test.parquet')),
    );
    await refused(['check'], copy, {
      exitCode: 2,
      code: 'configuration',
      message: /expected sha256:[0-9a-f]{64} .* found sha256:[0-9a-f]{64}/,
      hint: /passloop data lock/,
    });
    expect(await readdir(path.join(copy, '.passloop/out/flight-delay')).catch(() => [])).not.toContain('run.json');
  });

  it('an empty table is a failure, not a pass', async () => {
    await writeFile(path.join(folder.path, 'empty.csv'), 'a,b\n');
    await writeFile(path.join(folder.path, 'checks.yaml'), '- {kind: not-null, column: a}\n');
    const answer = await world.passloop(['data', 'validate', 'empty.csv', '--checks', 'checks.yaml'], {
      cwd: folder.path,
    });
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toMatch(/^fail: empty\.csv, 0 rows/);
  });

  it('no check at all is a failure too', async () => {
    await writeFile(path.join(folder.path, 'one.csv'), 'a,b\n1,2\n');
    const answer = await world.passloop(['data', 'validate', 'one.csv'], { cwd: folder.path });
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toMatch(/^fail: .* 0 executed/);
  });
});

describe('predictions', () => {
  const rows = Array.from({ length: 300 }, (_, id) => ({ id, y: id % 3 === 0 ? 1 : 0, s: ((id * 37) % 100) / 100 }));
  const csv = (list: { id: number | string; y: number; s: number | string }[]) =>
    `id,y,s\n${list.map((row) => `${row.id},${row.y},${row.s}`).join('\n')}\n`;
  const args = [
    'compare',
    '--production',
    'a.csv',
    '--candidate',
    'b.csv',
    '--key',
    'id',
    '--label',
    'y',
    '--score',
    's',
    '--metric',
    'roc_auc:higher:0.01',
  ];

  it.each<[string, string, RegExp]>([
    ['duplicate keys', csv([...rows, { id: 5, y: 0, s: 0.1 }]), /1 keys \(`id`\) that more than one row has.*first: 5/],
    ['NaN scores', csv(rows.map((row) => (row.id === 7 ? { ...row, s: 'nan' } : row))), /NaN|finite/i],
    ['other rows', csv(rows.map((row) => (row.id === 7 ? { ...row, id: 7000 } : row))), /row|key/i],
    ['no key column', csv(rows).replace('id,', 'key,'), /no column `id`|has no column/],
    ['no rows', 'id,y,s\n', /empty|no rows/i],
  ])('%s', async (_name, candidate, message) => {
    await writeFile(path.join(folder.path, 'a.csv'), csv(rows.map((row) => ({ ...row, s: row.s / 2 }))));
    await writeFile(path.join(folder.path, 'b.csv'), candidate);
    await refused(args, folder.path, { exitCode: 2, code: 'configuration', message });
  });

  it('a gate that nobody gave, and one that nobody knows', async () => {
    await refused(args.slice(0, -1).concat('no_such_metric:higher:0.1'), folder.path, {
      exitCode: 2,
      code: 'configuration',
      message: /no_such_metric/,
    });
  });
});

describe('what does not answer', () => {
  it('a deploy repository', async () => {
    await refused(
      ['promote'],
      world.flightsClone,
      { exitCode: 3, code: 'infrastructure', message: /./ },
      { GITHUB_API_URL: 'http://127.0.0.1:1' },
    );
  });

  it('a token that may not', async () => {
    await refused(
      ['status'],
      world.flightsClone,
      { exitCode: 2, code: 'configuration', message: /refuses the token \(401/ },
      { PASSLOOP_DEPLOY_TOKEN: 'wrong' },
    );
  });

  it('a registry that refuses', async () => {
    const copy = await clone((where) =>
      edit(where, /store: \{oci: [^}]*\}/, 'store: {oci: localhost:1/flight-delay-runs}'),
    );
    await refused(['train', 'run'], copy, { exitCode: 3, code: 'infrastructure', message: /localhost:1/ });
  });

  it('no Docker engine', async () => {
    const copy = await clone(
      trainsAtOnce([
        'python',
        '-c',
        '[open("out/" + n, "w").write("{}") for n in ("model.joblib", "predictions.parquet", "metrics.json")]',
      ]),
    );
    await refused(
      ['package', 'build'],
      copy,
      { exitCode: 3, code: 'infrastructure', message: /engine/i, hint: /docker/i },
      { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    );
  });
});

/** A training that needs no packages, so that only its command is under test. */
function trainsAtOnce(command: string[], timeout = '30s'): (where: string) => Promise<void> {
  return async (where) => {
    await edit(where, 'run: [python, -m, flight_delay.train]', `run: ${JSON.stringify(command)}`);
    await edit(where, 'timeout: 10m', `timeout: ${timeout}`);
    await edit(where, /store: \{oci: [^}]*\}/, 'store: {directory: .passloop/store}');
    await writeFile(
      path.join(where, 'requirements.lock'),
      await readFile(new URL('./six.lock', import.meta.url), 'utf8'),
    );
  };
}

describe('a training command', () => {
  it.each<[string, string[], string, number, string, RegExp]>([
    [
      'that fails',
      ['python', '-c', 'import sys; sys.exit("the disk is full")'],
      '30s',
      2,
      'configuration',
      /fit.*the disk is full/s,
    ],
    ['that hangs', ['python', '-c', 'import time; time.sleep(600)'], '1s', 3, 'infrastructure', /fit.*1 ?s/s],
    [
      'that writes no output',
      ['python', '-c', 'pass'],
      '30s',
      2,
      'configuration',
      /out\/(model\.joblib|metrics\.json|predictions\.parquet)/,
    ],
  ])('%s', async (_name, command, timeout, exitCode, code, message) => {
    const copy = await clone(trainsAtOnce(command, timeout));
    const answer = await refused(['train', 'run'], copy, { exitCode, code, message });
    expect(answer.seconds).toBeGreaterThan(0);
    expect(await readdir(path.join(copy, '.passloop/out/flight-delay/outputs')).catch(() => [])).toEqual([]);
    expect(await world.git(copy, 'status', '--porcelain')).toBe('');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('that is interrupted (%s) ends with the command', async (signal, exitCode) => {
    const copy = await clone(
      trainsAtOnce(['bash', '-c', 'sleep 600 & echo half > out/metrics.json; echo "$PPID started $!" >&2; wait']),
    );
    const error = path.join(copy, 'error.json');
    const started = Promise.withResolvers<{ command: number; child: number }>();
    const scratch = path.join(copy, 'scratch');
    await mkdir(scratch);
    const answer = world.passloop(['train', 'run', '--json', error], {
      cwd: copy,
      env: { TMPDIR: scratch },
      onLine: (line) => {
        const [, command, child] = /(\d+) started (\d+)/.exec(line) ?? [];
        if (child !== undefined) started.resolve({ command: Number(command), child: Number(child) });
      },
    });
    const { command, child } = await started.promise;

    process.kill(command, signal);

    expect(await answer).toMatchObject({ exitCode });
    expect(parseDocument('error', await readFile(error, 'utf8'), 'error.json').message).toBe(
      `Interrupted (${signal}).`,
    );
    expect(execFileSync('bash', ['-c', `ps -o stat= -p ${child} | grep -v Z || true`], { encoding: 'utf8' })).toBe('');
    expect(await readdir(scratch)).toEqual([]);
    expect(await readdir(path.join(copy, '.passloop/store')).catch(() => [])).toEqual([]);
    expect(await readdir(path.join(copy, '.passloop/out/flight-delay/outputs')).catch(() => [])).toEqual([]);
  });

  it('whose stored result lost a byte', async () => {
    const copy = await clone(
      trainsAtOnce([
        'python',
        '-c',
        '[open("out/" + n, "w").write("{\\"accuracy\\": 0.5}" + " " * 900) for n in ("model.joblib", "predictions.parquet", "metrics.json")]',
      ]),
    );
    const trained = await world.passloop(['train', 'run'], { cwd: copy });
    expect(trained.exitCode, trained.stderr).toBe(0);
    execFileSync(
      'bash',
      [
        '-c',
        'f=$(find .passloop/store -type f -size -2k | xargs grep -l "^{.accuracy.: 0.5} " | head -1); chmod u+w "$f"; printf X | dd of="$f" bs=1 seek=100 conv=notrunc 2>/dev/null',
      ],
      { cwd: copy },
    );
    await rm(path.join(copy, '.passloop/out'), { recursive: true, force: true });
    await refused(['train', 'run'], copy, { exitCode: 3, code: 'infrastructure', message: /rk1-|damaged|digest/ });
    expect(await readdir(path.join(copy, '.passloop/out/flight-delay/outputs')).catch(() => [])).toEqual([]);
  });
});

it('a store that came with the checkout is refused: a hit in it would be whatever its author wrote', async () => {
  const copy = await clone(async (where) => {
    await trainsAtOnce(['python', '-c', 'pass'])(where);
    await mkdir(path.join(where, '.passloop/store/tags'), { recursive: true });
    await writeFile(path.join(where, '.passloop/store/tags/x.json'), '{}');
    await writeFile(path.join(where, '.gitignore'), '');
  });
  await refused(['train', 'run'], copy, {
    exitCode: 2,
    code: 'configuration',
    message: /holds committed files/,
    hint: /no part of a repository/,
  });
});

describe('production', () => {
  it('without a record cannot be rolled back', async () => {
    await mkdir(path.join(folder.path, 'x'), { recursive: true });
    const answer = await world.passloop(['rollback']);
    expect(answer.exitCode, answer.stderr).toBe(1);
    expect(answer.stdout).toMatch(/blocked: .*no record/);
  });

  it('under a model that nobody knows is not adopted', async () => {
    await refused(['adopt'], world.flightsClone, {
      exitCode: 2,
      code: 'configuration',
      message: /./,
      hint: /--(ref|model-digest|image-digest)/,
    });
  });
});
