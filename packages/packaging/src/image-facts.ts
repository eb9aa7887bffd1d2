import { InfrastructureError, lastLine, type Progress, plainText } from '@passloop/core';
import { z } from 'zod';
import { type Engine, engineFailure, parseJson } from './engine.ts';
import { imageArgument } from './image-name.ts';

const Inspected = z.object({
  Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  Size: z.number(),
  Os: z.string(),
  Architecture: z.string(),
  RepoDigests: z.array(z.string()).nullish(),
  Config: z
    .object({
      User: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Healthcheck: z.object({ Test: z.array(z.string()).nullish() }).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

/** What the engine says of one image. */
export type ImageFacts = {
  id: string;
  bytes: number;
  platform: string;
  repoDigests: string[];
  user: string;
  labels: Record<string, string>;
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
  ports: string[];
};

/** The image's facts, or null where the engine has none of that name. */
export async function inspectImage(engine: Engine, image: string): Promise<ImageFacts | null> {
  const args = ['image', 'inspect', '--format', '{{json .}}', imageArgument(image)];
  const result = await engine.attempt(args);
  if (!result.ok) {
    if (/no such image|no such object|not found/i.test(result.stderr)) return null;
    throw engineFailure(args, result.stderr, result.stdout);
  }
  const parsed = Inspected.safeParse(parseJson(result.stdout));
  if (!parsed.success)
    throw new InfrastructureError(`docker image inspect of ${image} gave an answer of another form.`);
  const { Config: config, ...facts } = parsed.data;
  return {
    id: facts.Id,
    bytes: facts.Size,
    platform: `${facts.Os}/${facts.Architecture}`,
    repoDigests: facts.RepoDigests ?? [],
    user: config?.User ?? '',
    labels: config?.Labels ?? {},
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    healthcheck: config?.Healthcheck?.Test ?? [],
    ports: Object.keys(config?.ExposedPorts ?? {}),
  };
}

/** Pulls an image. @returns null where the registry answers that it has none of that name. */
export async function pullImage(
  engine: Engine,
  image: string,
  platform: string,
  progress: Progress,
  timeoutMs = 30 * 60_000,
): Promise<ImageFacts | null> {
  progress.note(`pull ${plainText(image)}`);
  const args = ['pull', '--quiet', '--platform', platform, imageArgument(image)];
  const result = await engine.follow(args, { timeoutMs });
  if (result.exitCode !== 0) {
    const reason = result.timedOut ? `no answer within ${timeoutMs / 1000} s` : lastLine(result.stderr);
    if (/manifest unknown|manifest for .* not found|not found: manifest|: not found/i.test(reason)) return null;
    throw new InfrastructureError(`docker pull ${plainText(image)} failed: ${plainText(reason, 400)}`, {
      hint: registryHint(reason),
    });
  }
  return inspectImage(engine, image);
}

/** What a person can do about a registry that refuses. */
export function registryHint(reason: string): string | undefined {
  if (/unauthorized|denied|no basic auth|authentication required|forbidden/i.test(reason)) {
    return 'The registry refuses these credentials. In a workflow: `permissions: packages: write` (read to pull) and docker/login-action, or the registry inputs.';
  }
  if (/connection refused|no such host|timeout|server misbehaving|network is unreachable/i.test(reason)) {
    return 'The registry does not answer. Check its name, and that this machine reaches it.';
  }
  return undefined;
}
