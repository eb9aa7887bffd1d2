import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentProgress } from '@passloop/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { packageProbe } from './package.ts';
import { packageScan } from './package-scan.ts';

let context: Context;

beforeAll(async () => {
  context = { cwd: await mkdtemp(path.join(tmpdir(), 'package-')), env: {}, progress: silentProgress } as Context;
});

afterAll(() => rm(context.cwd, { recursive: true }));

it.each([
  ['no name of the model', {}, /--model is missing/],
  ['rows without a signature', { model: 'm', data: 'rows.csv' }, /--data needs --signature/],
  ['a signature that is not there', { model: 'm', signature: 'no.json' }, /--signature: there is no file no\.json/],
  ['no address', { model: 'm', url: 'file:///etc/passwd' }, /is no http address/],
])('a probe with %s is a usage error', async (_what, request, message) => {
  await expect(packageProbe(context, { url: 'http://127.0.0.1:9', ...request })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(message),
  });
});

it('a scan of what is no file is a usage error', async () => {
  for (const file of ['no.joblib', '.']) {
    await expect(packageScan(context, { files: [file] })).rejects.toMatchObject({ code: 'configuration' });
  }
});
