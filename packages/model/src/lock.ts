import { ConfigurationError, isDigest, isInsidePath, refuseJsonPrototypeKeys } from '@passloop/core';
import { z } from 'zod';

export const lockFileName = 'passloop.lock';

/** The committed identity of one dataset. `uri` is the path from the lock's folder, or a remote address. */
export const LockedDataset = z.strictObject({
  uri: z.string().min(1).max(2048),
  /** Version or etag of a remote object; null for files of the repository. */
  version: z.string().max(1024).nullable(),
  digest: z.string().refine(isDigest, 'is no sha256 digest'),
  bytes: z.int().min(0),
  rows: z.int().min(0).nullable(),
});
export type LockedDataset = z.infer<typeof LockedDataset>;

export const DataLock = z.strictObject({ version: z.literal(1), datasets: z.array(LockedDataset).max(10_000) });
export type DataLock = z.infer<typeof DataLock>;

/** @throws ConfigurationError that names the entry */
export function parseLock(text: string, file: string): DataLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file} is not JSON: ${(error as Error).message}`, {
      file,
      hint: 'Run `passloop data lock`.',
    });
  }
  refuseJsonPrototypeKeys(file, text, value);
  const result = DataLock.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new ConfigurationError(`${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`, {
      file,
      hint: 'Run `passloop data lock`, or resolve a merge by hand: each dataset has one entry.',
    });
  }
  const seen = new Set<string>();
  for (const dataset of result.data.datasets) {
    if (seen.has(dataset.uri))
      throw new ConfigurationError(`${file} names ${JSON.stringify(dataset.uri)} twice.`, { file });
    if (!dataset.uri.includes('://') && !isInsidePath(dataset.uri)) {
      throw new ConfigurationError(
        `${file} names ${JSON.stringify(dataset.uri)}, which is not a path inside the repository.`,
        { file },
      );
    }
    seen.add(dataset.uri);
  }
  return result.data;
}

/** Sorted by uri, one field a line: small diffs, easy merges, the same bytes for the same datasets. */
export function formatLock(lock: DataLock): string {
  const datasets = [...lock.datasets].sort((left, right) => (left.uri < right.uri ? -1 : left.uri > right.uri ? 1 : 0));
  return `${JSON.stringify(DataLock.parse({ version: 1, datasets }), null, 2)}\n`;
}

/** @throws ConfigurationError that says how to lock it */
export function lockedDataset(lock: DataLock | null, uri: string, file: string): LockedDataset {
  const found = lock?.datasets.find((dataset) => dataset.uri === uri);
  if (found === undefined) {
    throw new ConfigurationError(
      `${JSON.stringify(uri)} is not locked${lock === null ? ': there is no passloop.lock' : ''}.`,
      {
        file,
        hint: 'Run `passloop data lock` and commit passloop.lock.',
      },
    );
  }
  return found;
}
