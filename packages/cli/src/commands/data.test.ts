import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import type { DataReport } from '@passloop/documents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const main = path.resolve(import.meta.dirname, '../main.ts');
let folder: TemporaryFolder;

const people = 'id,age\n1,30\n2,-4\n3,\n';
const model = (train: string, test: string) => `version: 1
models:
  - name: small
    task: binary
    columns: {key: [id], label: age}
    data:
      train: {path: train.csv${train}}
      test: {path: test.csv${test}}
`;

beforeAll(async () => {
  folder = await temporaryFolder('data-command');
  await write('people.csv', people);
  await write('checks.yaml', '- {kind: unique, columns: [id]}\n');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function write(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
  await writeFile(path.join(folder.path, name), text);
}

async function data(
  args: string[],
  cwd = '.',
  env: Record<string, string> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const options = {
    cwd: path.join(folder.path, cwd),
    env: { ...process.env, PASSLOOP_CACHE: path.join(folder.path, 'cache'), GITHUB_ACTIONS: '', ...env },
  };
  return promisify(execFile)(process.execPath, [main, 'data', ...args], options).then(
    (done) => ({ exitCode: 0, ...done }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      exitCode: error.code,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );
}

describe('on plain files', () => {
  it('names rows by the key columns that a table has: a look-up table has none', async () => {
    await write('keyless/train.csv', 'id,age\n1,30\n');
    await write('keyless/test.csv', 'code,age\nx,-1\n');
    await write('keyless/passloop.yaml', model('', ', checks: [{kind: range, column: age, min: 0, severity: warn}]'));
    const answer = await data(['validate', '--json', '-'], 'keyless');
    expect(JSON.parse(answer.stdout)).toMatchObject({ verdict: 'warn', checks: [{ verdict: 'warn', failingRows: 1 }] });
  });

  it('looks no second time at what passed and did not change', async () => {
    await write('again.csv', 'id,age\n1,30\n2,40\n');
    await write('again.yaml', '- {kind: range, column: age, min: 0}\n');
    const args = ['validate', 'again.csv', '--checks', 'again.yaml', '--json', '-'];
    const said = 'again.csv passed before, and nothing changed since: no scan';
    const first = await data(args);
    const second = await data(args);
    expect([first.stderr.includes(said), second.stderr.includes(said)]).toEqual([false, true]);
    expect(second.stdout).toBe(first.stdout);
    expect((await data([...args, '--no-reuse'])).stderr).not.toContain(said);
    expect((await data(args, '.', { GITHUB_ACTIONS: 'true' })).stderr, 'in a job').not.toContain(said);

    await write('again.yaml', '- {kind: range, column: age, min: 31, severity: warn}\n');
    for (let run = 0; run < 2; run += 1) {
      const warned = await data([...args, '--key', 'id', '--failing-rows', `warned-${run}`]);
      expect(warned).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining(said) });
      expect(await readdir(path.join(folder.path, `warned-${run}`))).toHaveLength(1);
    }
    await write('again.yaml', '- {kind: range, column: age, min: 31}\n');
    expect((await data(args)).exitCode).toBe(1);
    expect((await data(args)).stderr, 'what failed is looked at again').not.toContain(said);
    await write('again.yaml', '- {kind: range, column: age, min: 0}\n');
    await write('again.csv', 'id,age\n1,-3\n');
    expect(await data(args)).toMatchObject({ exitCode: 1, stderr: expect.not.stringContaining(said) });
  });

  it('names ranges and values of a column that drifted only where somebody asked for it, stored reports included', async () => {
    const rows = (late: (row: number) => string) =>
      ['id,delay,late', ...Array.from({ length: 1200 }, (_, row) => `${row},${row / 8},${late(row)}`)].join('\n');
    await write(
      'then.csv',
      rows((row) => (row % 2 === 0 ? 'punctual' : 'late')),
    );
    await write(
      'now.csv',
      rows((row) => (row % 5 === 0 ? 'punctual' : 'late')),
    );
    await write('drift.yaml', '- {kind: drift, maxShare: 1}\n');
    await data(['profile', 'then.csv', '--key', 'id', '--out', 'then.json']);
    const commands = [
      ['drift', '--reference', 'then.csv', '--current', 'now.csv', '--key', 'id'],
      ['validate', 'now.csv', '--profile', 'then.json', '--checks', 'drift.yaml'],
    ];
    for (const command of commands) {
      const [hidden, shown, again] = [
        await data([...command, '--json', '-']),
        await data([...command, '--show-values', '--json', '-']),
        await data([...command, '--json', '-']),
      ].map(({ stdout }) => (JSON.parse(stdout) as DataReport).distributions);
      const counts = { column: 'late', kind: 'values', reference: [600, 600, 0], current: [960, 240, 0] };
      expect(hidden, command[0]).toMatchObject([{ ...counts, isHidden: true, values: [] }]);
      expect(shown, command[0]).toMatchObject([{ ...counts, isHidden: false, values: ['late', 'punctual'] }]);
      expect(again, command[0]).toEqual(hidden);
    }
  });

  it('never keeps what depends on the clock', async () => {
    await write('fresh.csv', 'at\n2026-01-01\n');
    await write('fresh.yaml', '- {kind: freshness, column: at, within: 99999d}\n');
    for (let run = 0; run < 2; run += 1) {
      const answer = await data(['validate', 'fresh.csv', '--checks', 'fresh.yaml']);
      expect(answer).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('no scan') });
    }
  });

  it('names a few failing rows, and writes all of them where somebody asked for it', async () => {
    await write('orders.csv', 'id,amount,note\n1,5,a\n2,500,b\n3,700,secret\n');
    const checks = [
      "- {kind: range, column: amount, max: 100, id: '../../../../tmp/escaped'}",
      '- {kind: regex, column: note, pattern: "^.$"}',
    ];
    await write('broken.yaml', `${checks.join('\n')}\n`);
    const args = ['validate', 'orders.csv', '--checks', 'broken.yaml'];

    const unnamed = await data([...args, '--json', '-']);
    expect(unnamed.stdout).not.toContain('secret');
    const named = await data([...args, '--key', 'id', '--failing-rows', 'rows/all']);
    expect(named.exitCode).toBe(1);
    expect(named.stdout).toContain('../../../../tmp/escaped in rows:\n  id=2 amount=…\n  id=3 amount=…\n');
    expect(named.stdout).not.toContain('secret');
    const shown = await data([...args, '--key', 'id', '--show-values']);
    expect(shown.stdout).toContain('regex:note in rows:\n  id=3 note=secret\n');

    const files = (await readdir(path.join(folder.path, 'rows/all'))).sort();
    expect(files).toEqual([
      expect.stringMatching(/^orders-csv--tmp-escaped-[0-9a-f]{8}\.parquet$/),
      expect.stringMatching(/^orders-csv-regex-note-[0-9a-f]{8}\.parquet$/),
    ]);
    const written = await data(['validate', `rows/all/${files[0]}`, '--checks', 'checks.yaml', '--json', '-']);
    expect(JSON.parse(written.stdout)).toMatchObject({ rows: 2, verdict: 'pass' });

    // Of another tool, of another dataset, a link: what this run did not write before stays.
    const [ours = ''] = files;
    await write('rows/all/report-0a1b2c3d.parquet', 'PAR1 is not enough for a name PAR1');
    await copyFile(path.join(folder.path, 'rows/all', ours), path.join(folder.path, 'rows/kept.parquet'));
    await symlink('../kept.parquet', path.join(folder.path, 'rows/all/link-0a1b2c3d.parquet'));
    await write('others.csv', 'id,amount,note\n1,500,a\n');
    const all = ['--checks', 'broken.yaml', '--failing-rows', 'rows/all'];
    await data(['validate', 'others.csv', ...all]);
    await write('orders.csv', 'id,amount,note\n1,5,a\n3,700,b\n');
    await data(['validate', 'orders.csv', ...all]);
    expect((await readdir(path.join(folder.path, 'rows/all'))).sort()).toEqual([
      'link-0a1b2c3d.parquet',
      files[0],
      expect.stringMatching(/^others-csv--tmp-escaped-[0-9a-f]{8}\.parquet$/),
      'report-0a1b2c3d.parquet',
    ]);
  });

  it('tells what to do where nothing was checked', async () => {
    const answer = await data(['validate', 'people.csv']);
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toMatch(/^fail: people\.csv, 3 rows, 0 executed/);
    expect(answer.stdout).toContain('give --checks FILE');
  });

  it.each([
    [['validate', 'people.csv', '--checks', '.'], /\. can't be read \(EISDIR\)/],
    [
      ['validate', 'people.csv', '--checks', 'checks.yaml', '--json', 'people.csv/x.json'],
      /could not be written to people/,
    ],
    [
      ['validate', 'none.csv', '--json', 'people.csv/x.json'],
      /There is no table at none\.csv[\s\S]*could not be written/,
    ],
    [['validate', 'people.csv', '--checks', 'checks.yaml', '--profile', 'none.json'], /There is no file none\.json/],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--method', 'kolmogorov'],
      /Allowed choices are auto, ks/,
    ],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--threshold', '-1'],
      /A number from 0 is needed/,
    ],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--column', 'agee'],
      /--column names it[\s\S]*Did you mean `age`/,
    ],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--compat', 'evidently', '--min-rows', '10'],
      /judges any number of rows[\s\S]*Leave --min-rows out/,
    ],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--drift-share', '0.3'],
      /--drift-share is of --compat evidently/,
    ],
    [
      ['drift', '--reference', 'profile.json', '--current', 'people.csv', '--compat', 'evidently'],
      /profile\.json is no table[\s\S]*Evidently's numbers[\s\S]*data validate FILE --profile/,
    ],
    [
      ['drift', '--reference', 'people.csv', '--current', 'people.csv', '--drift-share', '1.3'],
      /A number from 0 to 1 is needed/,
    ],
  ])('%j is a usage error', async (args, message) => {
    const answer = await data(args);
    expect(answer.exitCode).toBe(2);
    expect(answer.stderr).toMatch(message);
  });

  it.each([
    ['- {kind: range, column: age, mim: 0}\n', /bad\.yaml:1: \[0\]\.mim: unknown key `mim`[\s\S]*Did you mean `min`/],
    [
      'checks:\n  - {kind: range, column: age}\n  - {kind: rnge, column: age}\n',
      /bad\.yaml:3: checks\[1\]\.kind: there is no kind `rnge`\.\s+Did you mean `range`\?/,
    ],
    ['', /bad\.yaml:1: checks: is missing; expected array/],
    ['- {kind: range}\n', /bad\.yaml:1: \[0\]\.column: is missing; expected string/],
  ])('checks %j are refused with line and hint', async (text, message) => {
    await write('bad.yaml', text);
    const answer = await data(['validate', 'people.csv', '--checks', 'bad.yaml']);
    expect(answer.exitCode).toBe(2);
    expect(answer.stderr).toMatch(message);
  });

  it('measures drift as Evidently does, and names the label', async () => {
    const rows = (count: number, label: (i: number) => number) =>
      `id,x,late\n${Array.from({ length: count }, (_, i) => `${i},${(i * 37) % 101},${label(i)}\n`).join('')}`;
    await write(
      'earlier.csv',
      rows(303, (i) => Number(i % 3 === 0)),
    );
    await write(
      'now.csv',
      rows(404, (i) => Number(i % 3 !== 0)),
    );
    const args = ['--reference', 'earlier.csv', '--current', 'now.csv', '--compat', 'evidently', '--except', 'id'];
    const quiet = await data(['drift', ...args, '--label', 'late', '--drift-share', '0.6']);
    expect(quiet).toMatchObject({ exitCode: 0 });
    expect(quiet.stdout).toContain('1 of 2 columns drifted: late (label)');
    const found = await data(['drift', ...args, '--label', 'late', '--json', '-']);
    expect(found.exitCode).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({
      drift: [
        { column: 'x', role: 'feature', method: 'evidently:ks(score=p,drifted<=)', verdict: 'pass', threshold: '0.05' },
        { column: 'late', role: 'label', method: 'evidently:z(score=p,drifted<)', verdict: 'fail' },
      ],
    });
  });

  it('writes the profile where --json says', async () => {
    const answer = await data(['profile', 'people.csv', '--json', 'profile.json']);
    expect(answer.exitCode).toBe(0);
    const profile = await readFile(path.join(folder.path, 'profile.json'), 'utf8');
    expect(profile).toBe(answer.stdout);
    expect(JSON.parse(profile)).toMatchObject({ schema: 'passloop/profile/v1', rows: 3 });
  });
});

describe('with a model file', () => {
  const documents = '.passloop/out/small';
  const read = async (file: string) => JSON.parse(await readFile(path.join(folder.path, file), 'utf8'));

  it('writes one document a dataset, and gives the worst to --json', async () => {
    await write('two/train.csv', 'id,age\n1,30\n');
    await write('two/test.csv', people);
    const checks = ', checks: [{kind: range, column: age, min: 0}]';
    await write('two/passloop.yaml', model(checks, checks));
    const answer = await data(['validate', '--json', 'worst.json'], 'two');
    expect(answer.exitCode).toBe(1);
    expect(answer.stdout).toContain(`document: ${documents}/data-report-train.json`);
    expect(await read(`two/${documents}/data-report-train.json`)).toMatchObject({ verdict: 'pass', rows: 1 });
    const worst = await read(`two/${documents}/data-report-test.json`);
    expect(worst).toMatchObject({ dataset: { name: 'test' }, verdict: 'fail', rows: 3 });
    expect(await read('two/worst.json')).toEqual(worst);
    const lock = await data(['lock', '--json', '-'], 'two');
    expect(JSON.parse(lock.stdout)).toMatchObject({ datasets: [{ uri: 'test.csv', rows: 3 }, { uri: 'train.csv' }] });
  });

  it('holds a dataset against another one, without its key, and names the label and the prediction', async () => {
    const rows = (from: number, share: number) =>
      Array.from({ length: 200 }, (_, i) => `${from + i},${i % share === 0 ? 1 : 0},${i % 50},${i % 9}\n`).join('');
    await write('roles/train.csv', `id,age,guess,x\n${rows(0, 2)}`);
    await write('roles/test.csv', `id,age,guess,x\n${rows(1000, 5)}`);
    const check = ', checks: [{kind: drift, compat: evidently, dataset: train, driftShare: 0.3}]';
    const named = model('', check).replace('label: age', 'label: age, prediction: guess');
    await write('roles/passloop.yaml', named);
    const answer = await data(['validate', '--json', '-'], 'roles');
    expect(answer.exitCode).toBe(1);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      checks: [{ id: 'drift:train', verdict: 'fail', observed: '1 of 3 columns drifted: age (label)' }],
      drift: [
        { column: 'age', role: 'label', verdict: 'fail' },
        { column: 'guess', role: 'prediction', verdict: 'pass' },
        { column: 'x', role: 'feature', verdict: 'pass' },
      ],
    });
  });

  it('refuses to validate nothing, and to write two profiles into one file', async () => {
    await write('none/train.csv', people);
    await write('none/test.csv', people);
    await write('none/passloop.yaml', model(', profile: a.json', ', profile: b.json'));
    const answer = await data(['validate'], 'none');
    expect(answer.exitCode).toBe(2);
    expect(answer.stderr).toContain('No dataset of the model file has checks');
    const profiles = await data(['profile', '--out', 'one.json'], 'none');
    expect(profiles.exitCode).toBe(2);
    expect(profiles.stderr).toContain('Say which one with --dataset: train, test.');
  });
});
