import { ConfigurationError, isDigest, shortDigest } from '@passloop/core';
import { sameIdentity } from '@passloop/record';
import type { Refusal } from './apply-change.ts';
import { type EnvironmentState, versionsIn } from './deploy-state.ts';
import { holdAgainst } from './holds.ts';
import { ancestorsOf, isAfterReturn, isLeft, leftByReturns, type RecordVersion } from './record-history.ts';

/** Which record a rollback returns to. */
export type RollbackTarget =
  /** The nearest ancestor that verifies and isn't held; none where the last change was a return already. */
  | { kind: 'previous' }
  /** A record, model or image digest, a promotion id, a version, a run key, or a commit of the deploy repository. */
  | { kind: 'named'; name: string }
  /** The record before those which came from these commits of the model repository: what a revert there undoes. */
  | { kind: 'before'; commits: readonly string[] };

/** The record to return to, or why there is none. @throws ConfigurationError where the name fits no record or several */
export function rollbackTarget(
  environment: EnvironmentState,
  from: RecordVersion,
  target: RollbackTarget,
): RecordVersion | Refusal {
  const versions = versionsIn(environment);
  const chain = ancestorsOf(from, versions);
  const left = leftByReturns(environment.history);
  const usable = (version: RecordVersion) =>
    !sameIdentity(version.record, from.record) &&
    !isLeft(version.record, left) &&
    holdOn(environment, versions, version) === null;
  if (target.kind === 'named') return namedTarget(environment, versions, from, target.name);
  if (target.kind === 'previous') {
    const to = chain.find(usable);
    const isReturned = from.record.deployment.cause === 'rollback' || isAfterReturn(environment.history);
    if (isReturned) return returnedAlready(environment, from, to ?? null);
    return to ?? blocked(noneLeft(environment, chain));
  }
  const commits = new Set(target.commits);
  const comesFrom = ({ record }: RecordVersion) => record.source !== null && commits.has(record.source.commit);
  if (!comesFrom(from)) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} runs ${from.record.version}, which doesn't come from what was reverted.`,
    };
  }
  return chain.find((version) => usable(version) && !comesFrom(version)) ?? blocked(noneLeft(environment, chain));
}

/** The same command sent again, or a second person's: one rollback goes back once. Further back is asked for by name. */
function returnedAlready(environment: EnvironmentState, from: RecordVersion, further: RecordVersion | null): Refusal {
  const next =
    further === null
      ? 'No earlier record can come back.'
      : `To go further back, name the record: --to ${typedName(further)}`;
  return {
    kind: 'refused',
    outcome: 'already-promoted',
    reason: `${environment.name} went back to ${from.record.version} already. ${next}`,
  };
}

/** A name that people may paste into a shell: the version if it is plain, else the record's digest. */
function typedName({ record, digest }: RecordVersion): string {
  return /^[\w.][\w.-]*$/.test(record.version) ? record.version : digest;
}

function noneLeft(environment: EnvironmentState, chain: readonly RecordVersion[]): string {
  return chain.length === 0
    ? `${environment.name} has no earlier record that verifies.`
    : `None of the ${chain.length} earlier records of ${environment.name} can come back: they are held, or are what runs now.`;
}

function holdOn(environment: EnvironmentState, versions: readonly RecordVersion[], { record }: RecordVersion) {
  const query = { modelDigest: record.modelDigest, imageDigest: record.image.digest, runKey: record.runKey };
  return holdAgainst(query, environment.name, environment.holds, versions);
}

function namedTarget(
  environment: EnvironmentState,
  versions: readonly RecordVersion[],
  from: RecordVersion,
  name: string,
): RecordVersion | Refusal {
  const found = versions.filter((version) => isNamed(version, name));
  const newest = found[0];
  const listed = versions.slice(0, 10).map(({ record }) => `${record.version} (${shortDigest(record.modelDigest)})`);
  if (newest === undefined) {
    throw new ConfigurationError(`${environment.name} has no earlier record ${JSON.stringify(name.slice(0, 100))}.`, {
      hint: `It has, newest first: ${listed.join(', ') || 'none'}. Name one by version, digest, run key or commit.`,
    });
  }
  if (found.some((version) => !sameIdentity(version.record, newest.record))) {
    throw new ConfigurationError(
      `${JSON.stringify(name.slice(0, 100))} names several records of ${environment.name}.`,
      {
        hint: `Name one by digest: ${found.map(({ digest }) => digest).join(', ')}.`,
      },
    );
  }
  if (sameIdentity(newest.record, from.record)) {
    return {
      kind: 'refused',
      outcome: 'already-promoted',
      reason: `${environment.name} runs ${newest.record.version} already.`,
    };
  }
  const hold = holdOn(environment, versions, newest);
  if (hold === null) return newest;
  return {
    kind: 'refused',
    outcome: 'held',
    reason: `${newest.record.version} is held: ${hold.reason} Lift it with \`passloop hold ${hold.modelDigest} --lift\`.`,
  };
}

/** Whether a name that people gave is one of a record's. */
export function isNamed({ record, digest, commit }: RecordVersion, name: string): boolean {
  const names = [digest, record.modelDigest, record.image.digest, record.deployment.promotionId, record.version];
  if (names.includes(name) || (record.runKey !== null && record.runKey === name)) return true;
  if (isDigest(`sha256:${name}`)) return names.includes(`sha256:${name}`);
  return /^[0-9a-f]{7,64}$/.test(name) && commit?.startsWith(name) === true;
}

export function blocked(reason: string): Refusal {
  return { kind: 'refused', outcome: 'blocked', reason };
}
