import {
  ConfigurationError,
  foldedPath,
  type GitRepository,
  parseYaml,
  plainText,
  refusePrototypeKeys,
  refuseRounded,
  type YamlPath,
  type YamlSource,
} from '@passloop/core';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { modelsWithOwnNames, withOwnNames } from './checks/aliases.ts';
import { Check, checkId, driftProblem, leakageBy } from './checks.ts';
import { withGateDefaults } from './gate-defaults.ts';
import { gateLists } from './gates.ts';
import { metricProblem } from './metric-references.ts';
import { type Environment, type Model, ModelFile, modelFileJsonSchema, reservedKeys } from './schema.ts';

export const modelFileName = 'passloop.yaml';

/** A model with what messages and paths need: its file, the file's folder (`''` for the repository's root), its lines. */
export type LoadedModel = Model & { file: string; folder: string; lineOf(path: YamlPath): number };

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
  const?: string;
};

/**
 * Reads a model file's text.
 * @param file its path in the repository, for messages and for the paths in it, which are relative to its folder
 * @throws ConfigurationError with file, line and, for a mistyped key, the nearest known one
 */
export function parseModelFile(text: string, file: string): LoadedModel[] {
  const source = parseYaml(text, file);
  refuseUnreadable(source);
  const result = ModelFile.safeParse(withGateDefaults(modelsWithOwnNames(source.value)), { reportInput: true });
  if (!result.success) throw schemaError(source, result.error, modelFileJsonSchema() as JsonSchema);
  const names = new Set<string>();
  return result.data.models.map((model, index) => {
    if (names.has(model.name))
      throw at(source, ['models', index, 'name'], `two models are named ${JSON.stringify(model.name)}`);
    names.add(model.name);
    checkReferences(source, model, index);
    const slash = file.lastIndexOf('/');
    return {
      ...model,
      file,
      folder: slash < 0 ? '' : file.slice(0, slash),
      lineOf: (path) => source.lineOf(['models', index, ...path]),
    };
  });
}

/** Mappings whose keys are what the data calls its classes and columns, one level or two. */
const namedByData: ReadonlySet<string | number> = new Set(['types', 'scores', 'costs']);

/** @throws ConfigurationError for what would be read as something else than it says, or not at all */
function refuseUnreadable(source: YamlSource): void {
  refuseRounded(source);
  refusePrototypeKeys(source, (path) => path.slice(-2).some((step) => namedByData.has(step)));
}

/** A list of anything under `checks`, or none. */
const Listed = z.looseObject({ checks: z.array(z.unknown()).optional() }).catch({});

/**
 * Reads checks from a file of their own: a list, or `checks` with a list.
 * @throws ConfigurationError with file, line and, for a mistyped key, the nearest known one
 */
export function parseChecks(text: string, file: string): Check[] {
  const source = parseYaml(text, file);
  refuseUnreadable(source);
  const isList = Array.isArray(source.value);
  const checks = Check.array().max(2000);
  const schema = isList ? checks : z.strictObject({ checks });
  const value = Array.isArray(source.value)
    ? source.value.map(withOwnNames)
    : { ...Listed.parse(source.value), checks: Listed.parse(source.value).checks?.map(withOwnNames) };
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) {
    throw schemaError(source, result.error, z.toJSONSchema(schema, { io: 'input' }) as JsonSchema);
  }
  return Array.isArray(result.data) ? result.data : result.data.checks;
}

/** All models of a commit: every `passloop.yaml` in it, in the order of their paths. */
export async function loadModelsAt(repository: GitRepository, commit: string): Promise<LoadedModel[]> {
  const files = (await repository.listFiles(commit)).filter(
    (entry) => entry.type === 'blob' && (entry.path === modelFileName || entry.path.endsWith(`/${modelFileName}`)),
  );
  const contents = await repository.readBlobs(files.map((entry) => entry.oid));
  const models: LoadedModel[] = [];
  const owners = new Map<string, string>();
  for (const entry of files) {
    for (const model of parseModelFile((contents.get(entry.oid) as Buffer).toString('utf8'), entry.path)) {
      const other = owners.get(model.name);
      if (other !== undefined) {
        throw new ConfigurationError(
          `Two model files name a model ${JSON.stringify(model.name)}: ${other} and ${model.file}.`,
          {
            file: model.file,
            line: model.lineOf(['name']),
            hint: 'The name is the identity in the deploy repository: give each model its own.',
          },
        );
      }
      owners.set(model.name, model.file);
      models.push(model);
    }
  }
  return models;
}

/** The environment that comparisons read: the one marked `production: true`, by default the last. */
export function productionEnvironment(model: Model): Environment | null {
  const environments = model.deploy?.environments ?? [];
  return environments.find((environment) => environment.production === true) ?? environments.at(-1) ?? null;
}

/** Path of a file that a model names, from the repository's root. */
export function fromRoot(model: Pick<LoadedModel, 'folder'>, relative: string): string {
  return model.folder === '' ? relative : `${model.folder}/${relative}`;
}

function at(source: YamlSource, path: YamlPath, message: string, hint?: string): ConfigurationError {
  const where = path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
  const line = source.lineOf(path);
  return new ConfigurationError(`${source.file}:${line}: ${where === '' ? '' : `${where}: `}${message}.`, {
    file: source.file,
    line,
    hint,
  });
}

function schemaError(source: YamlSource, error: z.ZodError, schema: JsonSchema): ConfigurationError {
  const issue = deepest(error.issues);
  const path = issue.path.filter((step): step is string | number => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = knownKeys(schema, path, valueAt(source.value, path));
    if (reservedKeys.has(key)) {
      return at(
        source,
        [...path, key],
        `\`${plainText(key)}\` is reserved for a later version and does nothing yet`,
        'Remove it.',
      );
    }
    const nearest = known.length === 0 ? null : closest(key, known);
    const near = nearest !== null && distance(key, nearest) <= Math.max(2, Math.floor(key.length / 3));
    return at(
      source,
      [...path, key],
      `unknown key \`${plainText(key)}\``,
      near ? `Did you mean \`${nearest}\`?` : `Known here: ${known.sort().join(', ')}.`,
    );
  }
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const known = discriminated(schema, path.slice(0, -1), issue.discriminator);
    const written = plainText(String(valueAt(source.value, path) ?? ''), 60);
    const near = known.length === 0 ? null : closest(written, known);
    const isNear = near !== null && distance(written, near) <= Math.max(2, Math.floor(written.length / 3));
    return at(
      source,
      path,
      written === '' ? `is missing` : `there is no ${issue.discriminator} \`${written}\``,
      isNear ? `Did you mean \`${near}\`?` : `Known: ${known.sort().join(', ')}.`,
    );
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return at(source, path, `is missing; expected ${issue.expected}`);
  }
  return at(source, path, plainText(issue.message.replace(/^Invalid input: /, '').replace(/\.$/, ''), 500));
}

/** Of a union's branches, the issues of the one that got furthest: that is the one the author meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const issue = issues[0] as z.core.$ZodIssue;
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const branches = issue.errors.map((branch) => deepest(branch));
  const inner = branches.reduce((best, branch) => (score(branch) > score(best) ? branch : best));
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function score(issue: z.core.$ZodIssue): number {
  return (
    issue.path.length * 10 +
    (issue.code === 'unrecognized_keys' ? 0 : issue.code === 'invalid_type' && issue.input === undefined ? 1 : 5)
  );
}

/** What stands at a path of a document, or undefined. */
function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[step] : undefined,
    value,
  );
}

/** The values that a discriminator may have at a place. */
function discriminated(schema: JsonSchema, path: YamlPath, name: string): string[] {
  return schemasAt(schema, path).flatMap(({ properties }) => properties?.[name]?.const ?? []);
}

/** Keys that may stand at a place; of a union only those of the kind that is written there. */
function knownKeys(schema: JsonSchema, path: YamlPath, value: unknown): string[] {
  const kind = valueAt(value, ['kind']);
  const all = schemasAt(schema, path);
  const fitting = all.filter(
    ({ properties }) => properties?.kind?.const === undefined || properties.kind.const === kind,
  );
  const hasKind = fitting.some(({ properties }) => properties?.kind?.const === kind);
  return [...new Set((hasKind ? fitting : all).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function schemasAt(schema: JsonSchema, path: YamlPath): JsonSchema[] {
  let schemas: JsonSchema[] = [schema];
  for (const step of path) {
    schemas = schemas.flatMap(branches).flatMap((schema) => {
      if (typeof step === 'number') return schema.items ? [schema.items] : [];
      const next = schema.properties?.[step] ?? schema.additionalProperties;
      return typeof next === 'object' ? [next] : [];
    });
  }
  return schemas.flatMap(branches);
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(branches), ...(schema.oneOf ?? []).flatMap(branches)];
}

/** Whether two paths are one, or one is a folder of the other. */
function overlaps(left: string, right: string): boolean {
  return left === right || left.startsWith(`${right}/`) || right.startsWith(`${left}/`);
}

/** @returns why a leakage check compares something else than it names; null where it doesn't */
export function leakageProblem(check: Extract<Check, { kind: 'leakage' }>): string | null {
  const by = leakageBy(check);
  const count = check.columns?.length ?? 0;
  if (by === 'rows') return count === 0 ? null : 'names `columns`, and goes by rows: leave one of the two';
  if (check.except.length > 0) return 'names `except`, which is for rows alone';
  if (by === 'time') return count === 1 ? null : 'needs `columns` with one column: that of the time';
  return count > 0 ? null : 'needs `columns`';
}

/** What the schema of a check can't say; null where it is whole. */
function checkProblem(check: Check, datasets: ReadonlySet<string>, own: string): string | null {
  if ('dataset' in check && check.dataset !== undefined && (!datasets.has(check.dataset) || check.dataset === own))
    return `names the dataset ${JSON.stringify(check.dataset)}; another one of this model is wanted: ${[...datasets].filter((name) => name !== own).join(', ') || 'there is none'}`;
  if (check.kind === 'history' && check.measure !== 'rows' && check.column === undefined) return 'needs `column`';
  if (check.kind === 'leakage') return leakageProblem(check);
  if (check.kind === 'drift') return driftProblem(check);
  if (!boundedKinds.has(check.kind)) return null;
  const { min, max } = check as { min?: unknown; max?: unknown };
  return min === undefined && max === undefined ? 'needs `min` or `max`' : null;
}

const boundedKinds: ReadonlySet<string> = new Set([
  'range',
  'row-count',
  'column-count',
  'length',
  'aggregate',
  'quantile',
  'correlation',
  'row-ratio',
]);

/** What a schema cannot say: names that point to nothing, circles, two things in one place. */
function checkReferences(source: YamlSource, model: Model, index: number): void {
  const base = ['models', index];
  const datasets = new Set(Object.keys(model.data));
  const datasetList = [...datasets].join(', ') || 'none';
  for (const [name, dataset] of Object.entries(model.data)) {
    const path = [...base, 'data', name];
    if ((dataset.path === undefined) === (dataset.uri === undefined)) {
      throw at(source, path, 'needs either `path` (in the repository) or `uri` (outside), not both');
    }
    const ids = new Set<string>();
    for (const [position, check] of dataset.checks.entries()) {
      const id = checkId(check);
      if (ids.has(id)) {
        throw at(
          source,
          [...path, 'checks', position],
          `two checks have the id ${JSON.stringify(id)}`,
          'Give one of them an `id`.',
        );
      }
      ids.add(id);
      const problem = checkProblem(check, datasets, name);
      if (problem !== null) throw at(source, [...path, 'checks', position], problem);
      const isByProfile = check.kind === 'history' || (check.kind === 'drift' && check.dataset === undefined);
      if (isByProfile && dataset.profile === undefined) {
        throw at(
          source,
          [...path, 'checks', position],
          `a ${check.kind} check needs the dataset to name its \`profile\``,
        );
      }
    }
  }
  const stages = new Set<string>();
  const outputs = new Set<string>();
  const places = new Map<string, string>();
  for (const [position, stage] of (model.train?.stages ?? []).entries()) {
    const path = [...base, 'train', 'stages', position];
    if (stages.has(stage.name))
      throw at(source, [...path, 'name'], `two stages are named ${JSON.stringify(stage.name)}`);
    for (const [place, name] of stage.data.entries()) {
      if (!datasets.has(name))
        throw at(
          source,
          [...path, 'data', place],
          `no dataset is named ${JSON.stringify(name)} (there is: ${datasetList})`,
        );
    }
    for (const [place, name] of stage.needs.entries()) {
      if (!stages.has(name))
        throw at(source, [...path, 'needs', place], `no earlier stage is named ${JSON.stringify(name)}`);
    }
    for (const [place, output] of stage.outputs.entries()) {
      if (outputs.has(output))
        throw at(source, [...path, 'outputs', place], `${JSON.stringify(output)} is an output twice`);
      const overlap = [...places].find(([known]) => overlaps(known, foldedPath(output)));
      if (overlap !== undefined) {
        throw at(
          source,
          [...path, 'outputs', place],
          `${JSON.stringify(output)} and the output ${JSON.stringify(overlap[1])} are one place, or one lies in the other`,
          'Upper and lower case are one on some disks. Declare the folder, or the files in it.',
        );
      }
      outputs.add(output);
      places.set(foldedPath(output), output);
    }
    stages.add(stage.name);
  }
  if (model.evaluate !== undefined && !datasets.has(model.evaluate.dataset)) {
    throw at(
      source,
      [...base, 'evaluate', 'dataset'],
      `no dataset is named ${JSON.stringify(model.evaluate.dataset)} (there is: ${datasetList})`,
    );
  }
  if (model.train !== undefined) {
    for (const [path, output] of [
      [['evaluate', 'predictions'], model.evaluate?.predictions],
      [['evaluate', 'metrics'], model.evaluate?.metrics],
      [['package', 'model'], model.package?.model],
    ] as const) {
      if (output !== undefined && !outputs.has(output)) {
        throw at(
          source,
          [...base, ...path],
          `${JSON.stringify(output)} is no stage's output`,
          `Outputs are: ${[...outputs].join(', ')}.`,
        );
      }
    }
  }
  for (const { path, gates } of gateLists(model)) {
    const metrics = new Set<string>();
    for (const [position, gate] of gates.entries()) {
      if (metrics.has(gate.metric))
        throw at(source, [...base, ...path, position, 'metric'], `two gates are on ${gate.metric}`);
      metrics.add(gate.metric);
    }
  }
  const metric = metricProblem(model);
  if (metric !== null) throw at(source, [...base, ...metric.path], metric.message, metric.hint);
  const environments = new Set<string>();
  const followed = new Set(model.deploy?.environments.map(({ after }) => after));
  let production = 0;
  for (const [position, environment] of (model.deploy?.environments ?? []).entries()) {
    const path = [...base, 'deploy', 'environments', position];
    if (environments.has(environment.name))
      throw at(source, [...path, 'name'], `two environments are named ${JSON.stringify(environment.name)}`);
    if (environment.after !== undefined && !environments.has(environment.after)) {
      throw at(
        source,
        [...path, 'after'],
        `no earlier environment is named ${JSON.stringify(environment.after)}`,
        environments.size === 0 ? undefined : `Before it are: ${[...environments].join(', ')}.`,
      );
    }
    if (environment.healthy !== undefined && !followed.has(environment.name)) {
      throw at(
        source,
        [...path, 'healthy'],
        `nothing waits for it: no environment has \`after: ${environment.name}\``,
        'Write `after` into the environment that is to wait.',
      );
    }
    environments.add(environment.name);
    if (environment.production === true) production += 1;
  }
  if (production > 1)
    throw at(source, [...base, 'deploy', 'environments'], 'more than one environment is marked `production: true`');
}
