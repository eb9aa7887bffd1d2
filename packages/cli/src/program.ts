import { logText, version } from '@passloop/core';
import { Command } from 'commander';
import { addCheckCommands } from './commands/check.ts';
import { addDataCommands } from './commands/data.ts';
import { addDeployCommands } from './commands/deploy.ts';
import { addManifestCommands } from './commands/manifests.ts';
import { addPackageCommands } from './commands/package.ts';
import { addSetupCommands } from './commands/setup.ts';
import { addTrainCommands } from './commands/train.ts';
import { examples } from './examples.ts';

/** The commands in the order of the road. */
const road: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['To begin:', ['init', 'doctor']],
  ['A change, as a whole and step by step:', ['check', 'data', 'train', 'package', 'compare']],
  ['What runs:', ['manifests', 'adopt', 'promote', 'rollback', 'hold', 'status', 'explain']],
  ['By itself:', ['edit']],
];

/** The `passloop` command: a face over the verbs. A wrong flag or name is thrown as commander's error. */
export function program(): Command {
  const root = new Command('passloop')
    .description(
      'CI/CD for machine-learning models: validate data, reproduce training, compare with production, package, promote, roll back.',
    )
    .version(version)
    // `adopt --version NAME` is the command's own flag.
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      `
Try \`data drift\`, \`data validate\` or \`compare\` on files of your own: they need no
model file. \`init\` writes one. docs/start.md shows the way from there.
\`passloop COMMAND --help\` shows examples.

Exit codes: 0 passed · 1 a gate failed, or blocks undecided · 2 configuration
or usage · 3 could not finish · 4 conflict · 5 pending`,
    );
  addSetupCommands(root);
  addCheckCommands(root);
  addDataCommands(root);
  addTrainCommands(root);
  addPackageCommands(root);
  addDeployCommands(root);
  addManifestCommands(root);
  orderByRoad(root);
  finish(root, []);
  return root;
}

function orderByRoad(root: Command): void {
  const names = road.flatMap(([, commands]) => commands);
  (root.commands as Command[]).sort((left, right) => names.indexOf(left.name()) - names.indexOf(right.name()));
  for (const [heading, commands] of road) {
    for (const command of root.commands) if (commands.includes(command.name())) command.helpGroup(heading);
  }
  root.commandsGroup('By itself:').helpCommand('help [command]', 'show the help of a command');
}

function finish(command: Command, path: readonly string[]): void {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(logText(text.replace(/^error: /, 'passloop: '))) });
  const lines = examples[path.join(' ')];
  if (lines !== undefined) {
    const heading = lines.length === 1 ? 'Example:' : 'Examples:';
    command.addHelpText('after', ['', heading, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  for (const child of command.commands) finish(child, [...path, child.name()]);
}
