import { ConfigurationError } from '@passloop/core';
import type { LoadedModel, Train } from '@passloop/model';

/** Set by the runner to what the machine has, so no declaration may set them. */
const reserved = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'VIRTUAL_ENV',
  'PYTHONNOUSERSITE',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONUNBUFFERED',
]);

/**
 * What every stage gets unless the model file declares otherwise: a clock and a locale that don't depend on the machine, and
 * one thread, since the number of threads changes float sums and is stored in some models. It is part of `runkey/1`:
 * another value here needs another version of the key.
 */
const pinned: Readonly<Record<string, string>> = {
  TZ: 'UTC',
  LC_ALL: 'C.UTF-8',
  LANG: 'C.UTF-8',
  PYTHONHASHSEED: '0',
  SOURCE_DATE_EPOCH: '0',
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  NUMEXPR_NUM_THREADS: '1',
  VECLIB_MAXIMUM_THREADS: '1',
  CUBLAS_WORKSPACE_CONFIG: ':4096:8',
};

/**
 * The whole environment of a stage. Seeds arrive as `PASSLOOP_SEED_<NAME>` in upper case; `PYTHONHASHSEED` by its own name.
 * @param folders of the environment's programs (`bin` comes first on PATH), and two that are empty
 */
export function stageEnvironment(
  train: Train,
  folders: { bin: string; home: string; temporary: string },
): Record<string, string> {
  const seeds = Object.entries(train.seeds).map(([name, value]) => [seedVariable(name), String(value)]);
  return {
    ...pinned,
    ...train.variables,
    ...Object.fromEntries(seeds),
    PATH: `${folders.bin}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folders.home,
    TMPDIR: folders.temporary,
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    // Progress is seen when it is made, and the last lines before a time limit are not lost.
    PYTHONUNBUFFERED: '1',
  };
}

function seedVariable(name: string): string {
  return name === 'PYTHONHASHSEED' ? name : `PASSLOOP_SEED_${name.toUpperCase()}`;
}

/** @throws ConfigurationError with the line of a variable that the runner sets itself, or of two seeds with one name */
export function checkVariables(model: LoadedModel, train: Train): void {
  function fail(path: (string | number)[], message: string): ConfigurationError {
    const line = model.lineOf(path);
    return new ConfigurationError(`${model.file}:${line}: ${message}.`, { file: model.file, line });
  }
  const seeds = new Set<string>();
  for (const name of Object.keys(train.seeds)) {
    const variable = seedVariable(name);
    if (seeds.has(variable)) throw fail(['train', 'seeds', name], `two seeds are both ${variable} for the stages`);
    seeds.add(variable);
  }
  for (const name of Object.keys(train.variables)) {
    const path = ['train', 'variables', name];
    if (reserved.has(name)) throw fail(path, `the variable ${name} is set by the runner and cannot be declared`);
    if (seeds.has(name) || name.startsWith('PASSLOOP_SEED_'))
      throw fail(path, `the variable ${name} is a seed; declare it under \`seeds\``);
  }
}
