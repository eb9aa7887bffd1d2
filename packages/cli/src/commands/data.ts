import path from 'node:path';
import { ConfigurationError, logJson, worstVerdict } from '@passloop/core';
import { driftCompatibilities, driftMethods } from '@passloop/model/drift-methods';
import { printDataReport, table } from '@passloop/report';
import { dataDrift, dataLock, dataProfile, dataSuggest, dataValidate, type ValidatedDataset } from '@passloop/verbs';
import { type Command, Option } from 'commander';
import { answer, answerText, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, type EngineFlags, effectSize, engines, several, share, wholeNumber } from '../flags.ts';

const validateHelp = `
A data-report is the document of one dataset. Each dataset of the model file that has checks gets its own,
.passloop/out/<model>/data-report-<dataset>.json. --json gives one document: the dataset's, or, of several
datasets, the first one with the worst verdict, which is also what the exit code tells. A plain file's
document goes where --json says only.`;

/** Files as people see them from where they are. */
function relative(failing: ValidatedDataset['failing'], cwd: string): ValidatedDataset['failing'] {
  return failing.map((one) =>
    one.file === null || one.file.includes('://') ? one : { ...one, file: path.relative(cwd, one.file) || '.' },
  );
}

/** Fetching is bounded by the lock; this is for what has none. */
const maxBytes = [
  '--max-bytes <number>',
  'fetch no remote table of more bytes, where no lock says how many it has (default: 10 GiB)',
  wholeNumber,
] as const;

export function addDataCommands(program: Command): void {
  const data = program.command('data').description('lock, profile and validate datasets; measure drift');

  common(
    data
      .command('lock')
      .description(
        'write passloop.lock: digest, bytes and rows of every dataset of the model file; fetches remote ones',
      )
      .option(...maxBytes),
  ).action(async (flags: CommonFlags & { maxBytes?: number }) => {
    await answerText(flags, async (context) => {
      const { file, lock, changed } = await dataLock(context, flags);
      const rows = lock.datasets.map((dataset) => [dataset.uri, String(dataset.rows ?? '-'), dataset.digest]);
      return {
        text: `${changed ? 'written' : 'unchanged'}: ${file}\n${table(rows, [1])}`,
        json: (await import('@passloop/model')).formatLock(lock),
      };
    });
  });

  engines(
    common(
      data
        .command('profile [file]')
        .description('write the profiles that the model file names, or the profile of a plain file')
        .option('--dataset <name>', 'only this dataset')
        .option('--model <name>', 'only this model')
        .option('--key <column>', 'a column that names rows (several times for several)', several)
        .option('--out <file>', 'where the profile goes (default: as the model file says; for a plain file: stdout)')
        .option(...maxBytes),
    ),
  ).action(
    async (
      file: string | undefined,
      flags: CommonFlags &
        EngineFlags & { dataset?: string; model?: string; key?: string[]; out?: string; maxBytes?: number },
    ) => {
      await answerText(flags, async (context) => {
        const { files, text } = await dataProfile(context, { file, ...flags });
        const [first] = files;
        if (flags.json !== undefined && files.length > 1) {
          throw new ConfigurationError(`${files.length} profiles were written; --json takes one.`, {
            hint: 'Say which one with --dataset.',
          });
        }
        const lines = files.map((one) => `written: ${one.file} (${one.rows} rows)`).join('\n');
        return { text: text === null ? lines : logJson(text), json: text ?? first?.text ?? '' };
      });
    },
  );

  common(
    data
      .command('suggest [file]')
      .description('print checks as YAML: what the data passes, each with its reason; or those of another tool')
      .option('--dataset <name>', 'this dataset of the model file')
      .option('--model <name>', 'this model')
      .option('--profile <file>', 'a profile in place of the data')
      .option('--key <column>', 'a column that names rows (several times for several)', several)
      .option('--from <file>', 'checks of Great Expectations, dbt, Soda, Frictionless or pandera, as ours')
      .option('--table <name>', 'which relation, where that file describes several')
      .option(...maxBytes),
  ).action(
    async (
      file: string | undefined,
      flags: CommonFlags &
        EngineFlags & {
          dataset?: string;
          model?: string;
          profile?: string;
          key?: string[];
          from?: string;
          table?: string;
          maxBytes?: number;
        },
    ) => {
      await answerText(flags, async (context) => {
        const { text, note } = await dataSuggest(context, { file, ...flags });
        context.progress.note(note);
        return text;
      });
    },
  );

  engines(
    common(
      data
        .command('validate [file]')
        .description('run the checks of every dataset, or --checks on a plain file')
        .option('--dataset <name>', 'only this dataset')
        .option('--model <name>', 'only this model')
        .option('--checks <file>', 'a YAML list of checks, such as - {kind: not-null, column: age}')
        .option('--profile <file>', 'the profile for drift checks, as `data profile` writes it')
        .option('--key <column>', 'a column that names rows, for examples (several times for several)', several)
        .option(
          '--show-values',
          'show the values of failing rows and of drifted columns (default: as the model file says)',
        )
        .option('--no-reuse', 'look at the data though nothing changed since it passed')
        .option('--failing-rows <folder>', 'write all failing rows as Parquet, a file a check')
        .option('--out <folder>', "folder of the documents of a model's datasets (default: .passloop/out)")
        .option(...maxBytes)
        .addHelpText('after', validateHelp),
    ),
  ).action(
    async (
      file: string | undefined,
      flags: CommonFlags &
        EngineFlags & {
          dataset?: string;
          model?: string;
          checks?: string;
          profile?: string;
          out?: string;
          key?: string[];
          showValues?: boolean;
          failingRows?: string;
          reuse: boolean;
          maxBytes?: number;
        },
    ) => {
      await answer(flags, async (context) => {
        const validated = await dataValidate(context, { file, ...flags });
        const verdict = worstVerdict(validated.map(({ report }) => report.verdict));
        const worst = validated.find(({ report }) => report.verdict === verdict);
        if (worst === undefined) throw new Error('no dataset was validated');
        return {
          kind: 'data-report',
          document: worst.report,
          text: validated
            .map(
              (one) =>
                `${printDataReport(one.report, relative(one.failing, context.cwd))}${one.file === null ? '' : `document: ${path.relative(context.cwd, one.file)}\n`}`,
            )
            .join('\n'),
          exitCode: exitCodeOf(verdict),
        };
      });
    },
  );

  engines(
    common(
      data
        .command('drift')
        .description('measure drift of one table against another')
        .requiredOption('--reference <file>', 'the table that is taken as given')
        .option('--current <file>', 'the table that may have drifted')
        .option('--calibrate', 'hold random halves of the reference against each other: each alarm is a false one')
        .option('--splits <number>', 'how many pairs of halves (default: 100)', wholeNumber)
        .option('--seed <number>', 'which halves (default: 1)', wholeNumber)
        .addOption(
          new Option('--method <name>', 'how a shift is measured').choices(driftMethods).default('auto' as const),
        )
        .option('--column <name>', 'only this column (several times for several)', several)
        .option('--except <name>', 'not this column (several times for several)', several)
        .option('--key <column>', 'a column that names rows, left out (several times for several)', several)
        .option('--threshold <number>', "the effect from which a shift counts (default: the method's own)", effectSize)
        .option('--min-rows <number>', 'fewer values on a side give no verdict (default: 1000)', wholeNumber)
        .addOption(
          new Option('--compat <tool>', "that tool's choice of method, numbers and thresholds").choices(
            driftCompatibilities,
          ),
        )
        .option(
          '--drift-share <share>',
          'with --compat: from which share of drifted columns it fails (default: 0.5)',
          share,
        )
        .option('--label <name>', 'what a model learns: its drift is told by that name')
        .option('--prediction <name>', 'what a model says, its score too (several times for several)', several)
        .option('--show-values', 'name the ranges and categories of the columns that drifted in the document')
        .option(...maxBytes),
    ),
  ).action(
    async (
      flags: CommonFlags &
        EngineFlags & {
          reference: string;
          current?: string;
          calibrate?: boolean;
          splits?: number;
          seed?: number;
          method: (typeof driftMethods)[number];
          column?: string[];
          key?: string[];
          except?: string[];
          threshold?: number;
          minRows?: number;
          compat?: (typeof driftCompatibilities)[number];
          driftShare?: number;
          label?: string;
          prediction?: string[];
          showValues?: boolean;
          maxBytes?: number;
        },
    ) => {
      await answer(flags, async (context) => {
        const document = await dataDrift(context, { ...flags, columns: flags.column, predictions: flags.prediction });
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
