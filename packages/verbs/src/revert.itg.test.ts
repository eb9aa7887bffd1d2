import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openGitRepository, temporaryFolder } from '@passloop/core';
import { expect, it } from 'vitest';
import { revertedCommits } from './revert.ts';

const identity = {
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** A real repository: `start`, then `bad`, each a commit of one file. */
async function history() {
  const folder = await temporaryFolder('revert');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder.path, ...args], { env: identity, encoding: 'utf8', stdio: 'pipe' }).trim();
  const commit = async (name: string, message = name) => {
    await writeFile(path.join(folder.path, name), name);
    git('add', '.');
    git('commit', '-q', '-m', message);
    return git('rev-parse', 'HEAD');
  };
  git('init', '-q', '-b', 'main');
  const start = await commit('start');
  const bad = await commit('bad');
  const repository = await openGitRepository(folder.path, identity as Record<string, string>);
  const reverted = async (from: string | null = bad) => revertedCommits(repository, from, 'HEAD');
  const revert = (...args: string[]) => {
    git('revert', '--no-edit', ...args);
    return git('rev-parse', 'HEAD');
  };
  return {
    folder,
    git,
    commit,
    start,
    bad,
    reverted,
    revert,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

it('names what was reverted, by hand, squashed or merged', async () => {
  await using one = await history();
  expect(await one.reverted()).toEqual([]);
  one.revert(one.bad);
  await one.commit('other');
  expect(await one.reverted()).toEqual([one.bad]);
  expect(await one.reverted(null)).toEqual([one.bad]);

  await using squashed = await history();
  squashed.git('rm', '-q', 'bad');
  await squashed.commit('undo', `Revert "bad" (#7)\n\n* Revert "bad"\n\nThis reverts commit ${squashed.bad}.`);
  expect(await squashed.reverted()).toEqual([squashed.bad]);
});

it('counts no revert that was reverted itself, and again one that came back', async () => {
  await using one = await history();
  const revert = one.revert(one.bad);
  const back = one.revert(revert);
  expect(await one.reverted()).toEqual([revert]);
  one.revert(back);
  expect((await one.reverted()).sort()).toEqual([back, one.bad].sort());
});

it('takes the commits of a reverted merge for reverted, their own reverts included', async () => {
  await using one = await history();
  one.git('checkout', '-q', '-b', 'undo');
  const revert = one.revert(one.bad);
  one.git('checkout', '-q', 'main');
  await one.commit('meanwhile');
  one.git('merge', '-q', '--no-ff', '--no-edit', 'undo');
  const merge = one.git('rev-parse', 'HEAD');
  expect(await one.reverted()).toEqual([one.bad]);

  one.revert('-m', '1', merge);
  expect((await one.reverted()).sort()).toEqual([merge, revert].sort());
});

it('believes no message whose commit is still there, is elsewhere, or changed nothing', async () => {
  await using one = await history();
  await one.commit('lie', `Innocent\n\nThis reverts commit ${one.bad}.`);
  expect(await one.reverted()).toEqual([]);

  one.git('checkout', '-q', '-b', 'aside', one.start);
  const aside = await one.commit('aside');
  one.git('checkout', '-q', 'main');
  await one.commit('elsewhere', `Innocent\n\nThis reverts commit ${aside}.\n\nThis reverts commit ${'0'.repeat(40)}.`);
  expect(await one.reverted()).toEqual([]);

  one.git('commit', '-q', '--allow-empty', '-m', 'nothing');
  const nothing = one.git('rev-parse', 'HEAD');
  await one.commit('after', `Innocent\n\nThis reverts commit ${nothing}.`);
  expect(await one.reverted()).toEqual([]);

  // Half of it is no revert.
  await writeFile(path.join(one.folder.path, 'start'), 'changed');
  await writeFile(path.join(one.folder.path, 'bad'), 'worse');
  one.git('commit', '-qam', 'two files');
  const both = one.git('rev-parse', 'HEAD');
  one.git('checkout', '-q', `${both}^`, '--', 'bad');
  one.git('commit', '-q', '-m', `Half\n\nThis reverts commit ${both}.`);
  expect(await one.reverted()).toEqual([]);
  one.git('checkout', '-q', `${both}^`, '--', 'start');
  one.git('commit', '-q', '-m', `The rest\n\nThis reverts commit ${both}.`);
  expect(await one.reverted()).toEqual([both]);
});

it('knows a revert among later changes of the same file', async () => {
  await using one = await history();
  const lines = (changes: Record<number, string>) =>
    Array.from({ length: 40 }, (_, index) => changes[index] ?? `line ${index}`).join('\n');
  const write = async (text: string, message: string) => {
    await writeFile(path.join(one.folder.path, 'long'), text);
    one.git('add', '.');
    one.git('commit', '-q', '-m', message);
    return one.git('rev-parse', 'HEAD');
  };
  const from = await write(lines({}), 'long');
  const bad = await write(lines({ 5: 'bad' }), 'bad');
  await write(lines({ 5: 'bad', 30: 'good' }), 'good');
  one.revert(bad);
  expect(await one.reverted(from)).toEqual([bad]);
  const again = await write(lines({ 5: 'bad', 30: 'good' }), 'bad again');
  await write(lines({ 5: 'bad', 30: 'better' }), `Innocent\n\nThis reverts commit ${again}.`);
  expect(await one.reverted(again)).toEqual([]);
});

it('reads a message, and no prose in it', async () => {
  await using one = await history();
  await one.commit('prose', `Talk\n\nNote: This reverts commit ${one.bad}. It does not, it only says so.`);
  expect(await one.reverted()).toEqual([]);
});
