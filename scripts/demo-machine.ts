import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { registryProgram } from '../test/fixtures/registry.ts';
import { workingDocker } from '../test/world/world.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');

/** What the demo needs of the machine beside Node and git. */
export type DemoMachine = {
  /** Name of a Python base image in an engine that answers; null where images can be neither built nor proven. */
  base: string | null;
  /** Why not and what to do, a sentence each. */
  missing: string[];
};

/** The image that `scripts/base-image.sh` makes, and the one that people pull. */
const bases = ['passloop-base:bookworm', 'python:3.11-slim'];

/**
 * Finds what the demo needs, and gets what can be had without asking: an image that can be pulled, Debian packages where this
 * runs as root. An engine is never started here: that is the machine's owner's business.
 * @param say tells what takes time
 */
export async function prepareMachine(say: (line: string) => void): Promise<DemoMachine> {
  const missing: string[] = [];
  const docker = await workingDocker();
  if (docker === null) {
    missing.push(
      'No Docker engine answers. Get one: `apt-get install docker.io` and start `dockerd`, or install Docker Desktop and start it.',
    );
    return { base: null, missing };
  }
  if ((await registryProgram(docker)) === null) {
    say('getting a registry');
    if (!(await pulled(docker, 'registry:2'))) await installed('docker-registry');
    if ((await registryProgram(docker)) === null) {
      missing.push('No registry: `apt-get install docker-registry` (Debian, Ubuntu), or `docker pull registry:2`.');
    }
  }
  const base = await baseImage(docker, say);
  if (base === null)
    missing.push('No Python base image: `docker pull python:3.11-slim`, or `sudo scripts/base-image.sh`.');
  return { base: missing.length === 0 ? base : null, missing };
}

async function baseImage(docker: string, say: (line: string) => void): Promise<string | null> {
  for (const name of bases) if (await succeeds(docker, ['image', 'inspect', name])) return name;
  say('getting a Python base image');
  if (await pulled(docker, 'python:3.11-slim')) return 'python:3.11-slim';
  await installed('debootstrap');
  const [made] = bases;
  const script = path.join(root, 'scripts/base-image.sh');
  return made !== undefined && (await succeeds('sh', [script, made], 600_000)) ? made : null;
}

async function pulled(docker: string, image: string): Promise<boolean> {
  return (await succeeds(docker, ['image', 'inspect', image])) || succeeds(docker, ['pull', '--quiet', image], 300_000);
}

/** Installs a Debian package where this is root on such a machine. What comes of it is seen by whoever asked. */
async function installed(name: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  try {
    await access('/usr/bin/apt-get');
  } catch {
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { timeout: 120_000, env }).catch(() => {});
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { timeout: 300_000, env }).catch(
    () => {},
  );
}

async function succeeds(program: string, args: string[], timeout = 20_000): Promise<boolean> {
  try {
    await run(program, args, { timeout, maxBuffer: 1 << 26 });
    return true;
  } catch {
    return false;
  }
}
