import { provideDuckdb, runAction, runArtifacts } from '@passloop/github/action';
import { printProof, proofSentence, proofSummary } from '@passloop/report';
import { prove } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async (inputs, context) => {
    await provideDuckdb({ folder: inputs['duckdb-path'], env: context.env, progress: context.progress });
    const { proof, folder } = await prove(context, inputs);
    context.progress.phase('upload the proof');
    await runArtifacts(context.env).upload(`passloop-proof-${proof.model}`, folder);
    return {
      kind: 'proof',
      document: proof,
      verdict: proof.verdict,
      sentence: proofSentence(proof),
      text: printProof(proof),
      summary: proofSummary(proof),
      outputs: { image: proof.imageDigest, 'model-digest': proof.modelDigest },
    };
  },
  { secrets },
);
