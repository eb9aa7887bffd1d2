import { isInsidePath } from '@passloop/core';
import { tableFormat } from '@passloop/tables';
import { commandArguments, type FoundStage, type Pipeline, type PipelineSource, separatePaths } from './pipeline.ts';

const scriptNames = ['train.py', 'training.py', 'fit.py', 'train_model.py'];
const modelFile = /\.(joblib|pkl|pickle)$/i;
const metricsFile = /metrics?[\w-]*\.json$/i;
const predictionsFile = /(predictions?|scores?)[\w.-]*$/i;

/** The training script that lies highest; null where none has one of the usual names. */
export function findScript(files: readonly string[]): string | null {
  const found = files.filter(
    (file) => scriptNames.includes(file.split('/').at(-1) ?? '') && !/(^|\/)(tests?|examples?)\//.test(file),
  );
  const rank = (file: string) => file.split('/').length * 10 + scriptNames.indexOf(file.split('/').at(-1) ?? '');
  return found.sort((left, right) => rank(left) - rank(right) || (left < right ? -1 : 1))[0] ?? null;
}

/** One stage that runs a training script, with what the strings in it name. */
export function scriptPipeline(script: string, source: PipelineSource): Pipeline {
  return {
    source: script,
    python: null,
    left: [],
    stages: [scriptStage({ name: 'fit', script, run: runOf(script, source.files) }, source)],
  };
}

/** A stage around a script. What it reads and writes is guessed from the paths that stand in it as text. */
export function scriptStage(
  stage: { name: string; script: string | null; run: string[] },
  source: PipelineSource,
): FoundStage {
  const text = stage.script === null ? '' : (source.texts.get(stage.script) ?? '');
  const literals = pathLiterals(text);
  const outputs = separatePaths(literals.filter((path) => isOutput(path) && !source.files.includes(path)));
  const named = [...source.datasets].filter(([path]) => literals.includes(path)).map(([, name]) => name);
  const params = ['params.yaml', 'params.yml', 'params.json'].find(
    (file) => source.files.includes(file) && text.includes(file),
  );
  const hasModel = outputs.some((path) => modelFile.test(path));
  const isBare = outputs.some((path) => !path.includes('/'));
  return {
    name: stage.name,
    run: stage.run,
    code: stage.script === null ? ['**/*.py'] : codeOf(stage.script, source.files),
    data: named.length > 0 ? named : [...source.datasets.values()],
    params: params === undefined ? null : { file: params, keys: [] },
    outputs: hasModel ? outputs : separatePaths([...outputs, 'out/model.joblib']),
    needs: [],
    decide: !hasModel
      ? 'outputs are the files that the stage writes; no model file was found'
      : isBare
        ? 'outputs are names that stand in the script; write the folder before them, if there is one'
        : null,
  };
}

function runOf(script: string, files: readonly string[]): string[] {
  const folder = script.split('/').slice(0, -1);
  const isPackage = folder.length > 0 && files.includes(`${folder.join('/')}/__init__.py`);
  const isModule = isPackage && folder.every((part) => /^[A-Za-z_]\w*$/.test(part));
  return isModule
    ? ['python', '-m', [...folder, script.split('/').at(-1)?.replace(/\.py$/, '')].join('.')]
    : ['python', script];
}

/** A script in the top folder may use its neighbours, one in a folder all of that folder. */
function codeOf(script: string, files: readonly string[]): string[] {
  const [folder = '', ...below] = script.split('/');
  if (below.length > 0) return [`${folder}/**`];
  return files.some((file) => !file.includes('/') && file.endsWith('.py') && file !== script) ? ['*.py'] : [script];
}

/** The script that a command runs, where it is a file of the folder. */
export function scriptOf(command: string, files: readonly string[]): string | null {
  const parts = commandArguments(command);
  const found = parts.find((part) => part.endsWith('.py') && files.includes(part));
  if (found !== undefined) return found;
  const module = parts[parts.indexOf('-m') + 1];
  if (!parts.includes('-m') || module === undefined) return null;
  const file = `${module.replaceAll('.', '/')}.py`;
  return files.includes(file) ? file : null;
}

/** Text in quotes that is a path inside the folder. */
function pathLiterals(text: string): string[] {
  const found = new Set<string>();
  for (const [, , literal = ''] of text.matchAll(/(["'])([\w./ -]{1,200})\1/g)) {
    const path = literal.replace(/^\.\//, '');
    if (/\.\w{2,8}$/.test(path) && isInsidePath(path) && !path.includes('//') && path === path.trim()) found.add(path);
  }
  return [...found];
}

function isOutput(path: string): boolean {
  return modelFile.test(path) || metricsFile.test(path) || (predictionsFile.test(path) && tableFormat(path) !== null);
}

export const outputKinds = {
  model: (path: string) => modelFile.test(path),
  metrics: (path: string) => metricsFile.test(path),
  predictions: (path: string) => predictionsFile.test(path.split('/').at(-1) ?? '') && tableFormat(path) !== null,
} as const;
