import { ApiError, notFound } from '../api-error.ts';
import type { Forge, Repository } from '../forge.ts';
import { settlePulls } from '../merge-pull.ts';
import { readCommit } from '../merging.ts';
import { branchTip, listRefs } from '../refs.ts';
import type { Protection } from '../state.ts';
import { repoApi, repoPage } from '../urls.ts';
import { listed, NO_CONTENT, type Operation, ok, type RepositoryCall, reads, text, writes } from './call.ts';
import { presentCommit } from './commit.ts';

function protectionUrl(forge: Forge, repository: Repository, branch: string): string {
  return repoApi(forge, repository.state, `/branches/${encodeURIComponent(branch)}/protection`);
}

/** What everyone may read of a branch's protection. */
function presentBranchProtection(protection: Protection | undefined) {
  const required = protection?.requiredChecks ?? null;
  const level = required === null ? 'off' : protection!.enforceAdmins ? 'everyone' : 'non_admins';
  const contexts = required?.contexts ?? [];
  return {
    enabled: protection !== undefined,
    required_status_checks: {
      enforcement_level: level,
      contexts: contexts.map(({ context }) => context),
      checks: contexts.map(({ context, appId }) => ({ context, app_id: appId })),
    },
  };
}

async function listBranches(call: RepositoryCall) {
  const { forge, repository, parameters } = call;
  const { protections } = repository.state;
  const { protected: wanted } = parameters;
  const branches = (await listRefs(repository, 'refs/heads/'))
    .map(({ name, oid }) => ({ name: name.slice('refs/heads/'.length), oid }))
    .filter(({ name }) => wanted === undefined || (protections[name] !== undefined) === wanted);
  return listed(call, branches, ({ name, oid }) => ({
    name,
    commit: { sha: oid, url: repoApi(forge, repository.state, `/commits/${oid}`) },
    protected: protections[name] !== undefined,
    protection: presentBranchProtection(protections[name]),
    protection_url: protectionUrl(forge, repository, name),
  }));
}

async function tipOf(call: RepositoryCall): Promise<string> {
  const tip = await branchTip(call.repository, text(call, 'branch'));
  if (tip === undefined) throw notFound('Branch not found');
  return tip;
}

async function getBranch(call: RepositoryCall) {
  const { forge, repository } = call;
  const { state } = repository;
  const name = text(call, 'branch');
  const commit = await readCommit(repository.objects, await tipOf(call));
  return ok({
    name,
    commit: presentCommit(forge, state, commit),
    _links: {
      self: repoApi(forge, state, `/branches/${encodeURIComponent(name)}`),
      html: repoPage(forge, state, `/tree/${name}`),
    },
    protected: state.protections[name] !== undefined,
    protection: presentBranchProtection(state.protections[name]),
    protection_url: protectionUrl(forge, repository, name),
  });
}

/** OpenAPI `branch-protection` and `protected-branch`. */
function presentProtection(forge: Forge, repository: Repository, branch: string, protection: Protection) {
  const url = protectionUrl(forge, repository, branch);
  const { requiredChecks: checks, requiredReviews: reviews } = protection;
  return {
    url,
    ...(checks === null
      ? {}
      : {
          required_status_checks: {
            url: `${url}/required_status_checks`,
            strict: checks.strict,
            contexts: checks.contexts.map(({ context }) => context),
            contexts_url: `${url}/required_status_checks/contexts`,
            checks: checks.contexts.map(({ context, appId }) => ({ context, app_id: appId })),
          },
        }),
    ...(reviews === null
      ? {}
      : {
          required_pull_request_reviews: {
            url: `${url}/required_pull_request_reviews`,
            dismiss_stale_reviews: reviews.dismissStale,
            require_code_owner_reviews: reviews.codeOwners,
            require_last_push_approval: reviews.lastPush,
            required_approving_review_count: reviews.count,
          },
        }),
    required_signatures: { url: `${url}/required_signatures`, enabled: false },
    enforce_admins: { url: `${url}/enforce_admins`, enabled: protection.enforceAdmins },
    required_linear_history: { enabled: protection.requireLinearHistory },
    allow_force_pushes: { enabled: protection.allowForcePushes },
    allow_deletions: { enabled: protection.allowDeletions },
    block_creations: { enabled: false },
    required_conversation_resolution: { enabled: false },
    lock_branch: { enabled: false },
    allow_fork_syncing: { enabled: false },
  };
}

async function getProtection(call: RepositoryCall) {
  await tipOf(call);
  const name = text(call, 'branch');
  const protection = call.repository.state.protections[name];
  if (protection === undefined) throw notFound('Branch not protected');
  return ok(presentProtection(call.forge, call.repository, name, protection));
}

type ProtectionInput = {
  required_status_checks: {
    strict: boolean;
    contexts: string[];
    checks?: { context: string; app_id?: number }[];
  } | null;
  enforce_admins: boolean | null;
  required_pull_request_reviews: {
    dismiss_stale_reviews?: boolean;
    require_code_owner_reviews?: boolean;
    required_approving_review_count?: number;
    require_last_push_approval?: boolean;
  } | null;
  restrictions: unknown;
  required_linear_history?: boolean;
  allow_force_pushes?: boolean | null;
  allow_deletions?: boolean;
  block_creations?: boolean;
  required_conversation_resolution?: boolean;
  lock_branch?: boolean;
};

/** A rule that is asked for and not enforced would be a lie, so these are refused. */
function refuseUnserved(input: ProtectionInput): void {
  const unserved = [
    input.restrictions !== null ? 'restrictions' : undefined,
    input.block_creations === true ? 'block_creations' : undefined,
    input.required_conversation_resolution === true ? 'required_conversation_resolution' : undefined,
    input.lock_branch === true ? 'lock_branch' : undefined,
    input.required_pull_request_reviews?.require_code_owner_reviews === true ? 'require_code_owner_reviews' : undefined,
    input.required_pull_request_reviews?.require_last_push_approval === true ? 'require_last_push_approval' : undefined,
  ].filter((name) => name !== undefined);
  if (unserved.length > 0) throw new ApiError(422, `The local GitHub does not enforce ${unserved.join(', ')}.`);
}

async function putProtection(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  await tipOf(call);
  const name = text(call, 'branch');
  const input = call.body as ProtectionInput;
  refuseUnserved(input);
  const checks = input.required_status_checks;
  const reviews = input.required_pull_request_reviews;
  const contexts = checks?.checks?.map(({ context, app_id: id }) => ({
    context,
    appId: id === undefined || id === -1 ? null : id,
  }));
  const protection: Protection = {
    requiredChecks:
      checks === null
        ? null
        : { strict: checks.strict, contexts: contexts ?? checks.contexts.map((context) => ({ context, appId: null })) },
    requiredReviews:
      reviews === null
        ? null
        : {
            count: reviews.required_approving_review_count ?? 1,
            dismissStale: reviews.dismiss_stale_reviews ?? false,
            codeOwners: false,
            lastPush: false,
          },
    enforceAdmins: input.enforce_admins ?? false,
    requireLinearHistory: input.required_linear_history ?? false,
    allowForcePushes: input.allow_force_pushes ?? false,
    allowDeletions: input.allow_deletions ?? false,
  };
  repository.state.protections[name] = protection;
  await settlePulls(forge, repository, actor);
  return ok(presentProtection(forge, repository, name, protection));
}

async function deleteProtection(call: RepositoryCall) {
  const { forge, repository, actor } = call;
  const name = text(call, 'branch');
  if (repository.state.protections[name] === undefined) throw notFound('Branch not protected');
  delete repository.state.protections[name];
  await settlePulls(forge, repository, actor);
  return NO_CONTENT;
}

export const branchOperations: Record<string, Operation> = {
  'repos/delete-branch-protection': writes('administration', deleteProtection),
  'repos/get-branch': reads('contents', getBranch),
  'repos/get-branch-protection': reads('administration', getProtection),
  'repos/list-branches': reads('contents', listBranches),
  'repos/update-branch-protection': writes('administration', putProtection),
};
