import { ConfigurationError, InfrastructureError } from './errors.ts';
import { lastLine, runProcess } from './process.ts';

export type TreeEntry = { path: string; mode: string; type: 'blob' | 'tree' | 'commit'; oid: string };

/** Reading of a git repository's objects. Nothing here looks at the work tree, and no repository's hook or filter runs. */
export type GitRepository = {
  directory: string;
  /** The commit that a name stands for, or null. */
  resolve(name: string): Promise<string | null>;
  treeOf(commit: string): Promise<string>;
  /** All files of a commit below `folder` ('' for all), recursively, sorted by path as git sorts. */
  listFiles(commit: string, folder?: string): Promise<TreeEntry[]>;
  /** A file's bytes at a commit, or null where there is none. @throws InfrastructureError where the clone lacks its object */
  readFile(commit: string, path: string): Promise<Buffer | null>;
  /** Many blobs by object id, in one process. */
  readBlobs(oids: readonly string[]): Promise<Map<string, Buffer>>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  mergeBase(left: string, right: string): Promise<string | null>;
  run(args: readonly string[], options?: { input?: string | Uint8Array; allowFailure?: boolean }): Promise<string>;
};

const maxOutputBytes = 1 << 30;

/**
 * @param env what git may see of the environment (PATH and HOME; locale is fixed here)
 * @throws ConfigurationError where `directory` is not inside a git repository
 */
export async function openGitRepository(
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<GitRepository> {
  const gitEnv = {
    ...env,
    LC_ALL: 'C.UTF-8',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
  };

  async function git(args: readonly string[], input?: string | Uint8Array) {
    const argv: [string, ...string[]] = [
      'git',
      '-C',
      directory,
      '-c',
      'core.quotePath=false',
      '-c',
      'core.fsmonitor=false',
      ...args,
    ];
    const result = await runProcess({ argv, env: gitEnv, input, maxOutputBytes });
    // The beginning is lost: a listing without it would be another commit's.
    if (result.truncated) throw new InfrastructureError(`git ${args[0]} printed more than ${maxOutputBytes} bytes.`);
    return result;
  }
  async function text(
    args: readonly string[],
    options: { input?: string | Uint8Array; allowFailure?: boolean } = {},
  ): Promise<string> {
    const result = await git(args, options.input);
    if (result.exitCode !== 0 && !options.allowFailure) {
      throw new InfrastructureError(
        `git ${args[0]} failed: ${lastLine(result.stderr) || `exit code ${result.exitCode}`}`,
      );
    }
    return result.stdout.toString('utf8');
  }

  const top = await git(['rev-parse', '--git-dir']);
  if (top.exitCode !== 0) {
    const reason = top.stderr.toString('utf8');
    if (/dubious ownership/.test(reason)) {
      throw new ConfigurationError(`git refuses ${directory}: the repository belongs to another user.`, {
        hint: `If you trust it: git config --global --add safe.directory '${/repository at '([^'\n]+)'/.exec(reason)?.[1] ?? directory}'.`,
      });
    }
    throw new ConfigurationError(`${directory} is not inside a git repository.`, {
      hint: 'Passloop reads code from commits: run `git init`, add and commit first.',
    });
  }

  const repository: GitRepository = {
    directory,
    async resolve(name) {
      if (name.startsWith('-')) return null;
      const result = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
      return result.exitCode === 0 ? result.stdout.toString('utf8').trim() : null;
    },
    async treeOf(commit) {
      return (await text(['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`])).trim();
    },
    async listFiles(commit, folder = '') {
      const output = await text([
        'ls-tree',
        '-r',
        '-z',
        '--full-tree',
        commit,
        ...(folder === '' ? [] : ['--', folder]),
      ]);
      return output
        .split('\0')
        .filter((line) => line !== '')
        .map((line) => {
          const tab = line.indexOf('\t');
          const [mode = '', type = '', oid = ''] = line.slice(0, tab).split(' ');
          return { path: line.slice(tab + 1), mode, type: type as TreeEntry['type'], oid };
        });
    },
    async readFile(commit, path) {
      const result = await git(['cat-file', 'blob', `${commit}:${path}`]);
      if (result.exitCode === 0) return result.stdout;
      // Absent, or lost (a commit that was not fetched, a damaged object)? Lost must not read as absent: rules stand in files.
      const listed = await text(['ls-tree', '-z', '--full-tree', commit, '--', path]);
      if (!/^\d+ blob /.test(listed)) return null;
      throw new InfrastructureError(
        `git cannot read ${path} of ${commit.slice(0, 12)}: ${lastLine(result.stderr) || `exit code ${result.exitCode}`}`,
        { hint: 'The clone lacks objects: fetch them (checkout with fetch-depth: 0, without a filter).' },
      );
    },
    async readBlobs(oids) {
      const blobs = new Map<string, Buffer>();
      if (oids.length === 0) return blobs;
      const result = await git(['cat-file', '--batch'], `${[...new Set(oids)].join('\n')}\n`);
      if (result.exitCode !== 0) throw new InfrastructureError(`git cat-file failed: ${lastLine(result.stderr)}`);
      const output = result.stdout;
      let offset = 0;
      while (offset < output.length) {
        const end = output.indexOf(10, offset);
        const [oid = '', type = '', size = ''] = output.toString('utf8', offset, end).split(' ');
        if (type !== 'blob') throw new InfrastructureError(`git object ${oid} is ${type || 'missing'}, not a file.`);
        const start = end + 1;
        blobs.set(oid, output.subarray(start, start + Number(size)));
        offset = start + Number(size) + 1;
      }
      return blobs;
    },
    async isAncestor(ancestor, descendant) {
      const result = await git(['merge-base', '--is-ancestor', ancestor, descendant]);
      if (result.exitCode !== 0 && result.exitCode !== 1) {
        throw new InfrastructureError(`git merge-base failed: ${lastLine(result.stderr)}`);
      }
      return result.exitCode === 0;
    },
    async mergeBase(left, right) {
      const result = await git(['merge-base', left, right]);
      if (result.exitCode !== 0 && result.exitCode !== 1) {
        throw new InfrastructureError(`git merge-base failed: ${lastLine(result.stderr)}`);
      }
      return result.exitCode === 0 ? result.stdout.toString('utf8').trim() : null;
    },
    run: text,
  };
  return repository;
}
