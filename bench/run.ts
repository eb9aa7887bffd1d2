/** Every benchmark of this folder, one after the other, each in a process of its own. `npm run bench`, on a machine that does nothing else. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const failed: string[] = [];
for (const name of readdirSync(import.meta.dirname).sort()) {
  if (!name.endsWith('.ts') || name === 'run.ts') continue;
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [path.join(import.meta.dirname, name)], { stdio: 'inherit' });
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}. The head of each file says what it needs.`);
  process.exit(1);
}
