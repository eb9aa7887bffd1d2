import { ConfigurationError, type GitRepository, parseYaml, refusePrototypeKeys } from '@passloop/core';
import type { Override } from '@passloop/documents';
import { z } from 'zod';
import { Name } from './scalars.ts';

/** A committed exception in `.passloop/overrides/<name>.yaml`; who may write one is CODEOWNERS' business. */
const OverrideFile = z.strictObject({
  gate: z.string().min(1).max(256),
  /** Of this model alone; of every model of the repository without it. */
  model: Name.optional(),
  reason: z.string().min(1).max(2000),
  /** The last day on which it holds, `YYYY-MM-DD` (UTC). Quoted or not. */
  until: z.iso.date('must be a day such as 2026-12-31'),
});

const overridesFolder = '.passloop/overrides';

/** An exception, and whether its last day is over: what it allowed is then refused again. */
export type CommittedOverride = Override & { isOver: boolean };

/**
 * The exceptions of a commit.
 * @param today `YYYY-MM-DD`
 * @throws ConfigurationError for a file that is none: a mistyped exception must not look like one
 */
export async function overridesAt(
  repository: GitRepository,
  commit: string,
  today: string,
): Promise<CommittedOverride[]> {
  const overrides: CommittedOverride[] = [];
  for (const entry of await repository.listFiles(commit, overridesFolder)) {
    if (entry.type !== 'blob' || !/\.ya?ml$/.test(entry.path)) continue;
    const text = (await repository.readFile(commit, entry.path))?.toString('utf8') ?? '';
    const source = parseYaml(text, entry.path);
    refusePrototypeKeys(source);
    const result = OverrideFile.safeParse(source.value);
    if (!result.success) {
      const issue = result.error.issues[0];
      const path = (issue?.path ?? []).filter((step): step is string | number => typeof step !== 'symbol');
      const line = source.lineOf(path);
      throw new ConfigurationError(`${entry.path}:${line}: ${path.join('.')} ${issue?.message ?? 'is wrong'}.`, {
        file: entry.path,
        line,
        hint: 'An override has `gate`, `reason` and `until`, for example: {gate: gates.roc_auc, reason: "…", until: "2026-12-31"}.',
      });
    }
    overrides.push({ file: entry.path, ...result.data, isOver: result.data.until < today });
  }
  return overrides;
}
