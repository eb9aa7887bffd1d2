import { PassloopError } from '@passloop/core';
import { identityOf, type RecordPlace, readRecord, type StoredRecord, sameIdentity } from '@passloop/record';
import type { PathVersion } from './forge.ts';

/** A record of one environment as a commit of the deploy repository holds it. */
export type RecordVersion = StoredRecord & {
  /** Where it was found: the commit that wrote it, or null for the file in the tree. */
  commit: string | null;
  /** ISO 8601, UTC: when that commit was made. */
  at: string | null;
  author: string | null;
};

/** A model that is refused because its record was replaced by one of its ancestors. */
export type DerivedHold = { version: RecordVersion; commit: string; at: string; author: string | null };

/** The record in the tree, of which no commit is known. @throws ConfigurationError as `readRecord` */
export function versionInTree(text: string, place: RecordPlace): RecordVersion {
  return { ...readRecord(text, place), commit: null, at: null, author: null };
}

/** What one commit made of a record's file: another record, or none. */
export type HistoryEntry = { commit: string; at: string; author: string | null; version: RecordVersion | null };

/** The entries, newest first. Contents that are no record or don't verify are left out: they are no place to return to. */
export function readHistory(versions: readonly PathVersion[], place: RecordPlace): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const { commit, at, author, file } of versions) {
    if (file === null) entries.push({ commit, at, author, version: null });
    if (file?.text == null) continue;
    try {
      entries.push({ commit, at, author, version: { ...readRecord(file.text, place), commit, at, author } });
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return entries;
}

/**
 * Why a history can't tell what is held; null where it can. Each record that we write keeps the holds before it as files, so
 * it is enough to look back to the newest one: nothing before it may be cut off, and nothing after it may be unreadable.
 * @param versions newest first, as they were read
 * @param limit how many were asked for
 */
export function historyProblem(versions: readonly PathVersion[], limit: number, place: RecordPlace): string | null {
  for (const [index, { commit, file }] of versions.entries()) {
    const newer = newerSchema(file?.text ?? '');
    if (newer !== null) {
      return `${place.file} was a ${newer} in ${commit.slice(0, 12)}, which a newer Passloop wrote: this one can't tell what it holds. Use that version.`;
    }
    const [entry, before] = readHistory(versions.slice(index, index + 2), place);
    if (entry?.commit === commit && before !== undefined && isWritten(entry, before)) return null;
  }
  if (versions.length < limit) return null;
  return `The last ${limit} changes of ${place.file} were made by hand: what was held before them can't be seen. Hold again what must stay out (\`passloop hold DIGEST\`); then \`passloop adopt\` begins a new history.`;
}

function newerSchema(text: string): string | null {
  try {
    const { schema } = JSON.parse(text) as { schema?: unknown };
    const [name, major] = /^passloop\/record\/v(\d{1,9})$/.exec(String(schema)) ?? [];
    return name !== undefined && Number(major) > 1 ? name : null;
  } catch {
    return null;
  }
}

/** True for a record that was made for this place in history; a text that came back was made before the one that it replaced. */
function isWritten({ version }: HistoryEntry, before: HistoryEntry): boolean {
  if (version === null) return false;
  const { previous, at } = version.record.deployment;
  const follows = (previous?.promotionId ?? null) === (before.version?.record.deployment.promotionId ?? null);
  return follows && Date.parse(at) >= Date.parse(before.at);
}

export function versionsOf(history: readonly HistoryEntry[]): RecordVersion[] {
  return history.flatMap(({ version }) => (version === null ? [] : [version]));
}

/** The chain of a record's ancestors by digest, nearest first, as far as the history reaches. */
export function ancestorsOf(version: RecordVersion, history: readonly RecordVersion[]): RecordVersion[] {
  const byDigest = new Map(history.map((one) => [one.digest, one]));
  const chain: RecordVersion[] = [];
  const seen = new Set([version.digest]);
  for (let previous = version.record.deployment.previous; previous !== null; ) {
    const ancestor = byDigest.get(previous.record);
    if (ancestor === undefined || seen.has(ancestor.digest)) break;
    seen.add(ancestor.digest);
    chain.push(ancestor);
    previous = ancestor.record.deployment.previous;
  }
  return chain;
}

/**
 * The holds that follow from history alone: a record that one of its own ancestors replaced was rolled back, whoever did
 * it and however (GitHub's Revert button, `git revert` by hand, its image set by hand and adopted); so was a first promotion
 * whose record was taken away.
 * Undoing a rollback holds nothing, and a record that came back later is held no longer.
 * @param history newest first
 */
export function derivedHolds(history: readonly HistoryEntry[]): DerivedHold[] {
  const versions = versionsOf(history);
  const held = new Map<string, DerivedHold>();
  let replaced: RecordVersion | null = null;
  for (const { commit, at, author, version } of history.toReversed()) {
    if (version !== null) held.delete(identityOf(version.record));
    if (replaced !== null && isRolledBack(replaced, version, versions)) {
      held.set(identityOf(replaced.record), { version: replaced, commit, at, author });
    }
    replaced = version;
  }
  return [...held.values()];
}

/** A model, or one image of it, that a return left and that hasn't come back since. */
export type LeftModel = { modelDigest: string; imageDigest: string | null };

/**
 * What returns left: a rollback of ours, a revert in the deploy repository. Each was held then; where nothing holds it now,
 * somebody lifted the hold, and its coming back goes forward again.
 * @param history newest first
 */
export function leftByReturns(history: readonly HistoryEntry[]): LeftModel[] {
  return leftBy(history, isReturn);
}

/**
 * What was replaced by anything but a promotion: by a return, or by hand in the manifests and adopted afterwards. Bringing it
 * back by itself would undo what somebody did on purpose.
 */
export function leftByPeople(history: readonly HistoryEntry[]): LeftModel[] {
  return leftBy(history, (replaced, by, versions) => isAdoptedOver(replaced, by) || isReturn(replaced, by, versions));
}

function leftBy(history: readonly HistoryEntry[], isLeaving: typeof isReturn): LeftModel[] {
  const versions = versionsOf(history);
  let left: LeftModel[] = [];
  let replaced: RecordVersion | null = null;
  for (const { version } of history.toReversed()) {
    if (version !== null) left = left.filter((one) => !isLeft(version.record, [one]));
    if (replaced !== null && isLeaving(replaced, version, versions)) {
      const { modelDigest, image } = replaced.record;
      left.push({ modelDigest, imageDigest: version?.record.modelDigest === modelDigest ? image.digest : null });
    }
    replaced = version;
  }
  return left;
}

export function isLeft(
  record: Pick<RecordVersion['record'], 'modelDigest' | 'image'>,
  left: readonly LeftModel[],
): boolean {
  return left.some(
    ({ modelDigest, imageDigest }) =>
      modelDigest === record.modelDigest && (imageDigest === null || imageDigest === record.image.digest),
  );
}

/** True where the last change of the record was a return. @param history newest first */
export function isAfterReturn(history: readonly HistoryEntry[]): boolean {
  const [newest, before] = history;
  if (newest?.version?.record.deployment.cause === 'rollback') return true;
  return (
    before?.version != null && newest !== undefined && isReturn(before.version, newest.version, versionsOf(history))
  );
}

function isReturn(replaced: RecordVersion, by: RecordVersion | null, versions: readonly RecordVersion[]): boolean {
  const isOurs =
    by?.record.deployment.cause === 'rollback' && by.record.deployment.previous?.record === replaced.digest;
  return isOurs || isRolledBack(replaced, by, versions);
}

function isRolledBack(replaced: RecordVersion, by: RecordVersion | null, versions: readonly RecordVersion[]): boolean {
  const { cause, previous } = replaced.record.deployment;
  if (by === null) return cause === 'promotion' && previous === null;
  if (cause === 'rollback' || by.digest === replaced.digest || sameIdentity(replaced.record, by.record)) return false;
  const ancestors = ancestorsOf(replaced, versions);
  if (previous?.record === by.digest || ancestors.some(({ digest }) => digest === by.digest)) return true;
  // An earlier image that somebody set in the manifests by hand, and then recorded.
  return isAdoptedOver(replaced, by) && ancestors.some(({ record }) => record.image.digest === by.record.image.digest);
}

function isAdoptedOver(replaced: RecordVersion, by: RecordVersion | null): boolean {
  const deployment = by?.record.deployment;
  return deployment?.cause === 'adopt' && deployment.previous?.record === replaced.digest;
}
