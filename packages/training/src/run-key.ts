import { canonicalJson, sha256Hex } from '@passloop/core';
import type { KeyDocument, StageInputs } from '@passloop/documents';

/**
 * The run key, `runkey/1`. A stage's key is `rk1-` and the sha256 of the RFC 8785 JSON of its inputs; the run's key is the
 * same over the list of its stages' names and keys, in order. Both are functions of the commit alone.
 *
 * In it: the command; the declared code below the model's folder as (path, mode, sha256 of the blob); the digests that
 * passloop.lock gives for the declared datasets; the declared params; the environment as declared (lock digest, Python,
 * platform, or image digest); declared variables and seeds; declared outputs; the keys of the stages that it needs.
 * Paths are relative to the model file's folder: moving that folder as a whole changes nothing.
 * Never in it: commit, branch, author, time, file times, absolute paths, the work tree, the actual processor.
 * What every stage gets besides (TZ=UTC, one thread, ...) belongs to the version of the key: see stage-environment.ts.
 */
export function stageKey(inputs: StageInputs): string {
  return `rk1-${sha256Hex(canonicalJson(inputs))}`;
}

export function runKey(stages: readonly { name: string; key: string }[]): string {
  return `rk1-${sha256Hex(canonicalJson({ schema: 'runkey/1', stages: stages.map(({ name, key }) => [name, key]) }))}`;
}

export function keyDocument(model: string, stages: readonly { inputs: StageInputs; key: string }[]): KeyDocument {
  const keyed = stages.map(({ inputs, key }) => ({ name: inputs.stage, key, inputs }));
  return { schema: 'passloop/key/v1', model, runKey: runKey(keyed), stages: keyed, against: null };
}
