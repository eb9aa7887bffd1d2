import { ConfigurationError, type Digest, isDigest } from '@passloop/core';
import { EnvironmentName, ImageKey, ModelName, RunKey } from '@passloop/documents';

/** Under which tag an entry lies. A key that is none names nothing: it could name a path. */
export const handOverTag = 'hand-over-key';

export function runTag(runKey: string): string {
  if (!RunKey.safeParse(runKey).success)
    throw new ConfigurationError(`${JSON.stringify(runKey.slice(0, 100))} is no run key (rk1- and 64 hex digits).`);
  return runKey;
}

export function imageTag(imageKey: string): string {
  if (!ImageKey.safeParse(imageKey).success)
    throw new ConfigurationError(`${JSON.stringify(imageKey.slice(0, 100))} is no image key (ik1- and 64 hex digits).`);
  return imageKey;
}

/** `production-<environment>.<model>`: names have no dot, so two models may share a store. At most 118 of a tag's 128 characters. */
export function pointerTag(model: string, environment: string): string {
  if (!ModelName.safeParse(model).success || !EnvironmentName.safeParse(environment).success) {
    throw new ConfigurationError(
      `${JSON.stringify(`${model} in ${environment}`.slice(0, 200))} is no model in an environment.`,
    );
  }
  return `production-${environment}.${model}`;
}

export function reportTag(inputs: Digest): string {
  if (!isDigest(inputs)) throw new ConfigurationError(`${JSON.stringify(inputs.slice(0, 100))} is no sha256 digest.`);
  return `dr1-${inputs.slice('sha256:'.length)}`;
}
