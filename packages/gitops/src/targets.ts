import { ConfigurationError } from '@passloop/core';
import type { RecordedTarget } from '@passloop/documents';
import type { Target } from '@passloop/model';
import type { FileAt } from './forge.ts';
import { editImageDigest, readImage } from './kustomization.ts';

/** What a target runs now: a digest, or why none can be read. */
export type TargetState = {
  target: Target;
  file: FileAt | null;
  digest: string | null;
  tag: string | null;
  /** The image's name as a cluster pulls it, where the target says so. */
  pulls: string | null;
  problem: string | null;
};

/** An address in a file, as a record names it. */
export function recordedTarget(target: Target, digest: string): RecordedTarget {
  return { kind: target.kind, file: target.file, address: target.image, value: digest };
}

/** The target which a record names. @throws ConfigurationError for a kind that this version can't edit */
export function targetOf(recorded: RecordedTarget): Target {
  if (recorded.kind !== 'kustomize') {
    throw new ConfigurationError(`Targets of kind ${JSON.stringify(recorded.kind.slice(0, 64))} can't be edited.`, {
      hint: 'A newer Passloop may have written that record.',
      file: recorded.file,
    });
  }
  return { kind: 'kustomize', file: recorded.file, image: recorded.address };
}

/** Reads what runs now; never throws for what a file holds: a status shows it, and a promotion refuses it. */
export function readTarget(target: Target, file: FileAt | null): TargetState {
  const nothing = { target, file, digest: null, tag: null, pulls: null };
  try {
    const { digest, tag, newName } = readImage(manifestText(target, file), target.image, target.file);
    return { target, file, digest, tag, pulls: newName ?? target.image, problem: null };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ...nothing, problem: error.hint === null ? error.message : `${error.message} ${error.hint}` };
  }
}

/** @throws ConfigurationError for the first target that can't be read, and so not be edited */
export function requireTargets(targets: readonly TargetState[]): void {
  for (const { target, problem } of targets)
    if (problem !== null) throw new ConfigurationError(problem, { file: target.file });
}

/** @throws ConfigurationError where the address isn't there or is ambiguous */
export function editTarget(text: string, target: Target, digest: string): string {
  return editImageDigest(text, { image: target.image, digest }, target.file).text;
}

/** @throws ConfigurationError where there is no such file, or it is a link, a submodule or no text */
export function manifestText(target: Target, file: FileAt | null): string {
  if (file === null) {
    throw new ConfigurationError(`The deploy repository has no file ${target.file}.`, {
      file: target.file,
      hint: 'Paths of targets begin at the root of the deploy repository.',
    });
  }
  if (file.text === null || !isRegular(file)) {
    throw new ConfigurationError(`${target.file} in the deploy repository is no regular text file.`, {
      file: target.file,
      hint: 'Links and submodules are not followed: name the file itself.',
    });
  }
  return file.text;
}

function isRegular(file: FileAt): boolean {
  return file.mode === '100644' || file.mode === '100755';
}
