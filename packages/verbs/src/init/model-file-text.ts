import { plainText } from '@passloop/core';
import { type Suggestion, suggestionText } from '@passloop/data';
import type { TableColumn } from '@passloop/tables';
import type { ColumnGuess } from './columns.ts';
import type { FoundDataset } from './data-files.ts';
import type { FoundStage, Pipeline } from './pipeline.ts';
import { outputKinds } from './script.ts';
import { yamlList, yamlScalar } from './yaml-scalar.ts';

/** Lines of YAML, and how many checks of the source they could not say. */
export type ImportedChecks = { source: string; lines: readonly string[]; left: number };

export type ModelFileContent = {
  name: string;
  guess: ColumnGuess;
  datasets: readonly (FoundDataset & {
    columns: readonly TableColumn[] | null;
    /** Checks that the table passes. */
    suggestions: readonly Suggestion[];
  })[];
  pipeline: Pipeline | null;
  python: string | null;
  /** A requirements lock with hashes. */
  lock: string | null;
  /** Checks of another tool, for the dataset that trains or else the first one. */
  imported: ImportedChecks | null;
  /** Where runs are kept; null leaves the default. */
  store: string | null;
};

const decide = '# decide:';
const mostColumns = 200;
const mostSuggestions = 40;

/** The text of a passloop.yaml: what was found as values, and a comment that begins with `decide:` where a person must choose. */
export function modelFileText(content: ModelFileContent): string {
  const { guess } = content;
  const lines = [
    '# What this model is: its data, how it is trained, what decides. docs/model-file.md of Passloop explains every key.',
    `# \`passloop init\` wrote what it found. Lines with "${decide.slice(2)}" need a person.`,
    'version: 1',
    'models:',
    `  - name: ${yamlScalar(content.name)}`,
    guess.task === null
      ? `    task: binary ${decide} binary, multiclass, regression, ranking or forecast`
      : `    task: ${guess.task} # ${guess.reason}`,
    '    columns:',
    guess.key === null
      ? `      key: [id] ${decide} the columns that name a row; no two rows agree in all of them`
      : `      key: ${yamlList([guess.key])}`,
    guess.label === null
      ? `      label: label ${decide} the column of the truth`
      : `      label: ${yamlScalar(guess.label)}`,
    '      # Columns of a predictions file:',
    '      # score: score # a probability, or another number that ranks',
    '      # prediction: prediction # the class, or the value',
    '      # positive: 1 # the positive class of a binary model',
    '',
    ...dataLines(content),
    '',
    ...(content.pipeline === null || content.pipeline.stages.length === 0
      ? trainTemplate
      : trainLines(content, content.pipeline.stages)),
    '',
    ...evaluateLines(content),
    '',
    ...gateTemplate,
    '',
    ...packageTemplate(content),
    '',
    content.store === null
      ? '    # store: {oci: ghcr.io/OWNER/MODEL-runs} # where workflows keep runs; a package of its own, private'
      : `    store: {oci: ${yamlScalar(content.store)}}`,
    '',
    ...deployTemplate,
  ];
  return `${lines.join('\n')}\n`;
}

/** The lines of a model file that a person must look at. */
export function decisionsOf(text: string): { line: number; what: string }[] {
  return text.split('\n').flatMap((line, index) => {
    const at = line.indexOf(` ${decide} `);
    if (at < 0) return [];
    const key = /^[\s-]*([\w.-]+):/.exec(line)?.[1] ?? '';
    return [{ line: index + 1, what: `\`${key}\`: ${line.slice(at + decide.length + 2)}` }];
  });
}

function dataLines(content: ModelFileContent): string[] {
  if (content.datasets.length === 0) {
    return [
      `    data: {} ${decide} no table was found; name each as below`,
      '    #   train: {path: data/train.parquet, checks: [{kind: row-count, min: 1}]}',
    ];
  }
  const importedAt = Math.max(
    0,
    content.datasets.findIndex(({ name }) => name === 'train'),
  );
  return [
    '    data:',
    ...content.datasets.flatMap(({ name, path, columns, suggestions }, index) => [
      `      ${yamlScalar(name)}:`,
      `        path: ${yamlScalar(path)}`,
      '        checks:',
      ...columnsCheck(columns),
      ...(content.imported !== null && index === importedAt
        ? importedLines(content.imported)
        : [...usualChecks(columns, content), ...suggestedChecks(suggestions, content.guess)]),
    ]),
  ];
}

function importedLines({ source, lines }: ImportedChecks): string[] {
  return [`          # from ${plainText(source, 200)}`, ...lines.map((line) => `          ${line}`)];
}

function usualChecks(columns: readonly TableColumn[] | null, content: ModelFileContent): string[] {
  return [
    '          - {kind: row-count, min: 1}',
    ...(has(columns, content.guess.key)
      ? [`          - {kind: unique, columns: ${yamlList([content.guess.key ?? ''])}}`]
      : []),
    ...(has(columns, content.guess.label)
      ? [`          - {kind: not-null, column: ${yamlScalar(content.guess.label ?? '')}}`]
      : []),
  ];
}

/** What the data says beside the usual: each line with its reason, to keep or to cut. */
function suggestedChecks(suggestions: readonly Suggestion[], { label }: ColumnGuess): string[] {
  const more = suggestions.filter(
    ({ check }) =>
      !['columns', 'row-count', 'unique'].includes(check.kind) &&
      !(check.kind === 'not-null' && 'column' in check && check.column === label),
  );
  if (more.length === 0) return [];
  const shown = suggestionText(more.slice(0, mostSuggestions), []).trimEnd().split('\n');
  const left = more.length - shown.length;
  return [
    '          # what the data passes today, and why it is here: keep what is a rule',
    ...shown.map((line) => `          ${line}`),
    ...(left > 0 ? [`          # and ${left} more: passloop data suggest`] : []),
  ];
}

function has(columns: readonly TableColumn[] | null, name: string | null): boolean {
  return (columns ?? []).some((column) => column.name === name);
}

function columnsCheck(columns: readonly TableColumn[] | null): string[] {
  // No reader takes the key `__proto__`.
  const known = (columns ?? []).filter(({ name }) => name !== '' && name.length <= 256 && name !== '__proto__');
  if (known.length === 0 || known.length > mostColumns) return [];
  return [
    '          - kind: columns',
    '            types:',
    ...known.map(({ name, type }) => `              ${yamlScalar(name)}: ${type}`),
  ];
}

function trainLines(content: ModelFileContent, stages: readonly FoundStage[]): string[] {
  const { pipeline, python, lock } = content;
  return [
    `    train: # from ${plainText(pipeline?.source ?? '', 120)}`,
    '      environment:',
    python === null
      ? `        python: "3.11" ${decide} the version that trains`
      : `        python: ${JSON.stringify(python)}`,
    lock === null
      ? `        lock: requirements.lock ${decide} requirements with hashes: uv pip compile --generate-hashes requirements.in -o requirements.lock`
      : `        lock: ${yamlScalar(lock)}`,
    '      seeds: {PYTHONHASHSEED: 0} # a seed NAME: N comes to a stage as PASSLOOP_SEED_NAME',
    '      stages:',
    ...stages.flatMap(stageLines),
  ];
}

function stageLines(stage: FoundStage): string[] {
  const { params } = stage;
  return [
    `        - name: ${yamlScalar(stage.name)}${stage.decide === null ? '' : ` ${decide} ${stage.decide}`}`,
    `          run: ${yamlList(stage.run)}`,
    `          code: ${yamlList(stage.code)}`,
    ...(stage.data.length === 0 ? [] : [`          data: ${yamlList(stage.data)}`]),
    ...(stage.needs.length === 0 ? [] : [`          needs: ${yamlList(stage.needs)}`]),
    ...(params === null
      ? []
      : [
          params.keys.length === 0
            ? `          params: {file: ${yamlScalar(params.file)}}`
            : `          params: {file: ${yamlScalar(params.file)}, keys: ${yamlList(params.keys)}}`,
        ]),
    `          outputs: ${yamlList(stage.outputs)}`,
  ];
}

function outputsOf(content: ModelFileContent): string[] {
  return (content.pipeline?.stages ?? []).flatMap((stage) => stage.outputs);
}

function evaluateLines(content: ModelFileContent): string[] {
  const outputs = outputsOf(content);
  const predictions = outputs.find(outputKinds.predictions);
  const metrics = outputs.find(outputKinds.metrics);
  const dataset =
    content.datasets.find(({ name }) => name === 'test') ?? content.datasets.find(({ name }) => name === 'validation');
  if (predictions === undefined || dataset === undefined) {
    return [
      '    # On which rows candidate and production are compared. Needs a stage that writes predictions, with the key.',
      `    # evaluate: {dataset: ${plainText(dataset?.name ?? 'test')}, predictions: out/predictions.parquet, metrics: out/metrics.json}`,
    ];
  }
  const more = metrics === undefined ? '' : `, metrics: ${yamlScalar(metrics)}`;
  return [`    evaluate: {dataset: ${yamlScalar(dataset.name)}, predictions: ${yamlScalar(predictions)}${more}}`];
}

const trainTemplate = [
  '    # How it is trained. Without it a check validates the data and says that nothing else was reached.',
  '    # train:',
  '    #   environment: {python: "3.11", lock: requirements.lock}',
  '    #   stages:',
  '    #     - {name: fit, run: [python, train.py], code: [train.py], data: [train], outputs: [out/model.joblib]}',
];

const gateTemplate = [
  '    # What decides: how much worse than production is allowed (margin), and what holds in any case (min, max).',
  '    # gates:',
  '    #   - {metric: roc_auc, direction: higher, margin: 0.005, min: 0.65}',
];

function packageTemplate(content: ModelFileContent): string[] {
  const model = outputsOf(content).find(outputKinds.model) ?? 'out/model.joblib';
  return [
    '    # The image that serves it. `base` is pinned: docker buildx imagetools inspect python:3.11-slim names its digest.',
    '    # package:',
    `    #   model: ${plainText(yamlScalar(model), 200)}`,
    '    #   requirements: serve.lock',
    '    #   signature: signature.json',
    '    #   base: python:3.11-slim@sha256:DIGEST',
    '    #   repository: ghcr.io/OWNER/MODEL',
  ];
}

const deployTemplate = [
  '    # Where it runs: a repository that Argo CD or Flux applies.',
  '    # deploy:',
  '    #   repository: OWNER/deploy',
  '    #   environments:',
  '    #     - {name: prod, targets: [{kind: kustomize, file: apps/MODEL/prod/kustomization.yaml, image: ghcr.io/OWNER/MODEL}]}',
];
