import { printDiagnosis } from '@passloop/report';
import { type DoctorRequest, doctor, type InitRequest, init } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, answerText, type CommonFlags } from '../face.ts';
import { common } from '../flags.ts';
import { printInitialized } from '../initialized.ts';

export function addSetupCommands(program: Command): void {
  common(
    program
      .command('init')
      .description('write what a repository lacks: passloop.yaml from what is found, workflows, lines of .gitignore')
      .option('--plan', 'print the files, write nothing')
      .option('--workflows', 'only the workflows')
      .option('--deploy', 'this is a deploy repository: its two workflows, and no model file')
      .option('--owners <owners>', 'who owns overrides and workflows, for CODEOWNERS: @acme/ml')
      .option('--from <file>', 'take over the checks of Great Expectations, dbt, Soda, Frictionless or pandera')
      .option('--table <name>', 'which relation, where that file describes several')
      .option('--release <ref>', 'the commit or tag at which the workflows call Passloop')
      .addHelpText(
        'after',
        `
It asks nothing and changes nothing that is there. In a folder of a repository, the model
file is written there, and the rest at the top. What it can't know, it lists with the line.`,
      ),
    'error document',
  ).action(async (flags: CommonFlags & InitRequest) => {
    await answerText(flags, async (context) => printInitialized(await init(context, flags)));
  });

  common(
    program
      .command('doctor')
      .description('what a repository needs: what is there, what is missing, and the fix')
      .option('--ref <ref>', 'the commit (default: HEAD)')
      .addHelpText(
        'after',
        `
It only reads. Settings are asked with GITHUB_TOKEN, the deploy repository
with PASSLOOP_DEPLOY_TOKEN or the same. What a token may not see is unknown, never ok.`,
      ),
  ).action(async (flags: CommonFlags & DoctorRequest) => {
    await answer(flags, async (context) => {
      const document = await doctor(context, flags);
      return {
        kind: 'diagnosis',
        document,
        text: printDiagnosis(document),
        exitCode: document.verdict === 'fail' ? 1 : 0,
      };
    });
  });
}
