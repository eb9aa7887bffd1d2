import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess, temporaryFolder } from '@passloop/core';
import { parseDocument } from '@passloop/documents';
import { expect, it } from 'vitest';

const main = path.join(import.meta.dirname, 'main.ts');

async function passloop(cwd: string, ...args: string[]) {
  const env = { PATH: process.env.PATH ?? '', HOME: cwd };
  const result = await runProcess({ argv: [process.execPath, main, ...args], cwd, env });
  return { exitCode: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

it('a usage error is exit 2, one line, and a document where one was asked for', async () => {
  await using folder = await temporaryFolder('face-test');
  const answer = await passloop(folder.path, 'check', '--agianst', 'main', '--json', 'sub/error.json');
  expect(answer).toMatchObject({ exitCode: 2, stdout: '' });
  expect(answer.stderr).toMatch(/^passloop: unknown option '--agianst'\n\(Did you mean --against\?\)\n/);
  const document = parseDocument('error', await readFile(path.join(folder.path, 'sub/error.json'), 'utf8'), 'error');
  expect(document).toMatchObject({ code: 'configuration', hint: '(Did you mean --against?)' });
  expect((await passloop(folder.path)).exitCode).toBe(2);
  expect((await passloop(folder.path, 'data')).exitCode).toBe(2);
});

it('an error whose document cannot be written keeps its exit code and its message', async () => {
  await using folder = await temporaryFolder('face-test');
  await mkdir(path.join(folder.path, 'taken'));
  const answer = await passloop(folder.path, 'train', 'key', '--json', 'taken');
  expect(answer.exitCode).toBe(2);
  expect(answer.stderr).toMatch(/^passloop: .* is not inside a git repository/m);
  expect(answer.stderr).toMatch(/^passloop: its document was not written: .*taken/m);
  expect(answer.stderr).not.toMatch(/^\s+at /m);
  expect(await readdir(folder.path)).toEqual(['taken']);
});

it('an answer whose document cannot be written is shown, and is no pass', async () => {
  await using folder = await temporaryFolder('face-test');
  await writeFile(path.join(folder.path, 'a.pkl'), Buffer.from([0x80, 4, 0x4e, 0x2e]));
  const answer = await passloop(folder.path, 'package', 'scan', 'a.pkl', '--json', 'a.pkl/x.json');
  expect(answer.exitCode).toBe(2);
  expect(answer.stdout).toMatch(/^pass: 1 file/);
  expect(answer.stderr).toMatch(/could not be written to a\.pkl\/x\.json \(E[A-Z]+\)/);
});

it('a reader that has read enough changes no verdict, and a full disk is no pass', async () => {
  await using folder = await temporaryFolder('face-test');
  await writeFile(path.join(folder.path, 'a.pkl'), Buffer.from([0x80, 4, 0x4e, 0x2e]));
  await writeFile(path.join(folder.path, 'b.pkl'), Buffer.from("cos\nsystem\n(S'x'\ntR."));
  const run = (script: string) =>
    runProcess({
      argv: ['bash', '-o', 'pipefail', '-c', script, process.execPath, main],
      cwd: folder.path,
      env: { PATH: process.env.PATH ?? '' },
    });
  const closed = (file: string) => run(`"$0" "$1" package scan ${file} > >(exec true; sleep 0); exit $?`);
  for (const [file, exitCode] of [
    ['a.pkl', 0],
    ['b.pkl', 1],
  ] as const) {
    const answer = await closed(file);
    expect([answer.exitCode, answer.stderr.toString()]).toEqual([
      exitCode,
      expect.not.stringMatching(/EPIPE|\n\s+at /),
    ]);
  }
  const full = await run('"$0" "$1" package scan a.pkl > /dev/full');
  expect(full.exitCode).toBe(3);
  expect(full.stderr.toString()).toMatch(/passloop: the answer could not be written to stdout: ENOSPC/);
  expect(full.stderr.toString()).not.toMatch(/\n\s+at /);
});

it('a file that is not there, or not a file, is a usage error that names it', async () => {
  await using folder = await temporaryFolder('face-test');
  expect(await passloop(folder.path, 'package', 'scan', 'none.pkl')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^passloop: There is no file .*none\.pkl to scan\.$/m),
  });
  expect(await passloop(folder.path, 'package', 'scan', '.')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^passloop: .* is a folder: it cannot be scanned\.$/m),
  });
});

it('a hostile name commands neither terminal nor runner', async () => {
  await using folder = await temporaryFolder('face-test');
  const name = 'x\u001b[2J\n::stop-commands::t\n##[add-mask]y\u202e.pkl';
  await writeFile(path.join(folder.path, name), Buffer.from([0x80, 4, 0x4e, 0x2e]));
  for (const args of [
    ['package', 'scan', name],
    ['package', 'scan', `no-${name}`],
    ['data', 'validate', `no-${name}.csv`],
    [name],
    ['check', `--${name}`],
  ]) {
    const { stdout, stderr } = await passloop(folder.path, ...args);
    expect(stdout + stderr).not.toMatch(/^\s*::|##\[|[\u001b\u202e]/m);
    expect(stdout + stderr).not.toBe('');
  }
});
