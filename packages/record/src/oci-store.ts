import { InfrastructureError, sha256 } from '@passloop/core';
import type { Backend } from './backend.ts';
import { manifestMediaType, maxDocumentBytes } from './entry.ts';
import { entryStore } from './entry-store.ts';
import { copyHashed } from './hashed-copy.ts';
import { openRegistry, type RegistryOptions } from './oci-registry.ts';
import type { Store } from './store.ts';

/**
 * A store in a repository of an OCI registry: each entry an artifact manifest under its tag.
 * Registries answer 201 to the PUT of a tag that exists, even with If-None-Match, so a tag is made thus: push the manifest by
 * digest, read the tag, write it only if it is absent, read it again and go by what it says then. Two writers that both see
 * it absent leave one of two complete results. Nearly always each is told which; one that reads between the other's look and
 * its write is told `stored`, and the other's result stands: a registry has no compare-and-swap.
 */
export function openOciStore(options: RegistryOptions): Store {
  return entryStore(registryBackend(options));
}

function registryBackend(options: RegistryOptions): Backend {
  const registry = openRegistry(options);
  return {
    description: `registry ${options.repository}`,

    async readManifest(tag) {
      return (await registry.pullManifest(tag))?.text ?? null;
    },

    async readBlob(digest, bytes) {
      const stream = await registry.pullBlob(digest);
      if (stream === null) return null;
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of stream) {
        size += chunk.length;
        if (size > bytes || size > maxDocumentBytes) return null;
        chunks.push(chunk);
      }
      const content = Buffer.concat(chunks);
      return sha256(content) === digest ? content : null;
    },

    async copyBlob(digest, bytes, file) {
      const stream = await registry.pullBlob(digest);
      return stream === null ? null : copyHashed(stream, file, bytes + 1);
    },

    async writeBlob(blob) {
      if (await registry.hasBlob(blob.digest, 'write')) return;
      await registry.pushBlob(blob.digest, blob.source);
    },

    async createTag(tag, manifest) {
      const digest = await registry.pushManifest(sha256(manifest), manifestMediaType, manifest);
      if ((await registry.resolveTag(tag)) !== null) return false;
      await registry.pushManifest(tag, manifestMediaType, manifest);
      const now = await registry.resolveTag(tag);
      if (now === null) {
        throw new InfrastructureError(
          `The registry took ${options.repository}:${tag}, and does not have it when it is read.`,
        );
      }
      return now === digest;
    },

    async replaceTag(tag, manifest) {
      await registry.pushManifest(tag, manifestMediaType, manifest);
    },

    async listTags(prefix) {
      return (await registry.listTags()).filter((tag) => tag.startsWith(prefix));
    },
  };
}
