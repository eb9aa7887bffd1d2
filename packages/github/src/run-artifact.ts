import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigurationError, InfrastructureError, plainText, temporaryFolder } from '@passloop/core';
import { z } from 'zod';
import { type ArtifactLimits, readArtifactArchive } from './artifact-archive.ts';
import type { Action, GithubClient } from './client.ts';
import type { EndedRun } from './workflow-run.ts';

const Artifact = z.object({
  id: z.int().positive(),
  name: z.string().max(1024),
  size_in_bytes: z.number().min(0),
  expired: z.boolean(),
  digest: z.string().max(256).nullish(),
  created_at: z.iso.datetime({ offset: true }).nullable(),
});
const Artifacts = z.object({ total_count: z.int(), artifacts: z.array(Artifact) });
const action: Action = { what: 'reading the artifacts', permission: 'actions', level: 'read' };

type RunArtifactRequest = {
  run: EndedRun;
  /** The artifact's exact name. */
  name: string;
  /** An empty folder of its own, outside of the workspace; the archive lies beside its files for a moment only. */
  folder: string;
  limits: ArtifactLimits;
  timeoutMs?: number;
};

/**
 * Unpacks an artifact of another run, whoever wrote it: one of that name, made in the run's present attempt, no larger than allowed, and what
 * the forge says it is.
 * @returns the files' paths, or null where the attempt left none
 * @throws ConfigurationError where there are two of that name, and for a hostile archive (see `readArtifactArchive`)
 */
export async function downloadRunArtifact(client: GithubClient, request: RunArtifactRequest): Promise<string[] | null> {
  const { name, folder, limits, run } = request;
  const listed = await client.rest(
    action,
    'GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts',
    { run_id: run.id, name, per_page: 100 },
    Artifacts,
  );
  const [artifact, ...more] = listed.artifacts.filter(
    (one) => one.name === name && !one.expired && Date.parse(one.created_at ?? '') >= run.startedAt,
  );
  if (artifact === undefined) return null;
  if (more.length > 0) {
    throw new ConfigurationError(`The run has ${more.length + 1} artifacts named ${name}: none is believed.`, {
      hint: 'Only the job that reports may upload it. Run all jobs of the check again.',
    });
  }
  const tooLarge = (bytes: string) =>
    new ConfigurationError(`The artifact ${plainText(name)} has ${bytes} bytes; ${limits.archiveBytes} are allowed.`);
  if (artifact.size_in_bytes > limits.archiveBytes) throw tooLarge(String(artifact.size_in_bytes));
  const address = await client.redirect(
    action,
    'GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}',
    { artifact_id: artifact.id, archive_format: 'zip' },
  );
  await using place = await temporaryFolder('incoming', path.dirname(folder));
  const archive = path.join(place.path, 'artifact.zip');
  // A signed address of the blob store: it gets no token of ours.
  const response = await fetch(address, { signal: AbortSignal.timeout(request.timeoutMs ?? 120_000) }).catch(
    (error: unknown) => {
      throw notDownloaded(name, error instanceof Error ? error.message : String(error), error);
    },
  );
  const { body } = response;
  if (!response.ok || body === null) throw notDownloaded(name, `the blob store answers ${response.status}`, undefined);
  let bytes = 0;
  async function* capped(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limits.archiveBytes) throw tooLarge(`more than ${limits.archiveBytes}`);
      yield chunk;
    }
  }
  try {
    await pipeline(body, capped, createWriteStream(archive, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw notDownloaded(name, error instanceof Error ? error.message : String(error), error);
  }
  return await readArtifactArchive(archive, { name, folder, limits, expectedDigest: artifact.digest ?? null });
}

function notDownloaded(name: string, why: string, cause: unknown): InfrastructureError {
  return new InfrastructureError(`The artifact ${plainText(name)} could not be downloaded: ${plainText(why, 300)}.`, {
    hint: 'Run the job again.',
    cause,
  });
}
