import { exitCodes } from '@passloop/core';
import type { PromotionOutcome } from '@passloop/documents';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** The flags of every verb. Where the result is a file and no document, `--json` is for the error's. */
export function common(command: Command, document: 'document' | 'error document' = 'document'): Command {
  return command
    .option(
      '--json <file>',
      document === 'document'
        ? 'write the document there (`-`: to stdout, instead of the text)'
        : 'write the error document there, if it fails (`-`: to stdout)',
    )
    .option('--quiet', 'no progress on stderr')
    .showHelpAfterError('(--help shows all flags)');
}

/** Which engine looks at data. */
export function engines(command: Command): Command {
  return command
    .addOption(new Option('--engine <name>', 'what reads the data (default: duckdb)').choices(['duckdb', 'spark']))
    .option(
      '--spark-master <address>',
      "local[4], yarn, k8s://..., or sc://... for Spark Connect (default: Spark's own)",
    )
    .option('--spark-submit <program>', 'where spark-submit is (default: by SPARK_HOME, or on the PATH)')
    .option('--spark-conf <name=value>', 'a setting of Spark (several times for several)', several);
}

export type EngineFlags = {
  engine?: 'duckdb' | 'spark';
  sparkMaster?: string;
  sparkSubmit?: string;
  sparkConf?: string[];
};

/** Collects a flag that may come several times. */
export function several(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(value);
}

function decimalNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('A finite number is needed.');
  return number;
}

/** A size that a shift is held to. */
export function effectSize(value: string): number {
  const number = decimalNumber(value);
  if (number < 0) throw new InvalidArgumentError('A number from 0 is needed.');
  return number;
}

export function share(value: string): number {
  const number = decimalNumber(value);
  if (number < 0 || number > 1) throw new InvalidArgumentError('A number from 0 to 1 is needed.');
  return number;
}

export function promotionExitCode(outcome: PromotionOutcome): number {
  switch (outcome) {
    case 'held':
    case 'blocked':
      return exitCodes.gateFailed;
    case 'conflict':
      return exitCodes.conflict;
    case 'pending':
      return exitCodes.pending;
    default:
      return exitCodes.passed;
  }
}
