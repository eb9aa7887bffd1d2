import type { YamlPath } from '@passloop/core';
import { isMap, isScalar, isSeq } from 'yaml';
import { openManifest } from '../manifest.ts';
import { lineAt } from '../yaml-edit.ts';

/** One Kubernetes object of a file, or what else is a document there. */
export type LintDocument = {
  file: string;
  value: unknown;
  /** `serving.kserve.io` of `serving.kserve.io/v1beta1`; empty for the core group and for what is no object. */
  group: string;
  kind: string | null;
  name: string | null;
  /** The 1-based line of the key or item at a path, or of its nearest ancestor that exists. */
  lineOf(path: YamlPath): number;
};

export type LintFile = { file: string; text: string; documents: readonly LintDocument[] };

/** @throws ConfigurationError with file and line: not YAML, duplicate keys, a YAML bomb, too large */
export function openLintFile(text: string, file: string): LintFile {
  const documents = openManifest(text, file).documents.map(({ contents, reading, group, kind, name }) => ({
    file,
    value: reading,
    group: group ?? '',
    kind,
    name,
    lineOf: (path: YamlPath) => lineAt(text, offsetOf(contents, path)),
  }));
  return { file, text, documents };
}

/** Where the key or the item at a path begins; an alias isn't followed, since its line is the one that a person looks for. */
function offsetOf(contents: unknown, path: YamlPath): number {
  let node = contents;
  let offset = startOf(contents) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : null) === String(step));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      const start = startOf(node);
      if (start === null) return offset;
      offset = start;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | null {
  const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range;
  return range?.[0] ?? null;
}

/** The objects of a kind in all files. */
export function objectsOf(files: readonly LintFile[], group: string, ...kinds: string[]): LintDocument[] {
  return files.flatMap(({ documents }) =>
    documents.filter((one) => one.group === group && one.kind !== null && kinds.includes(one.kind)),
  );
}
