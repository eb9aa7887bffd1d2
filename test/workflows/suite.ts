import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import { readWorkflow, type WorkflowFile } from '../../scripts/workflow-file.ts';

/** Everything of this repository that GitHub reads: workflows, templates and actions, as text, so that a test can plant a mistake. */
export type Suite = ReadonlyMap<string, string>;

const root = path.resolve(import.meta.dirname, '../..');

const ActionFile = z.object({
  inputs: z
    .record(z.string(), z.object({ required: z.boolean().default(false), default: z.unknown().optional() }))
    .default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
});
export type ActionFile = z.infer<typeof ActionFile>;

export function readSuite(): Suite {
  const files = [
    ...namesIn('.github/workflows'),
    ...namesIn('workflows-templates'),
    ...namesIn('actions').map((folder) => `${folder}/action.yml`),
  ].filter((file) => file.endsWith('.yml'));
  return new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

function namesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`);
}

/** The suite with a mistake in one file. */
export function planted(suite: Suite, file: string, from: string | RegExp, to: string): Suite {
  const text = suite.get(file);
  if (text === undefined) throw new Error(`There is no ${file}.`);
  const changed = text.replace(from, () => to);
  if (changed === text) throw new Error(`${file} has nothing like ${from}.`);
  return new Map([...suite, [file, changed]]);
}

export type NamedWorkflow = { file: string; text: string; workflow: WorkflowFile };

function workflowsBelow(suite: Suite, folder: string): NamedWorkflow[] {
  return [...suite]
    .filter(([file]) => file.startsWith(folder))
    .map(([file, text]) => ({ file, text, workflow: readWorkflow(text) }));
}

/** Everything in `.github/workflows`. */
export function workflowsOf(suite: Suite): NamedWorkflow[] {
  return workflowsBelow(suite, '.github/workflows/');
}

/** What others call. */
export function reusableOf(suite: Suite): NamedWorkflow[] {
  return workflowsOf(suite).filter(({ workflow }) => 'workflow_call' in workflow.on);
}

export function templatesOf(suite: Suite): NamedWorkflow[] {
  return workflowsBelow(suite, 'workflows-templates/');
}

/** An action of the suite, by its folder's name; null where there is none. */
export function actionOf(suite: Suite, name: string): ActionFile | null {
  const text = suite.get(`actions/${name}/action.yml`);
  return text === undefined ? null : ActionFile.parse(load(text));
}

/** The name of the suite's action that a step uses; null for another one, and for a command. */
export function ownAction(uses: string | undefined): string | null {
  return /^\$\/actions\/([\w-]+)$/.exec(uses ?? '')?.[1] ?? null;
}

/** Every text in a part of a workflow, with the keys that lead to it. */
function textsIn(part: unknown, place: readonly string[] = []): { place: string; text: string }[] {
  if (typeof part === 'string') return [{ place: place.join('.'), text: part }];
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) => textsIn(value, [...place, key]));
}

/** What stands between `${{` and `}}`, and all of an `if`. */
export function expressionsIn(part: unknown): string[] {
  return textsIn(part).flatMap(({ place, text }) => {
    if (/(^|\.)if$/.test(place)) return [text];
    return [...text.matchAll(/\$\{\{(.*?)\}\}/gs)].map((match) => match[1] ?? '');
  });
}
