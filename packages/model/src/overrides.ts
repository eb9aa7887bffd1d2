import { ConfigurationError, type GitRepository, parseYaml } from '@passloop/core';
import type { Override } from '@passloop/documents';
import { z } from 'zod';

/** A committed exception in `.passloop/overrides/<name>.yaml`; who may write one is CODEOWNERS' business. */
const OverrideFile = z.strictObject({
  gate: z.string().min(1).max(256),
  reason: z.string().min(1).max(2000),
  /** The last day on which it holds, `YYYY-MM-DD` (UTC). Quoted or not. */
  until: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a day such as 2026-12-31'),
});

const overridesFolder = '.passloop/overrides';

/**
 * The exceptions of a commit that hold on a day. One that has run out is left out: what it allowed is then refused again.
 * @param today `YYYY-MM-DD`
 * @throws ConfigurationError for a file that is none: a mistyped exception must not look like one
 */
export async function overridesAt(repository: GitRepository, commit: string, today: string): Promise<Override[]> {
  const overrides: Override[] = [];
  for (const entry of await repository.listFiles(commit, overridesFolder)) {
    if (entry.type !== 'blob' || !/\.ya?ml$/.test(entry.path)) continue;
    const text = (await repository.readFile(commit, entry.path))?.toString('utf8') ?? '';
    const source = parseYaml(text, entry.path);
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
    if (result.data.until >= today) overrides.push({ file: entry.path, ...result.data });
  }
  return overrides;
}
