import type { LocalGithub } from '@passloop/local-github';

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

type Call = (route: string) => Promise<Record<string, unknown>>;

/** Reads of the API what an event's payload holds, so that it is what this GitHub says of itself. */
export function eventsOf(github: LocalGithub, token: string, repository: string) {
  const call: Call = async (route) => {
    const answer = await fetch(`${github.restUrl}/repos/${repository}${route}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!answer.ok) throw new Error(`GET ${route}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };

  async function onBranch(name: string, branch: string, fields: Record<string, unknown>): Promise<WorkflowEvent> {
    const { object } = (await call(`/git/ref/heads/${branch}`)) as { object: { sha: string } };
    const { sha } = object;
    return {
      name,
      payload: { ...fields, repository: await call(''), sender: { login: 'ada', type: 'User' } },
      ref: `refs/heads/${branch}`,
      sha,
      head: { sha, branch, repository },
      actor: 'ada',
      isFork: false,
    };
  }

  return {
    async pullRequest(
      number: number,
      action: 'opened' | 'reopened' | 'synchronize' = 'opened',
    ): Promise<WorkflowEvent> {
      const pull = await call(`/pulls/${number}`);
      const head = pull.head as { sha: string; ref: string; repo: { full_name: string } };
      const sender = pull.user as { login: string };
      return {
        name: 'pull_request',
        payload: { action, number, pull_request: pull, repository: await call(''), sender },
        ref: `refs/pull/${number}/merge`,
        sha: String(pull.merge_commit_sha),
        head: { sha: head.sha, branch: head.ref, repository: head.repo.full_name },
        actor: sender.login,
        isFork: head.repo.full_name.toLowerCase() !== repository.toLowerCase(),
      };
    },
    async push(before: string): Promise<WorkflowEvent> {
      const event = await onBranch('push', 'main', {});
      return {
        ...event,
        payload: { ...event.payload, ref: event.ref, before, after: event.sha, forced: false, commits: [] },
      };
    },
    /** What a merge queue made of a pull request on its own branch. */
    async mergeGroup(branch: string, base: { ref: string; sha: string }): Promise<WorkflowEvent> {
      const event = await onBranch('merge_group', branch, {});
      const group = {
        head_sha: event.sha,
        head_ref: event.ref,
        base_sha: base.sha,
        base_ref: base.ref,
        head_commit: null,
      };
      return { ...event, payload: { ...event.payload, action: 'checks_requested', merge_group: group } };
    },
    dispatch: (inputs: Record<string, string>) =>
      onBranch('workflow_dispatch', 'main', { ref: 'refs/heads/main', inputs, workflow: '' }),
    schedule: () => onBranch('schedule', 'main', { schedule: '17 * * * *' }),
    /** Always on the default branch, whatever the other run was about. */
    workflowRun: (payload: Record<string, unknown>) => onBranch('workflow_run', 'main', payload),
  };
}
