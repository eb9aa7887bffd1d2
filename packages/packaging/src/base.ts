import { ConfigurationError, type Progress } from '@passloop/core';
import { z } from 'zod';
import { createContainer } from './container.ts';
import { type Engine, parseJson } from './engine.ts';
import { inspectImage, pullImage } from './image-facts.ts';

/** What a base image offers: its Python (`3.11.9`) decides which wheels fit. */
export type Base = { reference: string; python: string };

const Answer = z.object({ implementation: z.literal('cpython'), version: z.tuple([z.int(), z.int(), z.int()]) });

const question =
  "import json, sys; print(json.dumps({'implementation': sys.implementation.name, 'version': sys.version_info[:3]}))";

/**
 * Takes the base image from the engine or its registry, and asks its Python for its version.
 * @throws ConfigurationError where it isn't there, is of another platform, or has no CPython 3.10 or later as `python3`.
 */
export async function examineBase(
  engine: Engine,
  reference: string,
  platform: string,
  progress: Progress,
): Promise<Base> {
  const facts = (await inspectImage(engine, reference)) ?? (await pullImage(engine, reference, platform, progress));
  if (facts === null) {
    throw new ConfigurationError(`The base image ${reference} does not exist in its registry.`, {
      hint: 'package.base names an image by digest. Has the tag been pushed anew and the old digest been deleted?',
    });
  }
  if (facts.platform !== platform) {
    throw new ConfigurationError(
      `The base image ${reference} is ${facts.platform}; package.platforms says ${platform}.`,
    );
  }
  await using container = await createContainer(engine, {
    image: reference,
    purpose: 'base',
    network: 'none',
    user: '10001:10001',
    entrypoint: 'python3',
    command: ['-c', question],
    platform,
  });
  await container.start();
  const exitCode = await container.wait(60_000);
  const answer = Answer.safeParse(parseJson(await container.logs()));
  if (exitCode !== 0 || !answer.success || answer.data.version[0] !== 3 || answer.data.version[1] < 10) {
    throw new ConfigurationError(`The base image ${reference} has no CPython 3.10 or later as python3.`, {
      hint: 'Use python:3.11-slim@sha256:… or another image with Python.',
    });
  }
  return { reference, python: answer.data.version.join('.') };
}
