import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

type Locked = { version: string; optionalDependencies?: Record<string, string>; dependencies?: Record<string, string> };

/** What is not bundled, as a lock of its own with integrity hashes: an action installs exactly these packages. */
export function writeDuckdbLock(lockFile: string, output: string): void {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, Locked> };
  const wanted = '@duckdb/node-api';
  const found: Record<string, Locked> = {};
  const open = [wanted];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const key = `node_modules/${name}`;
    const entry = lock.packages[key];
    if (entry === undefined) throw new Error(`package-lock.json has no ${key}`);
    if (found[key] !== undefined) continue;
    found[key] = entry;
    open.push(...Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }));
  }
  const top = { name: 'passloop-duckdb', version: '0.0.0', private: true };
  const dependencies = { [wanted]: found[`node_modules/${wanted}`]?.version };
  const sorted = Object.fromEntries(Object.entries(found).sort(([left], [right]) => (left < right ? -1 : 1)));
  const packages = { '': { ...top, dependencies }, ...sorted };
  mkdirSync(output, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(path.join(output, name), `${JSON.stringify(value, null, 2)}\n`);
  write('package.json', { ...top, dependencies });
  write('package-lock.json', { ...top, lockfileVersion: 3, requires: true, packages });
}
