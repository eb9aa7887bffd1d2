import { cpus } from 'node:os';
import path from 'node:path';
import { ConfigurationError } from '@passloop/core';
import type { RunDocument } from '@passloop/documents';
import type { LoadedModel } from '@passloop/model';
import type { Store } from '@passloop/record';
import { localRunner, type Runner, trainRun } from '@passloop/training';
import { cacheFolder } from './cache-folder.ts';
import type { Context } from './context.ts';
import { runUrl } from './recorded-run.ts';
import { remoteTables } from './remote-tables.ts';
import type { Workspace } from './workspace.ts';

export type RunStage = {
  workspace: Workspace;
  model: LoadedModel;
  /** Null where no store may be known. */
  store: Store | null;
  outputs: string;
  /** `false`: only from the store; the repository's code doesn't run here. */
  train?: boolean;
};

/** What the installation of packages may see: where pip finds them, and how it reaches them. Stages see none of it. */
const buildNames =
  /^(PATH|HOME|USER|LANG|TMPDIR|PIP_[A-Z_]+|PYENV_[A-Z_]+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/;

export function runnerOf(context: Context, logFolder: string): Runner {
  const buildEnvironment: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.env)) {
    if (value !== undefined && buildNames.test(name)) buildEnvironment[name] = value;
  }
  return localRunner({
    platform: platform(),
    cacheFolder: path.join(cacheFolder(context), 'environments'),
    searchPath: context.env.PATH ?? '',
    buildEnvironment,
    logFolder,
    progress: context.progress,
    fetchDataset: async (uri, locked) => {
      const { tellingFiles, toldOf } = await import('@passloop/tables');
      const { found } = await remoteTables(context)(uri, locked);
      return { ...found, telling: tellingFiles(found), told: toldOf(found) };
    },
  });
}

/** `linux/amd64`, as images and model files say it. */
function platform(): string {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  return `${process.platform}/${architecture}`;
}

/** Stands where nothing may be trained: a job that holds a token runs none of the repository's code. */
function notTrained(workspace: Workspace, store: Store | null): Runner {
  return async () => {
    throw new ConfigurationError(
      `The ${store?.description ?? 'store'} has no run of ${workspace.commit.slice(0, 12)}.`,
      {
        hint: 'Train it first, in a job that holds no token: `passloop train run`, or the action reproduce-training.',
      },
    );
  };
}

/** The run of a commit: from the store, verified, or trained now and stored. */
export async function runStage(context: Context, request: RunStage): Promise<RunDocument> {
  const { workspace, model, store } = request;
  const { run } = await trainRun({
    repository: workspace.repository,
    commit: workspace.commit,
    model,
    workTree: workspace.root,
    store,
    outputFolder: request.outputs,
    runner:
      request.train === false
        ? notTrained(workspace, store)
        : runnerOf(context, path.join(path.dirname(request.outputs), 'logs')),
    machine: { platform: platform(), cpu: cpus()[0]?.model.trim() ?? 'unknown' },
    producer: producerOf(context, workspace),
    now: context.now,
    progress: context.progress,
  });
  return run;
}

/** Who makes a run: this job, from its own environment. */
export function producerOf(
  context: Context,
  workspace: Workspace,
): { repository: string | null; ref: string | null; run: string | null } {
  return { repository: workspace.name, ref: workspace.ref, run: runUrl(context) };
}
