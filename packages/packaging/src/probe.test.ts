import { silentProgress } from '@passloop/core';
import { expect, it } from 'vitest';
import { probeServer } from './probe.ts';
import { freePort } from './testing/registry.ts';

it('judges no server that nobody reaches', async () => {
  const target = { rest: `http://127.0.0.1:${await freePort()}`, grpc: null };
  await expect(probeServer(target, { model: 'late', progress: silentProgress })).rejects.toMatchObject({
    code: 'infrastructure',
    message: expect.stringContaining('was not answered'),
  });
});
