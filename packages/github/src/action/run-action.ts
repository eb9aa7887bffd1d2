import path from 'node:path';
import {
  type PassloopError,
  type Progress,
  toPassloopError,
  type Verdict,
  version,
  writeFileAtomic,
} from '@passloop/core';
import { type DocumentKind, type DocumentOf, errorDocument, formatDocument } from '@passloop/documents';
import type { z } from 'zod';
import { actionsMachine, actionsRunner } from './actions-runner.ts';
import { groupProgress } from './group-progress.ts';
import { readInputs } from './inputs.ts';
import type { Annotation, Runner } from './runner.ts';

/** What an action knows of the outside world, as the verbs take it. */
export type ActionContext = {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  progress: Progress;
  version: string;
};

/** What a verb gave, as an action tells it. */
export type ActionResult<K extends DocumentKind = DocumentKind> = {
  kind: K;
  document: DocumentOf<K>;
  verdict: Verdict;
  /** The verdict in a sentence: the failure's message, where it fails. */
  sentence: string;
  /** For the log. */
  text: string;
  /** For the job summary; Markdown whose untrusted parts are escaped. */
  summary: string;
  annotations?: Annotation[];
  /** The scalars that a workflow branches on, beside `verdict` and `document`. */
  outputs?: Record<string, string | null>;
};

export type ActionOptions = {
  runner?: Runner;
  env?: Readonly<Record<string, string | undefined>>;
  now?: () => Date;
  /** Inputs that are secrets, and the variable under which the verbs expect each. They are masked before anything else. */
  secrets?: Readonly<Record<string, string>>;
};

type Inputs<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;

/**
 * Runs an action: inputs by their schema, one verb, outputs, annotations and summary. A failing verdict fails the step after all of
 * that is written; an error fails it with its hint and leaves an error document. Nothing is thrown.
 */
export async function runAction<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  main: (inputs: Inputs<Shape>, context: ActionContext) => Promise<ActionResult>,
  options: ActionOptions = {},
): Promise<void> {
  const runner = options.runner ?? actionsRunner;
  const now = options.now ?? actionsMachine.now;
  const progress = groupProgress(runner, () => now().getTime());
  let env = options.env ?? actionsMachine.env;
  try {
    for (const [input, variable] of Object.entries(options.secrets ?? {})) {
      const secret = runner.getInput(input);
      if (secret === '') continue;
      for (const line of secret.split(/\r?\n/)) if (line.trim() !== '') runner.setSecret(line);
      env = { ...env, [variable]: secret };
    }
    const inputs = readInputs(schema, runner.getInput);
    const workspace = env.GITHUB_WORKSPACE ?? actionsMachine.cwd();
    const folder = (inputs as { 'working-directory'?: string })['working-directory'] ?? '.';
    const context = { cwd: path.resolve(workspace, folder), env, now, progress, version };
    const result = await main(inputs, context);
    progress.done();
    await tell(runner, env, result);
  } catch (thrown) {
    progress.done();
    await fail(runner, env, toPassloopError(thrown), thrown);
  }
}

async function tell(runner: Runner, env: ActionContext['env'], result: ActionResult): Promise<void> {
  runner.info(result.text);
  const file = await deliver(env, result.kind, formatDocument(result.kind, result.document));
  runner.setOutput('verdict', result.verdict);
  if (file !== null) runner.setOutput('document', file);
  for (const [name, value] of Object.entries(result.outputs ?? {})) runner.setOutput(name, value ?? '');
  for (const annotation of result.annotations ?? []) runner.annotate(annotation);
  await runner.summarize(result.summary);
  if (result.verdict === 'fail' || result.verdict === 'inconclusive') runner.setFailed(result.sentence);
}

async function fail(runner: Runner, env: ActionContext['env'], error: PassloopError, thrown: unknown): Promise<void> {
  const sentence = error.hint === null ? error.message : `${error.message} ${error.hint}`;
  const file = await deliver(env, 'error', formatDocument('error', errorDocument(error))).catch(() => null);
  runner.setOutput('verdict', 'fail');
  if (file !== null) runner.setOutput('document', file);
  if (error.file !== null) {
    runner.annotate({ level: 'failure', title: 'passloop', message: sentence, file: error.file, line: error.line });
  }
  if (env.RUNNER_DEBUG === '1' && thrown instanceof Error) runner.info(thrown.stack ?? '');
  runner.setFailed(sentence);
}

/** The document, in the runner's own folder: never in the workspace, where a later step might commit it. */
async function deliver(env: ActionContext['env'], kind: DocumentKind, text: string): Promise<string | null> {
  const folder = env.RUNNER_TEMP;
  if (folder === undefined || folder === '') return null;
  const file = path.join(folder, 'passloop', `${env.GITHUB_ACTION ?? 'action'}-${kind}.json`);
  await writeFileAtomic(file, text);
  return file;
}
