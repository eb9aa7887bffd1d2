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
  type TargetFields,
} from '@passloop/verbs';
import type { Command } from 'commander';
import { printExplanation } from '../explanation.ts';
import { answer, answerText, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, promotionExitCode } from '../flags.ts';

/** A verb's request as commander gives it: the arguments apart, everything else by flag. */
type Flags<Request, Argument extends keyof Request = never> = CommonFlags & Omit<Request, Argument>;

const deployRepoFlag = [
  '--deploy-repo <url>',
  'the deploy repository, as owner/name or a git URL (default: PASSLOOP_DEPLOY_REPO, or the one of the model file)',
] as const;
/** As the model file has them; written out, since reading that schema is too slow for a help page. */
const kinds =
  'kustomize, helm-values, argocd, flux-kustomization, flux-helmrelease, workload, seldon-v1, seldon-v2, kserve, istio, yaml-path';

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
      .option(...deployRepoFlag)
      .option('--again', 'promote it though people closed its pull request without merging it')
      .option('--proof <folder>', 'take what a job proved (action prove-model) instead of proving it here')
      .option(...planFlag)
      .option('--out <folder>', 'folder of documents and outputs (default: .passloop/out)'),
  ).action(
    (model: string | undefined, { proof, ...flags }: Flags<PromoteRequest, 'model' | 'proof'> & { proof?: string }) =>
      answerChange('promotion', flags, (context) =>
        promote(context, { model, ...flags, proof: proof === undefined ? undefined : { folder: proof } }),
      ),
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
      .option(...deployRepoFlag)
      .option(...planFlag),
  ).action((model: string | undefined, flags: Flags<AdoptRequest, 'model'>) =>
    answerChange('promotion', flags, (context) => adopt(context, { model, ...flags })),
  );

  common(
    program
      .command('rollback [models...]')
      .description(
        'return one or several models to an earlier verified record by one pull request, and hold what is left',
      )
      .option('--environment <name>', 'the environment (default: production)')
      .option(
        '--to <name>',
        'version, digest, run key, promotion id or commit of the record (default: the one before the last promotion)',
      )
      .option(
        '--all-of <commit>',
        'every model whose production came from this commit, of the model or the deploy repository',
      )
      .option('--leave <name>', 'what is to be left: where something else runs by now, nothing happens')
      .option('--allow-signature-change', 'go back though callers then send or get something else')
      .option('--reason <text>', 'why, for the hold and the commit')
      .option('--abort <file>', 'the event (JSON) by which Flagger or Argo Rollouts said that it gave a rollout up')
      .option(...deployRepoFlag)
      .option(...planFlag),
  ).action((models: string[], { abort, ...flags }: Flags<RollbackRequest, 'model' | 'models'> & { abort?: string }) =>
    answerChange('rollback', flags, (context) =>
      abort === undefined
        ? rollback(context, { models, ...flags })
        : rollbackAborted(context, { ...flags, model: models[0], event: { file: abort } }),
    ),
  );

  common(
    program
      .command('hold <digest>')
      .description('refuse a model digest from now on, or lift what refuses it')
      .option('--model <name>', 'the model, where the repository has several')
      .option('--environment <name>', 'only there (default: everywhere)')
      .option('--lift', 'lift every hold of the digest')
      .option('--reason <text>', 'why')
      .option(...deployRepoFlag),
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
      .option(
        '--repository <owner/name>',
        'a deploy repository, whatever the model file says; the same as --deploy-repo',
      )
      .option(...deployRepoFlag)
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
      .requiredOption('--kind <kind>', `kind of the target: ${kinds}`)
      .option('--to <ref>', 'the image: sha256:… or name[:tag]@sha256:… (not for a share of the traffic)')
      .option('--image <name>', 'the image whose entry or container is edited')
      .option('--address <path>', 'where the image stands: image, a.b[0].c, containers[name=x].image')
      .option('--name <name>', 'metadata.name of the document, where the file has several that fit')
      .option('--container <name>', 'the container of a workload or a Seldon predictor')
      .option('--parameter <name>', 'the Helm parameter of an Argo CD Application')
      .option('--predictor <name>', 'the predictor of a SeldonDeployment')
      .option('--slot <slot>', 'stable or canary of a KServe InferenceService')
      .option('--percent <number>', "the canary's share of the traffic")
      .option('--experiment <name>', 'the Experiment of Seldon Core v2, with --candidate and --weight')
      .option('--candidate <name>', 'the candidate of that experiment')
      .option('--subset <name>', 'the subset of an Istio VirtualService, with --weight')
      .option('--route <name>', 'the HTTP route, where several have the subset')
      .option('--weight <number>', 'its share of the traffic in percent')
      .option('--writes <what>', 'digest or reference, at the address of kind yaml-path')
      .option('--document <kind/name>', 'the document, where several have the address')
      .option('--plan', 'print the diff, write nothing'),
    'error document',
  ).action(async (file: string, flags: Flags<EditRequest, 'file'>) => {
    const { kind, to, plan } = flags;
    await answerText(flags, async (context) => {
      const edited = await edit(context, { file, kind, to, plan, ...targetFlags(flags) });
      for (const warning of edited.warnings) context.progress.note(`warning: ${warning}`);
      return edited.changed ? edited.diff : `unchanged: ${edited.file}`;
    });
  });
}

/** The flags that name a target; the common ones are none of them. */
function targetFlags(flags: Flags<EditRequest, 'file'>): TargetFields {
  return {
    image: flags.image,
    address: flags.address,
    name: flags.name,
    container: flags.container,
    parameter: flags.parameter,
    predictor: flags.predictor,
    experiment: flags.experiment,
    candidate: flags.candidate,
    slot: flags.slot,
    percent: flags.percent,
    route: flags.route,
    subset: flags.subset,
    weight: flags.weight,
    writes: flags.writes,
    document: flags.document,
  };
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
