import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { gitEnvironment, gitText } from './git.ts';

export type ObjectType = 'blob' | 'commit' | 'tag' | 'tree';
export type GitObject = { oid: string; type: ObjectType; content: Buffer };
/** Seconds since the epoch and the offset as git writes it, such as `+0200`. */
export type Signature = { name: string; email: string; seconds: number; offset: string };
export type Commit = {
  oid: string;
  tree: string;
  parents: string[];
  author: Signature;
  committer: Signature;
  message: string;
};
export type TreeEntry = { mode: string; type: ObjectType; oid: string; name: string };
/** A new entry of a tree at a path, or null to delete what is there. */
export type TreeChange = { mode: string; type: ObjectType; oid: string } | null;
export type CommitInput = {
  tree: string;
  parents: string[];
  message: string;
  author: Signature;
  committer: Signature;
};

const deflated = promisify(deflate);

export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
export const ZERO_OID = '0'.repeat(40);

/** A full object id, and not an expression that git would resolve to one. */
export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

type Pending = { expression: string; resolve: (object: GitObject | undefined) => void; reject: (error: Error) => void };

/** Reads objects through one `git cat-file --batch` process; it answers by revision expression (`main:README.md`). */
export class ObjectReader {
  readonly #directory: string;
  #child: ChildProcessWithoutNullStreams | undefined;
  #pending: Pending[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  #wanted = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The object that an expression names; undefined when there is none. */
  read(expression: string): Promise<GitObject | undefined> {
    if (expression === '' || expression.includes('\0')) return Promise.resolve(undefined);
    const child = this.#start();
    return new Promise((resolve, reject) => {
      this.#pending.push({ expression, resolve, reject });
      child.stdin.write(`${expression}\0`);
    });
  }

  /** Ends the process; the next question starts another. */
  close(): void {
    const child = this.#child;
    this.#forget(new Error('the object reader was closed'));
    child?.kill();
  }

  #forget(error: Error): void {
    const pending = this.#pending;
    this.#child = undefined;
    this.#pending = [];
    this.#chunks = [];
    this.#size = 0;
    this.#wanted = 0;
    for (const one of pending) one.reject(error);
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#child !== undefined) return this.#child;
    const child = spawn('git', ['cat-file', '--batch', '-z'], { cwd: this.#directory, env: gitEnvironment() });
    const end = (error: Error) => {
      if (this.#child === child) this.#forget(error);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#child !== child) return;
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size >= this.#wanted) this.#drain();
    });
    child.stdin.on('error', () => undefined);
    child.stderr.resume();
    child.on('error', end);
    child.on('close', (code) => {
      if (this.#child !== child) return;
      const [asked, ...rest] = this.#pending;
      if (code !== 128 || asked === undefined) return end(new Error('git cat-file ended'));
      // git dies of some expressions that name nothing (`@{upstream}`): that is the answer, and nobody else's
      this.#pending = [];
      end(new Error('git cat-file ended'));
      asked.resolve(undefined);
      for (const one of rest) this.read(one.expression).then(one.resolve, one.reject);
    });
    this.#child = child;
    return child;
  }

  #drain(): void {
    let data = Buffer.concat(this.#chunks);
    for (let one = this.#pending[0]; one !== undefined; one = this.#pending[0]) {
      const taken = takeObject(data, one.expression);
      if (taken === undefined) break;
      if (taken.size > data.length) {
        this.#wanted = taken.size;
        break;
      }
      this.#wanted = 0;
      this.#pending.shift();
      data = data.subarray(taken.size);
      one.resolve(taken.object);
    }
    this.#chunks = [data];
    this.#size = data.length;
  }
}

function takeObject(data: Buffer, expression: string): { size: number; object?: GitObject } | undefined {
  for (const word of ['missing', 'ambiguous']) {
    const answer = Buffer.from(`${expression} ${word}\n`);
    if (data.subarray(0, answer.length).equals(answer)) return { size: answer.length };
  }
  const newline = data.indexOf(10);
  if (newline < 0) return undefined;
  const header = /^([0-9a-f]{40}) (\w+) (\d+)$/.exec(data.subarray(0, newline).toString());
  if (header === null) return undefined;
  const start = newline + 1;
  const length = Number(header[3]);
  const content = Buffer.from(data.subarray(start, start + length));
  return { size: start + length + 1, object: { oid: header[1]!, type: header[2] as ObjectType, content } };
}

/** Parses an author, committer or tagger line without its first word. */
export function parseSignature(line: string): Signature {
  const match = /^(.*?) ?<([^>]*)> (-?\d+) ([+-]\d{4})$/.exec(line);
  if (match === null) return { name: line, email: '', seconds: 0, offset: '+0000' };
  return { name: match[1]!, email: match[2]!, seconds: Number(match[3]), offset: match[4]! };
}

/** An instant as GitHub's REST API prints it: `2026-11-23T09:00:00Z`. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

export function parseCommit(object: GitObject): Commit {
  const text = object.content.toString();
  const end = text.indexOf('\n\n');
  const headers = (end < 0 ? text : text.slice(0, end)).split('\n');
  const values = (name: string) =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return {
    oid: object.oid,
    tree: values('tree')[0] ?? EMPTY_TREE,
    parents: values('parent'),
    author: parseSignature(values('author')[0] ?? ''),
    committer: parseSignature(values('committer')[0] ?? ''),
    message: end < 0 ? '' : text.slice(end + 2),
  };
}

const TREE_TYPES: Record<string, ObjectType> = { '040000': 'tree', '160000': 'commit' };

export function typeOfMode(mode: string): ObjectType {
  return TREE_TYPES[mode] ?? 'blob';
}

export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const zero = content.indexOf(0, space);
    const mode = content.subarray(at, space).toString().padStart(6, '0');
    const name = content.subarray(space + 1, zero).toString();
    entries.push({ mode, name, type: typeOfMode(mode), oid: content.subarray(zero + 1, zero + 21).toString('hex') });
    at = zero + 21;
  }
  return entries;
}

/** Stores bytes and returns the blob's oid. */
export function writeBlob(directory: string, content: Buffer): Promise<string> {
  return writeObject(directory, 'blob', content);
}

/** @param entries all of which are stored already, or are commits of a submodule */
function writeTree(directory: string, entries: TreeEntry[]): Promise<string> {
  // git compares a folder as if its name ended with a slash.
  const sorted = entries
    .map((entry) => ({ entry, key: Buffer.from(entry.type === 'tree' ? `${entry.name}/` : entry.name) }))
    .sort((left, right) => Buffer.compare(left.key, right.key));
  const parts = sorted.flatMap(({ entry: { mode, name, oid } }) => [
    Buffer.from(`${mode.replace(/^0+/, '')} ${name}\0`),
    Buffer.from(oid, 'hex'),
  ]);
  return writeObject(directory, 'tree', Buffer.concat(parts));
}

/** A loose object as git writes it. A process for each would be most of what a change costs. */
async function writeObject(directory: string, type: ObjectType, content: Buffer): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const oid = hash('sha1', bytes);
  const folder = path.join(directory, 'objects', oid.slice(0, 2));
  const file = path.join(folder, oid.slice(2));
  await mkdir(folder, { recursive: true });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, await deflated(bytes, { level: 1 }), { mode: 0o444 });
  await rename(temporary, file);
  return oid;
}

/** Stores a commit with exactly these identities and instants. */
export function writeCommit(directory: string, commit: CommitInput): Promise<string> {
  const args = ['commit-tree', commit.tree];
  for (const parent of commit.parents) args.push('-p', parent);
  return gitText(directory, [...args, '-F', '-'], {
    input: commit.message,
    environment: {
      GIT_AUTHOR_NAME: commit.author.name,
      GIT_AUTHOR_EMAIL: commit.author.email,
      GIT_AUTHOR_DATE: `@${commit.author.seconds} ${commit.author.offset}`,
      GIT_COMMITTER_NAME: commit.committer.name,
      GIT_COMMITTER_EMAIL: commit.committer.email,
      GIT_COMMITTER_DATE: `@${commit.committer.seconds} ${commit.committer.offset}`,
    },
  });
}

/** A path to delete, or to descend into, is not in the base tree. */
export class MissingPathError extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} is not in the tree`);
    this.name = 'MissingPathError';
    this.path = path;
  }
}

/**
 * Stores a tree that differs from `base` by `changes` (path -> entry); only the folders on the way are read.
 * @throws MissingPathError when something is deleted that isn't there
 */
export async function changeTree(
  directory: string,
  reader: ObjectReader,
  base: string | undefined,
  changes: Map<string, TreeChange>,
  prefix = '',
): Promise<string> {
  const object = base === undefined || base === EMPTY_TREE ? undefined : await reader.read(base);
  const entries = new Map((object === undefined ? [] : parseTree(object.content)).map((entry) => [entry.name, entry]));
  const folders = new Map<string, Map<string, TreeChange>>();
  for (const [path, change] of changes) {
    const slash = path.indexOf('/');
    if (slash >= 0) {
      const folder = path.slice(0, slash);
      const inner = folders.get(folder) ?? new Map<string, TreeChange>();
      folders.set(folder, inner.set(path.slice(slash + 1), change));
    } else if (change === null) {
      if (!entries.delete(path)) throw new MissingPathError(prefix + path);
    } else {
      entries.set(path, { ...change, name: path });
    }
  }
  for (const [name, inner] of folders) {
    const existing = entries.get(name);
    const subtree = existing?.type === 'tree' ? existing.oid : undefined;
    const oid = await changeTree(directory, reader, subtree, inner, `${prefix}${name}/`);
    if (oid === EMPTY_TREE) entries.delete(name);
    else entries.set(name, { mode: '040000', type: 'tree', oid, name });
  }
  return writeTree(directory, [...entries.values()]);
}
