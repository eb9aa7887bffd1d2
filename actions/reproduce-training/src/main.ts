import { provideDuckdb, runAction } from '@passloop/github/action';
import { printRun, runSentence, runSummary } from '@passloop/report';
import { trainReproduce, trainRun } from '@passloop/verbs';
import { Inputs, secrets } from './inputs.ts';

await runAction(
  Inputs,
  async ({ reproduce, 'duckdb-path': folder, ...request }, context) => {
    // Predictions are compared as tables; training alone needs no engine.
    if (reproduce) await provideDuckdb({ folder, env: context.env, progress: context.progress });
    const document = reproduce ? await trainReproduce(context, request) : await trainRun(context, request);
    const level = document.reproduction?.level ?? null;
    return {
      kind: 'run',
      document,
      verdict: level === 'diverged' ? 'fail' : 'pass',
      sentence: runSentence(document),
      text: printRun(document),
      summary: runSummary(document),
      outputs: {
        'run-key': document.runKey,
        cache: document.cache,
        'model-digest': document.modelDigest,
        reproduction: level,
      },
    };
  },
  { secrets },
);
