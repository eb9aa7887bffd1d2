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
  for (const { commit, at, author, text } of versions) {
    if (text === null) {
      entries.push({ commit, at, author, version: null });
      continue;
    }
    try {
      entries.push({ commit, at, author, version: { ...readRecord(text, place), commit, at, author } });
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return entries;
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
 * it and however (GitHub's Revert button, `git revert` by hand); so was a first promotion whose record was taken away.
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

function isRolledBack(replaced: RecordVersion, by: RecordVersion | null, versions: readonly RecordVersion[]): boolean {
  const { cause, previous } = replaced.record.deployment;
  if (by === null) return cause === 'promotion' && previous === null;
  if (cause === 'rollback' || by.digest === replaced.digest || sameIdentity(replaced.record, by.record)) return false;
  return previous?.record === by.digest || ancestorsOf(replaced, versions).some(({ digest }) => digest === by.digest);
}
