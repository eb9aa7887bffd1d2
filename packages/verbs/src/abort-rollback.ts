import path from 'node:path';
import { ConfigurationError, plainText, readTextIfExists } from '@passloop/core';
import type { RollbackDocument } from '@passloop/documents';
import { commitReports } from '@passloop/github';
import { type AbortEvent, type Aborted, findAborted, parseAbortEvent, refusalDocument } from '@passloop/gitops';
import type { LoadedModel } from '@passloop/model';
import type { Context } from './context.ts';
import {
  deployQuery,
  deployToken,
  environmentNamed,
  githubOptions,
  openDeployRepository,
} from './deploy-repository.ts';
import { rollback } from './rollback.ts';
import { modelIdentity, openWorkspace, type Workspace } from './workspace.ts';

export type AbortRequest = {
  /** The event's file, or its text. */
  event: { file: string } | { text: string };
  /** Only this model, or this environment: for events that don't say. */
  model?: string | undefined;
  environment?: string | undefined;
  /** Print the plan, write nothing. */
  plan?: boolean | undefined;
};

/**
 * Follows a controller in the cluster that gave a rollout up: production goes back in Git too, and the model that was given up is held.
 * What goes back is what the records say that runs; an event about anything else changes nothing.
 */
export async function rollbackAborted(context: Context, request: AbortRequest): Promise<RollbackDocument> {
  const workspace = await openWorkspace(context);
  const deployed = workspace.models.filter((model) => model.deploy !== undefined);
  const named = request.model === undefined ? deployed : deployed.filter(({ name }) => name === request.model);
  const [first] = named;
  if (first === undefined) {
    const list = deployed.map(({ name }) => name).join(', ') || 'none';
    throw new ConfigurationError(`No model ${plainText(request.model ?? '', 80)} of this commit is deployed.`, {
      hint: `Those with a \`deploy\` section: ${list}.`,
    });
  }
  const { file, text } = await eventText(context, request);
  const parsed = parseAbortEvent(text, file);
  if ('aborted' in parsed) {
    return document(first, request.environment, 'unchanged', `Nothing was given up: ${parsed.said}.`);
  }
  const event = {
    ...parsed,
    model: request.model ?? parsed.model,
    environment: request.environment ?? parsed.environment,
  };
  const answers: Aborted[] = [];
  for (const places of deployRepositories(workspace, named)) {
    context.progress.phase(`look for what was given up in ${places.repository}`);
    const forge = await openDeployRepository(context, places.repository);
    const found = await findAborted(forge, event, {
      branch: places.branch,
      repository: places.owner,
      commits: async (head) => {
        const token = await deployToken(context, forge.repository);
        return commitReports({ ...githubOptions(context), repository: forge.repository, token }).commits(head);
      },
    });
    answers.push(found);
    if (found.kind !== 'found') continue;
    return rollback(context, {
      model: found.model,
      environment: found.environment,
      leave: found.record,
      // A controller says the same thing again and again; what people closed stays closed.
      again: false,
      reason: reasonOf(event),
      plan: request.plan,
    });
  }
  const stale = answers.find(({ kind }) => kind === 'stale');
  const answer = stale ?? answers[0];
  if (answer === undefined || answer.kind === 'found') throw new Error('each deploy repository gives an answer');
  const model = deployed.find(({ name }) => name === answer.model) ?? first;
  return document(
    model,
    answer.environment ?? undefined,
    stale === undefined ? 'blocked' : 'already-promoted',
    answer.reason,
  );
}

async function eventText(context: Context, { event }: AbortRequest): Promise<{ file: string; text: string }> {
  if ('text' in event) return { file: 'The event', text: event.text };
  const text = await readTextIfExists(path.resolve(context.cwd, event.file));
  if (text !== null) return { file: event.file, text };
  throw new ConfigurationError(`There is no file ${plainText(event.file, 300)}.`, {
    hint: '--abort takes the JSON that Flagger or Argo Rollouts sent, as a file.',
  });
}

/** Models may be deployed to several repositories: each is asked once. */
function deployRepositories(
  workspace: Workspace,
  models: readonly LoadedModel[],
): { repository: string; branch: string | null; owner: string }[] {
  const found = new Map<string, { repository: string; branch: string | null; owner: string }>();
  for (const model of models) {
    const { repository, query } = deployQuery(workspace, model);
    const owner = modelIdentity(workspace, model).split('#')[0] ?? '';
    found.set(JSON.stringify([repository, query.branch]), { repository, branch: query.branch, owner });
  }
  return [...found.values()];
}

function reasonOf({ by, namespace, name, message }: AbortEvent): string {
  const what = [namespace, name].filter((part) => part !== null).join('/') || 'the rollout';
  return plainText(`${by} gave up ${what}${message === null ? '.' : `: ${message}`}`, 500);
}

function document(
  model: LoadedModel,
  environment: string | undefined,
  outcome: RollbackDocument['outcome'],
  reason: string,
): RollbackDocument {
  const known = model.deploy?.environments.some(({ name }) => name === environment) === true;
  const { name } = environmentNamed(model, known ? environment : undefined);
  return {
    ...refusalDocument(model.name, name, { outcome, reason }),
    schema: 'passloop/rollback/v1',
    from: null,
    to: null,
    hold: null,
  };
}
