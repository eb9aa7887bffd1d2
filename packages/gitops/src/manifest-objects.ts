import path from 'node:path';
import { isInsidePath } from '@passloop/core';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** An object of a manifest as a controller in the cluster names it; null where only the cluster knows. */
export type ManifestObject = { namespace: string | null; name: string | null };

const Name = z.string().max(253);
const Manifest = z.object({
  kind: z.string().max(128),
  metadata: z.object({ name: Name.optional(), namespace: Name.optional() }).optional(),
});
const Kustomization = z.object({
  kind: z.enum(['Kustomization', 'Component']).optional(),
  namespace: Name.optional(),
  namePrefix: Name.optional(),
  nameSuffix: Name.optional(),
  resources: z.array(z.string().max(1024)).max(1000).optional(),
});
const Application = z.object({
  kind: z.literal('Application'),
  spec: z.object({ destination: z.object({ namespace: Name.optional() }).optional() }),
});
const Release = z.object({
  kind: z.literal('HelmRelease'),
  metadata: z.object({ name: Name, namespace: Name.optional() }),
  spec: z.object({ targetNamespace: Name.optional(), releaseName: Name.optional() }),
});

const largestFile = 1 << 20;

/** The files beside a kustomization that it brings in; folders and addresses of other places are not followed. */
export function resourcesOf(file: string, text: string): string[] {
  const kustomization = kustomizationIn(file, text);
  const folder = path.posix.dirname(file);
  return (kustomization?.resources ?? [])
    .filter((resource) => /\.ya?ml$/.test(resource) && !resource.includes('://'))
    .map((resource) => path.posix.join(folder, resource))
    .filter((resource) => isInsidePath(resource));
}

/**
 * The objects that a target's file puts into a cluster: its own, or those of the files that a kustomization brings in, with its namespace,
 * prefix and suffix. A file that can't be read names none.
 */
export function objectsOf(file: string, text: string, readResource: (file: string) => string | null): ManifestObject[] {
  const kustomization = kustomizationIn(file, text);
  if (kustomization === null) return documentsIn(text).flatMap(objectIn);
  const { namespace, namePrefix = '', nameSuffix = '' } = kustomization;
  const objects = resourcesOf(file, text)
    .flatMap((resource) => documentsIn(readResource(resource) ?? ''))
    .flatMap(objectIn)
    .map((one) => ({
      namespace: namespace ?? one.namespace,
      name: one.name === null ? null : `${namePrefix}${one.name}${nameSuffix}`,
    }));
  return objects.length > 0 ? objects : [{ namespace: namespace ?? null, name: null }];
}

function kustomizationIn(file: string, text: string): z.infer<typeof Kustomization> | null {
  if (!/(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(file)) return null;
  const parsed = Kustomization.safeParse(documentsIn(text)[0]);
  return parsed.success ? parsed.data : null;
}

function objectIn(document: unknown): ManifestObject[] {
  const application = Application.safeParse(document);
  if (application.success) return [{ namespace: application.data.spec.destination?.namespace ?? null, name: null }];
  const release = Release.safeParse(document);
  if (release.success) {
    const { metadata, spec } = release.data;
    return [{ namespace: spec.targetNamespace ?? metadata.namespace ?? null, name: spec.releaseName ?? metadata.name }];
  }
  const manifest = Manifest.safeParse(document);
  if (!manifest.success) return [];
  const { metadata } = manifest.data;
  return [{ namespace: metadata?.namespace ?? null, name: metadata?.name ?? null }];
}

function documentsIn(text: string): unknown[] {
  if (text.length > largestFile) return [];
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors.length > 0) return [];
    try {
      return [document.toJS({ maxAliasCount: 100 }) as unknown];
    } catch {
      return [];
    }
  });
}
