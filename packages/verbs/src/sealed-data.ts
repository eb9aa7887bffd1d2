import type { LoadedModel } from '@passloop/model';

/**
 * A remote dataset that the job which seals a candidate would have to read: checks are asked of it, or candidates are evaluated on
 * it. That job holds a credential and fetches nothing. Null where there is none.
 */
export function unsealable({
  data,
  evaluate,
}: Pick<LoadedModel, 'data' | 'evaluate'>): { name: string; uri: string; why: string } | null {
  const asked = new Set(
    Object.values(data).flatMap(({ checks }) => checks.flatMap((check) => ('dataset' in check ? [check.dataset] : []))),
  );
  for (const [name, source] of Object.entries(data)) {
    if (source.uri === undefined) continue;
    const { uri } = source;
    if (evaluate?.dataset === name) return { name, uri, why: 'candidates are evaluated on it' };
    if (source.checks.length > 0) return { name, uri, why: 'it has checks' };
    if (asked.has(name)) return { name, uri, why: 'a check of another dataset looks into it' };
  }
  return null;
}

export const unsealableHint =
  'Keep it in the repository (git-lfs will do) and name it with `path`; or leave its checks to a job without the credentials of the store: the action validate-data with `file` and `checks`.';
