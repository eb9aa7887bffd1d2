import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { git, temporaryFolder } from './fixture.ts';
import {
  changeTree,
  EMPTY_TREE,
  MissingPathError,
  ObjectReader,
  parseSignature,
  type TreeChange,
  writeBlob,
} from './git-objects.ts';
import { isRefName } from './refs.ts';

async function openRepository() {
  const folder = await temporaryFolder();
  await git(folder.path, 'init', '--quiet', '--bare', '-b', 'main');
  const reader = new ObjectReader(folder.path);
  return {
    directory: folder.path,
    reader,
    [Symbol.asyncDispose]: async () => {
      reader.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('the object reader', () => {
  it('answers many questions at once, each with its own bytes', async () => {
    await using repository = await openRepository();
    const contents = [0, 1, 59, 65_536, 3_000_000].map((size) => randomBytes(size));
    const oids: string[] = [];
    for (const content of contents) oids.push(await writeBlob(repository.directory, content));

    const asked = [...oids, 'f'.repeat(40), 'no such\nthing', 'a missing', ...[...oids].reverse(), ''];
    const answers = await Promise.all(asked.map((expression) => repository.reader.read(expression)));

    const expected = [...contents, undefined, undefined, undefined, ...[...contents].reverse(), undefined];
    // not toEqual, which takes seconds to walk megabytes
    const isSame = answers.map((answer, index) =>
      expected[index] === undefined ? answer === undefined : answer?.content.equals(expected[index]),
    );
    expect(isSame).toEqual(asked.map(() => true));
    expect(answers[0]).toMatchObject({ oid: oids[0], type: 'blob' });
  });

  it('answers the others when git dies of a question', async () => {
    await using repository = await openRepository();
    const oid = await writeBlob(repository.directory, Buffer.from('x'));

    const asked = [oid, '@{upstream}', oid, 'main@{upstream}', 'none', oid];
    const answers = await Promise.all(asked.map((expression) => repository.reader.read(expression)));

    expect(answers.map((answer) => answer?.content.toString())).toEqual([
      'x',
      undefined,
      'x',
      undefined,
      undefined,
      'x',
    ]);
  });

  it('starts again after it was closed', async () => {
    await using repository = await openRepository();
    const oid = await writeBlob(repository.directory, Buffer.from('x'));
    await repository.reader.read(oid);
    repository.reader.close();

    expect((await repository.reader.read(oid))?.content.toString()).toBe('x');
  });
});

describe('changeTree', () => {
  async function build(
    repository: { directory: string; reader: ObjectReader },
    base: string,
    changes: Record<string, string | null>,
  ) {
    const map = new Map<string, TreeChange>();
    for (const [path, text] of Object.entries(changes)) {
      const oid = text === null ? '' : await writeBlob(repository.directory, Buffer.from(text));
      map.set(path, text === null ? null : { mode: '100644', type: 'blob', oid });
    }
    return changeTree(repository.directory, repository.reader, base, map);
  }

  it('gives the tree that git itself would write', async () => {
    await using repository = await openRepository();
    const first = await build(repository, EMPTY_TREE, { 'a/b/c.txt': '1', 'a.b': '2', 'a/d': '3', 'a-b': '4', é: '5' });
    const second = await build(repository, first, { 'a/b/c.txt': null, 'a-b': null, 'x/y': '6', 'a/d': '7' });

    const files = await git(repository.directory, '-c', 'core.quotePath=false', 'ls-tree', '-r', '--name-only', second);
    expect(files.split('\n')).toEqual(['a.b', 'a/d', 'x/y', 'é']);
    expect(await git(repository.directory, 'cat-file', '-p', `${second}:a/d`)).toBe('7');
    expect(await git(repository.directory, 'fsck', '--strict', '--no-dangling')).toBe('');
    expect(await build(repository, second, { 'a.b': null, 'a/d': null, 'x/y': null, é: null })).toBe(EMPTY_TREE);
  });

  it('puts a file in a folder’s place and a folder in a file’s', async () => {
    await using repository = await openRepository();
    const first = await build(repository, EMPTY_TREE, { 'a/b': '1', c: '2' });
    const second = await build(repository, first, { a: '3', 'c/d': '4' });

    const files = await git(repository.directory, 'ls-tree', '-r', '--name-only', second);
    expect(files.split('\n')).toEqual(['a', 'c/d']);
  });

  it('refuses to delete what is not there', async () => {
    await using repository = await openRepository();
    const base = await build(repository, EMPTY_TREE, { 'a/b': '1' });

    await expect(build(repository, base, { 'a/c': null })).rejects.toEqual(new MissingPathError('a/c'));
  });
});

describe('isRefName', () => {
  it('agrees with git check-ref-format', async () => {
    await using folder = await temporaryFolder();
    const names = [
      'refs/heads/main',
      'refs/heads/a/b',
      'refs/tags/v1.0',
      'refs/heads/a b',
      'refs/heads/a..b',
      'refs/heads/.a',
      'refs/heads/a.lock',
      'refs/heads/a/',
      'refs/heads//a',
      'refs/heads/a~1',
      'refs/heads/a^',
      'refs/heads/a:b',
      'refs/heads/a?',
      'refs/heads/a*',
      'refs/heads/a[b',
      'refs/heads/a\\b',
      'refs/heads/a@{1}',
      'refs/heads/@',
      'refs/heads/a.',
      'refs/heads/é',
      'refs/heads/-a',
      'refs/heads/a.lock/b',
      'refs/heads/\u0007',
      'refs/heads/#1',
    ];

    for (const name of names) {
      const isValid = await git(folder.path, 'check-ref-format', name).then(
        () => true,
        () => false,
      );
      expect([name, isRefName(name)]).toEqual([name, isValid]);
    }
  });
});

describe('parseSignature', () => {
  it.each([
    ['Ada <a@b.c> 1700000000 +0130', { name: 'Ada', email: 'a@b.c', seconds: 1_700_000_000, offset: '+0130' }],
    [' <> 0 +0000', { name: '', email: '', seconds: 0, offset: '+0000' }],
    ['broken', { name: 'broken', email: '', seconds: 0, offset: '+0000' }],
  ])('%j', (line, signature) => {
    expect(parseSignature(line)).toEqual(signature);
  });
});
