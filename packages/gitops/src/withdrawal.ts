import { codeSpan, escapeMarkdown, shortDigest } from '@passloop/core';
import { decide } from './decision.ts';
import { type DeployState, type EnvironmentState, environmentOf } from './deploy-state.ts';
import type { Forge, OpenPullRequest } from './forge.ts';
import { openRecord } from './record-change.ts';
import { closedBody } from './refused-promotion.ts';

/** An open promotion that must not be merged any more. */
export type Withdrawal = { environment: string; pullRequest: OpenPullRequest; reason: string };

/**
 * Open promotions of a model that has since been held in an environment before theirs: it went there first to be tried, and somebody took it back. One
 * that the environment before merely moved on from stays: it passed there.
 * @param after by environment, the one that comes before it
 */
export function withdrawals(state: DeployState, after: ReadonlyMap<string, string | undefined>): Withdrawal[] {
  return state.environments.flatMap((environment) => {
    const record = openRecord(environment);
    const pullRequest = environment.head?.pullRequest ?? null;
    if (record === null || record.deployment.cause !== 'promotion' || pullRequest?.number == null) return [];
    const { modelDigest, image, runKey } = record;
    const candidate = { runKey, imageKey: image.imageKey, modelDigest, imageDigest: image.digest, inStore: true };
    for (const before of environmentsBefore(state, environment.name, after)) {
      const decision = decide(before, candidate);
      if (decision.kind !== 'held') continue;
      const reason = `model ${shortDigest(modelDigest)} is held in ${before.name}: ${decision.hold.reason}`;
      return [{ environment: environment.name, pullRequest, reason }];
    }
    return [];
  });
}

function environmentsBefore(
  state: DeployState,
  name: string,
  after: ReadonlyMap<string, string | undefined>,
): EnvironmentState[] {
  const found: EnvironmentState[] = [];
  for (let before = after.get(name); before !== undefined; before = after.get(before)) {
    const environment = environmentOf(state, before);
    if (found.includes(environment)) break;
    found.push(environment);
  }
  return found;
}

/** Closes it, and says why in its text: nobody refused it, so once the hold is lifted it is opened again. Can be done twice. */
export async function withdraw(forge: Forge, { pullRequest, environment, reason }: Withdrawal): Promise<void> {
  const { id, title, body } = pullRequest;
  const why = `**Closed**: this was for ${codeSpan(environment)}, and ${escapeMarkdown(reason, 1500)}`;
  await forge.closePullRequest(id, { title, body: closedBody(body, why) });
}
