import { plainText } from '@passloop/core';
import type { AppFacts, DeployFacts, Facts, ForgeFacts, GitFacts } from './facts.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';
import { judgeWorkflows } from './judge-workflows.ts';
import { unanswered } from './unanswered.ts';

/** Each deploy repository: seen by the token, with its workflows, and the App that writes it. */
export function judgeDeploys(facts: Pick<Facts, 'deploys' | 'forge'>): Finding[] {
  return facts.deploys.flatMap((deploy) => judgeDeploy(deploy, facts.forge));
}

function judgeDeploy(deploy: DeployFacts, forge: ForgeFacts): Finding[] {
  const place = { id: 'deploy-repository', subject: deploy.repository };
  if (deploy.git !== null) return [judgeGit(place, deploy.git)];
  const app = judgeApp(deploy, forge);
  const open = unanswered(place, deploy.repository, deploy.settings);
  if (open !== null) return [open, app];
  if (deploy.settings.state !== 'found') {
    return [
      fail(
        place,
        `${forge.server} shows no ${deploy.repository} to this token.`,
        'Mend deploy.repository, or set PASSLOOP_DEPLOY_TOKEN to a token with `contents: read` there: the one of a job reaches its own repository only.',
      ),
      app,
    ];
  }
  return [
    ok(place, `${deploy.repository} is there; its default branch is ${deploy.settings.value.defaultBranch}.`),
    ...judgeFiles(deploy, deploy.settings.value.defaultBranch),
    app,
  ];
}

/** Only git reaches it: it has no settings that could be asked for, and no App. */
function judgeGit(place: { id: string; subject: string }, git: GitFacts): Finding {
  if (git.state === 'failed') return fail(place, git.said, git.hint ?? 'Mend deploy.repository.');
  return ok(
    place,
    `git reads ${git.url}; its default branch is ${git.branch}. Whether git may push there, the first promotion tells.`,
  );
}

function judgeFiles(deploy: DeployFacts, defaultBranch: string): Finding[] {
  const place = { id: 'workflow', subject: deploy.repository };
  const open = unanswered(place, `the workflows of ${deploy.repository}`, deploy.workflows);
  if (open !== null) return [open];
  return judgeWorkflows({
    repository: deploy.repository,
    role: 'deploy',
    files: deploy.workflows.state === 'found' ? deploy.workflows.value : [],
    wanted: deploy.isChain ? ['deploy-check', 'deploy-chain'] : ['deploy-check'],
    mergeQueue: false,
    defaultBranch,
  });
}

/** What the App needs on the deploy repository; `actions` is for the chain, which starts workflows of the model repository. */
const neededOfApp: Readonly<Record<string, string>> = { contents: 'write', pull_requests: 'write' };
const levels: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

function judgeApp(deploy: DeployFacts, forge: ForgeFacts): Finding {
  const place = { id: 'deploy-app', subject: deploy.repository };
  const { app } = deploy;
  const owner = deploy.repository.split('/')[0] ?? '';
  const page = `${forge.server}/organizations/${owner}/settings/installations (of a person: ${forge.server}/settings/installations)`;
  if (app.state === 'unnamed') {
    return unknown(
      place,
      `No GitHub App that writes ${deploy.repository} is known: ${app.said}.`,
      'Write `with: {app-client-id: …}` into the workflow that calls model-promote.yml, or set PASSLOOP_APP_CLIENT_ID here.',
    );
  }
  const { installation } = app;
  if (installation.state === 'refused' || installation.state === 'unanswered' || installation.state === 'plan') {
    return unknown(
      place,
      `Whether the App ${plainText(app.clientId, 60)} is installed on ${deploy.repository} can't be told: ${installation.said.replace(/\.+$/, '')}.`,
      `Set PASSLOOP_APP_PRIVATE_KEY to the App's key (it stays here), or use a token with \`organization administration: read\`. By hand: ${page}`,
    );
  }
  if (installation.state === 'absent') {
    return fail(
      place,
      `The App ${plainText(app.clientId, 60)} is not installed on ${deploy.repository}.`,
      `Install it there, for this repository only: ${page}`,
    );
  }
  return judgeInstallation(place, installation.value, deploy, page);
}

function judgeInstallation(
  place: { id: string; subject: string },
  installation: Extract<Extract<AppFacts, { state: 'named' }>['installation'], { state: 'found' }>['value'],
  deploy: DeployFacts,
  page: string,
): Finding {
  const { permissions } = installation;
  const name = `The App ${plainText(installation.slug, 60)}`;
  const needed: Record<string, string> = {
    ...neededOfApp,
    ...deploy.health,
    ...(deploy.isChain ? { actions: 'write' } : {}),
  };
  const lacking = Object.entries(needed).filter(
    ([permission, level]) => (levels[permissions[permission] ?? ''] ?? 0) < (levels[level] ?? 0),
  );
  if (lacking.length > 0) {
    return fail(
      place,
      `${name} lacks ${lacking.map(([permission, level]) => `\`${permission}: ${level}\``).join(' and ')} on ${deploy.repository}.`,
      `Give the App these permissions, then accept them for the installation: ${page}`,
    );
  }
  const extra = Object.entries(permissions)
    .filter(
      ([permission, level]) =>
        permission !== 'metadata' && (levels[level] ?? 3) > (levels[needed[permission] ?? ''] ?? 0),
    )
    .map(([permission, level]) => `\`${plainText(permission, 60)}: ${plainText(level, 20)}\``);
  if (extra.length > 0) {
    return warn(place, `${name} may do more than Passloop needs: ${extra.join(', ')}.`, `Take them away: ${page}`);
  }
  if (installation.selection === 'all') {
    return warn(
      place,
      `${name} is installed on all repositories of its account.`,
      `Choose "Only select repositories" and ${deploy.repository}: ${page}`,
    );
  }
  return ok(place, `${name} has what Passloop needs on ${deploy.repository}, and nothing else.`);
}
