import type { EnvironmentState } from './deploy-state.ts';
import { returnsIn, versionsIn } from './deploy-state.ts';
import { type Hold, holdAgainst } from './holds.ts';
import { openRecord } from './record-change.ts';
import type { RecordVersion } from './record-history.ts';
import { refusalAgainst, refusalReason } from './refused-promotion.ts';

/** What is known of the commit that wants to be in production; without training, its keys. */
export type Candidate = {
  runKey: string | null;
  imageKey: string | null;
  modelDigest: string | null;
  imageDigest: string | null;
  /** Its run is in the store and can be restored. */
  inStore: boolean;
};

/** What a promotion does with the key of HEAD, decided before any metric. */
export type Decision =
  | { kind: 'already-promoted'; production: RecordVersion }
  /** The model of production in another image: probe, size and latency decide. */
  | { kind: 'same-model'; production: RecordVersion }
  | { kind: 'held'; hold: Hold }
  | { kind: 'rollback'; to: RecordVersion }
  | { kind: 'promote' }
  | { kind: 'train' }
  /** The record doesn't verify, or the manifests aren't what it says: nobody may guess. */
  | { kind: 'blocked'; reason: string };

/**
 * The table of the design: is production's, held, in the history, in the store, unknown; in this order. What a rollback
 * left and whose hold was lifted goes forward again, as a candidate like any other (docs/adr/0004). What people refused by
 * closing its pull request is blocked, unless somebody asks for it `again`.
 */
export function decide(environment: EnvironmentState, candidate: Candidate, { again = false } = {}): Decision {
  if (environment.problem !== null) return { kind: 'blocked', reason: environment.problem };
  const drift = environment.drift[0];
  if (drift !== undefined) {
    return {
      kind: 'blocked',
      reason: `${environment.name} has drifted: ${drift.file} runs ${drift.found ?? 'no image that can be read'}, its record says ${drift.recorded}. \`passloop adopt\` records what runs; reverting the manual change restores the record's image.`,
    };
  }
  const { production } = environment;
  if (production !== null && isRunOf(production, candidate)) {
    const { image } = production.record;
    const isOtherImage =
      candidate.imageDigest !== null
        ? candidate.imageDigest !== image.digest
        : candidate.imageKey !== null && image.imageKey !== null && candidate.imageKey !== image.imageKey;
    if (!isOtherImage) return { kind: 'already-promoted', production };
  }
  const hold = holdAgainst(candidate, environment.name, environment.holds, versionsIn(environment));
  if (hold !== null) return { kind: 'held', hold };
  const refused = again ? null : refusedHere(environment, candidate);
  if (refused !== null) return { kind: 'blocked', reason: refused };
  const to = returnsIn(environment).find((version) => isVersionOf(version, candidate));
  if (to !== undefined) return { kind: 'rollback', to };
  if (production !== null && isRunOf(production, candidate)) return { kind: 'same-model', production };
  return candidate.inStore ? { kind: 'promote' } : { kind: 'train' };
}

/** Why people's no stands in the way; null where nobody said it, or its pull request is open again. */
function refusedHere(environment: EnvironmentState, candidate: Candidate): string | null {
  const refusal = refusalAgainst(environment.refusals, candidate);
  if (refusal === null) return null;
  const open = openRecord(environment);
  const isOpen = open?.modelDigest === refusal.modelDigest && open.image.digest === refusal.imageDigest;
  return isOpen ? null : refusalReason(environment.name, refusal);
}

/** The same model: by digest where both are known, else by run key. */
function isRunOf({ record }: RecordVersion, candidate: Candidate): boolean {
  if (candidate.modelDigest !== null) return candidate.modelDigest === record.modelDigest;
  return candidate.runKey !== null && candidate.runKey === record.runKey;
}

function isVersionOf(version: RecordVersion, candidate: Candidate): boolean {
  if (!isRunOf(version, candidate)) return false;
  const { image } = version.record;
  if (candidate.imageDigest !== null) return candidate.imageDigest === image.digest;
  return candidate.imageKey === null || image.imageKey === null || candidate.imageKey === image.imageKey;
}

/**
 * The environments that may be next for a candidate, in the model file's order: the first that doesn't run it, and beside that one those
 * further down that wait for another environment which runs it already. None where all run it.
 * @param after the environment that each of them comes after; none where it only keeps the order
 */
export function nextEnvironments<T extends EnvironmentState>(
  environments: readonly T[],
  candidate: Candidate,
  after: ReadonlyMap<string, string | undefined> = new Map(),
): T[] {
  const runs = new Map(
    environments.map((environment) => [environment.name, decide(environment, candidate).kind === 'already-promoted']),
  );
  const open = environments.filter(({ name }) => runs.get(name) !== true);
  return open.filter((environment, index) => index === 0 || runs.get(after.get(environment.name) ?? '') === true);
}
