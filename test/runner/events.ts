import type { CreatedMergeGroup, CreatedWorkflowRun, LocalGithub } from '@passloop/local-github';

/** An event as a workflow meets it: what `github.event`, `github.ref` and `github.sha` are. */
export type WorkflowEvent = {
  name: string;
  payload: Record<string, unknown>;
  ref: string;
  sha: string;
  /** What the run's page shows it to be about: a pull request's own head, not the merge that is checked out. */
  head: { sha: string; branch: string; repository: string };
  actor: string;
  /** The head's repository is another one. */
  isFork: boolean;
};

/** Events of a repository, with the payloads that this GitHub makes of its own state. */
export type RepositoryEvents = {
  /** `before` is the head that a push replaced: the action is `synchronize` then. */
  pullRequest: (number: number, before?: string) => Promise<WorkflowEvent>;
  push: (before: string) => Promise<WorkflowEvent>;
  mergeGroup: (group: CreatedMergeGroup) => WorkflowEvent;
  /** Of a run that is over; it runs on the default branch, whatever that run was about. */
  workflowRun: (of: CreatedWorkflowRun) => Promise<WorkflowEvent>;
  dispatch: (inputs: Record<string, string>) => Promise<WorkflowEvent>;
};

const pusher = 'ada';

export function eventsOf(github: LocalGithub, token: string, repository: string): RepositoryEvents {
  const [owner = '', name = ''] = repository.split('/');
  const handle = github.repository(owner, name);

  async function read(route: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${github.restUrl}/repos/${repository}${route}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new Error(`GET ${route}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  function atBranch(event: string, branch: string, sha: string, payload: Record<string, unknown>): WorkflowEvent {
    const head = { sha, branch, repository };
    return { name: event, payload, ref: `refs/heads/${branch}`, sha, head, actor: pusher, isFork: false };
  }
  async function tipOfMain(): Promise<string> {
    return ((await read('/git/ref/heads/main')) as { object: { sha: string } }).object.sha;
  }

  return {
    async pullRequest(number, before) {
      const options = before === undefined ? {} : { before };
      const action = before === undefined ? 'opened' : 'synchronize';
      const payload = await handle.pullRequestPayload(number, action, options);
      const { pull_request: pull, sender } = payload as PullRequestPayload;
      const head = { sha: pull.head.sha, branch: pull.head.ref, repository: pull.head.repo?.full_name ?? repository };
      return {
        name: 'pull_request',
        payload,
        ref: `refs/pull/${number}/merge`,
        sha: pull.merge_commit_sha,
        head,
        actor: sender.login,
        isFork: head.repository.toLowerCase() !== repository.toLowerCase(),
      };
    },
    async push(before) {
      const after = await tipOfMain();
      const payload = await handle.pushPayload({ ref: 'refs/heads/main', before, after, pusher });
      return atBranch('push', 'main', after, payload);
    },
    mergeGroup: (group) =>
      atBranch('merge_group', group.ref.replace('refs/heads/', ''), group.headSha, group.payload()),
    workflowRun: async (of) => atBranch('workflow_run', 'main', await tipOfMain(), of.payload()),
    async dispatch(inputs) {
      const payload = { inputs, ref: 'refs/heads/main', repository: await read(''), sender: { login: pusher } };
      return atBranch('workflow_dispatch', 'main', await tipOfMain(), payload);
    },
  };
}

type PullRequestPayload = {
  pull_request: { merge_commit_sha: string; head: { sha: string; ref: string; repo: { full_name: string } | null } };
  sender: { login: string };
};
