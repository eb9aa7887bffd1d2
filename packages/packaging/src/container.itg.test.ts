import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { createContainer, createInternalNetwork } from './container.ts';
import type { Engine } from './engine.ts';
import { ensureBase, testEngine } from './testing/images.ts';

let image: string;

beforeAll(async () => {
  image = await ensureBase(await testEngine());
}, 600_000);

/** A process that starts a container on a network of its own, says so, and waits. */
async function startOther() {
  const module = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const script = `
    import { createContainer, createInternalNetwork } from ${module('./container.ts')};
    import { testEngine } from ${module('./testing/images.ts')};
    const engine = await testEngine();
    const network = await createInternalNetwork(engine);
    const container = await createContainer(engine, { image: ${JSON.stringify(image)}, purpose: 'leftover', network: network.name,
      user: '10001', entrypoint: 'sleep', command: ['600'] });
    await container.start();
    console.log(container.name + ' ' + network.name);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [container = '', network = ''] = line.toString('utf8').trim().split(' ');
  return { child, container, network };
}

async function isThere(engine: Engine, other: { container: string; network: string }): Promise<[boolean, boolean]> {
  const container = await engine.attempt(['container', 'inspect', '--format', '{{json .Id}}', other.container]);
  const network = await engine.attempt(['network', 'inspect', '--format', '{{json .Id}}', other.network]);
  return [container.ok, network.ok];
}

it('removes what a killed process left behind, and nothing of one that runs', async () => {
  const [killed, running] = await Promise.all([startOther(), startOther()]);
  const engine = await testEngine();
  expect(await isThere(engine, killed)).toEqual([true, true]);
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');

  await using network = await createInternalNetwork(engine);
  await using _ = await createContainer(engine, { image, purpose: 'leftover', network: network.name, user: '10001' });

  expect(await isThere(engine, killed)).toEqual([false, false]);
  expect(await isThere(engine, running)).toEqual([true, true]);
  running.child.kill('SIGKILL');
  await once(running.child, 'exit');
  const next = await testEngine();
  await using last = await createInternalNetwork(next);
  expect(last.name).toMatch(/^passloop-probe-/);
  expect(await isThere(next, running)).toEqual([false, false]);
}, 120_000);
