import { ConfigurationError, openGitRepository, PassloopError } from '@passloop/core';
import { type Check, type LoadedModel, loadModelsAt, modelFileName, policyOf, underPolicy } from '@passloop/model';
import { type Context, toolEnvironment } from './context.ts';

const turnOn = 'Or turn it on for this workflow with `show-values: true`.';

/**
 * The datasets, of one and those that its drift checks hold it against, whose values the model file lets a document name.
 * @param root the model file's folder
 */
export async function shownDatasets(
  context: Context,
  { model, root, name, checks }: { model: LoadedModel; root: string; name: string; checks: readonly Check[] },
): Promise<ReadonlySet<string>> {
  const drift = checks.filter((check) => check.kind === 'drift');
  if (drift.length === 0) return new Set();
  const shown = new Set<string>();
  for (const one of new Set([name, ...drift.flatMap(({ dataset }) => dataset ?? [])]))
    if (await showsValues(context, { model, root, name: one })) shown.add(one);
  return shown;
}

/**
 * Whether the model file lets a log show what stands in a dataset's failing rows, and a document name the values of a drifted
 * column. In a workflow, a change doesn't decide that about itself: the target branch has to say it too, of the same table; and
 * what can't be asked says no. Elsewhere the work tree decides.
 * @param root the model file's folder
 */
export async function showsValues(
  context: Context,
  { model, root, name: dataset }: { model: LoadedModel; root: string; name: string },
): Promise<boolean> {
  if (model.data[dataset]?.showValues !== true) return false;
  if (context.env.GITHUB_ACTIONS !== 'true') return true;
  const hide = (why: string) => {
    context.progress.note(`values of ${dataset} stay hidden: ${why}`);
    return false;
  };
  try {
    // What only a job needs brings the client of the forge along.
    const { readCheckEvent } = await import('@passloop/github');
    const event = await readCheckEvent(context.env);
    if (!event.isPullRequest) return true;
    if (event.against === null || event.head === null)
      return hide(`this run has no target branch that says so. ${turnOn}`);
    const repository = await openGitRepository(root, toolEnvironment(context));
    // The first parent is the target branch only of the merge that the forge made.
    const isMerge = event.against !== 'HEAD^1' || (await repository.resolve('HEAD^2')) === event.head;
    const commit = isMerge ? await repository.resolve(event.against) : null;
    if (commit === null) {
      throw new ConfigurationError('the target branch is not here.', {
        hint: `Check out the commit of the event, with \`fetch-depth: 2\` for a pull request and \`fetch-depth: 0\` for a merge queue. ${turnOn}`,
      });
    }
    // The same path below another folder is another table.
    const file = `${(await repository.run(['rev-parse', '--show-prefix'])).trim()}${modelFileName}`;
    const models = await loadModelsAt(repository, commit);
    const base = models.find((one) => one.name === model.name && one.file === file);
    const decided = base === undefined ? undefined : underPolicy(model, policyOf(base)).data[dataset];
    return decided?.showValues === true || hide(`the target branch does not show them. ${turnOn}`);
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return hide(error.hint === null ? error.message : `${error.message} ${error.hint}`);
  }
}
