import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  ConfigurationError,
  escapeMarkdown,
  isInsidePath,
  isPassing,
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
  /** Null where there was nothing to do. */
  document: DocumentOf<K> | null;
  verdict: Verdict;
  /** The verdict in a sentence: the failure's message, where it fails and no annotation says why. */
  sentence: string;
  /** For the log. */
  text: string;
  /** For the log too, in a group that opens on a click: what would bury the text. */
  details?: string;
  /** For the job summary; Markdown whose untrusted parts are escaped. */
  summary: string;
  /** Those of level `failure` are all that fails: where there is one, the sentence is not said beside them. */
  annotations?: Annotation[];
  /** A failing verdict doesn't fail the step: a later job of the workflow says it. */
  toldLater?: boolean;
  /** The scalars that a workflow branches on, beside `verdict` and `document`. */
  outputs?: Record<string, string | null>;
};

/** A secret input: the variable under which the verbs expect it. A required one, and one that is `inputOnly`, is never taken from the job's environment instead. */
type Secret = { variable: string; required: boolean; inputOnly?: boolean };

export type ActionOptions = {
  runner?: Runner;
  env?: Readonly<Record<string, string | undefined>>;
  now?: () => Date;
  /** Inputs that are secrets. They are masked before anything else. */
  secrets?: Readonly<Record<string, Secret>>;
};

type Inputs<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape>>;

/**
 * Runs an action: inputs by their schema, one verb, outputs, annotations and summary. A failing verdict fails the step after all of
 * that is written, unless a later job tells it; an error fails it with its hint and leaves an error document. Nothing is thrown.
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
  let cwd = env.GITHUB_WORKSPACE ?? actionsMachine.cwd();
  try {
    env = { ...env, ...readSecrets(runner, options.secrets ?? {}) };
    const inputs = readInputs(schema, runner.getInput);
    const folder = (inputs as { 'working-directory'?: string })['working-directory'] ?? '.';
    cwd = path.resolve(cwd, folder);
    const context = { cwd, env, now, progress, version };
    const result = await main(inputs, context);
    progress.done();
    await tell(runner, context, result);
  } catch (thrown) {
    progress.done();
    await fail(runner, { env, cwd }, toPassloopError(thrown), thrown, Object.keys(schema.shape));
  }
}

function readSecrets(runner: Runner, secrets: Readonly<Record<string, Secret>>): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
  const values = Object.entries(secrets).map(([input, secret]) => ({
    input,
    ...secret,
    value: runner.getInput(input),
  }));
  for (const { value } of values)
    for (const line of value.split(/\r?\n/)) if (line.trim() !== '') runner.setSecret(line);
  for (const { input, variable, required, inputOnly, value } of values) {
    if (value !== '') found[variable] = value;
    else if (inputOnly === true) found[variable] = undefined;
    else if (required) {
      throw new ConfigurationError(`Input \`${input}\` is empty.`, {
        hint: 'The secret that it names is missing here: it may be misspelt, belong to another environment, or this is a run of a fork.',
      });
    }
  }
  return found;
}

type Place = Pick<ActionContext, 'env' | 'cwd'>;

async function tell(runner: Runner, place: Place, result: ActionResult): Promise<void> {
  runner.info(result.text);
  if (result.details !== undefined) {
    runner.startGroup('all that was found');
    runner.info(result.details);
    runner.endGroup();
  }
  const file =
    result.document === null
      ? null
      : await deliver(place.env, result.kind, formatDocument(result.kind, result.document));
  runner.setOutput('verdict', result.verdict);
  runner.setOutput('error', '');
  if (file !== null) runner.setOutput('document', file);
  for (const [name, value] of Object.entries(result.outputs ?? {})) runner.setOutput(name, value ?? '');
  const annotations = result.annotations ?? [];
  for (const annotation of annotations) runner.annotate(inWorkspace(annotation, place));
  await runner.summarize(result.summary);
  if (isPassing(result.verdict) || result.toldLater === true) return;
  runner.setFailed(annotations.some(({ level }) => level === 'failure') ? null : result.sentence);
}

async function fail(
  runner: Runner,
  place: Place,
  error: PassloopError,
  thrown: unknown,
  inputs: readonly string[],
): Promise<void> {
  const sentence = flagsAsInputs(error.hint === null ? error.message : `${error.message} ${error.hint}`, inputs);
  const file = await deliver(place.env, 'error', formatDocument('error', errorDocument(error))).catch(() => null);
  runner.setOutput('verdict', 'fail');
  runner.setOutput('error', error.code);
  if (file !== null) runner.setOutput('document', file);
  if (place.env.RUNNER_DEBUG === '1' && thrown instanceof Error) runner.info(thrown.stack ?? '');
  await runner.summarize(`### ❌ ${escapeMarkdown(sentence, 2000)}\n`).catch(() => {});
  const annotation = {
    level: 'failure',
    title: 'passloop',
    message: sentence,
    file: error.file,
    line: error.line,
  } as const;
  const { file: shown } = inWorkspace(annotation, place);
  if (shown === null) runner.setFailed(sentence);
  else {
    runner.annotate({ ...annotation, file: shown });
    runner.setFailed(null);
  }
}

/** A verb speaks of the command's flags; here the same things are inputs, some of them in the plural: `--metric` is `metrics`. */
function flagsAsInputs(sentence: string, inputs: readonly string[]): string {
  return sentence.replace(/(?<![\w-])--([a-z][a-z-]*[a-z])\b/g, (flag, name: string) => {
    const input = [name, `${name}s`].find((known) => inputs.includes(known));
    return input === undefined ? flag : `\`${input}\``;
  });
}

/**
 * The file of an annotation as GitHub wants it, from the workspace's top. A verb names a file from its folder or from the repository's
 * top; one that is nowhere there, such as a file outside, is left out.
 */
function inWorkspace(annotation: Annotation, { env, cwd }: Place): Annotation {
  if (annotation.file === null) return annotation;
  const workspace = env.GITHUB_WORKSPACE ?? cwd;
  for (const base of [cwd, workspace]) {
    const file = path.resolve(base, annotation.file);
    const relative = path.relative(workspace, file);
    if (existsSync(file) && isInsidePath(relative)) return { ...annotation, file: relative };
  }
  return { ...annotation, file: null, line: null };
}

/** The document, in the runner's own folder: never in the workspace, where a later step might commit it. */
async function deliver(env: ActionContext['env'], kind: DocumentKind, text: string): Promise<string | null> {
  const folder = env.RUNNER_TEMP;
  if (folder === undefined || folder === '') return null;
  const file = path.join(folder, 'passloop', `${env.GITHUB_ACTION ?? 'action'}-${kind}.json`);
  await writeFileAtomic(file, text);
  return file;
}
