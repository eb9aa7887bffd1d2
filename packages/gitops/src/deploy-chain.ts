import { PassloopError, plainText } from '@passloop/core';
import { identityOf } from '@passloop/record';
import { type DeployTree, recordIn, recordPlaces } from './deploy-tree.ts';

/** A model repository that is to hear that a record of its model moved. */
export type ChainedModel = { file: string; repository: string; model: string };

export type ChainPlan = {
  models: ChainedModel[];
  /** Records that name no repository which can be told, and why. */
  failed: { file: string; repository: string | null; reason: string }[];
};

const repositoryPattern = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/(?!\.{1,2}$)[\w.-]{1,100}$/;

/**
 * The model repositories that the records of a deploy repository name: those whose record changed since `before`, or all of them
 * where nothing is known from before. Only a record that verifies names anybody.
 * @param before record files by path, as text; null for all
 * @param after the deploy repository's default branch
 * @param scope `unequal` leaves out models that run the same in each of several environments: nothing of theirs is on its way
 */
export function chainedModels(
  before: ReadonlyMap<string, string> | null,
  after: DeployTree,
  scope: 'all' | 'unequal' = 'all',
): ChainPlan {
  const models = new Map<string, ChainedModel>();
  const running = new Map<string, string[]>();
  const failed: ChainPlan['failed'] = [];
  for (const place of recordPlaces(after.files.keys())) {
    const text = after.files.get(place.file)?.text ?? null;
    if (before !== null && text !== null && before.get(place.file) === text) continue;
    const found = recordIn(after, place);
    if (found === null) continue;
    if (found instanceof PassloopError) {
      failed.push({ file: place.file, repository: null, reason: plainText(found.message, 2000) });
      continue;
    }
    const [repository = '', name, ...more] = found.record.identity.split('#');
    if (name !== place.model || more.length > 0 || !repositoryPattern.test(repository)) {
      const reason = `${JSON.stringify(plainText(found.record.identity, 320))} names no repository of a forge, or another model.`;
      failed.push({ file: place.file, repository: null, reason });
      continue;
    }
    const key = `${repository.toLowerCase()}#${name}`;
    models.set(key, { file: place.file, repository, model: name });
    running.set(key, [...(running.get(key) ?? []), identityOf(found.record)]);
  }
  const chained = [...models].filter(([key]) => scope === 'all' || isUnequal(running.get(key) ?? []));
  return { models: chained.map(([, model]) => model), failed };
}

/** One record alone is on its way too: what comes after its environment has none yet. */
function isUnequal(identities: readonly string[]): boolean {
  return identities.length < 2 || new Set(identities).size > 1;
}
