import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InfrastructureError, runOrThrow } from '@passloop/core';
import { type Engine, openEngine } from '../engine.ts';
import { inspectImage } from '../image-facts.ts';
import { pipWheelSource, type WheelSource } from '../wheels.ts';

const baseName = 'passloop-base:bookworm';

export function testEngine(): Promise<Engine> {
  return openEngine({ environment: process.env });
}

/** Wheels stay on this machine between runs: the lock's hashes are the key. */
export function testWheels(): WheelSource {
  const cache = process.env.PASSLOOP_TEST_WHEELS ?? path.join(tmpdir(), 'passloop-test-wheels');
  return pipWheelSource({ cache, python: 'python3', environment: process.env });
}

/** The base image of this machine, made where it is missing. @returns its name */
export async function ensureBase(engine: Engine): Promise<string> {
  if ((await inspectImage(engine, baseName)) === null) {
    const script = fileURLToPath(new URL('../../../../scripts/base-image.sh', import.meta.url));
    const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', DOCKER: engine.program };
    await runOrThrow({ argv: ['sh', script, baseName], env, timeoutMs: 600_000 });
  }
  return baseName;
}

/** The base image pushed to a registry, since only there it gets a digest to pin. */
export async function pushBase(engine: Engine, registryHost: string): Promise<string> {
  await ensureBase(engine);
  const name = `${registryHost}/python`;
  await engine.run(['image', 'tag', baseName, `${name}:bookworm`]);
  const pushed = await engine.follow(['push', '--quiet', `${name}:bookworm`], { timeoutMs: 300_000 });
  const facts = await inspectImage(engine, `${name}:bookworm`);
  const reference = facts?.repoDigests.find((digest) => digest.startsWith(`${name}@`));
  if (pushed.exitCode !== 0 || reference === undefined) {
    throw new InfrastructureError(`the base image could not be pushed: ${pushed.stderr.toString('utf8')}`);
  }
  await engine.run(['image', 'rm', `${name}:bookworm`]);
  return reference;
}
