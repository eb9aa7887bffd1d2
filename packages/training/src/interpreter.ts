import { access, constants, realpath } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, runProcess } from '@passloop/core';
import { z } from 'zod';

/** A Python that is on this machine. `executable` is the real file, never a shim or a link in a virtual environment. */
const Interpreter = z.object({
  executable: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+\S*$/),
  implementation: z.string().min(1),
});
export type Interpreter = z.infer<typeof Interpreter>;

const question = `
import json, os, platform, sys
base = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "executable": os.path.realpath(base),
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
}))
`;

/**
 * Finds a Python of the declared version: `3.11` takes any 3.11.x, `3.11.9` only that one.
 * @param searchPath folders, as PATH has them
 * @param where file and line of the declaration, for the error
 * @throws ConfigurationError that names the interpreters which are there
 */
export async function findInterpreter(
  declared: string,
  searchPath: string,
  where: { file: string; line: number },
): Promise<Interpreter> {
  const minor = declared.split('.').slice(0, 2).join('.');
  const found: Interpreter[] = [];
  const seen = new Set<string>();
  for (const name of [`python${minor}`, 'python3', 'python']) {
    for (const folder of searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry))) {
      const candidate = path.join(folder, name);
      if (!(await isExecutable(candidate))) continue;
      const real = await realpath(candidate);
      // A shim answers by its own name, so that two names of one file are two questions.
      if (seen.has(`${real} ${name}`)) continue;
      seen.add(`${real} ${name}`);
      const interpreter = await ask(candidate, searchPath);
      if (interpreter === null) continue;
      if (interpreter.version === declared || interpreter.version.startsWith(`${declared}.`)) return interpreter;
      if (!found.some((other) => other.executable === interpreter.executable)) found.push(interpreter);
    }
  }
  const there = found.map(({ version, executable }) => `${version} (${executable})`).join(', ');
  throw new ConfigurationError(
    `${where.file}:${where.line}: Python ${declared} is declared and was not found. Found: ${there || 'no Python at all'}.`,
    {
      ...where,
      hint: `Install Python ${declared} and put it on PATH (in a workflow: actions/setup-python), or declare the version that is there and accept another run key.`,
    },
  );
}

async function ask(executable: string, searchPath: string): Promise<Interpreter | null> {
  const result = await runProcess({
    argv: [executable, '-I', '-S', '-c', question],
    env: { PATH: searchPath, LC_ALL: 'C.UTF-8' },
    timeoutMs: 20_000,
    maxOutputBytes: 10_000,
  }).catch(() => null);
  if (result === null || result.exitCode !== 0) return null;
  try {
    const parsed = Interpreter.safeParse(JSON.parse(result.stdout.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
