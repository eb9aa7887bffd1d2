import { ConfigurationError, plainText } from '@passloop/core';

type Protocol = 'https' | 'http' | 'ssh' | 'git' | 'file';

/** A repository that only git reaches: no API, no pull requests that we could open. */
export type GitRemote = {
  /** As git gets it; never with a password. */
  url: string;
  protocol: Protocol;
  host: string | null;
  /** Without slashes around it and without `.git`. */
  path: string;
  /** What stood in the URL: handed to git by its environment, and printed nowhere. */
  credentials: { username: string; password: string } | null;
};

const protocols: readonly Protocol[] = ['https', 'http', 'ssh', 'git', 'file'];
const hostPattern = /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;
const userPattern = /^[A-Za-z0-9_][\w.+-]*$/;
const hint =
  'Write owner/name for a repository on the forge of the job, or a git URL: https://host/team/deploy.git, ssh://git@host/team/deploy.git, git@host:team/deploy.git.';

/** True for what is meant as a URL, well formed or not; `owner/name` is none. */
export function isGitUrl(text: string): boolean {
  return text.includes(':') || text.startsWith('/') || text.startsWith('.');
}

/**
 * A git URL as an operator or a model file names it. What git would take for an option, a program to run (`ext::`) or another
 * program's remote helper is refused before git sees it.
 * @param from `model-file`: such a URL may hold no secret, and no path of this machine, whose hooks and configuration a push
 * would run
 * @throws ConfigurationError
 */
export function gitRemote(text: string, from: 'operator' | 'model-file'): GitRemote {
  if (text.length > 1024 || /[\s\u0000-\u001f\u007f\\]/.test(text)) throw noUrl(text, 'has characters that no URL has');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  const remote = scheme === undefined ? scpLike(text) : withScheme(text, scheme);
  if (from === 'operator') return remote;
  if (remote.credentials !== null) {
    throw new ConfigurationError(`deploy.repository has a password in it: ${remote.url}.`, {
      hint: "Take it out, and revoke it: everybody who reads the file has it. Git's own credentials (a helper, an SSH key) are used, or PASSLOOP_DEPLOY_REPO with the whole URL, from a secret.",
    });
  }
  if (remote.protocol === 'file') {
    throw new ConfigurationError(`deploy.repository is a folder of this machine: ${remote.url}.`, {
      hint: 'A push runs the hooks of such a repository here, so a model file may not name one. Name it yourself: --deploy-repo file:///….',
    });
  }
  return remote;
}

function withScheme(text: string, scheme: string): GitRemote {
  const protocol = protocols.find((one) => one === scheme);
  if (protocol === undefined) throw noUrl(text, `begins with ${scheme}://, which is not allowed`);
  const url = URL.parse(text);
  if (url === null) throw noUrl(text, 'is not well formed');
  if (url.search !== '' || url.hash !== '') throw noUrl(text, 'has a query or a fragment');
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (protocol === 'file') {
    if (url.host !== '' || !text.startsWith('file:///')) throw noUrl(text, 'names a host; a folder is file:///path');
  } else if (!hostPattern.test(url.hostname)) throw noUrl(text, 'has no host that git may be asked for');
  const path = checkedPath(text, url.pathname);
  if (protocol === 'https' || protocol === 'http') {
    const hasCredentials = username !== '' || password !== '';
    return {
      url: `${protocol}://${url.host}${url.pathname}`,
      protocol,
      host: url.host,
      path,
      credentials: hasCredentials ? { username: username || 'x-access-token', password } : null,
    };
  }
  if (password !== '' || (protocol !== 'ssh' && username !== ''))
    throw noUrl(text, 'has a password that git would not use');
  if (username !== '' && !userPattern.test(username)) throw noUrl(text, 'has no user that ssh may be asked for');
  const user = username === '' ? '' : `${username}@`;
  return {
    url: `${protocol}://${user}${url.host}${url.pathname}`,
    protocol,
    host: protocol === 'file' ? null : url.hostname,
    path,
    credentials: null,
  };
}

/** `git@host:team/deploy.git`, which git and ssh understand. */
function scpLike(text: string): GitRemote {
  const [, user = '', host = '', path = ''] = /^(?:([^@:/]+)@)?([^@:/]+):(?![:/])(.+)$/.exec(text) ?? [];
  // One letter is a drive; a protocol's name is a URL that lacks its slashes.
  const isHost = host.length > 1 && hostPattern.test(host) && !protocols.some((one) => one === host.toLowerCase());
  if (!isHost || (user !== '' && !userPattern.test(user))) throw noUrl(text, 'is no git URL');
  const checked = checkedPath(text, path);
  return {
    url: `${user === '' ? '' : `${user}@`}${host}:${path}`,
    protocol: 'ssh',
    host,
    path: checked,
    credentials: null,
  };
}

function checkedPath(text: string, path: string): string {
  const bare = path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
  if (bare === '' || bare.startsWith('-')) throw noUrl(text, 'has no path of a repository');
  return bare;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function noUrl(text: string, why: string): ConfigurationError {
  return new ConfigurationError(`The deploy repository ${JSON.stringify(plainText(withoutSecrets(text)))} ${why}.`, {
    hint,
  });
}

/** What git prints has URLs in it; a name and a password before the host are nobody's business. */
export function withoutSecrets(text: string): string {
  return text.replace(/:\/\/[^/\s'"]*@/g, '://');
}

/** The page of a forge on which a person opens the pull request of a branch; null where nothing tells what the host is. */
export function proposalPage(remote: GitRemote, base: string, branch: string): string | null {
  const { host, protocol, path } = remote;
  if (host === null || protocol === 'git') return null;
  const origin = protocol === 'http' ? `http://${host}` : `https://${host}`;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const [to, from] = [base, branch].map((one) => one.split('/').map(encodeURIComponent).join('/'));
  const place = `${origin}/${path.replace(/^~/, '')}`;
  const isOne = (kind: string) => name === `${kind}.com` || name === `${kind}.org` || name.startsWith(`${kind}.`);
  if (isOne('github')) return `${place}/compare/${to}...${from}?expand=1`;
  if (isOne('gitlab')) {
    return `${place}/-/merge_requests/new?merge_request%5Bsource_branch%5D=${encodeURIComponent(branch)}&merge_request%5Btarget_branch%5D=${encodeURIComponent(base)}`;
  }
  if (name === 'bitbucket.org') {
    return `${place}/pull-requests/new?source=${encodeURIComponent(branch)}&dest=${encodeURIComponent(base)}`;
  }
  if (isOne('gitea') || isOne('forgejo') || name === 'codeberg.org') return `${place}/compare/${to}...${from}`;
  return null;
}
