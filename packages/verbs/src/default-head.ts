import { defaultBranch } from '@passloop/github';
import type { Context } from './context.ts';
import { githubOptions } from './deploy-repository.ts';
import type { Workspace } from './workspace.ts';

/**
 * Why a job's commit is not the one to promote any more: the default branch's head is another. Null where it is, and outside of a job,
 * where nobody says which branch that would be.
 */
export async function supersededCommit(context: Context, workspace: Workspace): Promise<string | null> {
  const { GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = context.env;
  if (repository === undefined || repository === '' || token === undefined || token === '') return null;
  const head = await defaultBranch({ ...githubOptions(context), repository, token });
  if (head.commit === workspace.commit) return null;
  const here = workspace.commit.slice(0, 12);
  const known = await workspace.repository.resolve(head.commit);
  if (known !== null && !(await workspace.repository.isAncestor(workspace.commit, known))) {
    return `${here} is not on ${head.name} (${head.commit.slice(0, 12)}): only what is merged there is promoted.`;
  }
  return `${head.name} is at ${head.commit.slice(0, 12)} by now, after ${here}: the run of that commit promotes.`;
}
