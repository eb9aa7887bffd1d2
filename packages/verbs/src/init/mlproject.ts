import { PassloopError, parseYaml, plainText } from '@passloop/core';
import { z } from 'zod';
import { commandArguments, freeName, type Pipeline, type PipelineSource, plainName } from './pipeline.ts';
import { scriptOf, scriptStage } from './script.ts';

const Parameter = z.union([
  z.string(),
  z.looseObject({ default: z.union([z.string(), z.number(), z.boolean()]).optional() }),
]);
const MlProject = z.looseObject({
  python_env: z.string().optional(),
  entry_points: z.record(
    z.string(),
    z.looseObject({ command: z.string(), parameters: z.record(z.string(), Parameter).default({}) }),
  ),
});

/** The entry point `main` of an MLproject, or its only one, as one stage. Null where it is none. */
export function mlprojectPipeline(text: string, source: PipelineSource): Pipeline | null {
  const project = parsed(text);
  if (project === null) return null;
  const points = Object.entries(project.entry_points);
  const [name, point] = points.find(([one]) => one === 'main') ?? points[0] ?? [];
  if (name === undefined || point === undefined) return null;
  const left: string[] = [];
  for (const [other] of points) {
    if (other !== name) left.push(`The entry point ${plainText(other, 60)} of MLproject was not taken over.`);
  }
  const command = point.command.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const parameter = point.parameters[key];
    const value = typeof parameter === 'object' ? parameter.default : undefined;
    if (value !== undefined) return String(value);
    left.push(`The parameter ${plainText(key, 60)} of MLproject has no default: write its value into \`run\`.`);
    return whole;
  });
  const script = scriptOf(command, source.files);
  const stage = scriptStage(
    {
      name: freeName(plainName(name === 'main' ? 'fit' : name, 'fit'), new Set()),
      script,
      run: commandArguments(command),
    },
    source,
  );
  return { source: 'MLproject', python: pythonOf(project.python_env, source), stages: [stage], left };
}

function parsed(text: string): z.infer<typeof MlProject> | null {
  try {
    return MlProject.safeParse(parseYaml(text, 'MLproject').value).data ?? null;
  } catch (error) {
    if (error instanceof PassloopError) return null;
    throw error;
  }
}

function pythonOf(file: string | undefined, source: PipelineSource): string | null {
  const text = source.texts.get(file ?? 'python_env.yaml') ?? '';
  return /^python:\s*["']?(3\.\d{1,2}(?:\.\d{1,2})?)["']?\s*$/m.exec(text)?.[1] ?? null;
}
