import { plainText } from '@passloop/core';
import type { EnvironmentFacts, Facts, ForgeFacts, RepositorySettings } from './facts.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';
import { shellWord } from './shell-word.ts';
import { unanswered } from './unanswered.ts';

/** GitHub's own app, to which checks of workflows belong. */
const actionsAppId = 15368;
const checkName = 'passloop';

/** Settings of the repository that no file holds. */
export function judgeSettings(facts: Pick<Facts, 'settings' | 'environment' | 'forge' | 'role'>): Finding[] {
  const { settings, environment, forge } = facts;
  if (settings === null && forge.elsewhere !== null) {
    return [
      unknown(
        { id: 'repository' },
        `The remote \`origin\` is ${plainText(forge.elsewhere)}, so github.com was not asked about it.`,
        'For a GitHub of your own: GITHUB_SERVER_URL=https://HOST GITHUB_API_URL=https://HOST/api/v3 passloop doctor. On github.com: git remote set-url origin https://github.com/OWNER/NAME.git',
      ),
    ];
  }
  if (settings === null) {
    return [
      unknown(
        { id: 'repository' },
        'This repository has no remote on a forge, so its settings were not looked at.',
        'git remote add origin https://github.com/OWNER/NAME.git',
      ),
    ];
  }
  const page = `${forge.server}/${settings.name}/settings`;
  const unseen = judgeRepository(settings, forge);
  if (unseen.verdict !== 'ok') return [unseen];
  return [
    unseen,
    // The check of a deploy repository is its workflow's job, under a name of the team's own.
    ...(facts.role === 'model' ? [judgeRequiredCheck(settings, page)] : []),
    ...judgeMergeQueue(settings),
    judgeForks(settings, page),
    judgeDefaultPermissions(settings, page),
    ...(environment === null ? [] : judgeEnvironment(environment, settings, page)),
  ];
}

function judgeRepository(settings: RepositorySettings, forge: ForgeFacts): Finding {
  const place = { id: 'repository', subject: settings.name };
  const open = unanswered(place, settings.name, settings.repository);
  if (open !== null) return open;
  if (settings.repository.state !== 'found') {
    return fail(
      place,
      `${forge.server} shows no ${settings.name} to this token.`,
      `Is the name right, and may the token see it? git remote set-url origin ${forge.server}/OWNER/NAME.git`,
    );
  }
  const { defaultBranch, isPrivate } = settings.repository.value;
  return ok(place, `${settings.name} is ${isPrivate ? 'private' : 'public'}; its default branch is ${defaultBranch}.`);
}

function branchOf(settings: RepositorySettings): string {
  return settings.repository.state === 'found' ? settings.repository.value.defaultBranch : 'the default branch';
}

/** The check must be required, and by the app that reports it: anybody with `checks: write` could report one of that name. */
function judgeRequiredCheck(settings: RepositorySettings, page: string): Finding {
  const place = { id: 'required-check' };
  const branch = branchOf(settings);
  const checks = [settings.rules, settings.protection].flatMap((one) =>
    one.state === 'found' ? one.value.checks : [],
  );
  const found = checks.filter((check) => check.context === checkName);
  const fix = `Require the check \`${checkName}\` from the source "GitHub Actions" on ${branch}: ${page}/rules`;
  if (found.some((check) => check.appId === actionsAppId)) {
    return ok(place, `${branch} requires the check ${checkName}, and by GitHub Actions.`);
  }
  if (found.length > 0) {
    return warn(
      place,
      found.some((check) => check.appId !== null)
        ? `${branch} requires the check ${checkName} by another app than GitHub Actions: the check of the workflow doesn't count.`
        : `${branch} requires the check ${checkName}, whoever reports it.`,
      fix,
    );
  }
  const open = unanswered(place, `the rules of ${branch}`, settings.rules);
  const closed = unanswered(place, `the protection of ${branch}`, settings.protection);
  if (open !== null || closed !== null) return open ?? (closed as Finding);
  return fail(place, `${branch} doesn't require the check ${checkName}: a model that fails can be merged.`, fix);
}

function judgeMergeQueue(settings: RepositorySettings): Finding[] {
  if (settings.rules.state !== 'found' || !settings.rules.value.mergeQueue) return [];
  return [ok({ id: 'merge-queue' }, `${branchOf(settings)} has a merge queue.`)];
}

function judgeForks(settings: RepositorySettings, page: string): Finding {
  const place = { id: 'fork-approval' };
  if (settings.repository.state === 'found' && settings.repository.value.isPrivate) {
    return ok(place, 'A private repository: no stranger opens a pull request.');
  }
  const open = unanswered(place, 'who must be approved before workflows run for a fork', settings.forkApproval);
  if (open !== null) return open;
  const policy = settings.forkApproval.state === 'found' ? settings.forkApproval.value.policy : '';
  if (policy === 'all_external_contributors') {
    return ok(place, 'Workflows of every outside contributor wait for approval.');
  }
  return warn(
    place,
    policy === ''
      ? 'Nothing says who must be approved before workflows run for a fork.'
      : `Only ${policy.replaceAll('_', ' ')} wait for approval: after one merged typo, a stranger's training runs on your machines.`,
    `Choose "Require approval for all external contributors": ${page}/actions`,
  );
}

function judgeDefaultPermissions(settings: RepositorySettings, page: string): Finding {
  const place = { id: 'default-permissions' };
  const open = unanswered(place, 'the default permissions of workflows', settings.defaultPermissions);
  if (open !== null) return open;
  if (settings.defaultPermissions.state !== 'found') {
    return unknown(place, 'GitHub names no default permissions of workflows.', `Look there: ${page}/actions`);
  }
  if (settings.defaultPermissions.value.level === 'read') {
    return ok(place, 'A job without `permissions` may read, and not write.');
  }
  return warn(
    place,
    'A job without `permissions` gets a token that may write everything in the repository.',
    `Choose "Read repository contents and packages permissions": ${page}/actions`,
  );
}

function judgeEnvironment(facts: EnvironmentFacts, settings: RepositorySettings, page: string): Finding[] {
  const place = { id: 'environment', subject: facts.name };
  const address = `${page}/environments`;
  const what = `the environment ${facts.name}`;
  const open = unanswered(place, what, facts.environment);
  if (open !== null) return [open];
  if (facts.environment.state !== 'found') {
    const isPrivate = settings.repository.state === 'found' && settings.repository.value.isPrivate;
    const plan = isPrivate
      ? ' A private repository has environments from GitHub Team or Enterprise on; without, keep the key in a repository secret and know that every branch can use it.'
      : '';
    return [
      fail(
        place,
        `There is no environment ${plainText(facts.name)}: nothing holds the App's key apart from pull requests.`,
        `gh api -X PUT ${shellWord(`repos/${settings.name}/environments/${encodeURIComponent(facts.name)}`)} -F "deployment_branch_policy[protected_branches]=false" -F "deployment_branch_policy[custom_branch_policies]=true", or by hand: ${address}.${plan}`,
      ),
    ];
  }
  return [
    ok(place, `The environment ${facts.name} is there.`),
    judgeBranches(facts, settings, address),
    judgeSecret(facts, address),
  ];
}

function judgeBranches(facts: EnvironmentFacts, settings: RepositorySettings, address: string): Finding {
  const place = { id: 'environment-branches', subject: facts.name };
  const branch = branchOf(settings);
  const fix = `Under "Deployment branches and tags" choose "Selected branches and tags" and add ${branch}: ${address}`;
  const branches = facts.environment.state === 'found' ? facts.environment.value.branches : 'all';
  if (branches === 'all') {
    return fail(place, `Every branch may use the environment ${facts.name}, and so its secrets.`, fix);
  }
  if (branches === 'protected') {
    return warn(place, `All protected branches may use the environment ${facts.name}, not ${branch} alone.`, fix);
  }
  const open = unanswered(place, `the branches of the environment ${facts.name}`, facts.patterns);
  if (open !== null) return open;
  const patterns = facts.patterns.state === 'found' ? facts.patterns.value : [];
  const others = patterns.filter((pattern) => pattern !== branch);
  if (others.length > 0) {
    return fail(
      place,
      `Other branches than ${branch} may use the environment ${facts.name}: ${others.map((one) => plainText(one, 60)).join(', ')}.`,
      fix,
    );
  }
  if (patterns.length === 0) {
    return fail(place, `No branch may use the environment ${facts.name}: a promotion waits for ever.`, fix);
  }
  return ok(place, `Only ${branch} may use the environment ${facts.name}.`);
}

function judgeSecret(facts: EnvironmentFacts, address: string): Finding {
  const place = { id: 'environment-secret', subject: facts.secretName };
  const open = unanswered(place, `the names of the secrets of the environment ${facts.name}`, facts.secrets);
  if (open !== null) return open;
  if (facts.secrets.state === 'found' && facts.secrets.value.includes(facts.secretName)) {
    return ok(place, `The environment ${facts.name} holds ${facts.secretName}.`);
  }
  return fail(
    place,
    `The environment ${facts.name} has no secret ${facts.secretName}.`,
    `gh secret set ${facts.secretName} --env ${shellWord(facts.name)} < private-key.pem, or by hand: ${address}`,
  );
}
