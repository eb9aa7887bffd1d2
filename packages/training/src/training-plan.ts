import { ConfigurationError, type GitRepository, type TreeEntry } from '@passloop/core';
import type { DatasetIdentity, KeyDocument, NamedValue, StageInputs } from '@passloop/documents';
import {
  type DataLock,
  fromRoot,
  type LoadedModel,
  type LockedDataset,
  lockedDataset,
  lockFileName,
  parseLock,
  type Stage,
  type Train,
} from '@passloop/model';
import { type CodeFile, codeFiles } from './code-files.ts';
import { flattenParams, formatParams, readParams, selectParams } from './params.ts';
import { keyDocument, stageKey } from './run-key.ts';
import { checkVariables } from './stage-environment.ts';

/** A dataset that a stage reads: where it lies, and what the lock says that it is. */
export type PlannedDataset = { name: string; path: string | null; uri: string; locked: LockedDataset };

export type PlannedStage = {
  stage: Stage;
  /** 1-based, in the model file. */
  line: number;
  inputs: StageInputs;
  key: string;
  code: CodeFile[];
  data: PlannedDataset[];
  /** The params file as the stage gets it. */
  params: { path: string; text: string } | null;
};

/** All that a run needs, read from one commit's objects: no work tree, no data, no network. */
export type TrainingPlan = {
  model: LoadedModel;
  train: Train;
  commit: string;
  key: KeyDocument;
  stages: PlannedStage[];
  /** The lock of the environment, or null where an image is declared. */
  requirements: { file: string; text: string } | null;
  data: DatasetIdentity[];
  params: NamedValue[];
  seeds: NamedValue[];
  environment: StageInputs['environment'];
};

/**
 * Reads what determines a run, and its key.
 * @param commit full id; everything is read from it
 * @throws ConfigurationError with file and line for what is declared and not there
 */
export async function planTraining(
  repository: GitRepository,
  commit: string,
  model: LoadedModel,
): Promise<TrainingPlan> {
  const train = model.train;
  if (train === undefined) {
    throw new ConfigurationError(`${model.file}: the model ${model.name} has no \`train\` section.`, {
      file: model.file,
      line: model.lineOf(['name']),
    });
  }
  checkVariables(model, train);
  const entries = await repository.listFiles(commit, model.folder);
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const codes = train.stages.map((stage, index) => codeFiles(model, index, stage.code, entries));
  const lockEntry = byPath.get(fromRoot(model, lockFileName));
  const extras: TreeEntry[] = [];
  function wanted(relative: string, path: (string | number)[], what: string): TreeEntry {
    const entry = byPath.get(fromRoot(model, relative));
    if (entry === undefined || (entry.mode !== '100644' && entry.mode !== '100755')) {
      const line = model.lineOf(path);
      throw new ConfigurationError(
        `${model.file}:${line}: ${what} ${JSON.stringify(relative)} is no file of the commit.`,
        { file: model.file, line, hint: 'Is it committed? The path is relative to the model file.' },
      );
    }
    extras.push(entry);
    return entry;
  }
  const requirements =
    'lock' in train.environment
      ? {
          entry: wanted(train.environment.lock, ['train', 'environment', 'lock'], 'lock'),
          file: train.environment.lock,
        }
      : null;
  const paramEntries = train.stages.map((stage, index) =>
    stage.params === undefined
      ? null
      : wanted(stage.params.file, ['train', 'stages', index, 'params', 'file'], 'params file'),
  );
  if (lockEntry !== undefined) extras.push(lockEntry);
  const [digests, texts] = await Promise.all([
    repository.hashBlobs([...codes.flat(), ...extras].map((entry) => entry.oid)),
    repository.readBlobs(extras.map((entry) => entry.oid)),
  ]);
  function digestOf(oid: string): string {
    return digests.get(oid) as string;
  }
  function textOf(entry: TreeEntry): string {
    return (texts.get(entry.oid) as Buffer).toString('utf8');
  }

  const lockFile = fromRoot(model, lockFileName);
  const lock = lockEntry === undefined ? null : parseLock(textOf(lockEntry), lockFile);
  const environment: StageInputs['environment'] =
    'image' in train.environment
      ? {
          image: train.environment.image.slice(train.environment.image.indexOf('@') + 1),
          lock: null,
          python: null,
          platform: train.environment.platform,
        }
      : {
          image: null,
          lock: requirements === null ? null : digestOf(requirements.entry.oid),
          python: train.environment.python,
          platform: train.environment.platform,
        };
  const seeds = named(Object.entries(train.seeds).map(([name, value]) => [name, String(value)]));
  const variables = named(Object.entries(train.variables));

  checkOutputs(model, train, codes);
  const stages: PlannedStage[] = [];
  for (const [index, stage] of train.stages.entries()) {
    const data = [...new Set(stage.data)].sort().map((name) => plannedDataset(model, lock, lockFile, name));
    const entry = paramEntries[index] ?? null;
    const params = entry === null ? null : stageParams(model, index, stage, textOf(entry));
    const code = codes[index] ?? [];
    const inputs: StageInputs = {
      schema: 'runkey/1',
      stage: stage.name,
      command: stage.run,
      code: code.map((file) => ({ path: file.path, mode: file.mode, digest: digestOf(file.oid) })),
      data: data.map((dataset) => ({ name: dataset.name, digest: dataset.locked.digest })),
      params: params?.values ?? [],
      environment,
      variables,
      seeds,
      outputs: [...stage.outputs].sort(),
      upstream: [...new Set(stage.needs)].sort().map((name) => {
        const needed = stages.find((earlier) => earlier.stage.name === name) as PlannedStage;
        return { stage: name, key: needed.key };
      }),
    };
    stages.push({
      stage,
      line: model.lineOf(['train', 'stages', index]),
      inputs,
      key: stageKey(inputs),
      code,
      data,
      params: params === null || stage.params === undefined ? null : { path: stage.params.file, text: params.text },
    });
  }

  const datasets = new Map(stages.flatMap((stage) => stage.data).map((dataset) => [dataset.name, dataset]));
  return {
    model,
    train,
    commit,
    key: keyDocument(model.name, stages),
    stages,
    requirements:
      requirements === null ? null : { file: fromRoot(model, requirements.file), text: textOf(requirements.entry) },
    data: [...datasets.values()]
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .map(({ name, uri, locked }) => ({ name, uri, digest: locked.digest, rows: locked.rows })),
    params: allParams(stages),
    seeds,
    environment,
  };
}

/** The key document of a model at a commit: what `train key` prints. */
export async function trainingKey(repository: GitRepository, commit: string, model: LoadedModel): Promise<KeyDocument> {
  return (await planTraining(repository, commit, model)).key;
}

function plannedDataset(model: LoadedModel, lock: DataLock | null, lockFile: string, name: string): PlannedDataset {
  const source = model.data[name];
  const uri = source?.path ?? source?.uri ?? name;
  return { name, path: source?.path ?? null, uri, locked: lockedDataset(lock, uri, lockFile) };
}

/**
 * What a stage gets must not lie where a result is expected: a committed file would pass for one that the stage wrote.
 * @throws ConfigurationError with the line of the output
 */
function checkOutputs(model: LoadedModel, train: Train, codes: readonly CodeFile[][]): void {
  const given = new Map<string, string>();
  for (const file of codes.flat()) given.set(file.path, 'code');
  for (const stage of train.stages) {
    if (stage.params !== undefined) given.set(stage.params.file, 'a params file');
    for (const name of stage.data) {
      const place = model.data[name]?.path;
      if (place !== undefined) given.set(place, `the dataset ${name}`);
    }
  }
  for (const [index, stage] of train.stages.entries()) {
    for (const [place, output] of stage.outputs.entries()) {
      for (const [file, what] of given) {
        if (file !== output && !file.startsWith(`${output}/`) && !output.startsWith(`${file}/`)) continue;
        const line = model.lineOf(['train', 'stages', index, 'outputs', place]);
        throw new ConfigurationError(
          `${model.file}:${line}: the output ${JSON.stringify(output)} lies where ${what} does: ${file}.`,
          { file: model.file, line, hint: 'Let the stage write to a place of its own, such as out/.' },
        );
      }
    }
  }
}

function stageParams(model: LoadedModel, index: number, stage: Stage, text: string) {
  const file = fromRoot(model, stage.params?.file ?? '');
  const whole = readParams(text, file);
  const keys = stage.params?.keys;
  if (keys === undefined) return { values: flattenParams(whole), text: formatParams(whole) };
  const result = selectParams(whole, keys);
  if ('missing' in result) {
    const line = model.lineOf(['train', 'stages', index, 'params', 'keys']);
    throw new ConfigurationError(`${model.file}:${line}: ${file} has no key ${JSON.stringify(result.missing)}.`, {
      file: model.file,
      line,
      hint: `It has: ${result.known.slice(0, 20).join(', ') || 'nothing'}.`,
    });
  }
  return { values: flattenParams(result.selected), text: formatParams(result.selected) };
}

/** Params of all stages; one that two stages read with two values is named with its stage. */
function allParams(stages: readonly PlannedStage[]): NamedValue[] {
  const values = new Map<string, Set<string>>();
  for (const { inputs } of stages) {
    for (const { name, value } of inputs.params) values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  const all = stages.flatMap(({ inputs }) =>
    inputs.params.map(({ name, value }): [string, string] => [
      values.get(name)?.size === 1 ? name : `${inputs.stage}:${name}`,
      value,
    ]),
  );
  return named([...new Map(all)]);
}

function named(entries: readonly [string, string][]): NamedValue[] {
  return entries
    .map(([name, value]) => ({ name, value }))
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}
