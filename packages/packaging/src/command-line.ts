import { ConfigurationError } from '@passloop/core';

/** Linux allows 128 KiB for one argument, and the whole command line is one argument of `/bin/sh -c`. */
const maxCommandBytes = 96 * 1024;

/**
 * The arguments as one POSIX shell string in which every element stands in single quotes, so that a shell hands each on
 * byte for byte. The subcommand is quoted as well, and a space stands apart from its neighbours: docker-cli-js searches the whole
 * string for ` inspect `, ` ps ` and the like, and would read the output as JSON or a table because of a label's text.
 * @throws ConfigurationError for what no argument can carry: NUL, lone surrogates, too many bytes.
 */
export function quoteCommandLine(args: readonly string[]): string {
  const quoted = args.map((argument) => {
    if (argument.includes('\u0000')) throw refused('a NUL character', argument);
    if (!argument.isWellFormed()) throw refused('half a character (a lone surrogate)', argument);
    return `'${argument.replaceAll("'", "'\\''").replaceAll(' ', '\'" "\'')}'`;
  });
  const line = quoted.join(' ');
  if (Buffer.byteLength(line) > maxCommandBytes) {
    throw new ConfigurationError(`A Docker command of ${Buffer.byteLength(line)} bytes is too long.`, {
      hint: `Its arguments may have ${maxCommandBytes} bytes in all. Is a label or a name that long?`,
    });
  }
  return line;
}

function refused(what: string, argument: string): ConfigurationError {
  return new ConfigurationError(`A Docker argument holds ${what}: ${JSON.stringify(argument.slice(0, 80))}`);
}
