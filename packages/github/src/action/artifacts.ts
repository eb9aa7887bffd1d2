import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, InfrastructureError, plainText, temporaryFolder } from '@passloop/core';
import { type ArtifactLimits, readArtifactArchive } from '../artifact-archive.ts';

/** Artifacts of the workflow run that this job belongs to. */
export type RunArtifacts = {
  /** Uploads every file below a folder. A name is taken once in a run: a second upload fails. */
  upload(name: string, folder: string): Promise<{ id: number }>;
  /** Uploads one page as it is, so that a browser shows it. The artifact has the file's name. */
  uploadPage(file: string): Promise<{ id: number; url: string | null }>;
  /**
   * Unpacks an artifact below a folder; whoever wrote it, see `readArtifactArchive`.
   * @returns the files' paths, or null where the run has no such artifact
   */
  download(name: string, folder: string, limits: ArtifactLimits): Promise<string[] | null>;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** A run's artifacts are kept as long as its log is worth reading. */
const retentionDays = 30;

/** The artifacts of the run by GitHub's own client, which takes the run from the job's environment. */
export function runArtifacts(env: Environment): RunArtifacts {
  async function client() {
    if ((env.ACTIONS_RUNTIME_TOKEN ?? '') === '' || (env.ACTIONS_RESULTS_URL ?? '') === '') {
      throw new ConfigurationError('This is no job of a workflow run: there is nowhere to put artifacts.', {
        hint: 'ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL come from the runner, for actions only.',
      });
    }
    const { DefaultArtifactClient } = await import('@actions/artifact');
    return new DefaultArtifactClient();
  }

  return {
    async upload(name, folder) {
      const files = await filesBelow(folder);
      const sent = (await client()).uploadArtifact(name, files, folder, { retentionDays });
      const { id } = await sent.catch((error: unknown) => {
        throw notUploaded(name, error);
      });
      return { id: id ?? 0 };
    },

    async uploadPage(file) {
      const name = path.basename(file);
      const options = { retentionDays, skipArchive: true };
      const sent = (await client()).uploadArtifact(name, [file], path.dirname(file), options);
      const { id } = await sent.catch((error: unknown) => {
        throw notUploaded(name, error);
      });
      const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
      const isKnown = server !== undefined && repository !== undefined && run !== undefined && id !== undefined;
      return { id: id ?? 0, url: isKnown ? `${server}/${repository}/actions/runs/${run}/artifacts/${id}` : null };
    },

    async download(name, folder, limits) {
      const artifacts = await client();
      const found = await artifacts.getArtifact(name).catch((error: unknown) => {
        if (error instanceof Error && error.name === 'ArtifactNotFoundError') return null;
        throw notDownloaded(name, error);
      });
      if (found === null) return null;
      const { id, size, digest } = found.artifact;
      // The size is the uploader's word, and still saves a download that would be refused.
      if (size > limits.archiveBytes) {
        throw new ConfigurationError(
          `The artifact ${plainText(name, 200)} has ${size} bytes; ${limits.archiveBytes} are allowed.`,
        );
      }
      await using place = await temporaryFolder('artifact', env.RUNNER_TEMP);
      await artifacts.downloadArtifact(id, { path: place.path, skipDecompress: true }).catch((error: unknown) => {
        throw notDownloaded(name, error);
      });
      const [archive, ...more] = await readdir(place.path);
      if (archive === undefined || more.length > 0) throw notDownloaded(name, new Error('it came as no single file'));
      const file = path.join(place.path, archive);
      return await readArtifactArchive(file, { name, folder, limits, expectedDigest: digest ?? null });
    },
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function notUploaded(name: string, error: unknown): InfrastructureError {
  return new InfrastructureError(`The artifact ${plainText(name, 200)} could not be uploaded: ${said(error)}.`, {
    hint: 'Where the run has one of that name already, another job wrote it first: run all jobs again.',
    cause: error,
  });
}

function notDownloaded(name: string, error: unknown): InfrastructureError {
  return new InfrastructureError(`The artifact ${plainText(name, 200)} could not be downloaded: ${said(error)}.`, {
    hint: 'Run the job again; where the artifact is gone, run all jobs again.',
    cause: error,
  });
}

function said(error: unknown): string {
  return plainText(error instanceof Error ? error.message : String(error), 300).replace(/\.$/, '');
}
