import path from 'node:path';
import {
  ConfigurationError,
  exitCodes,
  InfrastructureError,
  logText,
  type PassloopError,
  type Progress,
  silentProgress,
  streamProgress,
  toPassloopError,
  type Verdict,
  version,
  writeFileAtomic,
} from '@passloop/core';
import type { DocumentKind, DocumentOf } from '@passloop/documents';
import type { Context } from '@passloop/verbs';
import { interruption } from './interruption.ts';

/** Flags that every verb takes. */
export type CommonFlags = { json?: string; quiet?: boolean };

/** What a command gives back: a document and how a person reads it. */
export type Result<K extends DocumentKind = DocumentKind> = {
  kind: K;
  document: DocumentOf<K>;
  text: string;
  exitCode: number;
};

/** 0 passed, 1 a gate failed (or blocks undecided), 5 pending. */
export function exitCodeOf(verdict: Verdict | 'pass' | 'fail' | 'inconclusive'): number {
  switch (verdict) {
    case 'fail':
    case 'inconclusive':
      return 1;
    case 'pending':
      return 5;
    default:
      return 0;
  }
}

function createContext(flags: CommonFlags): Context {
  const progress: Progress = flags.quiet === true ? silentProgress : streamProgress(process.stderr, () => Date.now());
  return { cwd: process.cwd(), env: process.env, now: () => new Date(), progress, version };
}

/** Who stopped reading (`| head`) has read enough, and the verdict stands; a full disk is a failure. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`passloop: the answer could not be written to stdout: ${error.message}\n`);
    process.exit(exitCodes.infrastructure);
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => {});
}

/** Runs a verb and answers as the contract says: result on stdout, progress and errors on stderr, the document where --json points. */
export async function answer<K extends DocumentKind>(
  flags: CommonFlags,
  run: (context: Context) => Promise<Result<K>>,
): Promise<void> {
  const context = createContext(flags);
  try {
    const result = await run(context);
    context.progress.done();
    const { formatDocument } = await import('@passloop/documents');
    await deliver(flags, formatDocument(result.kind, result.document), result.text);
    process.exitCode = result.exitCode;
  } catch (thrown) {
    await fail(flags, context, thrown);
  }
}

/** As `answer`, for the few verbs whose result is a file of the repository; `json` is that file's text, where it is JSON. */
export async function answerText(
  flags: CommonFlags,
  run: (context: Context) => Promise<string | { text: string; json: string }>,
): Promise<void> {
  const context = createContext(flags);
  try {
    const result = await run(context);
    context.progress.done();
    if (typeof result === 'string') process.stdout.write(result.endsWith('\n') ? result : `${result}\n`);
    else await deliver(flags, result.json, result.text);
  } catch (thrown) {
    await fail(flags, context, thrown);
  }
}

/**
 * A wrong flag or name, which the parser has printed already: exit 2 and the error document. Asked-for help has exit code 0; help
 * because nothing was asked for has not, since a job whose command came out empty must not pass.
 */
export async function usageError(code: number, message: string, args: readonly string[]): Promise<void> {
  if (code === 0) return;
  process.exitCode = exitCodes.configuration;
  const [, joined] = args.map((arg) => /^--json=(.+)$/s.exec(arg)).find((found) => found !== null) ?? [];
  const json = joined ?? (args.includes('--json') ? args[args.indexOf('--json') + 1] : undefined);
  if (json === undefined) return;
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const said = first === '(outputHelp)' ? 'No command was given.' : first;
  await deliverError(
    { json },
    new ConfigurationError(said, { hint: rest.join(' ') || 'passloop --help shows all commands.' }),
  );
}

async function fail(flags: CommonFlags, context: Context, thrown: unknown): Promise<void> {
  context.progress.done();
  const ended = interruption();
  const error =
    ended === null
      ? toPassloopError(thrown)
      : new InfrastructureError(`Interrupted (${ended.signal}).`, { cause: thrown });
  process.exitCode = ended?.exitCode ?? error.exitCode;
  process.stderr.write(logText(errorText(error)));
  if (process.env.PASSLOOP_DEBUG !== undefined && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
  await deliverError(flags, error);
}

async function deliverError(flags: CommonFlags, error: PassloopError): Promise<void> {
  if (flags.json === undefined) return;
  const { errorDocument, formatDocument } = await import('@passloop/documents');
  try {
    await deliver(flags, formatDocument('error', errorDocument(error)), '');
  } catch (unwritable) {
    // The first error is the one to mend, so its exit code stays.
    process.stderr.write(logText(`passloop: its document was not written: ${toPassloopError(unwritable).message}\n`));
  }
}

async function deliver(flags: CommonFlags, document: string, text: string): Promise<void> {
  if (flags.json === '-') {
    process.stdout.write(document);
    return;
  }
  // The answer first: work that is done should be seen to be, even where its document cannot be written.
  if (text !== '') process.stdout.write(logText(text.endsWith('\n') ? text : `${text}\n`));
  if (flags.json !== undefined) await writeJson(flags.json, document);
}

async function writeJson(file: string, document: string): Promise<void> {
  try {
    await writeFileAtomic(path.resolve(file), document);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ConfigurationError(`The document could not be written to ${file} (${reason}).`, {
      hint: '--json takes the path of a file in a folder that you may write to, or - for stdout.',
      cause: error,
    });
  }
}

function errorText(error: PassloopError): string {
  const where =
    error.file !== null && !error.message.includes(error.file)
      ? `${error.file}${error.line === null ? '' : `:${error.line}`}: `
      : '';
  return `passloop: ${where}${error.message}\n${error.hint === null ? '' : `  ${error.hint}\n`}`;
}
