import { expect, it } from 'vitest';
import { isGithub, remoteHost } from './remote-host.ts';

it.each([
  ['https://github.com/acme/flights.git', 'github.com'],
  ['https://x-access-token:secret@GitHub.com/acme/flights', 'github.com'],
  ['git@github.com:acme/flights.git', 'github.com'],
  ['ssh://git@ssh.github.com:443/acme/flights.git', 'ssh.github.com'],
  ['git@git.acme.example:ml/flights', 'git.acme.example'],
  ['https://github.com.evil.example/acme/flights', 'github.com.evil.example'],
  ['https://github.com@evil.example/acme/flights', 'evil.example'],
  ['/srv/git/acme/flights.git', null],
  ['../acme/flights', null],
  ['file:///srv/acme/flights', null],
  ['C:\\work\\acme', null],
  ['', null],
])('%s is on %s', (remote, host) => {
  expect(remoteHost(remote)).toBe(host);
});

it('takes nothing else for GitHub', () => {
  expect(['github.com', 'ssh.github.com'].every(isGithub)).toBe(true);
  expect(['github.com.evil.example', 'evil-github.com', 'api.github.com'].some(isGithub)).toBe(false);
});
