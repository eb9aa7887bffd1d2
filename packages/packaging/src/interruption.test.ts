import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stopProcesses } from '@passloop/core';
import { expect, it } from 'vitest';
import { timeInTurns } from './latency.ts';
import { restClient } from './oip-rest.ts';

it('ends requests that wait for an answer, and begins none, so that containers are removed at Ctrl-C', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  using client = restClient(url);
  const rows = [[{ name: 'x', datatype: 'FP64' as const, values: [1] }]];

  const asked = once(server, 'request');
  const timed = timeInTurns([{ name: url, client }], { model: 'm', rows }, { most: 5 }).catch(
    (error: unknown) => error,
  );
  await asked;
  stopProcesses();

  // Without it the answer is waited for, half a minute.
  expect(await timed).toMatchObject({ code: 'infrastructure', message: expect.stringContaining('was not answered') });
  await expect(client.live()).rejects.toThrow(/was not answered: interrupted/);
  expect(() => restClient(url)).toThrow(/interrupted/);
  server.closeAllConnections();
  server.close();
});
