import { printManifestLint } from '@passloop/report';
import { lintManifestFiles, type ManifestsRequest, manifests } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, answerText, type CommonFlags, exitCodeOf } from '../face.ts';
import { common } from '../flags.ts';

export function addManifestCommands(program: Command): void {
  const group = program.command('manifests').description('the first manifests of a new model, and a lint of any');

  common(
    group
      .command('write [model]', { isDefault: true })
      .description(
        'write the first manifests of a model from `deploy.graph` of its model file (the word may be left out)',
      )
      .option('--environment <name>', 'the environment they are for (default: production of the model file)')
      .option('--image <ref>', 'name@sha256:… (default: the image that `package push` pushed last)')
      .option('--out <folder>', 'a clone of the deploy repository; nothing there is overwritten')
      .option('--plan', 'print the files, write nothing'),
    'error document',
  ).action(async (model: string | undefined, flags: CommonFlags & Omit<ManifestsRequest, 'model'>) => {
    await answerText(flags, async (context) => {
      const { files, environments, notes, written } = await manifests(context, { model, ...flags });
      const shown = written
        ? files.map(({ path }) => `wrote ${path}`)
        : [files.map(({ path, text }) => `# ${path}\n${text}`).join('---\n')];
      const next = [
        'Put this into the model file, below `deploy:`, then commit both repositories and run `passloop adopt`:',
        '',
        ...environments.trimEnd().split('\n'),
        ...notes.map((note) => `note: ${note}`),
      ];
      // The plan is YAML as a whole.
      return [...shown, ...next.map((line) => (written ? line : `# ${line}`.trimEnd()))].join('\n');
    });
  });

  common(
    group
      .command('lint <paths...>')
      .description(
        'manifests (files, or folders of them) that are accepted and mean something else, or that a webhook refuses',
      ),
  ).action(async (paths: string[], flags: CommonFlags) => {
    await answer(flags, async (context) => {
      const document = await lintManifestFiles(context, { paths });
      return {
        kind: 'manifest-lint',
        document,
        text: printManifestLint(document),
        exitCode: exitCodeOf(document.verdict),
      };
    });
  });
}
