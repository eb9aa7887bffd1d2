import { ConfigurationError } from '@passloop/core';
import { describe, expect, it } from 'vitest';
import { gitRemote, isGitUrl, proposalPage, withoutSecrets } from './git-url.ts';

describe('gitRemote', () => {
  it.each([
    [
      'https://git.example.com/team/deploy.git',
      'https://git.example.com/team/deploy.git',
      'git.example.com',
      'team/deploy',
    ],
    [
      'https://git.example.com:8443/a/b/deploy',
      'https://git.example.com:8443/a/b/deploy',
      'git.example.com:8443',
      'a/b/deploy',
    ],
    [
      'ssh://git@git.example.com:2222/team/deploy.git',
      'ssh://git@git.example.com:2222/team/deploy.git',
      'git.example.com',
      'team/deploy',
    ],
    ['git@git.example.com:team/deploy.git', 'git@git.example.com:team/deploy.git', 'git.example.com', 'team/deploy'],
    ['git.example.com:team/deploy.git', 'git.example.com:team/deploy.git', 'git.example.com', 'team/deploy'],
    ['git://127.0.0.1:9418/deploy.git', 'git://127.0.0.1:9418/deploy.git', '127.0.0.1', 'deploy'],
    ['file:///srv/git/deploy.git', 'file:///srv/git/deploy.git', null, 'srv/git/deploy'],
  ])('reads %s', (text, url, host, path) => {
    expect(gitRemote(text, 'operator')).toMatchObject({ url, host, path, credentials: null });
  });

  it('takes a name and a password out of the URL', () => {
    expect(gitRemote('https://ci:p%40ss@git.example.com/team/deploy.git', 'operator')).toMatchObject({
      url: 'https://git.example.com/team/deploy.git',
      credentials: { username: 'ci', password: 'p@ss' },
    });
  });

  it.each([
    '--upload-pack=touch /tmp/x',
    '-oProxyCommand=x:y/z',
    'ext::sh -c touch% /tmp/x',
    'ext::sh',
    'fd::17',
    'EXT://sh/x',
    'transport::https://host/x',
    'https://host/x.git#--upload-pack=x',
    'https://host/x.git?service=git-upload-pack',
    'ssh://-oProxyCommand=id/team/deploy',
    'ssh://-oProxyCommand=id@host/team/deploy',
    'ssh://git:secret@host/team/deploy',
    '-oProxyCommand=id:team/deploy',
    'git@-oProxyCommand=id:team/deploy',
    'git@host:-x/deploy',
    'https://host/--upload-pack=x',
    'https://host/a\nb',
    'https://host/a b',
    'https://host',
    'https:///deploy.git',
    'file://host/srv/deploy.git',
    'file:relative',
    './deploy.git',
    '/srv/git/deploy.git',
    'C:\\git\\deploy',
    'c:deploy',
    `https://host/${'x'.repeat(1024)}`,
  ])('refuses %j', (text) => {
    expect(() => gitRemote(text, 'operator')).toThrow(ConfigurationError);
  });

  it('says nothing of a password in what it refuses', () => {
    expect(() => gitRemote('https://ci:hunter2@host/deploy?x', 'operator')).toThrow(/^(?!.*hunter2)/);
    expect(() => gitRemote('https://ci:hunter2@host/deploy', 'model-file')).toThrow(/^(?!.*hunter2).*has a password/);
  });

  it('takes no folder of this machine from a model file: a push would run its hooks', () => {
    expect(() => gitRemote('file:///github/workspace/evil.git', 'model-file')).toThrow(/folder of this machine/);
    expect(gitRemote('https://host/deploy.git', 'model-file').path).toBe('deploy');
  });
});

it('tells a URL from owner/name', () => {
  expect(['acme/deploy', 'git@host:a/b', 'https://host/a', 'ext::sh', './a', '/a', '--x'].map(isGitUrl)).toEqual([
    false,
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});

it.each([
  ['https://github.com/acme/deploy.git', 'https://github.com/acme/deploy/compare/main...promote/m/prod?expand=1'],
  [
    'git@github.example.com:acme/deploy.git',
    'https://github.example.com/acme/deploy/compare/main...promote/m/prod?expand=1',
  ],
  [
    'git@gitlab.com:team/sub/deploy.git',
    'https://gitlab.com/team/sub/deploy/-/merge_requests/new?merge_request%5Bsource_branch%5D=promote%2Fm%2Fprod&merge_request%5Btarget_branch%5D=main',
  ],
  [
    'https://bitbucket.org/team/deploy',
    'https://bitbucket.org/team/deploy/pull-requests/new?source=promote%2Fm%2Fprod&dest=main',
  ],
  ['https://codeberg.org/team/deploy.git', 'https://codeberg.org/team/deploy/compare/main...promote/m/prod'],
  [
    'https://gitea.example.com:3000/t/deploy.git',
    'https://gitea.example.com:3000/t/deploy/compare/main...promote/m/prod',
  ],
  ['https://git.example.com/team/deploy.git', null],
  ['file:///srv/github.com/deploy.git', null],
])('knows the page of %s', (url, page) => {
  expect(proposalPage(gitRemote(url, 'operator'), 'main', 'promote/m/prod')).toBe(page);
});

it('takes secrets out of what git prints', () => {
  expect(withoutSecrets("fatal: unable to access 'https://ci:hunter2@host/x/': 403")).toBe(
    "fatal: unable to access 'https://host/x/': 403",
  );
});
