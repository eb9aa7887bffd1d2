import { printKey, printRun } from '@passloop/report';
import { trainExplain, trainKey, trainReproduce, trainRun } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, type CommonFlags } from '../face.ts';
import { common } from '../flags.ts';

type TrainFlags = CommonFlags & { model?: string; ref?: string; out?: string };

function model(command: Command): Command {
  return common(
    command
      .option('--model <name>', 'the model, where the repository has several')
      .option('--ref <ref>', 'the commit (default: HEAD)')
      .option('--out <folder>', 'folder of documents and outputs (default: .passloop/out)'),
  );
}

export function addTrainCommands(program: Command): void {
  const train = program.command('train').description('run, key, explain and reproduce training');

  model(
    train
      .command('run')
      .description('train a commit in a clean environment; a run that the store has is restored and verified'),
  ).action(async (flags: TrainFlags) => {
    await answer(flags, async (context) => {
      const document = await trainRun(context, flags);
      return { kind: 'run', document, text: printRun(document), exitCode: 0 };
    });
  });

  model(train.command('key').description('the run key of a commit, from git objects and locks alone')).action(
    async (flags: TrainFlags) => {
      await answer(flags, async (context) => {
        const document = await trainKey(context, flags);
        return { kind: 'key', document, text: printKey(document), exitCode: 0 };
      });
    },
  );

  model(
    train
      .command('explain')
      .description('what differs between the keys of two commits')
      .requiredOption('--against <ref>', 'the commit to compare with'),
  ).action(async (flags: TrainFlags & { against: string }) => {
    await answer(flags, async (context) => {
      const document = await trainExplain(context, flags);
      return { kind: 'key', document, text: printKey(document), exitCode: 0 };
    });
  });

  model(train.command('reproduce').description('run a stored result again and say how alike the two are')).action(
    async (flags: TrainFlags) => {
      await answer(flags, async (context) => {
        const document = await trainReproduce(context, flags);
        return {
          kind: 'run',
          document,
          text: printRun(document),
          exitCode: document.reproduction?.level === 'diverged' ? 1 : 0,
        };
      });
    },
  );
}
