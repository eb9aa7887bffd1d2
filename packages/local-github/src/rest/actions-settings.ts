import { notFound } from '../api-error.ts';
import { branchTip } from '../refs.ts';
import { listed, type Operation, ok, type RepositoryCall, reads, text } from './call.ts';

async function getWorkflowPermissions({ repository }: RepositoryCall) {
  const { defaultPermissions, mayApprove } = repository.state.actions.settings;
  return ok({ default_workflow_permissions: defaultPermissions, can_approve_pull_request_reviews: mayApprove });
}

async function getForkApproval({ repository }: RepositoryCall) {
  return ok({ approval_policy: repository.state.actions.settings.forkApproval });
}

async function getVariable(call: RepositoryCall) {
  const { state } = call.repository;
  const name = text(call, 'name').toUpperCase();
  const value = state.actions.settings.variables[name];
  if (value === undefined) throw notFound();
  return ok({ name, value, created_at: state.createdAt, updated_at: state.updatedAt });
}

/** Rulesets are not served, so a branch has no rules; its protection is another matter. */
async function listRules(call: RepositoryCall) {
  if ((await branchTip(call.repository, text(call, 'branch'))) === undefined) throw notFound();
  return listed(call, [], (rule) => rule);
}

export const actionsSettingsOperations: Record<string, Operation> = {
  'actions/get-fork-pr-contributor-approval-permissions-repository': reads('administration', getForkApproval),
  'actions/get-github-actions-default-workflow-permissions-repository': reads('administration', getWorkflowPermissions),
  'actions/get-repo-variable': reads('variables', getVariable),
  'repos/get-branch-rules': reads('metadata', listRules),
};
