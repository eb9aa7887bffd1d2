import { ConfigurationError } from '@passloop/core';
import { commitReports, isGitUrl } from '@passloop/github';
import {
  type CommitReports,
  type HealthPorts,
  healthOf,
  healthPermissions,
  landingOf,
  observe,
  type Refusal,
} from '@passloop/gitops';
import type { Environment } from '@passloop/model';
import type { Context } from './context.ts';
import { deployToken, githubOptions } from './deploy-repository.ts';
import { ask } from './health-request.ts';
import type { Promotion } from './promotion.ts';

/**
 * Why an environment that has to be healthy before another one is promoted into isn't: pending while something is unknown, blocked where
 * something failed; null where everything that the model file asks is good.
 * @throws ConfigurationError where the token may not read what is asked for
 */
export async function healthProblem(
  { context, state }: Pick<Promotion, 'context' | 'state'>,
  declared: Environment,
): Promise<Refusal | null> {
  const { name, healthy } = declared;
  if (healthy === undefined) return null;
  const production = state.environments.find((environment) => environment.name === name)?.production ?? null;
  if (production?.commit == null)
    return waiting(`It waits for ${name}: no commit is known by which its model came there.`);
  context.progress.phase(`ask after the health of ${name}`);
  const forge = await openReports(context, state.repository, healthy);
  const landing = landingOf(await forge.commits(state.snapshot.commit), production.commit);
  if (landing === null) return waiting(`It waits for ${name}: its branch could not be listed.`);
  const health = healthOf(await observe(healthy, landing, healthPorts(context, forge)));
  if (health.state === 'healthy') return null;
  if (health.state === 'pending') return waiting(`It waits for ${name} to be healthy: ${health.reason}.`);
  return { kind: 'refused', outcome: 'blocked', reason: `${name} is not healthy: ${health.reason}.` };
}

function waiting(reason: string): Refusal {
  return { kind: 'refused', outcome: 'pending', reason };
}

function healthPorts(context: Context, forge: CommitReports): HealthPorts {
  return {
    now: () => context.now(),
    forge,
    ask,
    tokens: { argocd: context.env.ARGOCD_AUTH_TOKEN, prometheus: context.env.PROMETHEUS_TOKEN },
  };
}

/** A token that reads what this environment's health is made of, and no more. */
async function openReports(
  context: Context,
  repository: string,
  healthy: NonNullable<Environment['healthy']>,
): Promise<CommitReports> {
  if (isGitUrl(repository)) {
    throw new ConfigurationError(
      `\`healthy\` is asked of a deploy repository on GitHub, and ${repository} is read by git alone.`,
      {
        hint: 'Leave `healthy` out: `after` alone holds the order of environments there too.',
      },
    );
  }
  const token = await deployToken(context, repository, { contents: 'read', ...healthPermissions(healthy) });
  return commitReports({ ...githubOptions(context), repository, token });
}
