import { ConfigurationError, PassloopError } from '@passloop/core';
import type { Environment } from '@passloop/model';
import type { DeploySnapshot, Forge, HeadSnapshot, OpenBranch, ReadRequest } from './forge.ts';
import { type Hold, holdOf, readHolds } from './holds.ts';
import { groupFolder, holdsFolder, promotionBranch, recordPath } from './paths.ts';
import {
  derivedHolds,
  type HistoryEntry,
  historyProblem,
  isLeft,
  leftByPeople,
  type RecordVersion,
  readHistory,
  versionInTree,
  versionsOf,
} from './record-history.ts';
import { type RefusedPromotion, refusedPromotions } from './refused-promotion.ts';
import { imageOfRecord, readTarget, type TargetState, targetValue } from './targets.ts';

/** An environment as promotions need it: of the model file. */
export type DeployEnvironment = Pick<Environment, 'name' | 'targets'>;

/** How many versions of a record are read; holds of older ones are files by now (`historyProblem` makes sure of it). */
export const historyLimit = 50;

export type Drift = { file: string; recorded: string; found: string | null };

/** What the deploy repository says about one model in one environment. */
export type EnvironmentState = {
  name: string;
  /** The record in the tree, which is the truth; null where there is none. */
  production: RecordVersion | null;
  /** Why the record in the tree can't be believed, or its history can't tell what is held; null where they can. */
  problem: string | null;
  /** Newest first. */
  history: readonly HistoryEntry[];
  /** Those that refuse something here: committed ones, and derived ones that nobody lifted. */
  holds: readonly Hold[];
  targets: readonly TargetState[];
  /** Targets that carry another image than the record. */
  drift: readonly Drift[];
  /** Promotions whose pull request people closed without merging it. */
  refusals: readonly RefusedPromotion[];
  /** The promotion branch, with its open pull request. */
  head: HeadSnapshot | null;
  /** The branch with an open pull request that brings this model back together with others; null where there is none. */
  groupRollback: OpenBranch | null;
};

export type DeployState = {
  repository: string;
  model: string;
  /** `<owner>/<repo>#<name>`. */
  identity: string;
  snapshot: DeploySnapshot;
  /** Committed holds of the model, whatever their environment. */
  holds: readonly Hold[];
  environments: readonly EnvironmentState[];
};

export type DeployQuery = {
  model: string;
  identity: string;
  environments: readonly DeployEnvironment[];
  /** Null: the deploy repository's default branch. */
  branch: string | null;
};

/** Reads a model's environments at one commit, in one call. */
export async function readDeployState(forge: Forge, query: DeployQuery): Promise<DeployState> {
  return deployState(forge.repository, query, await forge.read(readRequest(query)));
}

export function readRequest(query: DeployQuery): ReadRequest {
  const records = query.environments.map(({ name }) => recordPath(query.model, name));
  const manifests = query.environments.flatMap(({ targets }) => targets.map(({ file }) => file));
  return {
    branch: query.branch,
    files: [...new Set([...records, ...manifests])],
    folders: [{ path: holdsFolder(query.model), depth: 1 }],
    histories: records.map((path) => ({ path, limit: historyLimit })),
    heads: query.environments.map(({ name }) => promotionBranch(query.model, name)),
    closed: query.environments.map(({ name }) => promotionBranch(query.model, name)),
    open: query.environments.map(({ name }) => ({
      folder: groupFolder(name),
      files: [recordPath(query.model, name)],
    })),
  };
}

/** @throws ConfigurationError where a file of the holds can't be understood */
export function deployState(repository: string, query: DeployQuery, snapshot: DeploySnapshot): DeployState {
  const { holds, lifted } = readHolds(snapshot.folders.get(holdsFolder(query.model)) ?? [], query.model);
  const environments = query.environments.map((environment) => {
    const file = recordPath(query.model, environment.name);
    const place = { file, model: query.model, environment: environment.name };
    const history = readHistory(snapshot.histories.get(file) ?? [], place);
    const derived = derivedHolds(history)
      .filter(({ version }) => !lifted.has(version.digest))
      .map((hold) => holdOf(hold, environment.name));
    const targets = environment.targets.map((target) => readTarget(target, snapshot.files.get(target.file) ?? null));
    const elsewhere = query.environments.flatMap((other) => (other.name === environment.name ? [] : other.targets));
    const { production, problem } = readProduction(snapshot, place, query.identity, history);
    const unclear = historyProblem(snapshot.histories.get(file) ?? [], historyLimit, place);
    return {
      name: environment.name,
      production,
      problem: problem ?? unclear,
      history,
      holds: [...holds, ...derived].filter(
        (hold) => hold.environment === null || hold.environment === environment.name,
      ),
      targets,
      drift: production === null ? [] : driftOf(production, targets, elsewhere),
      refusals: refusedPromotions(snapshot.closed.get(promotionBranch(query.model, environment.name)) ?? []),
      head: snapshot.heads.get(promotionBranch(query.model, environment.name)) ?? null,
      groupRollback: openGroup(snapshot.open.get(groupFolder(environment.name)) ?? [], place, history),
    };
  });
  return { repository, model: query.model, identity: query.identity, snapshot, holds, environments };
}

/** Such a branch has the records of all models: this one goes back by it if its record there is a rollback's that never landed. */
export function openGroup(
  branches: readonly OpenBranch[],
  place: { file: string; model: string; environment: string },
  history: readonly HistoryEntry[],
): OpenBranch | null {
  for (const branch of branches) {
    const text = branch.files.get(place.file)?.text;
    if (text == null) continue;
    try {
      const { record, digest } = versionInTree(text, place);
      const hasLanded = history.some(({ version }) => version?.digest === digest);
      if (record.deployment.cause === 'rollback' && !hasLanded) return branch;
    } catch (error) {
      if (!(error instanceof PassloopError)) throw error;
    }
  }
  return null;
}

function readProduction(
  snapshot: DeploySnapshot,
  place: { file: string; model: string; environment: string },
  identity: string,
  history: readonly HistoryEntry[],
): { production: RecordVersion | null; problem: string | null } {
  const found = snapshot.files.get(place.file) ?? null;
  if (found === null) return { production: null, problem: null };
  if (found.text === null) return { production: null, problem: `${place.file} is no regular text file.` };
  try {
    const version = versionInTree(found.text, place);
    if (version.record.identity !== identity) {
      return {
        production: null,
        problem: `${place.file} belongs to ${version.record.identity}; this model is ${identity}. Two repositories must not share a model name here.`,
      };
    }
    const landed = history[0]?.version;
    return { production: landed?.digest === version.digest ? landed : version, problem: null };
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return { production: null, problem: error.hint === null ? error.message : `${error.message} ${error.hint}` };
  }
}

/**
 * Where the manifests carry something else than the record says, or a tag alone.
 * @param elsewhere the targets of the model's other environments: only one of those may stand in place of a slot
 */
export function driftOf(
  production: RecordVersion,
  targets: readonly TargetState[],
  elsewhere: readonly PlaceOfTarget[],
): Drift[] {
  const image = imageOfRecord(production.record);
  return targets.flatMap((state) => {
    const recorded = targetValue(state.target, image);
    if (state.value === recorded || isTakenBy(state, elsewhere)) return [];
    return [{ file: state.target.file, recorded, found: state.value ?? state.tag ?? null }];
  });
}

type PlaceOfTarget = { kind: string; file: string };

/** True where a slot isn't written, and another environment writes the other one there. */
export function isTakenBy(
  { hidden, problem, target }: Pick<TargetState, 'hidden' | 'problem' | 'target'>,
  elsewhere: readonly PlaceOfTarget[],
): boolean {
  const isOther = elsewhere.some(({ kind, file }) => kind === target.kind && file === target.file);
  return hidden === true && problem === null && isOther;
}

/** @throws ConfigurationError where the model file doesn't name the environment */
export function environmentOf(state: DeployState, name: string): EnvironmentState {
  const found = state.environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const names = state.environments.map((environment) => environment.name).join(', ');
  throw new ConfigurationError(`There is no environment ${JSON.stringify(name.slice(0, 80))}.`, {
    hint: `${state.model} is deployed to: ${names}.`,
  });
}

/** What a candidate may return to as a rollback: it ran here, and a promotion replaced it. */
export function returnsIn(environment: EnvironmentState): RecordVersion[] {
  const left = leftByPeople(environment.history);
  return versionsIn(environment).filter(
    ({ digest, record }) => digest !== environment.production?.digest && !isLeft(record, left),
  );
}

export function versionsIn(environment: EnvironmentState): RecordVersion[] {
  const versions = versionsOf(environment.history);
  const { production } = environment;
  if (production === null || versions.some(({ digest }) => digest === production.digest)) return versions;
  return [production, ...versions];
}
