import { plainText } from '@passloop/core';
import { basicAuthorization, parseChallenge, type RegistryCredentials, TokenAnswer, tokenAddress } from './oci-auth.ts';
import { parseRepository } from './oci-reference.ts';

/** `unknown`: the registry doesn't tell before somebody tries. */
type Right = 'granted' | 'denied' | 'unknown';

/** What a registry says that these credentials may do with a repository, found without writing to it. */
export type RegistryAccess =
  | { state: 'answered'; read: Right; write: Right; asked: 'token' | 'basic' | 'nothing'; said: string }
  | { state: 'unanswered'; said: string };

type AccessOptions = {
  repository: string;
  credentials: RegistryCredentials | null;
  timeoutMs?: number;
};

/**
 * Asks the registry's token server for `pull` and then for `pull,push`. A server that refuses, or that names the granted
 * actions in its token (the distribution's JWT, claim `access`), says so; a sealed token (ghcr.io) tells about reading only.
 *
 * @throws ConfigurationError for a repository that is none
 */
export async function registryAccess(options: AccessOptions): Promise<RegistryAccess> {
  const { host, name, api } = parseRepository(options.repository);
  const { credentials } = options;
  const basic = credentials === null ? undefined : basicAuthorization(credentials);
  const get = (url: URL | string, authorization?: string) =>
    fetch(url, {
      headers: authorization === undefined ? {} : { authorization },
      signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
    });
  const manifest = `${api}/v2/${name}/tags/list?n=1`;
  try {
    const ping = await get(`${api}/v2/`);
    await ping.body?.cancel();
    const challenge = ping.status === 401 ? parseChallenge(ping.headers.get('www-authenticate')) : null;
    if (ping.status !== 401 && !ping.ok) return { state: 'unanswered', said: `${host} answered ${ping.status}` };
    if (challenge === null || challenge.scheme === 'basic') {
      const asked = challenge === null ? 'nothing' : 'basic';
      const read = await rightToRead(await get(manifest, challenge === null ? undefined : basic));
      return { state: 'answered', read, write: read === 'denied' ? 'denied' : 'unknown', asked, said: '' };
    }
    const token = async (actions: string) => {
      const url = tokenAddress({ ...challenge, scope: `repository:${name}:${actions}` }, api);
      if (url === null) return null;
      const answer = await get(url, basic);
      const text = await answer.text();
      if (!answer.ok) return { granted: false, token: '', said: plainText(`${answer.status} ${text}`, 200) };
      const parsed = TokenAnswer.safeParse(parseJson(text));
      return { granted: parsed.success, token: parsed.data?.token ?? parsed.data?.access_token ?? '', said: '' };
    };
    const pull = await token('pull');
    if (pull === null) return { state: 'unanswered', said: `the token server of ${host} is not reached by https` };
    const read = pull.granted ? await rightToRead(await get(manifest, `Bearer ${pull.token}`)) : 'denied';
    const push = await token('pull,push');
    const granted = push?.granted === true ? grantedActions(push.token, name) : [];
    const write = push?.granted !== true ? 'denied' : granted === null ? 'unknown' : rightIn(granted, 'push');
    return { state: 'answered', read, write, asked: 'token', said: pull.said || (push?.said ?? '') };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return {
      state: 'unanswered',
      said: plainText(cause instanceof Error ? cause.message || cause.name : String(cause)),
    };
  }
}

/** A repository that isn't there yet can be read: there is nothing in it. */
async function rightToRead(answer: Response): Promise<Right> {
  await answer.body?.cancel();
  if (answer.ok || answer.status === 404) return 'granted';
  return answer.status === 401 || answer.status === 403 ? 'denied' : 'unknown';
}

function rightIn(actions: readonly string[], action: string): Right {
  return actions.includes(action) || actions.includes('*') ? 'granted' : 'denied';
}

/** The actions in a distribution token's claim `access`, or null where the token is no such JWT. Nothing is verified: it's their token. */
function grantedActions(token: string, name: string): string[] | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  if (typeof claims !== 'object' || claims === null || !('access' in claims) || !Array.isArray(claims.access))
    return null;
  const entries = claims.access as { type?: unknown; name?: unknown; actions?: unknown }[];
  const found = entries.find((entry) => entry?.type === 'repository' && entry.name === name);
  return Array.isArray(found?.actions) ? found.actions.map(String) : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
