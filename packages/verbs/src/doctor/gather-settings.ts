import type { Answer, SettingsReader } from '@passloop/github';
import { z } from 'zod';
import type { BranchRules, EnvironmentFacts, RepositorySettings } from './facts.ts';

/** Settings that GitHub keeps about a repository, each by the route that needs the least. */

const Repository = z.object({
  default_branch: z.string(),
  private: z.boolean(),
  owner: z.object({ type: z.string() }),
});
const DefaultPermissions = z.object({
  default_workflow_permissions: z.string(),
  can_approve_pull_request_reviews: z.boolean(),
});
const ForkApproval = z.object({ approval_policy: z.string() });
const Rules = z.array(
  z.object({
    type: z.string(),
    parameters: z
      .object({
        required_status_checks: z
          .array(z.object({ context: z.string(), integration_id: z.number().nullish() }))
          .optional(),
      })
      .optional(),
  }),
);
const Branch = z.object({
  protection: z
    .object({
      required_status_checks: z
        .object({ checks: z.array(z.object({ context: z.string(), app_id: z.number().nullish() })).optional() })
        .optional(),
    })
    .optional(),
});
const Environment = z.object({
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullable(),
});
const Policies = z.object({
  branch_policies: z.array(z.object({ name: z.string(), type: z.string().optional() })),
});
const Secrets = z.object({ secrets: z.array(z.object({ name: z.string() })) });
const Variable = z.object({ value: z.string() });

/** What an answer becomes where it was found. */
export function answered<T, U>(answer: Answer<T>, change: (value: T) => U): Answer<U> {
  return answer.state === 'found' ? { state: 'found', value: change(answer.value) } : answer;
}

export async function askRepository(reader: SettingsReader): Promise<RepositorySettings['repository']> {
  const answer = await reader.ask(
    { what: reader.repository, permission: 'metadata: read', route: 'GET /repos/{owner}/{repo}' },
    Repository,
  );
  return answered(answer, (found) => ({
    defaultBranch: found.default_branch,
    isPrivate: found.private,
    ownerKind: found.owner.type,
  }));
}

export async function gatherSettings(reader: SettingsReader): Promise<RepositorySettings> {
  const repository = await askRepository(reader);
  if (repository.state !== 'found') {
    const nothing = { state: 'unanswered', said: 'the repository was not seen' } as const;
    return {
      name: reader.repository,
      repository,
      defaultPermissions: nothing,
      forkApproval: nothing,
      rules: nothing,
      protection: nothing,
    };
  }
  const branch = repository.value.defaultBranch;
  const administration = 'administration: read';
  const [defaultPermissions, forkApproval, rules, protection] = await Promise.all([
    reader.ask(
      {
        what: 'the default permissions of workflows',
        permission: administration,
        route: 'GET /repos/{owner}/{repo}/actions/permissions/workflow',
      },
      DefaultPermissions,
    ),
    reader.ask(
      {
        what: 'the approval of forks',
        permission: administration,
        route: 'GET /repos/{owner}/{repo}/actions/permissions/fork-pr-contributor-approval',
      },
      ForkApproval,
    ),
    reader.ask(
      {
        what: `the rules of ${branch}`,
        permission: 'metadata: read',
        route: 'GET /repos/{owner}/{repo}/rules/branches/{branch}',
        parameters: { branch, per_page: 100 },
      },
      Rules,
    ),
    reader.ask(
      {
        what: `the protection of ${branch}`,
        permission: 'contents: read',
        route: 'GET /repos/{owner}/{repo}/branches/{branch}',
        parameters: { branch },
      },
      Branch,
    ),
  ]);
  return {
    name: reader.repository,
    repository,
    defaultPermissions: answered(defaultPermissions, (found) => ({
      level: found.default_workflow_permissions,
      mayApprove: found.can_approve_pull_request_reviews,
    })),
    forkApproval: answered(forkApproval, (found) => ({ policy: found.approval_policy })),
    rules: answered(rules, branchRules),
    protection: answered(protection, (found) => ({
      checks: (found.protection?.required_status_checks?.checks ?? []).map((check) => ({
        context: check.context,
        appId: check.app_id ?? null,
      })),
    })),
  };
}

function branchRules(rules: z.infer<typeof Rules>): BranchRules {
  return {
    mergeQueue: rules.some((rule) => rule.type === 'merge_queue'),
    checks: rules
      .filter((rule) => rule.type === 'required_status_checks')
      .flatMap((rule) => rule.parameters?.required_status_checks ?? [])
      .map((check) => ({ context: check.context, appId: check.integration_id ?? null })),
  };
}

export async function gatherEnvironment(
  reader: SettingsReader,
  names: { environment: string; secret: string },
): Promise<EnvironmentFacts> {
  const parameters = { environment_name: names.environment, per_page: 100 };
  const what = `the environment ${names.environment}`;
  const environment = await reader.ask(
    {
      what,
      permission: 'actions: read',
      route: 'GET /repos/{owner}/{repo}/environments/{environment_name}',
      parameters: { environment_name: names.environment },
    },
    Environment,
  );
  const policy = environment.state === 'found' ? environment.value.deployment_branch_policy : null;
  const patterns: Answer<z.infer<typeof Policies>> =
    policy?.custom_branch_policies === true
      ? await reader.ask(
          {
            what: `the branches of ${what}`,
            permission: 'actions: read',
            route: 'GET /repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies',
            parameters,
          },
          Policies,
        )
      : { state: 'absent', said: 'it names no branches' };
  const secrets: Answer<z.infer<typeof Secrets>> =
    environment.state === 'found'
      ? await reader.ask(
          {
            what: `the secrets of ${what}`,
            permission: 'environments: read',
            route: 'GET /repos/{owner}/{repo}/environments/{environment_name}/secrets',
            parameters,
          },
          Secrets,
        )
      : { state: 'absent', said: 'there is no environment' };
  return {
    name: names.environment,
    secretName: names.secret,
    environment: answered(environment, (found) => ({
      branches:
        found.deployment_branch_policy === null
          ? ('all' as const)
          : found.deployment_branch_policy.protected_branches
            ? ('protected' as const)
            : ('named' as const),
    })),
    patterns: answered(patterns, (found) =>
      found.branch_policies.map((one) => (one.type === 'tag' ? `tag ${one.name}` : one.name)),
    ),
    secrets: answered(secrets, (found) => found.secrets.map((one) => one.name)),
  };
}

/** A configuration variable: of the environment, else of the repository. */
export async function askVariable(reader: SettingsReader, environment: string, name: string): Promise<Answer<string>> {
  const inner = await reader.ask(
    {
      what: `the variable ${name} of the environment ${environment}`,
      permission: 'environments: read',
      route: 'GET /repos/{owner}/{repo}/environments/{environment_name}/variables/{name}',
      parameters: { environment_name: environment, name },
    },
    Variable,
  );
  if (inner.state === 'found') return { state: 'found', value: inner.value.value };
  const outer = await reader.ask(
    {
      what: `the variable ${name}`,
      permission: 'variables: read',
      route: 'GET /repos/{owner}/{repo}/actions/variables/{name}',
      parameters: { name },
    },
    Variable,
  );
  return answered(outer, (found) => found.value);
}
