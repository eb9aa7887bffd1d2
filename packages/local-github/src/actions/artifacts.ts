import { type Forge, nextId, now, type Repository } from '../forge.ts';
import { isoTime } from '../git-objects.ts';
import { deleteBlob, newBlobPath } from './blobs.ts';
import type { BackendIds } from './runtime-token.ts';
import type { Artifact, WorkflowRun } from './state.ts';

/** A refusal of the artifact service: a twirp error's code and message. */
export class ArtifactError extends Error {
  readonly code: 'already_exists' | 'invalid_argument' | 'not_found' | 'permission_denied' | 'unauthenticated';

  constructor(code: ArtifactError['code'], message: string) {
    super(message);
    this.name = 'ArtifactError';
    this.code = code;
  }
}

const RETENTION_DAYS = 90;
const DAY = 24 * 3600;

/** The run that a plan belongs to. */
export function runOfPlan(forge: Forge, plan: string): { repository: Repository; run: WorkflowRun } | undefined {
  for (const repository of forge.repositories.values()) {
    const run = repository.state.actions.runs.find(({ plans }) => plans.includes(plan));
    if (run !== undefined) return { repository, run };
  }
  return undefined;
}

/** The artifact whose bytes a blob's path names. */
export function artifactOfBlob(forge: Forge, blob: string): Artifact | undefined {
  const found = runOfPlan(forge, blob.slice(0, blob.indexOf('/')));
  return found?.repository.state.actions.artifacts.find((artifact) => artifact.blob === blob);
}

/** Those that were finished, of all attempts, oldest first. */
export function artifactsOfRun(repository: Repository, run: WorkflowRun): Artifact[] {
  return repository.state.actions.artifacts.filter(({ runId, isFinal }) => isFinal && runId === run.id);
}

export function isExpired(forge: Forge, artifact: Artifact): boolean {
  return Date.parse(artifact.expiresAt) <= forge.clock().getTime();
}

/** @throws ArtifactError for a name that no file system may hold, as GitHub refuses it */
function checkName(name: string): void {
  if (name === '' || name.length > 260 || /["\\/:<>|*?\x00-\x1f]/.test(name)) {
    throw new ArtifactError('invalid_argument', `name is invalid: ${JSON.stringify(name)}`);
  }
}

export type ArtifactInput = { name: string; mimeType: string; expiresAt: string | null };

/**
 * Takes a name in the current attempt of a run. From then on it is taken, finished or not; another attempt may use it
 * again.
 * @throws ArtifactError
 */
export function createArtifact(
  forge: Forge,
  repository: Repository,
  run: WorkflowRun,
  ids: BackendIds,
  input: ArtifactInput,
): Artifact {
  checkName(input.name);
  const { artifacts } = repository.state.actions;
  if (artifacts.some(({ plan, name }) => plan === ids.plan && name === input.name)) {
    throw new ArtifactError('already_exists', 'an artifact with this name already exists on the workflow run');
  }
  const created = now(forge);
  const latest = Date.parse(created) / 1000 + RETENTION_DAYS * DAY;
  const asked = input.expiresAt === null ? latest : Math.floor(Date.parse(input.expiresAt) / 1000);
  const artifact: Artifact = {
    id: nextId(forge),
    runId: run.id,
    ...ids,
    name: input.name,
    mimeType: input.mimeType,
    size: 0,
    digest: null,
    blob: newBlobPath(ids.plan, ids.job, input.mimeType),
    isFinal: false,
    createdAt: created,
    updatedAt: created,
    expiresAt: isoTime(Math.min(asked, latest)),
  };
  artifacts.push(artifact);
  return artifact;
}

/** Makes an artifact visible. Size and digest are the uploader's word, which a reader must not take for the truth. */
export function finishArtifact(forge: Forge, artifact: Artifact, size: number, digest: string | null): void {
  Object.assign(artifact, { size, digest, isFinal: true, updatedAt: now(forge) } satisfies Partial<Artifact>);
}

export async function deleteArtifact(forge: Forge, repository: Repository, artifact: Artifact): Promise<void> {
  const { actions } = repository.state;
  actions.artifacts = actions.artifacts.filter((one) => one !== artifact);
  await deleteBlob(forge, artifact.blob);
}
