import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

/** What of this repository a runner downloads, in a folder where nothing else is, and what the runner keeps between runs. */
export type Suite = {
  /** `dist/`, `actions/NAME/action.yml` and package.json. */
  release: string;
  /** The reusable workflows as they are shipped; each run makes its own copies. */
  workflows: string;
  /** The stand-in for actions/checkout. */
  checkout: string;
  /** The runner's folder: workspaces while a job runs, and the tool cache. */
  runner: string;
  /** Inputs of an action that fall back on the job's token. */
  tokenInputs: (action: string) => readonly string[];
};

const root = path.resolve(import.meta.dirname, '../..');

export async function laySuite(folder: string): Promise<Suite> {
  const release = path.join(folder, 'release');
  const workflows = path.join(folder, 'workflows');
  const checkout = path.join(folder, 'checkout');
  await cp(path.join(root, 'dist'), path.join(release, 'dist'), { recursive: true });
  await cp(path.join(root, 'package.json'), path.join(release, 'package.json'));
  await cp(path.join(root, '.github/workflows'), workflows, { recursive: true });
  await cp(path.join(import.meta.dirname, 'checkout'), checkout, { recursive: true });
  const inputs = new Map([['actions/checkout', await tokenInputsOf(path.join(checkout, 'action.yml'))]]);
  for (const name of await readdir(path.join(root, 'actions'))) {
    const target = path.join(release, 'actions', name);
    await mkdir(target, { recursive: true });
    await cp(path.join(root, 'actions', name, 'action.yml'), path.join(target, 'action.yml'));
    inputs.set(`actions/${name}`, await tokenInputsOf(path.join(target, 'action.yml')));
  }
  return {
    release,
    workflows,
    checkout,
    runner: path.join(folder, 'runner'),
    // An action that isn't there fails in the job that names it, as on a runner.
    tokenInputs: (action) => inputs.get(action) ?? [],
  };
}

/** A copy for one run, whose workflows are written for it. */
export async function layRelease(suite: Suite, folder: string): Promise<void> {
  await cp(suite.release, folder, { recursive: true });
  await mkdir(path.join(folder, '.github/workflows'), { recursive: true });
}

async function tokenInputsOf(file: string): Promise<string[]> {
  const { inputs = {} } = parse(await readFile(file, 'utf8')) as { inputs?: Record<string, { default?: string }> };
  return Object.keys(inputs).filter((name) => /github\.token/.test(inputs[name]?.default ?? ''));
}
