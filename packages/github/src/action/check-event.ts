import { readFile } from 'node:fs/promises';
import { ConfigurationError, plainText } from '@passloop/core';
import { z } from 'zod';

/** What a workflow's event says about the change that its jobs check. */
export type CheckEvent = {
  /** The commit that the report is about; null where the event names none: then it is the one that is checked out. */
  head: string | null;
  /** What the change is held to, as git names it; null where nothing is. */
  against: string | null;
  /** The commit isn't one of the default branch, so that others than its keepers may have pushed it. */
  isPullRequest: boolean;
  /** A stranger's code: a fork's change, whose token only reads and may not see private packages, or one of Dependabot. */
  isRestricted: boolean;
  /** The number of the pull request; null in other events. */
  pullRequest: number | null;
};

const Sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const Repository = z.object({ full_name: z.string(), default_branch: z.string().optional() });
const Person = z.object({ login: z.string() }).nullish();

const PullRequestEvent = z.object({
  pull_request: z.object({
    number: z.int().min(1),
    head: z.object({ sha: Sha, repo: Repository.nullable() }),
    base: z.object({ repo: Repository }),
  }),
  sender: Person,
});
const MergeGroupEvent = z.object({ merge_group: z.object({ head_sha: Sha, base_sha: Sha }) });
const PushEvent = z.object({
  ref: z.string(),
  after: Sha,
  deleted: z.boolean().optional(),
  repository: Repository,
  sender: Person,
});
const OtherEvent = z.object({ ref: z.string().optional(), repository: Repository.optional(), sender: Person });

const bot = 'dependabot[bot]';

/**
 * Head, base and rights by event. For a pull request GitHub checks out its merge with the target branch: the base is the first parent of that
 * commit, and the report is about the branch's own head. A merge queue's commit is checked against what it is queued on. Elsewhere nothing is compared.
 * @param name as in GITHUB_EVENT_NAME
 * @throws ConfigurationError for an event in which code of a pull request would run beside secrets, and for a payload that isn't the event's
 */
export function checkEvent(name: string, payload: unknown): CheckEvent {
  switch (name) {
    case 'pull_request': {
      const { pull_request: pull, sender } = parsed(PullRequestEvent, name, payload);
      const isFork = pull.head.repo?.full_name.toLowerCase() !== pull.base.repo.full_name.toLowerCase();
      return {
        head: pull.head.sha,
        against: 'HEAD^1',
        isPullRequest: true,
        isRestricted: isFork || sender?.login === bot,
        pullRequest: pull.number,
      };
    }
    case 'pull_request_target':
    case 'workflow_run':
    case 'issue_comment':
      throw new ConfigurationError(
        `A check doesn't run on ${name}: it would run a pull request's code beside the repository's secrets.`,
        {
          hint: 'Use `on: pull_request` and `on: merge_group`; the report of a fork is posted by model-report.yml.',
        },
      );
    case 'merge_group': {
      const { merge_group: group } = parsed(MergeGroupEvent, name, payload);
      return {
        head: group.head_sha,
        against: group.base_sha,
        isPullRequest: true,
        isRestricted: false,
        pullRequest: null,
      };
    }
    case 'push': {
      const { ref, after, deleted, repository, sender } = parsed(PushEvent, name, payload);
      if (deleted === true) throw new ConfigurationError('This push deletes a branch: there is nothing to check.');
      return {
        head: after,
        against: null,
        isPullRequest: ref !== `refs/heads/${repository.default_branch}`,
        isRestricted: sender?.login === bot,
        pullRequest: null,
      };
    }
    default: {
      const { ref, repository, sender } = parsed(OtherEvent, name, payload);
      const branch = repository?.default_branch;
      // A schedule names no ref, and runs on the default branch alone.
      const isDefault =
        branch !== undefined && (ref === `refs/heads/${branch}` || (ref === undefined && name === 'schedule'));
      return {
        head: null,
        against: null,
        isPullRequest: !isDefault,
        isRestricted: sender?.login === bot,
        pullRequest: null,
      };
    }
  }
}

function parsed<Schema extends z.ZodType>(schema: Schema, name: string, payload: unknown): z.infer<Schema> {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const place = result.error.issues[0]?.path.join('.') ?? '';
  throw new ConfigurationError(
    `The payload of this run is none of the event ${plainText(name, 64)}: ${place === '' ? 'it' : `\`${plainText(place, 64)}\``} is missing or something else.`,
    { hint: "A runner writes it to GITHUB_EVENT_PATH; something changed that file or the event's name." },
  );
}

/** The event of this job, from the files that the runner gives it. Outside of a job nothing is known, and nothing is taken for trusted. */
export async function readCheckEvent(env: Readonly<Record<string, string | undefined>>): Promise<CheckEvent> {
  const { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: file } = env;
  if (name === undefined || name === '' || file === undefined || file === '')
    return { head: null, against: null, isPullRequest: true, isRestricted: false, pullRequest: null };
  let payload: unknown;
  try {
    payload = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigurationError(
      `The event's payload ${plainText(file, 200)} can't be read: ${plainText((error as Error).message, 200)}.`,
    );
  }
  return checkEvent(name, payload);
}
