import { ConfigurationError } from '@passloop/core';

/** A repository (`ghcr.io/acme/flight`), by tag, by digest, or both: the grammar of the OCI distribution specification. */
export type ImageName = { registry: string; repository: string; tag: string | null; digest: string | null };

const hostPattern =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const pathPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const idPattern = /^(?:sha256:)?[0-9a-f]{64}$/;

/** @throws ConfigurationError where the text is no image name; nothing else reaches the engine as one. */
export function parseImageName(text: string): ImageName {
  const [beforeDigest = '', digest = null, ...more] = text.length > 512 ? [''] : text.split('@');
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash + 1);
  const name = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon === -1 ? null : beforeDigest.slice(colon + 1);
  const [first = '', ...rest] = name.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const host = hasHost ? first : null;
  const path = hasHost ? rest.join('/') : name;
  const valid =
    more.length === 0 &&
    pathPattern.test(path) &&
    (host === null || hostPattern.test(host)) &&
    (tag === null || tagPattern.test(tag)) &&
    (digest === null || digestPattern.test(digest));
  if (!valid) {
    throw new ConfigurationError(`${JSON.stringify(text.slice(0, 200))} is not the name of an image.`, {
      hint: 'An image is named as ghcr.io/acme/flight, ghcr.io/acme/flight:tag or ghcr.io/acme/flight@sha256:<64 hex>.',
    });
  }
  return {
    registry: host ?? 'docker.io',
    repository: host === null && rest.length === 0 ? `library/${path}` : path,
    tag,
    digest,
  };
}

/** An image id or a name, checked: what may stand where the engine takes an image. */
export function imageArgument(text: string): string {
  if (!idPattern.test(text)) parseImageName(text);
  return text;
}

/** Docker speaks plain HTTP to registries of this machine, and to them alone without being told to. */
export function isLoopbackRegistry(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '');
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
