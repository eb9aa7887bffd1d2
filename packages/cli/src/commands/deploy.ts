import type { DocumentOf } from '@passloop/documents';
import { printPromotion, printStatus } from '@passloop/report';
import {
  type AdoptRequest,
  adopt,
  type Context,
  type EditRequest,
  edit,
  explain,
  type HoldRequest,
  hold,
  type PromoteRequest,
  promote,
  type RollbackRequest,
  rollback,
  rollbackAborted,
  type StatusRequest,
  status,
} from '@passloop/verbs';
import type { Command } from 'commander';
import { printExplanation } from '../explanation.ts';
import { answer, answerText, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, promotionExitCode } from '../flags.ts';

/** A verb's request as commander gives it: the arguments apart, everything else by flag. */
type Flags<Request, Argument extends keyof Request = never> = CommonFlags & Omit<Request, Argument>;

const planFlag = ['--plan', 'print the edits as diffs, write nothing'] as const;

export function addDeployCommands(program: Command): void {
  common(
    program
      .command('promote [model]')
      .description(
        'bring the model of a commit to its next environment, by a pull request against the deploy repository',
      )
      .option('--ref <ref>', 'the commit (default: HEAD)')
      .option('--environment <name>', 'the environment (default: the first one that runs something else)')
      .option(...planFlag)
      .option('--out <folder>', 'folder of documents and outputs (default: .passloop/out)'),
  ).action((model: string | undefined, flags: Flags<PromoteRequest, 'model'>) =>
    answerChange('promotion', flags, (context) => promote(context, { model, ...flags })),
  );

  common(
    program
      .command('adopt [model]')
      .description('write a first record for what runs already')
      .option('--environment <name>', 'the environment (default: production)')
      .option('--ref <ref>', 'the commit from which the running model was trained (default: HEAD)')
      .option('--model-digest <digest>', 'digest of the running model, where no run is known')
      .option('--image-digest <digest>', 'digest of the running image, where the manifest names a tag only')
      .option('--version <text>', 'what to call it')
      .option(...planFlag),
  ).action((model: string | undefined, flags: Flags<AdoptRequest, 'model'>) =>
    answerChange('promotion', flags, (context) => adopt(context, { model, ...flags })),
  );

  common(
    program
      .command('rollback [model]')
      .description('return to an earlier verified record by a pull request, and hold the model that is left')
      .option('--environment <name>', 'the environment (default: production)')
      .option(
        '--to <name>',
        'version, digest, run key, promotion id or commit of the record (default: the one before the last promotion)',
      )
      .option('--reason <text>', 'why, for the hold and the commit')
      .option('--abort <file>', 'the event (JSON) by which Flagger or Argo Rollouts said that it gave a rollout up')
      .option(...planFlag),
  ).action((model: string | undefined, { abort, ...flags }: Flags<RollbackRequest, 'model'> & { abort?: string }) =>
    answerChange('rollback', flags, (context) =>
      abort === undefined
        ? rollback(context, { model, ...flags })
        : rollbackAborted(context, { model, environment: flags.environment, plan: flags.plan, event: { file: abort } }),
    ),
  );

  common(
    program
      .command('hold <digest>')
      .description('refuse a model digest from now on, or lift what refuses it')
      .option('--model <name>', 'the model, where the repository has several')
      .option('--environment <name>', 'only there (default: everywhere)')
      .option('--lift', 'lift every hold of the digest')
      .option('--reason <text>', 'why'),
  ).action((digest: string, flags: Flags<HoldRequest, 'digest'>) =>
    answerChange('promotion', flags, (context) => hold(context, { digest, ...flags })),
  );

  common(
    program
      .command('explain <name>')
      .description('the whole chain of one model, verified: by digest, run key, version or commit')
      .option('--model <name>', 'only this model'),
  ).action(async (name: string, flags: CommonFlags & { model?: string }) => {
    await answer(flags, async (context) => {
      const found = await explain(context, { name, ...flags });
      const failed = found.links.some((link) => link.verdict === 'fail');
      return { kind: 'record', document: found.record, text: printExplanation(found), exitCode: failed ? 1 : 0 };
    });
  });

  common(
    program
      .command('status')
      .description('models x environments of the deploy repository: digest, since, cause, holds, drift from the record')
      .option('--repository <owner/name>', 'a deploy repository (default: the one of the model file)')
      .option('--branch <name>', 'its branch (default: its default branch)')
      .option('--model <name>', 'the model whose deploy section is read'),
  ).action(async (flags: Flags<StatusRequest>) => {
    await answer(flags, async (context) => {
      const document = await status(context, flags);
      return { kind: 'status', document, text: printStatus(document), exitCode: exitCodeOf(document.verdict) };
    });
  });

  common(
    program
      .command('edit <file>')
      .description('change the addressed value of a manifest and not one byte more')
      .requiredOption('--kind <kind>', 'kind of the target: kustomize')
      .requiredOption('--image <name>', 'the image whose entry is edited')
      .requiredOption('--to <ref>', 'sha256:… or name@sha256:…')
      .option('--plan', 'print the diff, write nothing'),
    'error document',
  ).action(async (file: string, flags: Flags<EditRequest, 'file'>) => {
    await answerText(flags, async (context) => {
      const edited = await edit(context, { file, ...flags });
      return edited.changed ? edited.diff : `unchanged: ${edited.file}`;
    });
  });
}

/** What changes a deploy repository answers alike: the outcome, the pull request, the edits. */
async function answerChange<K extends 'promotion' | 'rollback'>(
  kind: K,
  flags: CommonFlags,
  run: (context: Context) => Promise<DocumentOf<K>>,
): Promise<void> {
  await answer(flags, async (context) => {
    const document = await run(context);
    return { kind, document, text: printPromotion(document), exitCode: promotionExitCode(document.outcome) };
  });
}
