import { type Verdict, worstVerdict } from '@passloop/core';
import { dataDrift, dataLock, dataProfile, dataValidate } from '@passloop/verbs';
import type { Command } from 'commander';
import { answer, answerText, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, decimalNumber, several, wholeNumber } from '../flags.ts';
import { printDataReport, table } from '../print.ts';

export function addDataCommands(program: Command): void {
  const data = program.command('data').description('lock, profile and validate datasets; measure drift');

  common(
    data.command('lock').description('write passloop.lock: digest, bytes and rows of every dataset of the model file'),
    'error document',
  ).action(async (flags: CommonFlags) => {
    await answerText(flags, async (context) => {
      const { file, lock, changed } = await dataLock(context);
      const rows = lock.datasets.map((dataset) => [dataset.uri, String(dataset.rows ?? '-'), dataset.digest]);
      return `${changed ? 'written' : 'unchanged'}: ${file}\n${table(rows, [1])}`;
    });
  });

  common(
    data
      .command('profile [file]')
      .description('write the profiles that the model file names, or the profile of a plain file')
      .option('--dataset <name>', 'only this dataset')
      .option('--model <name>', 'only this model')
      .option('--key <column>', 'a column that names rows (several times for several)', several)
      .option('--out <file>', 'where the profile goes (default: as the model file says; for a plain file: stdout)'),
    'error document',
  ).action(
    async (
      file: string | undefined,
      flags: CommonFlags & { dataset?: string; model?: string; key?: string[]; out?: string },
    ) => {
      await answerText(flags, async (context) => {
        const { files, text } = await dataProfile(context, { file, ...flags });
        return text ?? files.map((one) => `written: ${one.file} (${one.rows} rows)`).join('\n');
      });
    },
  );

  common(
    data
      .command('validate [file]')
      .description('run the checks of every dataset, or --checks on a plain file')
      .option('--dataset <name>', 'only this dataset')
      .option('--model <name>', 'only this model')
      .option('--checks <file>', 'a YAML list of checks')
      .option('--profile <file>', 'a profile for drift checks'),
  ).action(
    async (
      file: string | undefined,
      flags: CommonFlags & { dataset?: string; model?: string; checks?: string; profile?: string },
    ) => {
      await answer(flags, async (context) => {
        const reports = await dataValidate(context, { file, ...flags });
        const verdict: Verdict = worstVerdict(reports.map((report) => report.verdict));
        const worst = reports.find((report) => report.verdict === verdict) ?? reports[0];
        if (worst === undefined) throw new Error('no dataset was validated');
        return {
          kind: 'data-report',
          document: worst,
          text: reports.map(printDataReport).join('\n'),
          exitCode: exitCodeOf(verdict),
        };
      });
    },
  );

  common(
    data
      .command('drift')
      .description('measure drift of one table against another')
      .requiredOption('--reference <file>', 'the table that is taken as given')
      .requiredOption('--current <file>', 'the table that may have drifted')
      .option('--method <name>', 'auto, ks, psi, js, wasserstein or chi2', 'auto')
      .option('--column <name>', 'only this column (several times for several)', several)
      .option('--key <column>', 'a column that names rows, left out (several times for several)', several)
      .option('--threshold <number>', 'the effect from which a shift counts (default: the method’s own)', decimalNumber)
      .option('--min-rows <number>', 'fewer rows give no verdict (default: 1000)', wholeNumber),
  ).action(
    async (
      flags: CommonFlags & {
        reference: string;
        current: string;
        method: string;
        column?: string[];
        key?: string[];
        threshold?: number;
        minRows?: number;
      },
    ) => {
      await answer(flags, async (context) => {
        const document = await dataDrift(context, { ...flags, method: flags.method as 'auto', columns: flags.column });
        return {
          kind: 'data-report',
          document,
          text: printDataReport(document),
          exitCode: exitCodeOf(document.verdict),
        };
      });
    },
  );
}
