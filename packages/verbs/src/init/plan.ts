import { PassloopError, plainText } from '@passloop/core';
import { parseModelFile } from '@passloop/model';
import type { SuiteWorkflowName } from '../doctor/suite-workflow.ts';
import { suiteWorkflowNames, suiteWorkflows } from '../doctor/suite-workflow.ts';
import type { WorkflowFile } from '../doctor/workflow-file.ts';
import { guessColumns } from './columns.ts';
import { dvcPipeline } from './dvc.ts';
import { mlprojectPipeline } from './mlproject.ts';
import { decisionsOf, type ImportedChecks, type ModelFileContent, modelFileText } from './model-file-text.ts';
import { type Pipeline, type PipelineSource, plainName } from './pipeline.ts';
import { findScript, scriptPipeline } from './script.ts';
import type { Survey } from './survey.ts';

export type InitOptions = {
  /** Only the workflows. */
  workflows: boolean;
  /** The workflows of a deploy repository, and no model file. */
  deploy: boolean;
  /** Who owns overrides and workflows, as CODEOWNERS writes it. */
  owners: string | null;
  /** The ref at which workflows call Passloop; null keeps the template's own. */
  release: string | null;
  /** Checks of another tool, for the first dataset. */
  imported: ImportedChecks | null;
};

/** A file to write, by its path from the repository's top. `append` adds to what is there, `create` needs that nothing is. */
export type PlannedFile = { path: string; change: 'create' | 'append'; text: string };

export type InitPlan = {
  files: PlannedFile[];
  /** What was there already, and stays as it is. */
  kept: string[];
  /** What a person must decide, with the file and the line. */
  decisions: string[];
};

/** What is missing, as files. Touches nothing. */
export function planInit(survey: Survey, options: InitOptions): InitPlan {
  const plan: InitPlan = { files: [], kept: [], decisions: [] };
  const isWhole = !options.workflows && !options.deploy;
  if (isWhole) planModelFile(survey, options, plan);
  planWorkflows(survey, options, plan);
  if (isWhole) planIgnored(survey, plan);
  if (!options.workflows) planOwners(survey, options, plan);
  return plan;
}

function planModelFile(survey: Survey, { imported }: InitOptions, plan: InitPlan): void {
  if (survey.modelFiles.length > 0) {
    plan.kept.push(...survey.modelFiles);
    if (imported !== null)
      plan.decisions.push(
        `The checks of ${plainText(imported.source)} are not taken over, since a model file is there: \`passloop data suggest --from FILE\` prints them.`,
      );
    return;
  }
  const file = survey.folder === '' ? 'passloop.yaml' : `${survey.folder}/passloop.yaml`;
  const source: PipelineSource = {
    files: survey.files,
    texts: survey.texts,
    datasets: new Map(survey.datasets.map(({ path, name }) => [path, name])),
  };
  const pipeline = pipelineOf(source);
  const { name } = survey;
  const model = plainName(
    survey.folder === '' ? (name?.split('/')[1] ?? survey.folderName) : survey.folderName,
    'model',
  );
  const tables = survey.datasets.map((dataset) => ({ dataset, table: survey.tables.get(dataset.path) ?? null }));
  const leading =
    tables.find(({ dataset, table }) => dataset.name === 'train' && table !== null) ??
    tables.find(({ table }) => table !== null);
  const owner = survey.isOnGithub ? name?.split('/')[0]?.toLowerCase() : undefined;
  const content: ModelFileContent = {
    name: model,
    guess: guessColumns(leading?.table ?? null, leading?.table?.rows ?? null),
    datasets: tables.map(({ dataset, table }) => ({
      ...dataset,
      columns: table?.columns ?? null,
      suggestions: table?.suggestions ?? [],
    })),
    pipeline,
    python: pipeline?.python ?? survey.python,
    lock: survey.lock,
    imported,
    store: owner !== undefined && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(owner) ? `ghcr.io/${owner}/${model}-runs` : null,
  };
  const { text, problem } = loadable(content, file);
  plan.files.push({ path: file, change: 'create', text });
  plan.decisions.push(...decisionsOf(text).map(({ line, what }) => `${plainText(file)}:${line} ${what}`));
  if (imported !== null && imported.left > 0)
    plan.decisions.push(
      `${imported.left} checks of ${plainText(imported.source)} could not be mapped; they stand as comments beside those that were.`,
    );
  plan.decisions.push(...(problem === null ? [] : [problem]), ...(pipeline?.left ?? []), ...survey.left);
}

/** What is written must load. A pipeline that the model file can't say (it's somebody else's) is left out. */
function loadable(content: ModelFileContent, file: string): { text: string; problem: string | null } {
  const text = modelFileText(content);
  try {
    parseModelFile(text, file);
    return { text, problem: null };
  } catch (error) {
    if (!(error instanceof PassloopError) || content.pipeline === null) throw error;
    const without = modelFileText({ ...content, pipeline: null });
    parseModelFile(without, file);
    const said = plainText(error.message.replace(/^[^ ]+: /, ''), 300);
    return { text: without, problem: `${content.pipeline.source} was not taken over: ${said}` };
  }
}

/** The first that describes training: DVC, MLflow, a script. What one of them leaves out is told in any case. */
function pipelineOf(source: PipelineSource): Pipeline | null {
  const dvc = source.texts.get('dvc.yaml');
  const found = dvc === undefined ? null : dvcPipeline(dvc, source);
  if (found !== null && found.stages.length > 0) return found;
  const project = source.texts.get('MLproject');
  const ml = project === undefined ? null : mlprojectPipeline(project, source);
  const script = findScript(source.files);
  const next = ml ?? (script === null ? null : scriptPipeline(script, source));
  return next === null ? found : { ...next, left: [...(found?.left ?? []), ...next.left] };
}

function planWorkflows(survey: Survey, options: InitOptions, plan: InitPlan): void {
  const role = options.deploy ? 'deploy' : 'model';
  for (const name of suiteWorkflowNames.filter((one) => suiteWorkflows[one].repository === role)) {
    const path = `.github/workflows/${name}.yml`;
    const caller = survey.workflows.find((file) => callsOf(file).includes(name));
    const template = survey.templates.get(name);
    if (caller !== undefined) plan.kept.push(caller.file);
    else if (survey.workflows.some((file) => file.file === path)) {
      plan.decisions.push(`${path} is there and doesn't call Passloop's ${name}.yml: rename it, and run this again.`);
    } else if (template === undefined) plan.decisions.push(`This build of Passloop has no template of ${name}.yml.`);
    else {
      plan.files.push({
        path,
        change: 'create',
        text: filledTemplate(template, survey.defaultBranch, options.release),
      });
    }
  }
}

function callsOf(file: WorkflowFile): SuiteWorkflowName[] {
  return file.callers.map((caller) => caller.workflow);
}

/** A starter workflow as GitHub fills it in, with the release that is wanted. */
function filledTemplate(template: string, defaultBranch: string, release: string | null): string {
  const branch = /^[\w./-]+$/.test(defaultBranch) ? defaultBranch : JSON.stringify(defaultBranch);
  const text = template.replaceAll('$default-branch', () => branch);
  if (release === null) return text;
  return text.replace(
    /(uses:\s*[\w.-]+\/[\w.-]+\/\.github\/workflows\/[\w-]+\.yml)@\S+(?:[ \t]+#[^\n]*)?/g,
    (_, call: string) => `${call}@${release}`,
  );
}

const ignoredFolders = ['.passloop/out/', '.passloop/store/'];

function planIgnored(survey: Survey, plan: InitPlan): void {
  const present = new Set((survey.ignored ?? '').split('\n').map((line) => line.trim().replace(/^\//, '')));
  const missing = ignoredFolders.filter((folder) => !present.has(folder) && !present.has(folder.slice(0, -1)));
  if (missing.length === 0) plan.kept.push('.gitignore');
  else plan.files.push(added('.gitignore', survey.ignored, missing));
  if (present.has('.passloop/') || present.has('.passloop')) {
    plan.decisions.push(
      '.gitignore leaves out all of .passloop/: overrides in it could not be committed. Name .passloop/out/ and .passloop/store/ alone.',
    );
  }
}

function planOwners(survey: Survey, options: InitOptions, plan: InitPlan): void {
  const wanted = options.deploy ? ['/.github/', '/.passloop/'] : ['/.github/', '/.passloop/overrides/'];
  const { file, text } = survey.owners ?? { file: '.github/CODEOWNERS', text: null };
  const named = new Set((text ?? '').split('\n').map((line) => line.trim().split(/\s+/)[0] ?? ''));
  const missing = wanted.filter((folder) => !named.has(folder) && !named.has(folder.slice(1)));
  if (missing.length === 0) {
    plan.kept.push(file);
    return;
  }
  if (options.owners === null) {
    plan.decisions.push(
      `${file} gives no owner to ${missing.join(' and ')}: say who with --owners @OWNER/TEAM, or write the lines by hand.`,
    );
    return;
  }
  plan.files.push(
    added(
      file,
      text,
      missing.map((folder) => `${folder} ${options.owners}`),
    ),
  );
}

function added(path: string, before: string | null, lines: readonly string[]): PlannedFile {
  if (before === null) return { path, change: 'create', text: `${lines.join('\n')}\n` };
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return { path, change: 'append', text: `${gap}${lines.join('\n')}\n` };
}
