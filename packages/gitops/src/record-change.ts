import { ConfigurationError, PassloopError, sha256 } from '@passloop/core';
import { formatDocument, parseDocument, type RecordDocument } from '@passloop/documents';
import { type CandidateRecord, deployRecord } from '@passloop/record';
import { type FileEditor, fileEditor } from './deploy-change.ts';
import type { DeployState, EnvironmentState } from './deploy-state.ts';
import { holdDocument } from './holds.ts';
import { recordPath } from './paths.ts';
import type { TargetImage } from './target-kind.ts';
import {
  editTarget,
  editWarnings,
  imageOfRecord,
  manifestText,
  readTarget,
  recordedTarget,
  targetAddress,
  targetValue,
} from './targets.ts';

/** What every change of production writes, whatever its cause; the editor takes what a cause adds to it. */
export type RecordChange = {
  record: RecordDocument;
  recordDigest: string;
  editor: FileEditor;
  warnings: readonly string[];
};

/**
 * The candidate in production: its record, every target with its image, and as files the holds that only history tells.
 * @throws ConfigurationError where a target can't be found or edited
 */
export function changeRecord(
  state: DeployState,
  environment: EnvironmentState,
  candidate: CandidateRecord,
  deployment: Pick<RecordDocument['deployment'], 'cause' | 'at'>,
): RecordChange {
  const record = deployedRecord(state, environment, candidate, deployment);
  const recordText = formatDocument('record', record);
  const editor = fileEditor(state.snapshot);
  const image = imageOfRecord(record);
  const warnings: string[] = [];
  for (const { target, file } of environment.targets) {
    manifestText(target, file);
    const before = editor.read(target.file) ?? '';
    const after = editTarget(before, target, image);
    warnings.push(...editWarnings(before, after, target));
    editor.write(target.file, after);
  }
  requireWritten(environment, editor, image);
  keepDerivedHolds(editor, environment, state.model);
  editor.write(recordPath(state.model, environment.name), recordText);
  return { record, recordDigest: sha256(recordText), editor, warnings };
}

/** Two targets of one place would each undo the other, and the record would say what isn't there. */
function requireWritten(environment: EnvironmentState, editor: FileEditor, image: TargetImage): void {
  for (const { target, file } of environment.targets) {
    const text = editor.read(target.file);
    const { value, problem } = readTarget(target, file === null ? null : { ...file, text });
    const wanted = targetValue(target, image);
    if (value === wanted && problem === null) continue;
    throw new ConfigurationError(
      `${target.file}: another target of ${environment.name} writes ${targetAddress(target)} too, so that it carries ${value ?? 'nothing'} and not ${wanted}.`,
      { file: target.file, hint: 'Leave one of the two in the model file.' },
    );
  }
}

/** A promotion that was begun already keeps its time, and so its bytes. */
function deployedRecord(
  state: DeployState,
  environment: EnvironmentState,
  candidate: CandidateRecord,
  { cause, at }: Pick<RecordDocument['deployment'], 'cause' | 'at'>,
): RecordDocument {
  const targets = environment.targets.map(({ target }) => recordedTarget(target, imageOfRecord(candidate)));
  const record = deployRecord(
    { ...candidate, identity: state.identity, model: state.model },
    { environment: environment.name, cause, targets, at },
    environment.production,
  );
  const begun = headRecord(environment);
  if (begun?.deployment.promotionId === record.deployment.promotionId && begun.deployment.cause === cause) {
    record.deployment.at = begun.deployment.at;
  }
  return record;
}

/** The record in the open promotion pull request, or null. */
export function openRecord(environment: EnvironmentState): RecordDocument | null {
  return environment.head?.pullRequest == null ? null : headRecord(environment);
}

function headRecord(environment: EnvironmentState): RecordDocument | null {
  for (const [path, file] of environment.head?.files ?? []) {
    if (file.text === null || !path.startsWith(`.passloop/${environment.name}/`)) continue;
    try {
      return parseDocument('record', file.text, path);
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return null;
}

/** A hold that only history tells is written as a file with the next commit: later ones needn't read as far back. */
function keepDerivedHolds(editor: FileEditor, environment: EnvironmentState, model: string): void {
  for (const hold of environment.holds) {
    if (hold.source !== 'history') continue;
    const text = editor.read(hold.file);
    const existing = text === null ? null : parseDocument('hold', text, hold.file);
    if (existing !== null && existing.environment === null) continue;
    editor.write(
      hold.file,
      formatDocument('hold', holdDocument({ ...hold, model, by: hold.by ?? 'history' }, existing)),
    );
  }
}

/** True where production is this very promotion. */
export function isLanded(environment: EnvironmentState, record: RecordDocument): boolean {
  return environment.production?.record.deployment.promotionId === record.deployment.promotionId;
}
