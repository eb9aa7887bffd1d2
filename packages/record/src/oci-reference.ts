import { ConfigurationError, isDigest } from '@passloop/core';

/** A repository of a registry: `host` as people write it, `api` the origin to call. */
export type OciRepository = { host: string; name: string; api: string };

const namePattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const hostPattern =
  /^(?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)*|\[::1\])(?::\d{1,5})?$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * Reads `host[:port]/name`, as the distribution reference grammar has it. A first part without `.`, `:` and not `localhost`
 * belongs to the name, on Docker Hub. The loopback is spoken to by http, everything else by https.
 * @throws ConfigurationError
 */
export function parseRepository(text: string): OciRepository {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  const host = hasHost ? first : 'docker.io';
  const rest = hasHost ? text.slice(slash + 1) : text;
  const name = !hasHost && !rest.includes('/') ? `library/${rest}` : rest;
  if (!hostPattern.test(host) || !namePattern.test(name) || name.length > 255) {
    throw new ConfigurationError(`${JSON.stringify(text.slice(0, 300))} is no repository of a registry.`, {
      hint: 'Write it as ghcr.io/acme/flight-runs: lower case, without tag and digest.',
    });
  }
  const plain = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
  const api = `${plain ? 'http' : 'https'}://${host === 'docker.io' ? 'registry-1.docker.io' : host}`;
  return { host, name, api };
}

/** True for a tag, or a sha256 digest: what may stand behind `/manifests/`. */
export function isReference(text: string): boolean {
  return isDigest(text) || tagPattern.test(text);
}
