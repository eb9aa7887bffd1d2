import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { InfrastructureError, temporaryFolder } from '@passloop/core';

/** A real registry of this machine: Debian's `docker-registry` with a configuration, a folder and a free port of its own. */
export type LocalRegistry = AsyncDisposable & { host: string };

export async function startRegistry(htpasswd?: string): Promise<LocalRegistry> {
  const program = '/usr/bin/docker-registry';
  await access(program).catch(() => {
    throw new InfrastructureError(`${program} is missing.`, { hint: 'apt-get install docker-registry' });
  });
  const folder = await temporaryFolder('registry');
  const port = await freePort();
  const auth = htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: htpasswd } } };
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: path.join(folder.path, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: randomUUID() },
    ...auth,
  };
  const file = path.join(folder.path, 'config.yml');
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(program, ['serve', file], { env: {}, stdio: 'ignore' });
  const exited = once(child, 'exit');
  const host = `localhost:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const status = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200 || status === 401) break;
    if (attempt > 200 || child.exitCode !== null) throw new InfrastructureError('docker-registry did not start.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A port of 127.0.0.1 that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new InfrastructureError('no free port');
  return address.port;
}
