import { z } from 'zod';
import type { Forge, Repository } from '../forge.ts';
import type { RestAnswer } from '../serve-rest.ts';
import {
  ArtifactError,
  artifactsOfRun,
  createArtifact,
  deleteArtifact,
  finishArtifact,
  isExpired,
  runOfPlan,
} from './artifacts.ts';
import { hasBlob, signedBlobUrl } from './blobs.ts';
import { type BackendIds, readRuntimeToken } from './runtime-token.ts';
import type { Artifact, WorkflowRun } from './state.ts';

const PREFIX = '/twirp/github.actions.results.api.v1.ArtifactService/';
/** Minutes that a signed address lasts. */
const UPLOAD_MINUTES = 60;
const DOWNLOAD_MINUTES = 10;

// protobuf's JSON: names as in the .proto, 64-bit integers as text, wrappers as their bare value, defaults left out
const Ids = z.strictObject({
  workflow_run_backend_id: z.string().default(''),
  workflow_job_run_backend_id: z.string().default(''),
});
const Named = Ids.extend({ name: z.string().default('') });
const Requests = {
  CreateArtifact: Named.extend({
    expires_at: z.iso.datetime({ offset: true }).optional(),
    version: z.union([z.literal(4), z.literal(7)]),
    mime_type: z
      .string()
      .regex(/^[\w.+-]+\/[\w.+-]+$/)
      .optional(),
  }),
  FinalizeArtifact: Named.extend({
    size: z
      .string()
      .regex(/^\d{1,15}$/)
      .default('0'),
    hash: z.string().optional(),
  }),
  ListArtifacts: Ids.extend({ name_filter: z.string().optional(), id_filter: z.string().regex(/^\d+$/).optional() }),
  GetSignedArtifactURL: Named,
  DeleteArtifact: Named,
};
export type ArtifactMethod = keyof typeof Requests;

/** The method of the artifact service that an address names. */
export function parseArtifactMethod(method: string, url: URL): ArtifactMethod | undefined {
  if (method !== 'POST' || !url.pathname.startsWith(PREFIX)) return undefined;
  const name = url.pathname.slice(PREFIX.length);
  return Object.keys(Requests).find((one): one is ArtifactMethod => one === name);
}

const STATUSES: Record<ArtifactError['code'], number> = {
  already_exists: 409,
  invalid_argument: 400,
  not_found: 404,
  permission_denied: 403,
  unauthenticated: 401,
};

function reply(status: number, body: object): RestAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

type Call = { forge: Forge; repository: Repository; run: WorkflowRun; ids: BackendIds };

/** @throws ArtifactError unless the token belongs to a job that is running */
function callOf(forge: Forge, authorization: string | undefined): Call {
  const ids = readRuntimeToken(forge, authorization);
  const found = ids === undefined ? undefined : runOfPlan(forge, ids.plan);
  if (ids === undefined || found === undefined) throw new ArtifactError('unauthenticated', 'token is invalid');
  const isCurrent = found.run.plans.at(-1) === ids.plan && found.run.status !== 'completed';
  if (!isCurrent) throw new ArtifactError('unauthenticated', 'the job of this token has ended');
  return { forge, ids, ...found };
}

function parse<M extends ArtifactMethod>(method: M, body: Buffer): z.infer<(typeof Requests)[M]> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new ArtifactError('invalid_argument', 'the json request could not be decoded');
  }
  const parsed = Requests[method].safeParse(json);
  if (!parsed.success) throw new ArtifactError('invalid_argument', z.prettifyError(parsed.error));
  return parsed.data as z.infer<(typeof Requests)[M]>;
}

/** A run's artifacts are its own: of every attempt for reading, of its job for writing. @throws ArtifactError */
function checkIds(call: Call, request: z.infer<typeof Ids>, isWrite: boolean): void {
  const { workflow_run_backend_id: plan, workflow_job_run_backend_id: job } = request;
  const isMine = plan === call.ids.plan && job === call.ids.job;
  if (isMine || (!isWrite && call.run.plans.includes(plan))) return;
  throw new ArtifactError('permission_denied', 'the token is not for this workflow run and job');
}

/** @throws ArtifactError */
function namedArtifact(call: Call, request: z.infer<typeof Named>, isFinal: boolean): Artifact {
  const { artifacts } = call.repository.state.actions;
  const artifact = artifacts.find(
    (one) => one.plan === request.workflow_run_backend_id && one.name === request.name && one.isFinal === isFinal,
  );
  if (artifact === undefined) throw new ArtifactError('not_found', 'artifact not found');
  return artifact;
}

const methods: { [M in ArtifactMethod]: (call: Call, body: Buffer) => Promise<object> } = {
  CreateArtifact: async (call, body) => {
    const request = parse('CreateArtifact', body);
    checkIds(call, request, true);
    const { forge, repository, run, ids } = call;
    const artifact = createArtifact(forge, repository, run, ids, {
      name: request.name,
      mimeType: request.mime_type ?? 'application/zip',
      expiresAt: request.expires_at ?? null,
    });
    return { ok: true, signed_upload_url: signedBlobUrl(forge, artifact.blob, 'write', UPLOAD_MINUTES) };
  },
  FinalizeArtifact: async (call, body) => {
    const request = parse('FinalizeArtifact', body);
    checkIds(call, request, true);
    const artifact = namedArtifact(call, request, false);
    if (!(await hasBlob(call.forge, artifact.blob))) {
      throw new ArtifactError('invalid_argument', 'the artifact has no content');
    }
    finishArtifact(call.forge, artifact, Number(request.size), request.hash ?? null);
    return { ok: true, artifact_id: String(artifact.id) };
  },
  ListArtifacts: async (call, body) => {
    const request = parse('ListArtifacts', body);
    checkIds(call, request, false);
    const { name_filter: name, id_filter: id } = request;
    const artifacts = artifactsOfRun(call.repository, call.run).filter(
      (one) =>
        (name === undefined || one.name === name) &&
        (id === undefined || String(one.id) === id) &&
        !isExpired(call.forge, one),
    );
    return {
      artifacts: artifacts.map((one) => ({
        workflow_run_backend_id: one.plan,
        workflow_job_run_backend_id: one.job,
        database_id: String(one.id),
        name: one.name,
        size: String(one.size),
        created_at: one.createdAt,
        ...(one.digest === null ? {} : { digest: one.digest }),
      })),
    };
  },
  GetSignedArtifactURL: async (call, body) => {
    const request = parse('GetSignedArtifactURL', body);
    checkIds(call, request, false);
    const artifact = namedArtifact(call, request, true);
    return { signed_url: signedBlobUrl(call.forge, artifact.blob, 'read', DOWNLOAD_MINUTES) };
  },
  DeleteArtifact: async (call, body) => {
    const request = parse('DeleteArtifact', body);
    checkIds(call, request, false);
    const artifact = namedArtifact(call, request, true);
    await deleteArtifact(call.forge, call.repository, artifact);
    return { ok: true, artifact_id: String(artifact.id) };
  },
};

/** Answers one call of the artifact service, as twirp answers: JSON, and `{ code, msg }` for a refusal. */
export async function serveArtifacts(
  forge: Forge,
  method: ArtifactMethod,
  exchange: { authorization: string | undefined; body: Buffer },
): Promise<RestAnswer> {
  try {
    const call = callOf(forge, exchange.authorization);
    return reply(200, await call.repository.locked(() => methods[method](call, exchange.body)));
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    return reply(STATUSES[error.code], { code: error.code, msg: error.message });
  }
}
