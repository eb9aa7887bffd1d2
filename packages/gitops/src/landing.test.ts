import { expect, it } from 'vitest';
import { type BranchCommit, landingOf } from './landing.ts';

/** `name parents minute`, newest first. */
function branch(...lines: string[]): BranchCommit[] {
  return lines.map((line) => {
    const [commit = '', parents = '', minute = ''] = line.split(' ');
    return { commit, parents: parents === '-' ? [] : parents.split(','), at: `2026-11-22T10:${minute}:00Z` };
  });
}

it('a squashed change landed with its own commit', () => {
  const commits = branch('d c 40', 'c b 30', 'b a 20', 'a - 10');
  expect(landingOf(commits, 'b')).toEqual({ commit: 'b', at: '2026-11-22T10:20:00Z', since: ['d', 'c', 'b'] });
  expect(landingOf(commits, 'd')).toEqual({ commit: 'd', at: '2026-11-22T10:40:00Z', since: ['d'] });
});

it('a change behind a merge commit landed with the merge, however old it is', () => {
  const commits = branch('e m 50', 'm b,x 40', 'b a 30', 'x a 11', 'a - 10');
  expect(landingOf(commits, 'x')).toEqual({ commit: 'm', at: '2026-11-22T10:40:00Z', since: ['e', 'm'] });
});

it('a change behind two merges landed with the one that brought it to the branch', () => {
  const commits = branch('n b,m 50', 'b a 45', 'm y,x 40', 'y a 20', 'x a 15', 'a - 10');
  expect(landingOf(commits, 'x')).toEqual({ commit: 'n', at: '2026-11-22T10:50:00Z', since: ['n'] });
});

it('a change that is older than what was listed landed before all of it', () => {
  const commits = branch('d c 40', 'c b 30');
  expect(landingOf(commits, 'a')).toEqual({ commit: 'a', at: '2026-11-22T10:30:00Z', since: ['d', 'c'] });
});

it('knows nothing of an empty list, and ends where parents point in a circle', () => {
  expect(landingOf([], 'a')).toBeNull();
  expect(landingOf(branch('b a 20', 'a - 10'), 'a')?.since).toEqual(['b', 'a']);
});
