import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, writeFileAtomic } from '@passloop/core';
import { editsOf, editTarget } from '@passloop/gitops';
import { Target } from '@passloop/model';
import type { Context } from './context.ts';

export type EditRequest = {
  file: string;
  kind: string;
  /** Name of the image whose entry is edited. */
  image: string;
  /** A digest, or a reference that ends in one. */
  to: string;
  /** Print the diff, write nothing. */
  plan?: boolean | undefined;
};

/** Changes the addressed value of one file and not one byte more: a `kustomize edit set image` that keeps the file as it is. */
export async function edit(
  context: Context,
  request: EditRequest,
): Promise<{ file: string; diff: string; changed: boolean }> {
  const digest = /sha256:[0-9a-f]{64}$/.exec(request.to)?.[0];
  if (digest === undefined) {
    throw new ConfigurationError(`--to is ${JSON.stringify(request.to.slice(0, 200))}, which names no digest.`, {
      hint: 'Give sha256:<64 hex>, or name@sha256:<64 hex>: a tag can be moved, a digest cannot.',
    });
  }
  const target = Target.safeParse({ kind: request.kind, file: path.basename(request.file), image: request.image });
  if (!target.success) {
    const kinds = Target.options.map((option) => option.shape.kind.value).join(', ');
    throw new ConfigurationError(
      `--kind ${request.kind} --image ${request.image}: ${target.error.issues[0]?.message ?? 'is wrong'} (kinds: ${kinds}).`,
    );
  }
  const file = path.resolve(context.cwd, request.file);
  let before: string;
  try {
    before = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) throw new ConfigurationError(`There is no file ${request.file}.`, { file: request.file });
    throw error;
  }
  const after = editTarget(before, target.data, digest);
  if (after !== before && request.plan !== true) await writeFileAtomic(file, after);
  const [edited] = editsOf([{ path: request.file.replace(/^\.\//, ''), mode: '100644', before, content: after }]);
  return { file: request.file, diff: after === before ? '' : (edited?.diff ?? ''), changed: after !== before };
}
