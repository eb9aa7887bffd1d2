import type { Environment } from '../actions/state.ts';
import { notFound } from '../api-error.ts';
import { nodeId } from '../node-id.ts';
import { repoApi, repoPage } from '../urls.ts';
import { type Operation, ok, pageOf, type RepositoryCall, reads, text } from './call.ts';

/** @throws ApiError 404 */
function environmentOf(call: RepositoryCall): { name: string; environment: Environment } {
  const asked = text(call, 'environment_name');
  const { environments } = call.repository.state.actions.settings;
  const name = Object.keys(environments).find((one) => one.toLowerCase() === asked.toLowerCase());
  const environment = name === undefined ? undefined : environments[name];
  if (name === undefined || environment === undefined) throw notFound();
  return { name, environment };
}

async function getEnvironment(call: RepositoryCall) {
  const { forge, repository } = call;
  const { state } = repository;
  const { name, environment } = environmentOf(call);
  const id = Object.keys(state.actions.settings.environments).indexOf(name) + 1;
  const isOpen = environment.refs === 'all';
  return ok({
    id,
    node_id: nodeId('EN', state.id, id),
    name,
    url: repoApi(forge, state, `/environments/${encodeURIComponent(name)}`),
    html_url: repoPage(forge, state, `/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`),
    created_at: state.createdAt,
    updated_at: state.updatedAt,
    protection_rules: isOpen ? [] : [{ id, node_id: nodeId('EN', state.id, id, 'rule'), type: 'branch_policy' }],
    deployment_branch_policy: isOpen
      ? null
      : {
          protected_branches: environment.refs === 'protected',
          custom_branch_policies: environment.refs !== 'protected',
        },
  });
}

async function listBranchPolicies(call: RepositoryCall) {
  const { environment } = environmentOf(call);
  const { refs } = environment;
  const named = typeof refs === 'string' ? { branches: [] } : refs;
  const policies = [
    ...named.branches.map((name) => ({ name, type: 'branch' })),
    ...(named.tags ?? []).map((name) => ({ name, type: 'tag' })),
  ].map((policy, index) => ({
    id: index + 1,
    node_id: nodeId('DBP', call.repository.state.id, index + 1),
    ...policy,
  }));
  const page = pageOf(call, policies);
  return {
    status: 200,
    headers: page.headers,
    body: { total_count: policies.length, branch_policies: page.items },
  };
}

async function listSecrets(call: RepositoryCall) {
  const { environment } = environmentOf(call);
  const { createdAt: created_at, updatedAt: updated_at } = call.repository.state;
  const page = pageOf(call, environment.secrets);
  return {
    status: 200,
    headers: page.headers,
    body: {
      total_count: environment.secrets.length,
      secrets: page.items.map((name) => ({ name, created_at, updated_at })),
    },
  };
}

async function getVariable(call: RepositoryCall) {
  const name = text(call, 'name').toUpperCase();
  const value = environmentOf(call).environment.variables[name];
  if (value === undefined) throw notFound();
  const { createdAt: created_at, updatedAt: updated_at } = call.repository.state;
  return ok({ name, value, created_at, updated_at });
}

export const environmentOperations: Record<string, Operation> = {
  'actions/get-environment-variable': reads('environments', getVariable),
  'actions/list-environment-secrets': reads('environments', listSecrets),
  'repos/get-environment': reads('actions', getEnvironment),
  'repos/list-deployment-branch-policies': reads('actions', listBranchPolicies),
};
