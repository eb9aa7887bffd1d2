import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteCommandLine } from './command-line.ts';
import { type Engine, openEngine } from './engine.ts';

/** Stands where the client stands, and prints what reached it: arguments ended by NUL, or its environment. */
const reporter = `#!/bin/sh
case "$1" in
  version) echo '{"Client":{"Version":"20.10.24"},"Server":{"Version":"20.10.24","Os":"linux","Arch":"amd64"}}' ;;
  environment) env ;;
  sleep) exec sleep 20 ;;
  input) cat ;;
  flood) head -c 40000000 /dev/zero ;;
  *) printf '%s\\0' "$@" ;;
esac
`;

let folder: TemporaryFolder;
let engine: Engine;

beforeAll(async () => {
  folder = await temporaryFolder('argv');
  const program = path.join(folder.path, 'docker');
  await writeFile(program, reporter);
  await chmod(program, 0o755);
  const environment = {
    PATH: process.env.PATH,
    HOME: '/nowhere',
    HTTPS_PROXY: 'http://proxy',
    GITHUB_TOKEN: 'ghs_secret',
  };
  engine = await openEngine({ program, environment });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function arrives(args: readonly string[]): Promise<string[]> {
  return (await engine.run(args)).split('\u0000').slice(0, -1);
}

describe('arguments of docker-cli-js', () => {
  it.each([
    '$(touch pwned)',
    '`id`',
    "'; rm -rf / #",
    'a b\tc\nd',
    '"',
    '\\',
    '*',
    '~',
    '!!',
    '',
    '-',
    '\u0081\u0088é😀',
    ' inspect ',
    '&& ps images run build',
  ])('%j reaches the client byte for byte', async (hostile) => {
    expect(await arrives(['label', hostile, 'end'])).toEqual(['label', hostile, 'end']);
  });

  it('holds for any text', async () => {
    const argument = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => !text.includes('\u0000') && text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 12 }), async (args) => {
        expect(await arrives(['x', ...args])).toEqual(['x', ...args]);
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    'inspect',
    'ps',
    'images',
    'info',
    'network',
    'search',
  ])('hands the output of %s over as it is', async (subcommand) => {
    expect(await arrives([subcommand, 'no json'])).toEqual([subcommand, 'no json']);
  });

  it('refuses what no argument can carry', () => {
    expect(() => quoteCommandLine(['a\u0000b'])).toThrow(/NUL/);
    expect(() => quoteCommandLine(['\ud800'])).toThrow(/lone surrogate/);
    expect(() => quoteCommandLine(['x'.repeat(200_000)])).toThrow(/too long/);
  });
});

describe('the environment of the client', () => {
  it('is the list, and nothing of ours beside it', async () => {
    const names = (await engine.run(['environment'])).split('\n').map((line) => line.split('=')[0]);
    expect(names).toContain('HTTPS_PROXY');
    expect(names).toContain('DOCKER_BUILDKIT');
    expect(names).not.toContain('GITHUB_TOKEN');
    const shellsOwn = ['PWD', 'OLDPWD', 'SHLVL', '_', ''];
    const allowed = [
      'PATH',
      'HOME',
      'USER',
      'DEBUG',
      'HTTPS_PROXY',
      'DOCKER_BUILDKIT',
      'BUILDX_NO_DEFAULT_ATTESTATIONS',
      'DOCKER_CLI_HINTS',
    ];
    expect(names.filter((name) => ![...allowed, ...shellsOwn].includes(name ?? ''))).toEqual([]);
  });
});

describe('bounds', () => {
  it('ends the wait for a client that hangs', async () => {
    await expect(engine.run(['sleep'], { timeoutMs: 200 })).rejects.toThrow(/did not answer within 0.2 s/);
  });

  it('refuses a flood of output', async () => {
    await expect(engine.run(['flood'])).rejects.toThrow(/printed more than/);
  });

  it('hands stdin on', async () => {
    expect(await engine.run(['input'], { input: 'a secret' })).toBe('a secret');
  });
});
