import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import {
  type ActionContext,
  deployWrite,
  documentLimits,
  promotionResult,
  provideDuckdb,
  repositoryTokens,
  runAction,
  runArtifacts,
} from '@passloop/github/action';
import { modelNamed, promote } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async ({ proof, 'app-client-id': clientId, 'duckdb-path': duckdb, ...request }, context) => {
    const given = { input: 'deploy-token', token: context.env.PASSLOOP_DEPLOY_TOKEN };
    await using tokens = repositoryTokens(context, given, { clientId, permissions: deployWrite });
    const promoting = { ...context, tokenFor: tokens.tokenFor };
    if (!proof) {
      await provideDuckdb({ folder: duckdb, env: context.env, progress: context.progress });
      return promotionResult('promotion', await promote(promoting, { ...request, train: false }));
    }
    await using folder = await temporaryFolder('proof', context.env.RUNNER_TEMP);
    const taken = await download(context, await modelNamed(context, request), path.join(folder.path, 'documents'));
    return promotionResult(
      'promotion',
      await promote(promoting, { ...request, train: false, proof: { folder: taken } }),
    );
  },
  { secrets },
);

/** The documents that the job with the action prove-model left behind, or null where none did. */
async function download(context: ActionContext, model: string, folder: string): Promise<string | null> {
  context.progress.phase('take the proof');
  const files = await runArtifacts(context.env).download(`passloop-proof-${model}`, folder, documentLimits);
  return files === null ? null : folder;
}
