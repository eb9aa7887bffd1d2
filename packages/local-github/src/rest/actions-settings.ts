import { notFound } from '../api-error.ts';
import { fullName } from '../forge.ts';
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

/** A branch's rules are those that a test told; its protection is another matter. */
async function listRules(call: RepositoryCall) {
  const branch = text(call, 'branch');
  if ((await branchTip(call.repository, branch)) === undefined) throw notFound();
  const { checks, mergeQueue } = call.repository.state.actions.settings.rules[branch] ?? {};
  const rules: { type: string; parameters: object }[] = [];
  if (checks !== undefined) {
    const required = checks.map(({ context, appId }) => ({
      context,
      ...(appId === null ? {} : { integration_id: appId }),
    }));
    rules.push({
      type: 'required_status_checks',
      parameters: { required_status_checks: required, strict_required_status_checks_policy: false },
    });
  }
  if (mergeQueue === true) rules.push({ type: 'merge_queue', parameters: queueParameters });
  const { state } = call.repository;
  return listed(call, rules, (rule) => ({
    ...rule,
    ruleset_source_type: 'Repository',
    ruleset_source: fullName(state),
    ruleset_id: state.id,
  }));
}

const queueParameters = {
  check_response_timeout_minutes: 60,
  grouping_strategy: 'ALLGREEN',
  max_entries_to_build: 5,
  max_entries_to_merge: 5,
  merge_method: 'MERGE',
  min_entries_to_merge: 1,
  min_entries_to_merge_wait_minutes: 5,
};

export const actionsSettingsOperations: Record<string, Operation> = {
  'actions/get-fork-pr-contributor-approval-permissions-repository': reads('administration', getForkApproval),
  'actions/get-github-actions-default-workflow-permissions-repository': reads('administration', getWorkflowPermissions),
  'actions/get-repo-variable': reads('variables', getVariable),
  'repos/get-branch-rules': reads('metadata', listRules),
};
