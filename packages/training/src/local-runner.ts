import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import {
  ConfigurationError,
  InfrastructureError,
  logText,
  PassloopError,
  type ProcessResult,
  type Progress,
  plainText,
  runProcess,
} from '@passloop/core';
import { buildEnvironment } from './environment.ts';
import { collectOutputs, type OutputFile } from './outputs.ts';
import { stageEnvironment } from './stage-environment.ts';
import { type FetchDataset, layOutStage, type Sources } from './stage-folder.ts';
import type { PlannedStage, TrainingPlan } from './training-plan.ts';

export type LocalRunnerOptions = {
  /** `linux/amd64`, as this machine is. A declaration of another one is refused. */
  platform: string;
  cacheFolder: string;
  /** Folders in which interpreters are looked for, as PATH has them. */
  searchPath: string;
  /** What the installation of packages may see of the machine's environment. */
  buildEnvironment: Readonly<Record<string, string>>;
  /** Where each stage's whole output goes, as `<stage>.log`. */
  logFolder: string;
  progress: Progress;
  /** Brings remote datasets here, verified; without it they are refused. */
  fetchDataset?: FetchDataset | undefined;
  signal?: AbortSignal | undefined;
};

type StageRun = { name: string; key: string; seconds: number };
export type StagesRun = { interpreter: string; stages: StageRun[]; outputs: OutputFile[] };

/** Runs the stages of a plan and leaves their outputs in `folder`, which is empty and belongs to the caller. */
export type Runner = (plan: TrainingPlan, sources: Sources, folder: string) => Promise<StagesRun>;

const errorLines = 12;
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * Runs stages on this machine: each in a fresh folder that holds what it declares, in a fresh process with an environment of
 * its own, by the interpreter and packages that the lock names. It is no sandbox: a stage can reach the network and the disk.
 */
export function localRunner(options: LocalRunnerOptions): Runner {
  return async (plan, sources, folder) => {
    const { environment } = plan.train;
    const where = { file: plan.model.file, line: plan.model.lineOf(['train', 'environment']) };
    if ('image' in environment || plan.requirements === null) {
      throw new ConfigurationError(`${where.file}:${where.line}: stages in an image cannot be run by this version.`, {
        ...where,
        hint: 'Declare `python` and `lock` instead.',
      });
    }
    if (environment.platform !== options.platform) {
      throw new ConfigurationError(
        `${where.file}:${where.line}: the model trains on ${environment.platform}; this machine is ${options.platform}.`,
        { ...where, hint: 'Run it on such a machine, or take its result from a shared store.' },
      );
    }
    const { bin, interpreter } = await buildEnvironment({
      python: environment.python,
      lock: plan.requirements,
      platform: environment.platform,
      cacheFolder: options.cacheFolder,
      searchPath: options.searchPath,
      buildEnvironment: options.buildEnvironment,
      where,
      progress: options.progress,
    });
    const stages: StageRun[] = [];
    const outputs = new Map<string, OutputFile[]>();
    for (const [index, planned] of plan.stages.entries()) {
      const { name } = planned.stage;
      const work = path.join(folder, `${index}-${name}`);
      const project = path.join(work, 'project');
      const own = { home: path.join(work, 'home'), temporary: path.join(work, 'tmp') };
      for (const part of [project, ...Object.values(own)]) await mkdir(part, { recursive: true });
      const upstream = planned.stage.needs.flatMap((needed) => outputs.get(needed) ?? []);
      await layOutStage(plan, planned, { fetchDataset: options.fetchDataset, ...sources }, upstream, project);
      options.progress.phase(`Stage ${name}`);
      const result = await runStage(plan, planned, project, stageEnvironment(plan.train, { bin, ...own }), options);
      outputs.set(
        name,
        await collectOutputs(project, planned.stage.outputs, (message, hint) =>
          stageError(plan, planned, ConfigurationError, message, hint),
        ),
      );
      options.progress.done();
      stages.push({ name, key: planned.key, seconds: result.seconds });
    }
    return {
      interpreter,
      stages,
      outputs: [...outputs.values()].flat().sort((left, right) => (left.path < right.path ? -1 : 1)),
    };
  };
}

async function runStage(
  plan: TrainingPlan,
  planned: PlannedStage,
  folder: string,
  env: Readonly<Record<string, string>>,
  options: LocalRunnerOptions,
): Promise<ProcessResult> {
  const timeoutMs = stageTimeout(planned.stage.timeout);
  await mkdir(options.logFolder, { recursive: true });
  const logFile = path.join(options.logFolder, `${planned.stage.name}.log`);
  const log = createWriteStream(logFile);
  const stderr: string[] = [];
  let result: ProcessResult;
  try {
    result = await runProcess({
      argv: planned.stage.run as [string, ...string[]],
      cwd: folder,
      env,
      timeoutMs,
      maxOutputBytes: 1 << 16,
      signal: options.signal,
      onLine(whole, stream) {
        log.write(`${whole}\n`);
        // A progress bar overwrites its line: what stands there at the end is what a terminal shows.
        const line = whole.slice(whole.lastIndexOf('\r') + 1);
        if (stream === 'stderr') {
          stderr.push(plainText(logText(line), 500));
          if (stderr.length > errorLines) stderr.shift();
        }
        options.progress.note(plainText(logText(line), 2000));
      },
    });
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    throw stageError(
      plan,
      planned,
      ConfigurationError,
      `could not start: ${error.message.replace(/\.$/, '')}`,
      'The program must be on PATH: in the lock, or part of the system.',
    );
  } finally {
    log.end();
    await finished(log);
  }
  const tail =
    stderr.length === 0
      ? 'It wrote nothing to stderr'
      : `Its last lines:\n${stderr.map((line) => `    ${line}`).join('\n')}\n`;
  const seeLog = `The whole output is in ${logFile}.`;
  if (result.timedOut) {
    throw stageError(
      plan,
      planned,
      InfrastructureError,
      `did not finish within ${planned.stage.timeout} and was stopped. ${tail}`,
      `${seeLog} Raise \`timeout\` if it needs longer.`,
    );
  }
  if (options.signal?.aborted) throw stageError(plan, planned, InfrastructureError, 'was stopped', seeLog);
  if (result.exitCode === null) {
    throw stageError(
      plan,
      planned,
      InfrastructureError,
      `was ended by ${result.signal}. ${tail}`,
      `${seeLog} SIGKILL is often the machine running out of memory.`,
    );
  }
  if (result.exitCode !== 0) {
    throw stageError(plan, planned, ConfigurationError, `failed with exit code ${result.exitCode}. ${tail}`, seeLog);
  }
  return result;
}

function stageError<E>(
  plan: TrainingPlan,
  planned: PlannedStage,
  kind: new (message: string, details: { file: string; line: number; hint: string }) => E,
  message: string,
  hint: string,
): E {
  const { file } = plan.model;
  const text = `${file}:${planned.line}: stage ${planned.stage.name} ${message.trimEnd()}`;
  return new kind(/[.\n]$/.test(message) || message.endsWith('\n') ? text : `${text}.`, {
    file,
    line: planned.line,
    hint,
  });
}

/** `90s`, `30m`, `6h` in milliseconds; a timer holds no more than 24.8 days. */
function stageTimeout(text: string): number {
  const unit = { s: 1000, m: 60_000, h: 3_600_000 }[text.at(-1) as 's' | 'm' | 'h'];
  return Math.min(Number(text.slice(0, -1)) * unit, maxTimeoutMs);
}
