import { ConfigurationError, type GitRepository, openGitRepository } from '@passloop/core';
import { type DeployTree, type FileAt, historyLimit, type PathVersion, recordedFiles } from '@passloop/gitops';
import { type Context, toolEnvironment } from './context.ts';

const largestFile = 4 * 1024 * 1024;
const mostFiles = 20_000;

/** The deploy repository in which a job or a person stands, with all of its history. */
export async function openDeployClone(context: Context): Promise<GitRepository> {
  const repository = await openGitRepository(context.cwd, toolEnvironment(context));
  if ((await repository.run(['rev-parse', '--is-shallow-repository'])).trim() === 'true') {
    throw new ConfigurationError('This clone lacks the history of the deploy repository, which tells what is held.', {
      hint: 'Check it out whole: actions/checkout with `fetch-depth: 0`.',
    });
  }
  return repository;
}

/** `.passloop/` at a commit, and the manifests that its records, or those of `also`, name. */
export async function deployTreeAt(
  repository: GitRepository,
  commit: string,
  also: readonly string[] = [],
): Promise<DeployTree> {
  const files = new Map<string, FileAt>();
  const entries = new Map((await repository.listFiles(commit)).map((entry) => [entry.path, entry]));
  async function read(paths: readonly string[]): Promise<void> {
    const wanted = paths.flatMap((path) => (files.has(path) ? [] : (entries.get(path) ?? [])));
    if (wanted.length > mostFiles) {
      throw new ConfigurationError(
        `The deploy repository has ${wanted.length} files in .passloop/; at most ${mostFiles} are read.`,
      );
    }
    const blobs = await repository.readBlobs(wanted.filter(({ type }) => type === 'blob').map(({ oid }) => oid));
    for (const { path, mode, oid } of wanted) files.set(path, fileAt(path, mode, oid, blobs.get(oid) ?? null));
  }
  await read([...entries.keys()].filter((path) => path.startsWith('.passloop/')));
  await read([...new Set([...recordedFiles({ commit, files }), ...also])]);
  return { commit, files };
}

/** Exact text, or null for what is no regular UTF-8 file. */
function fileAt(path: string, mode: string, blob: string, bytes: Buffer | null): FileAt {
  const isText = bytes !== null && mode.startsWith('100') && bytes.length <= largestFile && !bytes.includes(0);
  if (!isText) return { path, text: null, blob, mode };
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), blob, mode };
  } catch {
    return { path, text: null, blob, mode };
  }
}

/** The earlier versions of a file, newest first, as a forge lists them. */
export async function versionsAt(repository: GitRepository, commit: string, path: string): Promise<PathVersion[]> {
  const format = '--format=%H%x00%cI%x00%an%x00%B%x00%x00';
  const log = await repository.run(['log', `--max-count=${historyLimit}`, format, commit, '--', path]);
  const versions: PathVersion[] = [];
  for (const part of log.split('\0\0\n')) {
    const [id = '', at = '', author = '', message = ''] = part.split('\0');
    if (!/^[0-9a-f]{40,64}$/.test(id)) continue;
    const entry = (await repository.run(['ls-tree', '-z', '--full-tree', id, '--', path])).split('\0')[0] ?? '';
    const [, mode = '', oid = ''] = /^(\d+) blob ([0-9a-f]+)\t/.exec(entry) ?? [];
    const bytes = oid === '' ? null : await repository.readFile(id, path);
    const file = oid === '' ? null : fileAt(path, mode, oid, bytes);
    versions.push({ commit: id, at: new Date(at).toISOString().replace('.000', ''), author, message, file });
  }
  return versions;
}
