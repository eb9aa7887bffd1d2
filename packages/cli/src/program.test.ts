import { targetFields, targetKinds } from '@passloop/model';
import type { Command, CommanderError } from 'commander';
import { expect, it } from 'vitest';
import { examples } from './examples.ts';
import { program } from './program.ts';

/** Commands that do something, by their words. */
function leaves(command: Command, path: string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|<64 hex>|([^\s"<]+(?:<64 hex>)?)/g)].map((match) => match[1] ?? match[0]);
}

/** Parses without running anything. */
async function parse(args: string[]): Promise<{ command: string; options: object; operands: string[] }> {
  const root = program();
  let parsed = { command: '', options: {}, operands: [] as string[] };
  for (const [name, leaf] of leaves(root)) {
    leaf.configureOutput({ writeErr: () => {}, writeOut: () => {} }).action(() => {
      parsed = { command: name, options: leaf.opts(), operands: leaf.args };
    });
  }
  root.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  await root.parseAsync(args, { from: 'user' });
  return parsed;
}

it('every command has examples, and no others have', () => {
  expect(Object.keys(examples).sort()).toEqual(
    leaves(program())
      .map(([name]) => name)
      .sort(),
  );
});

it.each(
  Object.entries(examples).flatMap(([name, lines]) => lines.map((line) => [line, name])),
)('%s', async (line, name) => {
  const [first, ...args] = words(line);
  expect(first).toBe('passloop');
  expect((await parse(args)).command).toBe(name);
});

it.each([
  [['promot'], /Did you mean promote/, 1],
  [['train', 'kye'], /Did you mean key/, 1],
  [['check', '--agianst', 'main'], /Did you mean --against/, 1],
  [['compare'], /--production <files...>/, 1],
  [['hold'], /missing required argument 'digest'/, 1],
  [['check', 'extra'], /too many arguments/, 1],
  // Nothing was asked for: a job whose command came out empty must not pass.
  [[], /outputHelp/, 1],
  [['data'], /outputHelp/, 1],
  [['--help'], /outputHelp/, 0],
  [['help', 'train'], /./, 0],
  [['--version'], /^\d+\.\d+\.\d+$/, 0],
])('%j ends with a word', async (args, message, exitCode) => {
  const error = await parse(args).then(
    () => null,
    (thrown: CommanderError) => thrown,
  );
  expect(error?.message).toMatch(message);
  expect(error?.exitCode).toBe(exitCode);
});

it('takes several files a side, as a shell lists them or flag by flag', async () => {
  const listed = [
    'compare',
    '--production',
    'a1',
    'a2',
    '--candidate',
    'b1',
    '--candidate',
    'b2',
    '--metric',
    'f1:higher:0',
  ];
  expect((await parse(listed)).options).toMatchObject({ production: ['a1', 'a2'], candidate: ['b1', 'b2'] });
});

it("leaves a command's own --version to it", async () => {
  expect(await parse(['adopt', '--version', 'first'])).toMatchObject({
    command: 'adopt',
    options: { version: 'first' },
  });
});

it('lists the commands by the road', () => {
  const help = program().helpInformation();
  const listed = [...help.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map((match) => match[1]);
  expect(listed).toEqual(
    'init doctor check data train package compare manifests adopt promote rollback hold status explain edit help'.split(
      ' ',
    ),
  );
});

it('lists every kind of target that can be edited, and has a flag for every field', () => {
  const edit = new Map(leaves(program())).get('edit');
  const help = edit?.helpInformation().replace(/\s+/g, ' ');
  expect(help).toContain(`kind of the target: ${targetKinds.join(', ')}`);
  const flags = edit?.options.map((option) => option.attributeName());
  for (const kind of targetKinds) expect(flags).toEqual(expect.arrayContaining(targetFields(kind)));
});
