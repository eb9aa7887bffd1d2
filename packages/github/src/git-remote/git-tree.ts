import { ConfigurationError } from '@passloop/core';
import { type FileAt, StaleError, type TreeFile } from '@passloop/gitops';
import type { GitStore } from './git-store.ts';

export type Entry = { path: string; mode: string; type: string; oid: string };

/** Paths an `ls-tree` is asked for; an argument list has an end. */
const batch = 500;

/** What a commit has at some paths: a folder as its tree. Paths are names, no patterns; a link is not followed. */
export async function entriesAt(
  store: GitStore,
  commit: string,
  paths: readonly string[],
): Promise<Map<string, Entry>> {
  const wanted = [...new Set(paths)].filter(isTreePath);
  const entries = new Map<string, Entry>();
  for (let start = 0; start < wanted.length; start += batch) {
    const part = wanted.slice(start, start + batch);
    const listed = await store.git(['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', commit, '--', ...part]);
    for (const entry of parseTree(listed)) entries.set(entry.path, entry);
  }
  return entries;
}

/** The files below a folder, down to `depth`: 1 is the files directly in it. */
export async function folderAt(store: GitStore, commit: string, folder: string, depth: number): Promise<Entry[]> {
  if (!isTreePath(folder)) return [];
  const args = ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, '--', `${folder}/`];
  const levels = folder.split('/').length + depth;
  return parseTree(await store.git(args)).filter(({ path }) => path.split('/').length <= levels);
}

/** A path as trees hold it: what isn't names nothing there. */
function isTreePath(path: string): boolean {
  return (
    path !== '' && !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function parseTree(listed: string): Entry[] {
  return listed
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type = '', oid = ''] = line.slice(0, tab).split(' ');
      return { path: line.slice(tab + 1), mode, type, oid };
    });
}

/** Entries with the texts of those that are regular files; all of them are fetched in one go. */
export async function filesOf(store: GitStore, entries: Iterable<Entry>): Promise<Map<Entry, FileAt>> {
  const all = [...entries];
  const texts = await textsOf(store, new Set(all.filter(isRegular).map(({ oid }) => oid)));
  return new Map(
    all.map((entry) => {
      const { path, mode, oid } = entry;
      return [entry, { path, mode, blob: oid, text: isRegular(entry) ? (texts.get(oid) ?? null) : null }];
    }),
  );
}

function isRegular({ mode }: Entry): boolean {
  return mode === '100644' || mode === '100755';
}

async function textsOf(store: GitStore, oids: ReadonlySet<string>): Promise<Map<string, string | null>> {
  const texts = new Map<string, string | null>();
  if (oids.size === 0) return texts;
  const unknown = [...oids].filter((oid) => !store.blobs.has(oid));
  if (unknown.length > 0) {
    // A remote that hears of our commits takes us to have their files.
    const args = [
      '-c',
      'fetch.negotiationAlgorithm=noop',
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--filter=blob:none',
      '--stdin',
      'origin',
    ];
    try {
      await store.remote('reading its files', args, `${unknown.join('\n')}\n`);
    } catch (error) {
      if (!(error instanceof StaleError)) throw error;
      throw new ConfigurationError(`The remote gives a clone without files, and then not its files: ${error.message}`, {
        hint: 'Its git speaks the old protocol: let it answer protocol version 2, or set uploadpack.allowAnySHA1InWant there.',
        cause: error,
      });
    }
    for (const oid of unknown) store.blobs.add(oid);
  }
  const result = await store.tryGit(['cat-file', '--batch', '--buffer'], { input: `${[...oids].join('\n')}\n` });
  let rest = result.stdout;
  while (rest.length > 0) {
    const end = rest.indexOf(10);
    const [oid = '', type = '', size = ''] = rest.subarray(0, end).toString('latin1').split(' ');
    if (!oids.has(oid) || type !== 'blob')
      throw new ConfigurationError(`The deploy repository lacks the object ${oid.slice(0, 64)}.`);
    const content = rest.subarray(end + 1, end + 1 + Number(size));
    texts.set(oid, exactText(content));
    rest = rest.subarray(end + 2 + Number(size));
  }
  return texts;
}

function exactText(content: Buffer): string | null {
  if (content.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

/**
 * The base with some files replaced, added or deleted; nothing is checked out.
 * @throws ConfigurationError where a path leads through what is no folder (a link, a file), or is none that git takes
 */
export async function treeWith(
  store: GitStore,
  base: string,
  files: readonly TreeFile[],
  index: string,
): Promise<string> {
  for (const { path } of files) {
    if (!isTreePath(path))
      throw new ConfigurationError(`${JSON.stringify(path.slice(0, 200))} is no path of a repository.`);
  }
  const above = new Set(
    files.flatMap(({ path }) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, at, parts) => parts.slice(0, at + 1).join('/')),
    ),
  );
  for (const { path, type, mode } of (await entriesAt(store, base, [...above])).values()) {
    if (type === 'tree') continue;
    throw new ConfigurationError(`${path} of the deploy repository is ${mode === '120000' ? 'a link' : 'no folder'}.`, {
      file: path,
      hint: 'Passloop writes through no link: name the file by its own path.',
    });
  }
  const lines: string[] = [];
  for (const { path, mode, content } of files) {
    if (content === null) lines.push(`0 ${'0'.repeat(base.length)}\t${path}\0`);
    else {
      const oid = await store.git(['hash-object', '-w', '--stdin', '--no-filters'], { input: content });
      lines.push(`${mode} ${oid.trim()}\t${path}\0`);
    }
  }
  const env = { GIT_INDEX_FILE: index };
  await store.git(['read-tree', base], { env });
  await store.git(['update-index', '-z', '--index-info'], { env, input: lines.join('') });
  return (await store.git(['write-tree', '--missing-ok'], { env })).trim();
}
