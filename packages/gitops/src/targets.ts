import { ConfigurationError, plainText } from '@passloop/core';
import { isWeight, type RecordDocument, type RecordedTarget } from '@passloop/documents';
import { Target, type TargetKind, type TargetOf } from '@passloop/model';
import type { FileAt } from './forge.ts';
import type { Carried, TargetEditor, TargetImage } from './target-kind.ts';
import { argocd } from './targets/argocd.ts';
import { fluxHelmrelease } from './targets/flux-helmrelease.ts';
import { fluxKustomization } from './targets/flux-kustomization.ts';
import { helmValues } from './targets/helm-values.ts';
import { istio } from './targets/istio.ts';
import { kserve } from './targets/kserve.ts';
import { kustomize } from './targets/kustomize.ts';
import { seldonV1 } from './targets/seldon-v1.ts';
import { seldonV2 } from './targets/seldon-v2.ts';
import { workload } from './targets/workload.ts';
import { yamlPath } from './targets/yaml-path.ts';

/** What a target runs now: a digest, or why none can be read. */
export type TargetState = Carried & {
  target: Target;
  file: FileAt | null;
  problem: string | null;
};

const editors: { [Kind in TargetKind]: TargetEditor<TargetOf<Kind>> } = {
  kustomize,
  'helm-values': helmValues,
  argocd,
  'flux-kustomization': fluxKustomization,
  'flux-helmrelease': fluxHelmrelease,
  workload,
  'seldon-v1': seldonV1,
  'seldon-v2': seldonV2,
  kserve,
  istio,
  'yaml-path': yamlPath,
};

function editorOf(target: Target): TargetEditor {
  return editors[target.kind] as TargetEditor;
}

/** What a target carries while an image is in place: its digest, or a share of the traffic. */
export function targetValue(target: Target, image: TargetImage): string {
  return editorOf(target).value(target, image);
}

/** The target's place in its file, for records and messages. */
export function targetAddress(target: Target): string {
  return editorOf(target).address(target);
}

/** True for a target that names an image; the others carry a share of the traffic. */
export function carriesImage(target: Target): boolean {
  const { kind, file: _, ...declared } = target;
  return !isWeight({ kind, declared: declaredFields(declared) });
}

/** The image as a record names it. */
export function imageOfRecord({ image }: Pick<RecordDocument, 'image'>): TargetImage {
  return { repository: image.reference.split('@')[0] ?? null, digest: image.digest, tag: image.imageKey };
}

/** An address in a file, as a record names it. */
export function recordedTarget(target: Target, image: TargetImage): RecordedTarget {
  const { kind, file, ...fields } = target;
  const recorded = { kind, file, address: targetAddress(target), value: targetValue(target, image) };
  return kind === 'kustomize' ? recorded : { ...recorded, declared: declaredFields(fields) };
}

function declaredFields(fields: Record<string, string | number | undefined>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}

/** The target which a record names. @throws ConfigurationError for one that this version can't edit */
export function targetOf(recorded: RecordedTarget): Target {
  const { kind, file, address, declared } = recorded;
  const parsed = Target.safeParse({ kind, file, ...(declared ?? { image: address }) });
  if (parsed.success && targetAddress(parsed.data) === address) return parsed.data;
  throw new ConfigurationError(`Targets of kind ${JSON.stringify(plainText(kind, 64))} can't be edited as recorded.`, {
    hint: parsed.success
      ? `The record's address ${JSON.stringify(plainText(address))} is not that of its fields.`
      : `A newer Passloop may have written that record. ${plainText(parsed.error.issues[0]?.message ?? '')}`.trim(),
    file,
  });
}

/** Reads what runs now; never throws for what a file holds: a status shows it, and a promotion refuses it. */
export function readTarget(target: Target, file: FileAt | null): TargetState {
  try {
    return { target, file, ...editorOf(target).read(manifestText(target, file), target), problem: null };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problem = error.hint === null ? error.message : `${error.message} ${error.hint}`;
    return { target, file, value: null, digest: null, tag: null, pulls: null, problem };
  }
}

/** @throws ConfigurationError for the first target that can't be read, and so not be edited */
export function requireTargets(targets: readonly TargetState[]): void {
  for (const { target, problem } of targets)
    if (problem !== null) throw new ConfigurationError(problem, { file: target.file });
}

/** @throws ConfigurationError where the address isn't there or is ambiguous */
export function editTarget(text: string, target: Target, image: TargetImage): string {
  return editorOf(target).edit(text, target, image);
}

/** What a person should know of an edit: who else writes there, and what the edit can't do. */
export function editWarnings(before: string, after: string, target: Target): string[] {
  return [...(editorOf(target).warnings?.(before, target) ?? []), ...policyWarnings(before, after, target.file)];
}

/** A field that Flux's image automation writes too is undone by its next run: its comment marks the line. */
function policyWarnings(before: string, after: string, file: string): string[] {
  const kept = new Set(after.split(/\r\n|\r|\n/));
  return before.split(/\r\n|\r|\n/).flatMap((line, index) => {
    const policy = /#\s*\{\s*"\$imagepolicy"\s*:\s*"([^"]{1,253})"/.exec(line)?.[1];
    if (policy === undefined || kept.has(line)) return [];
    return [
      `${file}:${index + 1}: Flux's image automation writes this field too, by policy ${plainText(policy, 128)}, and will undo the promotion. Suspend that ImageUpdateAutomation, or take its comment away.`,
    ];
  });
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
