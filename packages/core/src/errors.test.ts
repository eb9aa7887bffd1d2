import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ConflictError, toPassloopError } from './errors.ts';
import { temporaryFolder, writeFileAtomic } from './files.ts';

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

it('says what a refusal of the file system means, and whose it is', async () => {
  await using folder = await temporaryFolder('errors-test');
  const file = path.join(folder.path, 'no such $& file');
  expect(toPassloopError(await thrownBy(readFile(file)))).toMatchObject({
    code: 'configuration',
    message: `There is no file or folder ${file}.`,
    file,
  });
  expect(toPassloopError(await thrownBy(readFile(folder.path)))).toMatchObject({
    code: 'configuration',
    message: 'What was named is a folder, where a file is expected.',
  });
  const proc = toPassloopError(await thrownBy(writeFileAtomic('/proc/version/x.json', 'x')));
  expect(proc.message).not.toMatch(/tmp|ENO|EACCES/);
});

it('leaves the name under which a file is written for the time being out of the message', () => {
  const error = Object.assign(new Error('EACCES: permission denied'), {
    code: 'EACCES',
    path: '/x/key.json.17434-18d2dad7.tmp',
  });
  expect(toPassloopError(error)).toMatchObject({
    exitCode: 2,
    message: '/x/key.json may not be read or written by this user.',
    file: '/x/key.json',
  });
});

it('passes on what was meant, and takes the rest for the outside', () => {
  const conflict = new ConflictError('moved');
  expect(toPassloopError(conflict)).toBe(conflict);
  expect(toPassloopError(new Error('socket hang up'))).toMatchObject({ exitCode: 3, message: 'socket hang up' });
  expect(toPassloopError('word')).toMatchObject({ exitCode: 3, message: 'word' });
  expect(toPassloopError(Object.assign(new Error('no space'), { code: 'ENOSPC' })).exitCode).toBe(3);
});
