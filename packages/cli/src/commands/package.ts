import { printImage, printProbe, printScan } from '@passloop/report';
import { packageBuild, packageProbe, packagePush, packageScan } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, several } from '../flags.ts';

type PackageFlags = CommonFlags & { model?: string; ref?: string; out?: string };

export function addPackageCommands(program: Command): void {
  const group = program.command('package').description('scan a model, build its image, probe it, push it');
  const model = (command: Command) =>
    common(
      command
        .option('--model <name>', 'the model, where the repository has several')
        .option('--ref <ref>', 'the commit (default: HEAD)')
        .option('--out <folder>', 'folder of documents and outputs (default: .passloop/out)'),
    );

  common(
    group
      .command('scan <files...>')
      .description('read model files without loading them: what would they import and call?')
      .option(
        '--allow <global>',
        'a global beyond the frameworks’ own, as module.name (several times for several)',
        several,
      ),
  ).action(async (files: string[], flags: CommonFlags & { allow?: string[] }) => {
    await answer(flags, async (context) => {
      const document = await packageScan(context, { files, allow: flags.allow });
      return { kind: 'scan', document, text: printScan(document), exitCode: exitCodeOf(document.verdict) };
    });
  });

  model(group.command('build').description('the image of a commit’s model: found by its key, or built')).action(
    async (flags: PackageFlags) => {
      await answer(flags, async (context) => {
        const document = await packageBuild(context, flags);
        return { kind: 'image', document, text: printImage(document), exitCode: 0 };
      });
    },
  );

  model(
    group
      .command('probe [url]')
      .description('probe a server of the Open Inference Protocol, or the image of a commit’s model')
      .option('--grpc <host:port>', 'the server’s gRPC address')
      .option('--signature <file>', 'signature.json of the model')
      .option('--data <file>', 'a table with rows to ask with'),
  ).action(
    async (url: string | undefined, flags: PackageFlags & { grpc?: string; signature?: string; data?: string }) => {
      await answer(flags, async (context) => {
        const document = await packageProbe(context, { url, ...flags });
        return { kind: 'probe', document, text: printProbe(document), exitCode: exitCodeOf(document.verdict) };
      });
    },
  );

  model(
    group.command('push').description('build the image where it is not there yet, and push it under its key'),
  ).action(async (flags: PackageFlags) => {
    await answer(flags, async (context) => {
      const document = await packagePush(context, flags);
      return { kind: 'image', document, text: printImage(document), exitCode: 0 };
    });
  });
}
