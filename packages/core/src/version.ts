import { createRequire } from 'node:module';

/** Passloop's own version. */
export const version: string = readVersion();

function readVersion(): string {
  const require = createRequire(import.meta.url);
  // In the sources the package's own file, in the bundle the one beside it.
  for (const candidate of ['../../../package.json', '../package.json']) {
    try {
      const found = require(candidate) as { name?: string; version?: string };
      if (found.name === 'passloop' && found.version !== undefined) return found.version;
    } catch {
      // The other place has it.
    }
  }
  return '0.0.0';
}
