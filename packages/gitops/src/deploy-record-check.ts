import { PassloopError, plainText, shortDigest } from '@passloop/core';
import type { DeployFinding } from '@passloop/documents';
import { type StoredRecord, sameIdentity } from '@passloop/record';
import { type DeployState, deployState, type EnvironmentState, readRequest, versionsIn } from './deploy-state.ts';
import { type DeployDiff, type DeployPlace, type DeployTree, lineOf } from './deploy-tree.ts';
import type { FileAt } from './forge.ts';
import { holdAgainst } from './holds.ts';
import { targetOf } from './targets.ts';

/** One record's place in a change. */
export type Subject = {
  diff: DeployDiff;
  place: DeployPlace;
  before: StoredRecord | PassloopError | null;
  after: StoredRecord | PassloopError | null;
  /** The record's file differs; otherwise only a manifest that it names. */
  isChanged: boolean;
};

export function isRecord(found: StoredRecord | PassloopError | null): found is StoredRecord {
  return found !== null && !(found instanceof PassloopError);
}

export function finding(
  rule: DeployFinding['rule'],
  file: string,
  line: number | null,
  message: string,
  verdict: DeployFinding['verdict'] = 'fail',
): DeployFinding {
  return { rule, verdict, file, line, message: plainText(message, 2000) };
}

/** What the base says of the model there: holds, files and derived ones, and the history. Null where a hold can't be understood. */
export function stateAtBase(
  { diff, place, before }: Subject,
  after: StoredRecord,
  findings: DeployFinding[],
): EnvironmentState | null {
  const identity = isRecord(before) ? before.record.identity : after.record.identity;
  const targets = targetsOf(isRecord(before) ? before : after);
  const query = { model: place.model, identity, environments: [{ name: place.environment, targets }], branch: null };
  try {
    return environmentIn(deployStateOf(diff, diff.base, query));
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    findings.push(finding('hold', error.file ?? place.file, error.line, error.message));
    return null;
  }
}

function targetsOf({ record }: StoredRecord) {
  return record.deployment.targets.flatMap((target) => {
    try {
      return [targetOf(target)];
    } catch {
      return [];
    }
  });
}

function environmentIn(state: DeployState): EnvironmentState {
  return state.environments[0] as EnvironmentState;
}

function deployStateOf(diff: DeployDiff, holds: DeployTree, query: Parameters<typeof deployState>[1]): DeployState {
  const { base } = diff;
  const request = readRequest(query);
  return deployState('this repository', query, {
    branch: 'base',
    commit: base.commit,
    tree: base.commit,
    files: new Map(request.files.map((path) => [path, base.files.get(path) ?? null])),
    folders: new Map(request.folders.map(({ path }) => [path, filesIn(holds, path)])),
    histories: diff.histories,
    heads: new Map(),
    closed: new Map(),
    open: new Map(),
    messageFromBody: false,
    mergeMethods: [],
  });
}

function filesIn(tree: DeployTree, folder: string): FileAt[] {
  return [...tree.files.values()].filter(
    ({ path }) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/'),
  );
}

/** The version of the history that a record is, byte for byte; null where it is a new one. */
export function returnedTo(state: EnvironmentState, after: StoredRecord) {
  return versionsIn(state).find(({ digest }) => digest === after.digest && digest !== state.production?.digest) ?? null;
}

export function recordFindings(subject: Subject, after: StoredRecord, state: EnvironmentState): DeployFinding[] {
  const { diff, place, before } = subject;
  const { record } = after;
  const text = diff.head.files.get(place.file)?.text ?? null;
  const at = (said: string) => lineOf(text, said) ?? 1;
  const findings: DeployFinding[] = [];
  const { file } = place;

  const [repository = '', name = ''] = record.identity.split('#');
  if (name !== place.model) {
    findings.push(
      finding('identity', file, at('"identity"'), `It is the record of ${record.identity}, at ${place.model}'s place.`),
    );
  } else if (isRecord(before) && before.record.identity !== record.identity) {
    const message = `It would give ${before.record.identity}'s place to ${record.identity}. Two repositories must not share a model name here.`;
    findings.push(finding('identity', file, at('"identity"'), message));
  } else if (repository !== 'local' && !/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    findings.push(finding('identity', file, at('"identity"'), `${record.identity} names no repository of a forge.`));
  }

  const earlier = returnedTo(state, after);
  if (earlier !== null) {
    const left = isRecord(before) ? `; ${before.record.version} is held from then on` : '';
    findings.push(
      finding(
        'rollback',
        file,
        at('"version"'),
        `A rollback by hand: ${place.environment} returns to ${record.version} of ${earlier.commit?.slice(0, 12) ?? 'its history'}${left}.`,
        'pass',
      ),
    );
  } else {
    findings.push(...successionFindings(subject, after, state, at));
  }

  const hold = holdOn(subject, after, state, earlier !== null);
  if (hold !== null) {
    const lift = `Lift it in a change of its own: \`passloop hold ${record.modelDigest} --lift\`.`;
    const where = hold.environment === null ? '' : ` in ${hold.environment}`;
    findings.push(
      finding(
        'held',
        file,
        at('"modelDigest"'),
        `Model ${shortDigest(record.modelDigest)} is held${where}: ${hold.reason} ${lift}`,
      ),
    );
  }
  return findings;
}

/** A new record follows the one that it replaces: so a history can't be rewritten, nor a stale promotion merged. */
function successionFindings(
  { place, before }: Subject,
  { record }: StoredRecord,
  state: EnvironmentState,
  at: (said: string) => number,
): DeployFinding[] {
  const { previous, cause } = record.deployment;
  const line = at('"previous"');
  const now = isRecord(before) ? before.digest : null;
  // Over a record that nobody can read, only an adoption begins anew; what it says it follows can't be looked up.
  if (before instanceof PassloopError) {
    return cause === 'adopt'
      ? []
      : [finding('previous', place.file, line, `${before.message} \`passloop adopt\` begins anew.`)];
  }
  if ((previous?.record ?? null) !== now) {
    const follows = previous === null ? 'no record' : `the record ${shortDigest(previous.record)}`;
    const is = now === null ? 'there is none' : `it is ${shortDigest(now)}`;
    const message = `It follows ${follows}, and in the base ${is}: production moved, or the record was written by hand. Promote again.`;
    return [finding('previous', place.file, line, message)];
  }
  const ran = versionsIn(state).some((version) => sameIdentity(version.record, record));
  if (cause === 'rollback' && !ran) {
    return [
      finding(
        'record',
        place.file,
        at('"cause"'),
        `It says it is a rollback, and ${place.environment} never ran that image.`,
      ),
    ];
  }
  return [];
}

/** The hold that refuses a record. A change doesn't lift for itself; a return by hand may take its own hold back, as a revert does. */
function holdOn({ diff, place }: Subject, { record }: StoredRecord, state: EnvironmentState, isReturn: boolean) {
  const query = { modelDigest: record.modelDigest, imageDigest: record.image.digest, runKey: record.runKey };
  const hold = holdAgainst(query, place.environment, state.holds, versionsIn(state));
  if (hold === null || !isReturn) return hold;
  try {
    const environments = [{ name: place.environment, targets: [] }];
    const asked = { model: place.model, identity: record.identity, environments, branch: null };
    const after = environmentIn(deployStateOf(diff, diff.head, asked));
    return holdAgainst(query, place.environment, after.holds, versionsIn(after));
  } catch (error) {
    // The hold that can't be read is a finding of its own.
    if (error instanceof PassloopError) return hold;
    throw error;
  }
}
