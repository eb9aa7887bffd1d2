import { metricNames } from '@passloop/evaluation/metric-names';
import { printComparison, printPlan, printReport } from '@passloop/report';
import { check, compare, planCheck, postReport } from '@passloop/verbs';
import { type Command, Option } from 'commander';
import { answer, type CommonFlags, exitCodeOf } from '../face.ts';
import { common, several, wholeNumber } from '../flags.ts';

type CheckFlags = CommonFlags & {
  against?: string;
  ref?: string;
  model?: string[];
  plan?: boolean;
  out?: string;
  pullRequest?: number;
  runUrl?: string;
};

export function addCheckCommands(program: Command): void {
  common(
    program
      .command('check')
      .description('what a pull request runs, as one report: data, training, image, comparison with production')
      .option('--against <ref>', 'the target branch, whose policy decides (default: GITHUB_BASE_REF in a job)')
      .option('--ref <ref>', 'the commit (default: HEAD)')
      .option('--model <name>', 'only this model (several times for several)', several)
      .option('--plan', 'list affected models and keys, run nothing')
      .option('--out <folder>', 'folder of the documents (default: .passloop/out)')
      .option('--pull-request <number>', 'post the comment and the check there (needs GITHUB_TOKEN)', wholeNumber)
      .option('--run-url <url>', 'address of the run, for the comment'),
  ).action(async (flags: CheckFlags) => {
    if (flags.plan === true) {
      await answer(flags, async (context) => {
        const { document } = await planCheck(context, { ...flags, models: flags.model });
        return { kind: 'plan', document, text: printPlan(document), exitCode: 0 };
      });
      return;
    }
    await answer(flags, async (context) => {
      const { plan, report, files } = await check(context, { ...flags, models: flags.model });
      let text = printReport(report);
      if (flags.pullRequest !== undefined) {
        const { pullRequest, runUrl } = flags;
        const posted = await postReport(context, { pullRequest, repository: report.repository, report, plan, runUrl });
        text += `\n${[`${posted.outcome}: ${posted.url}`, ...posted.lacking].join('\n')}\n`;
      }
      text += `\nReport: ${files.html}\n`;
      return { kind: 'report', document: report, text, exitCode: exitCodeOf(report.verdict) };
    });
  });

  common(
    program
      .command('compare')
      .description('compare predictions files, or two files of numbers, gate by gate')
      .requiredOption('--production <files...>', 'predictions of what is in production (several: one a training seed)')
      .requiredOption('--candidate <files...>', 'predictions of the candidate (several: one a training seed)')
      .option('--key <column>', 'the column that names a row (several times for several)', several)
      .option('--label <column>', 'the column of the truth')
      .requiredOption(
        '--metric <gate>',
        'name:direction:margin, such as roc_auc:higher:0.005 (several times for several)',
        several,
      )
      .option('--dataset <file>', 'where labels and slice columns are (default: in the predictions)')
      .option('--score <column>', 'the column of the score')
      .option('--scores <class=column>', "a multiclass model's column of a class (once a class)", several)
      .option('--prediction <column>', 'the column of the predicted label')
      .option('--positive <value>', 'the positive class')
      .option('--weight <column>', 'how much a row counts')
      .option('--unit <column>', 'what rows belong to (a user, a series): rows of one are resampled together')
      .option('--query <column>', 'the query that a row of a ranking belongs to')
      .addOption(
        new Option('--task <name>', 'the kind of model').choices([
          'binary',
          'multiclass',
          'regression',
          'forecast',
          'ranking',
        ]),
      )
      .option('--define <metric>', 'a metric of your own, NAME={kind: ...} as in a model file', several)
      .option('--numbers', 'the files are metrics files, or folders of DVCLive or MLflow: unpaired')
      .option('--slice <column>', 'judge each value of this column apart (several times for several)', several)
      .option('--power', 'size margins: what these rows can show, and how many your margins need; blocks nothing')
      .option('--resamples <number>', 'resamples of the bootstrap, 200 to 100,000 (default: 2000)', wholeNumber)
      .option('--seed <number>', 'seed of the bootstrap (default: 7)', wholeNumber)
      .addHelpText('after', compareHelp),
  ).action(
    async (
      flags: CommonFlags & {
        production: string[];
        candidate: string[];
        key?: string[];
        label?: string;
        metric: string[];
        dataset?: string;
        score?: string;
        scores?: string[];
        prediction?: string;
        positive?: string;
        weight?: string;
        unit?: string;
        query?: string;
        task?: 'binary' | 'multiclass' | 'regression' | 'forecast' | 'ranking';
        define?: string[];
        numbers?: boolean;
        slice?: string[];
        power?: boolean;
        resamples?: number;
        seed?: number;
      },
    ) => {
      await answer(flags, async (context) => {
        const document = await compare(context, { ...flags, metrics: flags.metric, slices: flags.slice });
        return {
          kind: 'comparison',
          document,
          text: printComparison(document),
          // Who asks what the rows can show has not asked for a verdict.
          exitCode: flags.power === true ? 0 : exitCodeOf(document.verdict),
        };
      });
    },
  );
}

const compareHelp = `
A gate says how much worse than production is allowed:  roc_auc:higher:0.005   log_loss:lower:0.003
or a bound of its own, or both:                         accuracy:higher:min=0.8   mae:lower:0.1:max=2.5
with slice=COLUMN, minRows=N (100), severity=warn:      f1:higher:0.01:slice=country:minRows=300
Several files a side, each of a training with another seed, compare two ways of training instead of two models.
Metrics of a score: ${metricNames.score.join(', ')}
Metrics of a prediction: ${metricNames.prediction.join(', ')}
With a parameter: ${metricNames.parameters.join(', ')}; others by --define, and every one explained in docs/metrics.md

Example:
  passloop compare --production old.csv --candidate new.csv --key id --label late --score score \\
    --metric roc_auc:higher:0.005 --slice carrier
  passloop compare --numbers --production old/metrics.json --candidate out/metrics.json --metric test.auc:higher:0.01`;
