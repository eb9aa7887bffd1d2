import { exitCodes } from '@passloop/core';
import { Command, type CommanderError } from 'commander';
import { addCheckCommands } from './commands/check.ts';
import { addDataCommands } from './commands/data.ts';
import { addDeployCommands } from './commands/deploy.ts';
import { addPackageCommands } from './commands/package.ts';
import { addTrainCommands } from './commands/train.ts';
import { version } from './face.ts';

/** The `passloop` command: a face over the verbs. */
export function program(): Command {
  const root = new Command('passloop')
    .description(
      'CI/CD for machine-learning models: validate data, reproduce training, compare with production, package, promote, roll back.',
    )
    .version(version)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText(
      'after',
      `
Exit codes: 0 passed · 1 a gate failed, or blocks undecided · 2 configuration or usage · 3 could not finish · 4 conflict · 5 pending
Every command takes --json FILE (or -) for its document, and works on plain files as well as with a passloop.yaml.`,
    );
  addCheckCommands(root);
  addDataCommands(root);
  addTrainCommands(root);
  addPackageCommands(root);
  addDeployCommands(root);
  exitWithUsage(root);
  return root;
}

/** A wrong flag is a usage error: exit 2, not commander's 1. */
function exitWithUsage(command: Command): void {
  command.exitOverride((error: CommanderError) => {
    const isHelp = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
    process.exit(isHelp ? exitCodes.passed : exitCodes.configuration);
  });
  for (const child of command.commands) exitWithUsage(child);
}
