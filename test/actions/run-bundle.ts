import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess } from '@passloop/core';
import { load } from 'js-yaml';

/**
 * Runs a built action as GitHub's runner does: the release's `dist/` and nothing beside it, inputs as INPUT_* variables, outputs and the
 * summary through files.
 */
export type Bundle = {
  /** Lays out `dist/` in a folder of its own, where no `node_modules` is above it. */
  folder: string;
  toolCache: string;
};

export type BundleRun = {
  exitCode: number | null;
  log: string;
  outputs: Record<string, string>;
  summary: string;
};

const dist = path.resolve(import.meta.dirname, '../../dist');

export async function layBundle(folder: string): Promise<Bundle> {
  await cp(dist, path.join(folder, 'release/dist'), { recursive: true });
  await cp(path.join(dist, '../package.json'), path.join(folder, 'release/package.json'));
  return { folder, toolCache: path.join(folder, 'tools') };
}

export async function runBundle(
  bundle: Bundle,
  name: string,
  request: { workspace: string; inputs: Record<string, string>; env?: Record<string, string> },
): Promise<BundleRun> {
  const runner = path.join(bundle.folder, 'runner', name);
  await mkdir(path.join(runner, 'temp'), { recursive: true });
  const files = { output: path.join(runner, 'output'), summary: path.join(runner, 'summary') };
  for (const file of Object.values(files)) await writeFile(file, '');
  const inputs = Object.entries(request.inputs).map(([input, value]) => [
    `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`,
    value,
  ]);
  const result = await runProcess({
    argv: [process.execPath, path.join(bundle.folder, 'release/dist', `${name}.mjs`)],
    cwd: request.workspace,
    timeoutMs: 300_000,
    env: {
      ...machine(),
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: request.workspace,
      GITHUB_ACTION: name,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      RUNNER_TEMP: path.join(runner, 'temp'),
      RUNNER_TOOL_CACHE: bundle.toolCache,
      ...Object.fromEntries(inputs),
      ...request.env,
    },
  });
  const outputs = parseOutputs(await readFile(files.output, 'utf8'));
  const action = load(await readFile(path.join(dist, '../actions', name, 'action.yml'), 'utf8')) as { outputs: object };
  const unknown = Object.keys(outputs).filter((output) => !(output in action.outputs));
  if (unknown.length > 0)
    throw new Error(`${name} sets outputs that its action.yml doesn't promise: ${unknown.join(', ')}`);
  return {
    exitCode: result.exitCode,
    log: `${result.stdout.toString('utf8')}${result.stderr.toString('utf8')}`,
    outputs,
    summary: await readFile(files.summary, 'utf8'),
  };
}

/** What a runner's own machine gives: where programs and certificates are, and how the network is reached. */
function machine(): Record<string, string> {
  const names = /^(PATH|HOME|npm_config_.*|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|(HTTPS?|NO|ALL)_PROXY)$/i;
  const found = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(found.filter(([name]) => names.test(name)));
}

/** The file format of GITHUB_OUTPUT: `name<<delimiter`, lines, `delimiter`. */
function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const match of text.matchAll(/^([^\n<]+)<<(\S+)\n([\s\S]*?)\n?\2$/gm)) outputs[match[1] ?? ''] = match[3] ?? '';
  return outputs;
}
