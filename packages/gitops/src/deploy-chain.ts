import { PassloopError, plainText } from '@passloop/core';
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
 */
export function chainedModels(before: ReadonlyMap<string, string> | null, after: DeployTree): ChainPlan {
  const models = new Map<string, ChainedModel>();
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
    models.set(`${repository.toLowerCase()}#${name}`, { file: place.file, repository, model: name });
  }
  return { models: [...models.values()], failed };
}
