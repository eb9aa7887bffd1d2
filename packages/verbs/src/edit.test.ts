import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentProgress } from '@passloop/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { type EditRequest, edit } from './edit.ts';

const digest = `sha256:${'a'.repeat(64)}`;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'edit-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function run(text: string, request: Omit<EditRequest, 'file'>) {
  await writeFile(path.join(folder, 'x.yaml'), text);
  const context = { cwd: folder, progress: silentProgress } as unknown as Context;
  const edited = await edit(context, { file: 'x.yaml', ...request });
  return { ...edited, text: await readFile(path.join(folder, 'x.yaml'), 'utf8') };
}

it('edits a file of any kind by flags, and says what stands beside it', async () => {
  const edited = await run('image: {repository: r, tag: v1} # {"$imagepolicy": "flux:r:tag"}\n', {
    kind: 'helm-values',
    to: `ghcr.io/acme/flight:v2@${digest}`,
  });
  expect(edited.text).toBe(`image: {repository: r, tag: v2@${digest}} # {"$imagepolicy": "flux:r:tag"}\n`);
  expect(edited).toMatchObject({ changed: true, warnings: [expect.stringMatching(/policy flux:r:tag/)] });
  expect(edited.diff).toContain('+image: {repository: r, tag: v2@');
});

it('edits a weight without an image', async () => {
  const text =
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {http: [{route: [{destination: {subset: a}, weight: 100}, {destination: {subset: b}, weight: 0}]}]}\n';
  const edited = await run(text, { kind: 'istio', subset: 'b', weight: '10' });
  expect(edited.text).toBe(text.replace('100', '90').replace('weight: 0', 'weight: 10'));
});

it('writes nothing with plan, and nothing where nothing changes', async () => {
  const text = `image: r@${digest}\n`;
  expect(await run('image: r\n', { kind: 'helm-values', to: digest, plan: true })).toMatchObject({
    changed: true,
    text: 'image: r\n',
  });
  expect(await run(text, { kind: 'helm-values', to: digest })).toMatchObject({ changed: false, diff: '', text });
});

it.each([
  [{ kind: 'kustomise', to: digest }, /no target of kind "kustomise"/, /Did you mean kustomize\?/],
  [{ kind: 'helm', to: digest }, /no target of kind "helm"/, /Did you mean helm-values\?/],
  [{ kind: 'kustomize', to: digest }, /--image is needed/, /--kind kustomize takes --image\./],
  [{ kind: 'kustomize', image: 'r', address: 'a', to: digest }, /takes no --address/, /takes --image/],
  [{ kind: 'kustomize', image: 'r:latest', to: digest }, /--image must be an image repository/, /takes --image/],
  [{ kind: 'helm-values' }, /--to is needed/, /sha256:<64 hex>/],
  [{ kind: 'helm-values', to: 'r:v1' }, /names no digest/, /can be moved/],
  [{ kind: 'helm-values', address: 'a..b', to: digest }, /--address .*can't be read at character/, /--address/],
  [{ kind: 'istio', subset: 'b', weight: 'ten' }, /--weight is "ten", which is no whole number/, /0 to 100/],
  [{ kind: 'istio', subset: 'b', weight: '101' }, /--weight/, /takes --name, --route/],
  [{ kind: 'kserve', slot: 'canary', to: digest }, /takes percent with slot canary/, /--percent/],
  [{ kind: 'kserve', slot: 'green', to: digest }, /--slot/, /--slot/],
  [{ kind: 'argocd', to: digest }, /names exactly one of image/, /--parameter/],
  [{ kind: 'seldon-v2', weight: '10', to: digest }, /experiment, candidate and weight together/, /--experiment/],
  [{ kind: 'yaml-path', address: 'a', to: digest }, /--writes is needed/, /--writes/],
])('explains %j', async (request, message, hint) => {
  await expect(run('image: r\n', request)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
});

it('says which file is missing', async () => {
  const context = { cwd: folder } as unknown as Context;
  await expect(edit(context, { file: 'y.yaml', kind: 'helm-values', to: digest })).rejects.toThrow(/no file y\.yaml/);
});

it('refuses a link, and bytes that are no text', async () => {
  const context = { cwd: folder } as unknown as Context;
  await writeFile(path.join(folder, 'a.yaml'), 'image: r\n');
  await symlink('a.yaml', path.join(folder, 'link.yaml'));
  await expect(edit(context, { file: 'link.yaml', kind: 'helm-values', to: digest })).rejects.toThrow(/is a link/);
  await writeFile(path.join(folder, 'latin.yaml'), Buffer.from([...Buffer.from('image: r # '), 0xe9, 0x0a]));
  await expect(edit(context, { file: 'latin.yaml', kind: 'helm-values', to: digest })).rejects.toThrow(/no UTF-8/);
});

it('keeps a byte order mark, and the mode', async () => {
  await writeFile(path.join(folder, 'x.yaml'), '');
  await chmod(path.join(folder, 'x.yaml'), 0o755);
  expect((await run('\ufeffimage: r\r\n', { kind: 'helm-values', to: digest })).text).toBe(
    `\ufeffimage: r@${digest}\r\n`,
  );
  expect((await stat(path.join(folder, 'x.yaml'))).mode & 0o777).toBe(0o755);
});
