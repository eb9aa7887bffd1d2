import { chmod, lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, plainText, writeFileAtomic } from '@passloop/core';
import { carriesImage, editsOf, editTarget, editWarnings, type TargetImage } from '@passloop/gitops';
import { Target, type TargetKind, targetFields, targetKinds } from '@passloop/model';
import { closest } from 'fastest-levenshtein';
import type { Context } from './context.ts';

/** The fields of a target beside its kind and file, each as a flag gives it. */
export type TargetFields = {
  image?: string | undefined;
  address?: string | undefined;
  name?: string | undefined;
  container?: string | undefined;
  parameter?: string | undefined;
  predictor?: string | undefined;
  experiment?: string | undefined;
  candidate?: string | undefined;
  slot?: string | undefined;
  percent?: string | undefined;
  route?: string | undefined;
  subset?: string | undefined;
  weight?: string | undefined;
  writes?: string | undefined;
  document?: string | undefined;
};

export type EditRequest = TargetFields & {
  file: string;
  kind: string;
  /** A digest, or a reference that ends in one; nothing for a share of the traffic. */
  to?: string | undefined;
  /** Print the diff, write nothing. */
  plan?: boolean | undefined;
};

export type Edited = {
  file: string;
  diff: string;
  changed: boolean;
  /** Who else writes there, and what the edit can't do. */
  warnings: readonly string[];
};

/** Changes the addressed value of one file and not one byte more: a `kustomize edit set image` that keeps the file as it is. */
export async function edit(context: Context, request: EditRequest): Promise<Edited> {
  const target = editedTarget(request);
  const image = carriesImage(target) ? imageNamed(request.to) : { repository: null, digest: '', tag: null };
  const file = path.resolve(context.cwd, request.file);
  const before = await manifestAt(file, request.file);
  const after = editTarget(before, target, image);
  const warnings = editWarnings(before, after, target);
  if (after !== before && request.plan !== true) {
    const { mode } = await lstat(file);
    await writeFileAtomic(file, after);
    await chmod(file, mode & 0o777);
  }
  const [edited] = editsOf([{ path: request.file.replace(/^\.\//, ''), mode: '100644', before, content: after }]);
  return {
    file: request.file,
    diff: after === before ? '' : (edited?.diff ?? ''),
    changed: after !== before,
    warnings,
  };
}

/** @throws ConfigurationError where there is no such file, or it is a link or no UTF-8: its bytes could not be kept */
async function manifestAt(file: string, name: string): Promise<string> {
  try {
    if ((await lstat(file)).isSymbolicLink()) {
      throw new ConfigurationError(`${name} is a link.`, {
        file: name,
        hint: 'Links are not followed: name the file itself.',
      });
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    if (isMissing(error)) throw new ConfigurationError(`There is no file ${name}.`, { file: name });
    if (error instanceof TypeError) {
      throw new ConfigurationError(`${name} is no UTF-8 text.`, { file: name, cause: error });
    }
    throw error;
  }
}

/** @throws ConfigurationError that names the flag, and the flags which the kind takes */
function editedTarget({ file, kind, to: _, plan: __, ...given }: EditRequest): Target {
  const known = targetKinds.find((one) => one === kind);
  if (known === undefined) {
    throw new ConfigurationError(`There is no target of kind ${JSON.stringify(plainText(kind, 64))}.`, {
      hint: `Did you mean ${similarKind(kind)}? Kinds: ${targetKinds.join(', ')}.`,
    });
  }
  const fields: Record<string, string | number> = {};
  const takes = targetFields(known);
  for (const [field, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!takes.includes(field)) {
      throw new ConfigurationError(`A target of kind ${known} takes no --${field}.`, { hint: flagsOf(known) });
    }
    fields[field] = field === 'percent' || field === 'weight' ? numberOf(field, value) : value;
  }
  const parsed = Target.safeParse({ kind: known, file: path.basename(file), ...fields });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.at(0);
  const what = field === undefined ? `A target of kind ${known}` : `--${String(field)}`;
  const problem =
    field !== undefined && fields[String(field)] === undefined ? 'is needed' : (issue?.message ?? 'is wrong');
  throw new ConfigurationError(`${what} ${field === undefined ? problem : `${problem}`}.`.replace(/\.\.$/, '.'), {
    hint: flagsOf(known),
  });
}

/** Half a name says more than a similar one: `helm` is helm-values and not kserve. */
function similarKind(kind: string): string {
  const half = kind.length < 3 ? undefined : targetKinds.find((one) => one.split('-').includes(kind));
  return half ?? closest(kind.slice(0, 64), [...targetKinds]);
}

function flagsOf(kind: TargetKind): string {
  return `--kind ${kind} takes ${targetFields(kind)
    .map((field) => `--${field}`)
    .join(', ')}.`;
}

function numberOf(field: string, value: string): number {
  if (/^\d{1,3}$/.test(value)) return Number(value);
  throw new ConfigurationError(`--${field} is ${JSON.stringify(plainText(value, 64))}, which is no whole number.`, {
    hint: 'Give a percentage from 0 to 100.',
  });
}

/** `[repository[:tag]@]sha256:…` */
function imageNamed(to: string | undefined): TargetImage {
  const [, repository, tag, digest] =
    /^(?:([^\s@]+?)(?::([\w][\w.-]{0,127}))?@)?(sha256:[0-9a-f]{64})$/.exec(to ?? '') ?? [];
  if (digest !== undefined) return { repository: repository ?? null, digest, tag: tag ?? null };
  throw new ConfigurationError(
    to === undefined
      ? '--to is needed: the image.'
      : `--to is ${JSON.stringify(to.slice(0, 200))}, which names no digest.`,
    { hint: 'Give sha256:<64 hex>, or name@sha256:<64 hex>: a tag can be moved, a digest cannot.' },
  );
}
