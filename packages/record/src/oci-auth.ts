import { z } from 'zod';

export type RegistryCredentials = { username: string; password: string };

/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge =
  | { scheme: 'basic' }
  | { scheme: 'bearer'; realm: string; service: string | null; scope: string | null };

/** RFC 9110 challenges, as far as registries send them: the first Bearer or Basic one, or null. */
export function parseChallenge(header: string | null): Challenge | null {
  if (header === null) return null;
  const bearer = /(?:^|[,\s])bearer\s+(.*)$/is.exec(header);
  if (bearer !== null) {
    const parameters = new Map<string, string>();
    for (const match of (bearer[1] ?? '').matchAll(/([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
      const name = (match[1] ?? '').toLowerCase();
      if (!parameters.has(name)) parameters.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    }
    const realm = parameters.get('realm');
    if (realm === undefined) return null;
    return {
      scheme: 'bearer',
      realm,
      service: parameters.get('service') ?? null,
      scope: parameters.get('scope') ?? null,
    };
  }
  return /(?:^|[,\s])basic(?:\s|$)/i.test(header) ? { scheme: 'basic' } : null;
}

/**
 * Where a token is asked for. Null for a realm that must not see a password: anything but https, except on the loopback,
 * where the registry itself is spoken to by http.
 */
export function tokenAddress(challenge: Extract<Challenge, { scheme: 'bearer' }>, registryApi: string): URL | null {
  if (!URL.canParse(challenge.realm)) return null;
  const address = new URL(challenge.realm);
  const local = new URL(registryApi).protocol === 'http:';
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname);
  if (address.protocol !== 'https:' && !(local && loopback && address.protocol === 'http:')) return null;
  if (address.username !== '' || address.password !== '') return null;
  if (challenge.service !== null) address.searchParams.set('service', challenge.service);
  for (const scope of (challenge.scope ?? '').split(' ').filter((part) => part !== '')) {
    address.searchParams.append('scope', scope);
  }
  return address;
}

export function basicAuthorization(credentials: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
}

/** Answer of a token server (distribution spec: token authentication). */
export const TokenAnswer = z
  .object({ token: z.string().max(65_536).optional(), access_token: z.string().max(65_536).optional() })
  .refine((answer) => answer.token !== undefined || answer.access_token !== undefined, 'has no token');
export type TokenAnswer = z.infer<typeof TokenAnswer>;

const DockerConfig = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
    )
    .optional(),
});

/**
 * The credentials that `docker login` wrote for a host into its `config.json`, or null. Credential helpers are not run.
 * @param text the file's text
 * @param host as in a repository's name: `ghcr.io`, `localhost:5000`, `docker.io`
 */
export function dockerConfigCredentials(text: string, host: string): RegistryCredentials | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = DockerConfig.safeParse(value);
  if (!parsed.success) return null;
  const names = host === 'docker.io' ? ['https://index.docker.io/v1/', 'index.docker.io', host] : [host];
  for (const name of names.flatMap((plain) => [plain, `https://${plain}`, `https://${plain}/v2/`])) {
    const entry = parsed.data.auths?.[name];
    if (entry?.username !== undefined && entry.password !== undefined) {
      return { username: entry.username, password: entry.password };
    }
    const decoded = Buffer.from(entry?.auth ?? '', 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon > 0) return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
  }
  return null;
}
