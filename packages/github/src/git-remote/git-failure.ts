import { ConfigurationError, InfrastructureError, type ProcessResult, plainText } from '@passloop/core';
import { StaleError } from '@passloop/gitops';
import { type GitRemote, withoutSecrets } from './git-url.ts';

type Rule = { pattern: RegExp; error: (said: string, remote: GitRemote) => Error };

const again = 'Check the network, then run it again: what was done is found again.';
const stale: Rule['error'] = (said) => new StaleError(said);
const unreachable: Rule['error'] = (said, remote) =>
  new InfrastructureError(`${remote.url} can't be reached: ${said}.`, { hint: again });
const forbidden: Rule['error'] = (said, remote) =>
  new ConfigurationError(`${remote.url} refuses what git may use to log in: ${said}.`, {
    hint: "Git's own credentials are used: a credential helper, GIT_ASKPASS, an SSH key or agent, or the URL of --deploy-repo (PASSLOOP_DEPLOY_REPO). They need the right to push branches.",
  });

/** What git says where it can't reach a repository or may not use it; the first that fits. Texts are those of the C locale. */
const rules: readonly Rule[] = [
  { pattern: /couldn't find remote ref|not our ref|unadvertised object/i, error: stale },
  {
    pattern: /host key verification failed/i,
    error: (_, remote) =>
      new ConfigurationError(`ssh doesn't know the key of ${remote.host}.`, {
        hint: `Add it to ~/.ssh/known_hosts, from a source that you trust (ssh-keyscan ${remote.host} shows it).`,
      }),
  },
  {
    pattern: /dubious ownership/i,
    error: (_, remote) =>
      new ConfigurationError(`git refuses ${remote.url}: the repository belongs to another user.`, {
        hint: `If you trust it: git config --global --add safe.directory /${remote.path}.`,
      }),
  },
  {
    pattern: /transport '[^']*' not allowed/i,
    error: (said, remote) =>
      new ConfigurationError(`${remote.url} leads to a transport that is not allowed here: ${said}.`, {
        hint: `Only ${remote.protocol} is, as the URL says; look for url.<base>.insteadOf in your git configuration.`,
      }),
  },
  { pattern: /returned error: 5\d\d|HTTP 5\d\d/i, error: unreachable },
  {
    pattern:
      /authentication failed|could not read (?:username|password)|terminal prompts disabled|permission denied|returned error: 40[13]|HTTP 40[13]|invalid (?:username|credentials)|not allowed to (?:push|pull|read|write)|access denied|service not enabled|\bdenied to\b/i,
    error: forbidden,
  },
  {
    pattern:
      /repository .* not found|repository not found|does not appear to be a git repository|no such file or directory|returned error: 404|project you were looking for could not be found/i,
    error: (said, remote) =>
      new ConfigurationError(`There is no repository ${remote.url}, or none that git may see: ${said}.`, {
        hint: "Check the URL, and what git logs in with: git's own credentials are used.",
      }),
  },
];

/** A network command of git that failed, as the port's errors. */
export function remoteFailure(remote: GitRemote, what: string, result: ProcessResult, timeoutMs: number): Error {
  if (result.timedOut) {
    return new InfrastructureError(`${remote.url} didn't answer within ${timeoutMs} ms: ${what}.`, { hint: again });
  }
  const text = withoutSecrets(result.stderr.toString('utf8'));
  const said = `${saidBy(text) || `exit code ${result.exitCode ?? result.signal}`} (${what})`;
  return (rules.find(({ pattern }) => pattern.test(text))?.error ?? unreachable)(said, remote);
}

/** One sentence of what git printed: the remote's own words first, then its `fatal:` and `error:` lines. */
function saidBy(text: string): string {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(?:warning|hint|To |From )/.test(line));
  const remote = lines.filter((line) => line.startsWith('remote:')).map((line) => line.slice(7).trim());
  const own = lines.filter((line) => /^(?:fatal|error|ERROR):/.test(line)).map((line) => line.replace(/^\w+: /, ''));
  const told = [...remote.filter((line) => line !== ''), ...own];
  return plainText((told.length > 0 ? told : lines.slice(-1)).join('; '), 400).replace(/\.+$/, '');
}

/**
 * A push that the other side, or our lease, refused. `git push --porcelain` says it a line a branch on stdout:
 * `!\t<from>:<to>\t[rejected] (stale info)`. Null where it says nothing of a branch: then the push itself failed.
 */
export function pushRefusal(remote: GitRemote, branch: string, result: ProcessResult, hint: string): Error | null {
  const line = /^!\t[^\t]*\t\[([^\]]*)\] \((.*)\)$/m.exec(result.stdout.toString('utf8'));
  if (line === null) return null;
  const [, kind = '', reason = ''] = line;
  const text = withoutSecrets(result.stderr.toString('utf8'));
  const told = saidBy(text.replace(/^error: failed to push some refs.*$/m, ''));
  const said = plainText([reason, told].filter((one) => one !== '').join(': '), 500);
  if (/exists; cannot create/.test(text)) {
    return new ConfigurationError(`${remote.url} can't have a branch ${branch}: ${said}.`, {
      hint: 'A branch whose name is a part of that name is in its way: delete it.',
    });
  }
  if (kind === 'rejected') return new StaleError(`${branch} of ${remote.url} is not where it was: ${said}.`);
  if (/incorrect old value|failed to update ref|cannot lock ref|failed to lock|reference already exists/i.test(said)) {
    return new StaleError(`${branch} of ${remote.url} moved meanwhile: ${said}.`);
  }
  if (/unpacker error|unpack failed|insufficient permission for adding/i.test(said)) {
    return new InfrastructureError(`${remote.url} could not take the push: ${said}.`, { hint: again });
  }
  return new ConfigurationError(`${remote.url} refuses the push to ${branch}: ${said}.`, { hint });
}
