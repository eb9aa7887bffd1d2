import { isPassing, type YamlPath } from '@passloop/core';
import type { ModelReport, PlanDocument, ReportDocument } from '@passloop/documents';
import { type Annotation, ForbiddenError, type GithubClient, readRepositoryFile } from '@passloop/github';
import { checkId, type Gate, type LoadedModel, parseModelFile } from '@passloop/model';
import { checkMessage, metricSentence, phraseText } from '@passloop/report';
import { lackingLine } from './report-posting.ts';

type Measured = Parameters<typeof metricSentence>[0];

/**
 * What doesn't hold, each on the line of the model file that declares its rule, as the head has it. A file that can't be read, or that has no
 * such rule, leaves its rules without a line: the report says them anyway.
 * @param lacking gets the workflow's line that a token which may not read the file needs
 */
export async function ruleAnnotations(
  client: GithubClient,
  report: ReportDocument,
  plan: PlanDocument,
  lacking: string[],
): Promise<Annotation[]> {
  const files = new Map<string, readonly LoadedModel[]>();
  const found: Annotation[] = [];
  for (const model of report.models) {
    if (!model.affected || model.verdict === 'pass') continue;
    const file = plan.models.find(({ name }) => name === model.name)?.file;
    if (file === undefined) continue;
    if (!files.has(file)) files.set(file, await modelsOf(client, file, report.head, lacking));
    const declared = files.get(file)?.find(({ name }) => name === model.name);
    if (declared !== undefined) found.push(...dataRules(model, declared), ...gates(model, declared));
  }
  // A check run shows so many, and what blocks must be among them.
  return found.sort((left, right) => Number(left.level !== 'failure') - Number(right.level !== 'failure'));
}

async function modelsOf(
  client: GithubClient,
  file: string,
  commit: string,
  lacking: string[],
): Promise<readonly LoadedModel[]> {
  try {
    const text = await readRepositoryFile(client, file, commit);
    return text === null ? [] : parseModelFile(text, file);
  } catch (error) {
    // A stranger's YAML, or a token that may not read: lines are a convenience.
    if (error instanceof ForbiddenError)
      lacking.push(`${lackingLine(error)} Without it no rule is annotated on its line.`);
    return [];
  }
}

function dataRules(model: ModelReport, declared: LoadedModel): Annotation[] {
  return model.data.flatMap((report) => {
    const { name } = report.dataset;
    const checks = declared.data[name]?.checks ?? [];
    return report.checks.flatMap((check): Annotation[] => {
      const index = checks.findIndex((one) => checkId(one) === check.id);
      if (index < 0 || check.verdict === 'pass' || check.verdict === 'skipped') return [];
      const line = declared.lineOf(['data', name, 'checks', index]);
      const title = `${model.name}: ${name}`;
      return [annotation(declared.file, line, check.verdict === 'warn', title, checkMessage(report, check))];
    });
  });
}

function gates(model: ModelReport, declared: LoadedModel): Annotation[] {
  const { metrics = [], slices = [], environments = [] } = model.comparison ?? {};
  const rules = (measured: readonly Measured[], gates: readonly Gate[], path: YamlPath, title: string, warns = false) =>
    measured.flatMap((metric): Annotation[] => {
      const index = gates.findIndex((gate) => gate.metric === metric.name);
      if (index < 0 || metric.gate === 'pass' || metric.gate === 'skipped') return [];
      const line = declared.lineOf([...path, index]);
      const message = phraseText(metricSentence(metric));
      return [annotation(declared.file, line, warns || isPassing(metric.gate), title, message)];
    });
  return [
    ...rules([...metrics, ...slices], declared.gates, ['gates'], `${model.name}: gate`),
    // They stop no check: the promotion there is what they stop.
    ...(declared.deploy?.environments ?? []).flatMap(({ name, gates = [] }, place) => {
      const there = environments.find((environment) => environment.name === name);
      const path = ['deploy', 'environments', place, 'gates'];
      return rules(
        [...(there?.metrics ?? []), ...(there?.slices ?? [])],
        gates,
        path,
        `${model.name}: gate of ${name}`,
        true,
      );
    }),
  ];
}

function annotation(path: string, line: number, warns: boolean, title: string, message: string): Annotation {
  return { path, startLine: line, endLine: line, level: warns ? 'warning' : 'failure', title, message };
}
