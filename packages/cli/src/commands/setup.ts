import { printDiagnosis } from '@passloop/report';
import { type DoctorRequest, doctor } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, type CommonFlags } from '../face.ts';
import { common } from '../flags.ts';

export function addSetupCommands(program: Command): void {
  common(
    program
      .command('doctor')
      .description('what a repository needs: what is there, what is missing, and the fix')
      .option('--ref <ref>', 'the commit (default: HEAD)')
      .addHelpText(
        'after',
        `
It reads and writes nothing. Settings are asked with GITHUB_TOKEN, the deploy repository
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
