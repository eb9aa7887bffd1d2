import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './files.ts';
import { runProcess } from './process.ts';

/** A command as a face would be: it handles the signal, and is in the middle of a child and a folder when it comes. */
const program = `
import { interrupt, runProcess, temporaryFolder } from ${JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)))};
process.once('SIGINT', () => { interrupt(); process.exit(130); });
await using folder = await temporaryFolder('interrupted');
await runProcess({
  argv: ['bash', '-c', 'exec -a "$MARKER" sleep 61 & echo ready; wait'],
  env: { PATH: process.env.PATH, MARKER: process.env.MARKER },
  onLine: (line) => console.log(line),
});
`;

it('an interrupt ends the children with their groups and takes the temporary folders along', async () => {
  await using folder = await temporaryFolder('interrupt-test');
  const marker = `passloop-interrupt-${process.pid}-${Date.now()}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, MARKER: marker, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
  expect(await readdir(folder.path)).toHaveLength(1);

  child.kill('SIGINT');

  expect(await ended).toBe(130);
  expect(await readdir(folder.path)).toEqual([]);
  const list = await runProcess({ argv: ['ps', '-eo', 'args'], env: { PATH: path.dirname('/usr/bin/ps') } });
  expect(list.stdout.toString()).not.toContain(marker);
});
