import { ConfigurationError, PassloopError } from '@passloop/core';
import {
  type HeldDigest,
  ModelName,
  type RecordDocument,
  type RecordedTarget,
  type StatusDocument,
  type StatusRow,
} from '@passloop/documents';
import { driftOf, historyLimit, openGroup } from './deploy-state.ts';
import type { DeploySnapshot, FileAt, Forge } from './forge.ts';
import { type Hold, holdOf, readHolds } from './holds.ts';
import { groupFolder, holdsFolder, promotionBranch, stateFolder } from './paths.ts';
import { derivedHolds, historyProblem, type RecordVersion, readHistory, versionInTree } from './record-history.ts';
import { refusedPromotions } from './refused-promotion.ts';
import { readTarget, targetOf } from './targets.ts';

type Found = {
  path: string;
  environment: string;
  model: string;
  version: RecordVersion | null;
  problem: string | null;
};

/** How many environments are read in one call. */
const batch = 25;

/**
 * Models x environments as the deploy repository's branch has them: one call for the records and holds, one for each 25
 * environments' manifests, histories and open pull requests.
 * @param branch null for the default branch
 */
export async function readStatus(forge: Forge, branch: string | null = null): Promise<StatusDocument> {
  const state = await forge.read({
    branch,
    files: [],
    folders: [{ path: stateFolder, depth: 3 }],
    histories: [],
    heads: [],
    closed: [],
  });
  const files = state.folders.get(stateFolder) ?? [];
  const found = files.flatMap((file) => recordIn(file));
  const rows: StatusRow[] = [];
  const holds: HeldDigest[] = [];
  for (let start = 0; start < found.length; start += batch) {
    const part = found.slice(start, start + batch);
    const snapshot = await forge.read({
      branch,
      files: [
        ...new Set(part.flatMap(({ version }) => version?.record.deployment.targets.map(({ file }) => file) ?? [])),
      ],
      folders: [],
      histories: part.map(({ path }) => ({ path, limit: historyLimit })),
      heads: part.map(({ model, environment }) => promotionBranch(model, environment)),
      closed: part.map(({ model, environment }) => promotionBranch(model, environment)),
      open: [...Map.groupBy(part, ({ environment }) => environment)].map(([environment, rows]) => ({
        folder: groupFolder(environment),
        files: rows.map(({ path }) => path),
      })),
    });
    for (const one of part) {
      rows.push(statusRow(one, snapshot, targetsElsewhere(one, found)));
      holds.push(...historyHolds(one, snapshot, files));
    }
  }
  for (const model of new Set(files.flatMap(({ path }) => modelOfHold(path) ?? []))) {
    try {
      holds.push(...fileHolds(files, model));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const affected = rows.filter((row) => row.model === model);
      if (affected.length === 0) throw error;
      // While a hold can't be read, nothing of that model is promoted: its rows say so, the others are shown as they are.
      for (const row of affected) Object.assign(row, { state: 'invalid-record', reason: error.message.slice(0, 4096) });
    }
  }
  return {
    schema: 'passloop/status/v1',
    repository: forge.repository,
    commit: state.commit,
    verdict: rows.length === 0 ? 'warn' : rows.every((row) => row.state === 'recorded') ? 'pass' : 'fail',
    rows,
    holds: holds.filter((hold) => hold.source === 'file' || !holds.some((other) => isSaidBy(other, hold))),
  };
}

function recordIn(file: FileAt): Found[] {
  const [, environment, model] = /^\.passloop\/([^/]+)\/([^/]+)\.json$/.exec(file.path) ?? [];
  if (environment === undefined || model === undefined || environment === 'holds') return [];
  try {
    promotionBranch(model, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return [];
    throw error;
  }
  const one = { path: file.path, environment, model };
  if (file.text === null) return [{ ...one, version: null, problem: `${file.path} is no regular text file.` }];
  try {
    return [{ ...one, version: versionInTree(file.text, { file: file.path, model, environment }), problem: null }];
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return [{ ...one, version: null, problem: error.message }];
  }
}

/** What the records of the same model's other environments name. */
function targetsElsewhere({ model, path }: Found, all: readonly Found[]): RecordedTarget[] {
  return all
    .filter((other) => other.model === model && other.path !== path)
    .flatMap(({ version }) => version?.record.deployment.targets ?? []);
}

function statusRow(found: Found, snapshot: DeploySnapshot, elsewhere: readonly RecordedTarget[]): StatusRow {
  const place = { file: found.path, model: found.model, environment: found.environment };
  const { openPullRequest, ...openBranch } = openOf(place, snapshot);
  const running = found.version?.record.modelDigest ?? null;
  const refused = refusedPromotions(snapshot.closed.get(promotionBranch(found.model, found.environment)) ?? [])
    .filter(({ modelDigest }) => modelDigest !== running)
    .map(({ number, url, modelDigest, by, at }) => ({ number, url, modelDigest, by, at }));
  const base = { model: found.model, environment: found.environment, openPullRequest, ...openBranch, refused };
  if (found.version === null) {
    return {
      ...base,
      state: 'invalid-record',
      version: null,
      modelDigest: null,
      imageDigest: null,
      runKey: null,
      since: null,
      cause: null,
      gates: [],
      drift: [],
      reason: found.problem?.slice(0, 4096) ?? null,
    };
  }
  const { record } = found.version;
  const { drift, reason } = driftIn(record, found.version, snapshot, elsewhere);
  const unclear = historyProblem(snapshot.histories.get(found.path) ?? [], historyLimit, place);
  return {
    ...base,
    state: unclear !== null ? 'invalid-record' : drift.length > 0 || reason !== null ? 'drifted' : 'recorded',
    version: record.version,
    modelDigest: record.modelDigest,
    imageDigest: record.image.digest,
    runKey: record.runKey,
    since: record.deployment.at,
    cause: record.deployment.cause,
    gates: record.gates,
    drift,
    reason: unclear ?? reason,
  };
}

/** What waits for this environment: the model's own pull request, or one that brings several models back. */
function openOf(
  place: { file: string; model: string; environment: string },
  snapshot: DeploySnapshot,
): Pick<StatusRow, 'openPullRequest' | 'openBranch'> {
  const head = snapshot.heads.get(promotionBranch(place.model, place.environment)) ?? null;
  const own = head?.pullRequest == null ? null : { ...head.pullRequest, branch: head.branch };
  const history = readHistory(snapshot.histories.get(place.file) ?? [], place);
  const open = own ?? openGroup(snapshot.open.get(groupFolder(place.environment)) ?? [], place, history);
  if (open === null) return { openPullRequest: null };
  const { number, url, branch } = open;
  return number === null ? { openPullRequest: null, openBranch: branch } : { openPullRequest: { number, url } };
}

/** True where a committed hold says what another one tells from history: a person needs to read it once. */
function isSaidBy(file: HeldDigest, hold: HeldDigest): boolean {
  if (file.source !== 'file' || file.model !== hold.model || file.modelDigest !== hold.modelDigest) return false;
  const isWhole = file.hold === null || file.hold.imageDigest === null;
  return isWhole && (file.environment === null || file.environment === hold.environment);
}

function modelOfHold(path: string): string | null {
  const [, model] = /^\.passloop\/holds\/([^/]+)\/[^/]+$/.exec(path) ?? [];
  return model !== undefined && ModelName.safeParse(model).success ? model : null;
}

function driftIn(
  record: RecordDocument,
  version: RecordVersion,
  snapshot: DeploySnapshot,
  elsewhere: readonly RecordedTarget[],
): { drift: StatusRow['drift']; reason: string | null } {
  try {
    const targets = record.deployment.targets
      .map(targetOf)
      .map((target) => readTarget(target, snapshot.files.get(target.file) ?? null));
    const problem = targets.find((target) => target.problem !== null)?.problem ?? null;
    return { drift: driftOf(version, targets, elsewhere), reason: problem?.slice(0, 4096) ?? null };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { drift: [], reason: error.message };
  }
}

function historyHolds(found: Found, snapshot: DeploySnapshot, files: readonly FileAt[]): HeldDigest[] {
  const place = { file: found.path, model: found.model, environment: found.environment };
  const history = readHistory(snapshot.histories.get(found.path) ?? [], place);
  const lifted = new Set(
    files.flatMap(({ path }) => {
      const hex = new RegExp(`^${holdsFolder(found.model)}/lifted-sha256-([0-9a-f]{64})\\.json$`).exec(path)?.[1];
      return hex === undefined ? [] : [`sha256:${hex}`];
    }),
  );
  return derivedHolds(history)
    .filter(({ version }) => !lifted.has(version.digest))
    .map((derived) => held(holdOf(derived, found.environment), found.model));
}

function fileHolds(files: readonly FileAt[], model: string): HeldDigest[] {
  const folder = `${holdsFolder(model)}/`;
  const { holds } = readHolds(
    files.filter(({ path }) => path.startsWith(folder)),
    model,
  );
  return holds.map((hold) => held(hold, model));
}

function held(hold: Hold, model: string): HeldDigest {
  return {
    model,
    environment: hold.environment,
    modelDigest: hold.modelDigest,
    source: hold.source,
    by: hold.by,
    reason: hold.reason,
    commit: hold.commit,
    hold: hold.document,
  };
}
