import { isInsidePath, PassloopError, parseYaml, plainText } from '@passloop/core';
import { z } from 'zod';
import {
  commandArguments,
  type FoundStage,
  freeName,
  type Pipeline,
  type PipelineSource,
  plainName,
  separatePaths,
} from './pipeline.ts';
import { scriptOf } from './script.ts';

/** What of dvc.yaml is taken over. Paths come alone, or as the key of their options. */
const Paths = z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).default([]);
const DvcStage = z.looseObject({
  cmd: z.union([z.string(), z.array(z.string())]),
  deps: z.array(z.string()).default([]),
  outs: Paths,
  metrics: Paths,
  plots: Paths,
  params: z.array(z.union([z.string(), z.record(z.string(), z.array(z.string()).nullable())])).default([]),
});
type DvcStage = z.infer<typeof DvcStage>;
const DvcFile = z.looseObject({ stages: z.record(z.string(), z.unknown()) });

const maxStages = 64;

/** The stages of a dvc.yaml, in the order in which they run, and what of it could not be taken over. */
export function dvcPipeline(text: string, source: PipelineSource): Pipeline {
  const found = stagesOf(text);
  if (typeof found === 'string') return { source: 'dvc.yaml', python: null, stages: [], left: [found] };
  const left: string[] = [];
  const read: { name: string; stage: DvcStage }[] = [];
  for (const [name, raw] of Object.entries(found).slice(0, maxStages)) {
    const parsed = DvcStage.safeParse(raw);
    const reason = parsed.success ? templated(parsed.data) : 'it has `foreach`, `matrix`, or no `cmd`';
    if (parsed.success && reason === null) read.push({ name, stage: parsed.data });
    else left.push(`The stage ${plainText(name, 60)} of dvc.yaml was not taken over: ${reason}.`);
  }
  const stages: FoundStage[] = [];
  const names = new Set<string>();
  const makers = new Map<string, string>();
  for (const { name, stage } of inOrder(read)) {
    const found = stageOf(freeName(plainName(name, 'stage'), names), stage, source, makers, left);
    names.add(found.name);
    for (const output of found.outputs) makers.set(output, found.name);
    stages.push(found);
  }
  keepApart(stages, left);
  return { source: 'dvc.yaml', python: null, stages, left };
}

/** An output belongs to one stage, here; DVC lets one stage write into the folder of another. */
function keepApart(stages: FoundStage[], left: string[]): void {
  const taken: string[] = [];
  for (const stage of stages) {
    const free = separatePaths([...taken, ...stage.outputs]).slice(taken.length);
    for (const output of stage.outputs) {
      if (!free.includes(output))
        left.push(`${plainText(output, 120)} of the stage ${stage.name} lies in an output of another stage.`);
    }
    if (free.length === 0) {
      free.push(...separatePaths([...taken, `passloop-out/${stage.name}`]).slice(taken.length));
      stage.decide = 'all its outputs are those of another stage';
    }
    stage.outputs = free;
    taken.push(...free);
  }
}

/** The stages as they stand there, or why there are none. */
function stagesOf(text: string): Record<string, unknown> | string {
  try {
    const file = DvcFile.safeParse(parseYaml(text, 'dvc.yaml').value);
    return file.success ? file.data.stages : 'dvc.yaml has no `stages`.';
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    return `dvc.yaml was not taken over: ${plainText(error.message, 300)}`;
  }
}

function templated(stage: DvcStage): string | null {
  if ('wdir' in stage) return 'it has a `wdir`';
  return /\$\{/.test(JSON.stringify(stage)) ? 'it has a `$` with braces, which only DVC fills in' : null;
}

function pathsOf(entries: DvcStage['outs']): string[] {
  return entries.flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.keys(entry)));
}

function outputsOf(stage: DvcStage): string[] {
  return [...pathsOf(stage.outs), ...pathsOf(stage.metrics), ...pathsOf(stage.plots)].map(normal);
}

function normal(path: string): string {
  return path.replace(/^\.\//, '').replace(/\/$/, '');
}

/** Whoever makes what another one reads comes first; stages of a circle stay as they were. */
function inOrder(stages: readonly { name: string; stage: DvcStage }[]): { name: string; stage: DvcStage }[] {
  const waiting = [...stages];
  const ordered: { name: string; stage: DvcStage }[] = [];
  while (waiting.length > 0) {
    const coming = waiting.flatMap((one) => outputsOf(one.stage).map((output) => ({ output, name: one.name })));
    const ready = waiting.findIndex(
      (one) =>
        !coming.some(
          ({ output, name }) => name !== one.name && one.stage.deps.map(normal).some((dep) => isIn(dep, output)),
        ),
    );
    ordered.push(...waiting.splice(Math.max(ready, 0), 1));
  }
  return ordered;
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`) || folder.startsWith(`${path}/`);
}

function stageOf(
  name: string,
  stage: DvcStage,
  source: PipelineSource,
  makers: ReadonlyMap<string, string>,
  left: string[],
): FoundStage {
  const command = typeof stage.cmd === 'string' ? stage.cmd : stage.cmd.join(' && ');
  const code: string[] = [];
  const data = new Set<string>();
  const needs = new Set<string>();
  for (const dep of stage.deps.map(normal)) {
    const maker = [...makers].find(([output]) => isIn(dep, output))?.[1];
    const tables = [...source.datasets].filter(([path]) => isIn(path, dep)).map(([, dataset]) => dataset);
    if (maker !== undefined) needs.add(maker);
    else if (tables.length > 0) for (const dataset of tables) data.add(dataset);
    else if (source.files.some((file) => isIn(file, dep)) && /^[^!*?[\]{}]+$/.test(dep)) code.push(dep);
    else left.push(`${plainText(dep, 120)}, which the stage ${name} reads, is no table and no file of the repository.`);
  }
  const script = scriptOf(command, source.files);
  if (code.length === 0 && script !== null) code.push(script);
  const outputs = separatePaths(outputsOf(stage).filter((path) => isInsidePath(path) && path !== '.'));
  const lacking = [code.length === 0 ? 'code' : '', outputs.length === 0 ? 'outputs' : ''].filter((one) => one !== '');
  return {
    name,
    run: commandArguments(command),
    code: code.length === 0 ? ['**/*.py'] : code,
    data: [...data],
    params: paramsOf(stage, name, left),
    outputs: outputs.length === 0 ? [`out/${name}`] : outputs,
    needs: [...needs],
    decide: lacking.length === 0 ? null : `dvc.yaml names no ${lacking.join(' and no ')} of this stage`,
  };
}

/** A stage has one params file here; DVC may read several. */
function paramsOf(stage: DvcStage, name: string, left: string[]): FoundStage['params'] {
  const keys = stage.params.filter((one) => typeof one === 'string');
  const files = stage.params.filter((one) => typeof one !== 'string').flatMap((one) => Object.entries(one));
  const all: [string, string[]][] = [
    ...(keys.length > 0 ? [['params.yaml', keys] satisfies [string, string[]]] : []),
    ...files.map(([file, some]) => [normal(file), some ?? []] satisfies [string, string[]]),
  ].filter(([file]) => isInsidePath(file) && /\.(ya?ml|json)$/.test(file));
  const [first, ...others] = all;
  if (first === undefined) return null;
  for (const [file] of others)
    left.push(`The stage ${name} also reads params of ${plainText(file, 120)}: a stage has one params file.`);
  return { file: first[0], keys: first[1].filter((key) => key !== '' && key.length <= 256) };
}
