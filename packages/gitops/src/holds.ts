import { ConfigurationError, isDigest, PassloopError } from '@passloop/core';
import { type HoldDocument, parseDocument } from '@passloop/documents';
import type { FileAt } from './forge.ts';
import { holdPath, holdsFolder } from './paths.ts';
import type { DerivedHold, RecordVersion } from './record-history.ts';

/** A refusal of a model in one environment or, with `environment` null, in all of them. */
export type Hold = {
  modelDigest: string;
  /** Null: the model in whatever image. */
  imageDigest: string | null;
  /** The run that made the model, where the hold knows it. */
  runKey: string | null;
  environment: string | null;
  /** `file`: committed; `history`: derived from a record that was replaced by one of its ancestors. */
  source: 'file' | 'history';
  by: string | null;
  reason: string;
  at: string;
  /** The commit that a derived hold follows from. */
  commit: string | null;
  /** The hold's file, or the one that would be written for it. */
  file: string;
  document: HoldDocument | null;
  /** Digest of the record that was replaced, of a derived hold. */
  record: string | null;
};

/**
 * The holds which a model's folder of holds states, and the records whose derived hold was lifted there.
 * @throws ConfigurationError where a file is no hold: while nobody can tell what is refused, nothing is promoted
 */
export function readHolds(files: readonly FileAt[], model: string): { holds: Hold[]; lifted: ReadonlySet<string> } {
  const holds: Hold[] = [];
  const lifted = new Set<string>();
  for (const file of files) {
    const name = file.path.slice(holdsFolder(model).length + 1);
    const lift = /^lifted-sha256-([0-9a-f]{64})\.json$/.exec(name);
    if (lift !== null) {
      lifted.add(`sha256:${lift[1]}`);
    } else if (name.endsWith('.json')) {
      holds.push(readHold(file, model));
    }
  }
  return { holds, lifted };
}

function readHold(file: FileAt, model: string): Hold {
  const hint = 'Mend the file, or remove it to lift the hold.';
  if (file.text === null) {
    throw new ConfigurationError(`${file.path} is no regular text file.`, { file: file.path, hint });
  }
  let document: HoldDocument;
  try {
    document = parseDocument('hold', file.text, file.path);
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    throw new ConfigurationError(error.message, { file: file.path, hint, cause: error });
  }
  const path = holdPath(model, document.imageDigest ?? document.modelDigest);
  if (document.model !== model || (file.path !== path && file.path !== holdPath(model, document.modelDigest))) {
    throw new ConfigurationError(`${file.path} holds another model or digest than its path says.`, {
      file: file.path,
      hint,
    });
  }
  return {
    modelDigest: document.modelDigest,
    imageDigest: document.imageDigest,
    runKey: document.runKey ?? null,
    environment: document.environment,
    source: 'file',
    by: document.by,
    reason: document.reason,
    at: document.at,
    commit: null,
    file: file.path,
    document,
    record: null,
  };
}

/** A derived hold as the hold that it is. */
export function holdOf(derived: DerivedHold, environment: string): Hold {
  const { record, digest } = derived.version;
  const imageDigest = record.deployment.previous?.modelDigest === record.modelDigest ? record.image.digest : null;
  return {
    modelDigest: record.modelDigest,
    imageDigest,
    runKey: record.runKey,
    environment,
    source: 'history',
    by: derived.author,
    reason: `Its promotion was reverted in ${derived.commit.slice(0, 12)}.`,
    at: derived.at,
    commit: derived.commit,
    file: holdPath(record.model, imageDigest ?? record.modelDigest),
    document: null,
    record: digest,
  };
}

/** What is known of a candidate when the question is asked; before it was trained, the run key alone. */
export type HoldQuery = { modelDigest: string | null; imageDigest: string | null; runKey: string | null };

/**
 * The hold that refuses a candidate, or null. A run key counts as the model that it once gave: training it again under
 * another digest doesn't bring the refused one back.
 */
export function holdAgainst(
  query: HoldQuery,
  environment: string,
  holds: readonly Hold[],
  versions: readonly RecordVersion[],
): Hold | null {
  for (const hold of holds) {
    if (hold.environment !== null && hold.environment !== environment) continue;
    if (hold.modelDigest === query.modelDigest) {
      if (hold.imageDigest === null || hold.imageDigest === query.imageDigest) return hold;
      continue;
    }
    if (query.runKey === null || hold.imageDigest !== null) continue;
    const isSameRun = versions.some(
      ({ record }) => record.modelDigest === hold.modelDigest && record.runKey === query.runKey,
    );
    if (isSameRun || hold.runKey === query.runKey) return hold;
  }
  return null;
}

/** A hold's file. Where one exists for the digest, it is widened and never narrowed. */
export function holdDocument(
  hold: Pick<HoldDocument, 'model' | 'modelDigest' | 'imageDigest' | 'runKey' | 'environment' | 'by' | 'reason' | 'at'>,
  existing: HoldDocument | null,
): HoldDocument {
  if (!isDigest(hold.modelDigest)) throw new ConfigurationError(`${JSON.stringify(hold.modelDigest)} is no digest.`);
  const widened = existing !== null && existing.environment !== hold.environment;
  return {
    schema: 'passloop/hold/v1',
    model: hold.model,
    modelDigest: hold.modelDigest,
    imageDigest: existing !== null && existing.imageDigest === null ? null : hold.imageDigest,
    runKey: hold.runKey ?? existing?.runKey ?? null,
    environment: widened ? null : hold.environment,
    by: hold.by,
    reason: hold.reason,
    at: hold.at,
  };
}
