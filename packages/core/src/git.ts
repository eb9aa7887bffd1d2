import { createHash, type Hash, hash } from 'node:crypto';
import type { Digest } from './digest.ts';
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
  /** sha256 of many blobs by object id: hashed as they stream by, however large they are. */
  hashBlobs(oids: readonly string[]): Promise<Map<string, Digest>>;
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

  async function git(args: readonly string[], input?: string | Uint8Array, onStdout?: (chunk: Buffer) => void) {
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
    const result = await runProcess({ argv, env: gitEnv, input, onStdout, maxOutputBytes });
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

  const trees = new Map<string, Promise<TreeEntry[]>>();
  async function listTree(commit: string): Promise<TreeEntry[]> {
    const output = await text(['ls-tree', '-r', '-z', '--full-tree', commit]);
    return output
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => {
        const tab = line.indexOf('\t');
        const [mode = '', type = '', oid = ''] = line.slice(0, tab).split(' ');
        return { path: line.slice(tab + 1), mode, type: type as TreeEntry['type'], oid };
      });
  }

  /** The content of each blob, chunk by chunk, from one process. */
  async function streamBlobs(oids: readonly string[], open: (oid: string, size: number) => BlobSink): Promise<void> {
    if (oids.length === 0) return;
    const wanted = new Set(oids);
    const reader = batchReader(wanted, open);
    const result = await git(['cat-file', '--batch', '--buffer'], `${[...wanted].join('\n')}\n`, reader.push);
    if (result.exitCode !== 0) throw new InfrastructureError(`git cat-file failed: ${lastLine(result.stderr)}`);
    reader.end();
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
      let all = trees.get(commit);
      if (all === undefined) {
        all = listTree(commit);
        // Only a full id names the same files for ever.
        if (/^[0-9a-f]{40,64}$/.test(commit)) trees.set(commit, all);
      }
      const entries = await all;
      return folder === '' ? entries : entries.filter((entry) => entry.path.startsWith(`${folder}/`));
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
      await streamBlobs(oids, (oid) => {
        const chunks: Buffer[] = [];
        return {
          write: (chunk) => chunks.push(chunk),
          end: () => blobs.set(oid, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
        };
      });
      return blobs;
    },
    async hashBlobs(oids) {
      const digests = new Map<string, Digest>();
      const unique = [...new Set(oids)];
      // Inflating takes longer than hashing: two processes keep two cores busy where there is enough to do.
      const half = unique.length < 1000 ? unique.length : Math.ceil(unique.length / 2);
      await Promise.all(
        [unique.slice(0, half), unique.slice(half)].map((part) =>
          streamBlobs(part, (oid, size) => {
            let whole: Buffer | null = null;
            let running: Hash | null = null;
            return {
              write(chunk) {
                if (chunk.length === size) whole = chunk;
                else {
                  running ??= createHash('sha256');
                  running.update(chunk);
                }
              },
              end: () => digests.set(oid, `sha256:${running?.digest('hex') ?? hash('sha256', whole ?? '', 'hex')}`),
            };
          }),
        ),
      );
      return digests;
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

type BlobSink = { write(chunk: Buffer): void; end(): void };

/**
 * Reads what `git cat-file --batch` writes: for each object `<oid> <type> <size>\n`, the content, `\n`.
 * Each header must be of an object that was asked for and has not come yet, so that no content is ever taken for a header.
 */
function batchReader(wanted: ReadonlySet<string>, open: (oid: string, size: number) => BlobSink) {
  const left = new Set(wanted);
  let header: Buffer[] = [];
  let sink: BlobSink | null = null;
  let remaining = 0;
  let failure: InfrastructureError | null = null;

  function begin(line: string): void {
    const [oid = '', type = '', size = ''] = line.split(' ');
    if (type !== 'blob' || !/^\d+$/.test(size) || !left.delete(oid)) {
      failure = new InfrastructureError(`git object ${oid.slice(0, 64)} is ${type || 'missing'}, not a file.`);
      return;
    }
    remaining = Number(size);
    sink = open(oid, remaining);
  }

  return {
    push(chunk: Buffer): void {
      let offset = 0;
      while (offset < chunk.length && failure === null) {
        if (sink === null) {
          const end = chunk.indexOf(10, offset);
          header.push(chunk.subarray(offset, end < 0 ? chunk.length : end));
          if (end < 0) return;
          offset = end + 1;
          begin(Buffer.concat(header).toString('latin1'));
          header = [];
        } else if (remaining > 0) {
          const part = chunk.subarray(offset, offset + remaining);
          sink.write(part);
          remaining -= part.length;
          offset += part.length;
        } else {
          // The newline behind the content.
          sink.end();
          sink = null;
          offset += 1;
        }
      }
    },
    end(): void {
      if (failure !== null) throw failure;
      if (sink !== null || left.size > 0) throw new InfrastructureError('git cat-file ended early; try again.');
    },
  };
}
