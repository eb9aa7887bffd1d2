import { ConfigurationError, PassloopError } from '@passloop/core';
import { EnvironmentName, ModelName } from '@passloop/documents';
import { readRecord, type StoredRecord } from '@passloop/record';
import type { FileAt, PathVersion } from './forge.ts';
import { stateFolder } from './paths.ts';

/** A deploy repository at one commit, as far as it was read: `.passloop/`, and the manifests that its records name. */
export type DeployTree = { commit: string; files: ReadonlyMap<string, FileAt> };

/** Where a record lies. */
export type DeployPlace = { file: string; model: string; environment: string };

/** What a change of a deploy repository is judged by. */
export type DeployDiff = {
  base: DeployTree;
  head: DeployTree;
  /** Paths that differ between the two, in the whole repository. */
  changed: readonly string[];
  /** Of the base, newest first, by the record's path. */
  histories: ReadonlyMap<string, readonly PathVersion[]>;
  /** The branch which the change would merge; null where that is not known. */
  branch: string | null;
};

/** Places of the records in a tree; what lies elsewhere in `.passloop/` is none, and nothing reads it as one. */
export function recordPlaces(files: Iterable<string>): DeployPlace[] {
  const places: DeployPlace[] = [];
  for (const file of files) {
    const [top, environment = '', name = '', ...more] = file.split('/');
    const model = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
    if (top !== stateFolder || more.length > 0 || environment === 'holds') continue;
    if (!ModelName.safeParse(model).success || !EnvironmentName.safeParse(environment).success) continue;
    places.push({ file, model, environment });
  }
  return places.sort((left, right) => (left.file < right.file ? -1 : 1));
}

/** The record at a place: null where there is no file, an error where it is none or doesn't verify. */
export function recordIn(tree: DeployTree, place: DeployPlace): StoredRecord | PassloopError | null {
  const found = tree.files.get(place.file);
  if (found === undefined) return null;
  if (found.text === null || !found.mode.startsWith('100')) {
    return new ConfigurationError(`${place.file} is no regular text file.`, {
      file: place.file,
      hint: 'Links and submodules are not followed.',
    });
  }
  try {
    return readRecord(found.text, place);
  } catch (error) {
    if (error instanceof PassloopError) return error;
    throw error;
  }
}

/** The files that a tree's records name as their targets: what else must be read to judge it. */
export function recordedFiles(tree: DeployTree): string[] {
  const files = recordPlaces(tree.files.keys()).flatMap((place) => {
    const found = recordIn(tree, place);
    return found === null || found instanceof PassloopError
      ? []
      : found.record.deployment.targets.map((target) => target.file);
  });
  return [...new Set(files)];
}

/** The line, from 1, on which a text first says something; null where it doesn't. */
export function lineOf(text: string | null | undefined, said: string | null): number | null {
  const at = said === null ? -1 : (text?.indexOf(said) ?? -1);
  return at < 0 ? null : (text as string).slice(0, at).split('\n').length;
}
