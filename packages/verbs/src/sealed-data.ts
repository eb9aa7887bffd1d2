import { ConfigurationError, plainText } from '@passloop/core';
import type { FetchRemote } from '@passloop/data';
import type { LoadedModel } from '@passloop/model';

type Data = Pick<LoadedModel, 'data' | 'evaluate'>;

/** Addresses that the target branch's model names: whoever may change them may change what decides, too. */
function addressesOf(base: Pick<Data, 'data'> | null): ReadonlySet<string> {
  return new Set(Object.values(base?.data ?? {}).flatMap(({ uri }) => uri ?? []));
}

/**
 * A remote dataset that the job which seals a candidate would have to read and may not: checks are asked of it, or candidates are
 * evaluated on it, and the target branch doesn't name its address. Null where there is none.
 */
export function unsealable(
  { data, evaluate }: Data,
  base: Pick<Data, 'data'> | null,
): { name: string; uri: string; why: string } | null {
  const named = addressesOf(base);
  const asked = new Set(
    Object.values(data).flatMap(({ checks }) => checks.flatMap((check) => ('dataset' in check ? [check.dataset] : []))),
  );
  for (const [name, source] of Object.entries(data)) {
    const { uri } = source;
    if (uri === undefined || named.has(uri)) continue;
    if (evaluate?.dataset === name) return { name, uri, why: 'candidates are evaluated on it' };
    if (source.checks.length > 0) return { name, uri, why: 'it has checks' };
    if (asked.has(name)) return { name, uri, why: 'a check of another dataset looks into it' };
  }
  return null;
}

export const unsealableHint =
  'Merge the address first, as a dataset that nothing is asked of yet; ask it something in the next change. Or keep the data in the repository (git-lfs will do) and name it with `path`.';

/** How a job that holds a credential fetches: addresses of the target branch alone, none that a change brings. */
export function fetchNamed(base: Pick<Data, 'data'> | null, fetch: FetchRemote): FetchRemote {
  const named = addressesOf(base);
  return async (uri, locked) => {
    if (named.has(uri)) return fetch(uri, locked);
    throw new ConfigurationError(
      `${plainText(uri)} is not an address of the target branch, and this job holds a credential: it is not fetched.`,
      { hint: unsealableHint },
    );
  };
}
