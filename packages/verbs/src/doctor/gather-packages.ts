import type { Answer, SettingsReader } from '@passloop/github';
import type { LoadedModel } from '@passloop/model';
import { parseRepository, registryAccess } from '@passloop/record';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { registryCredentials } from '../store.ts';
import type { PackageFact } from './facts.ts';
import { answered } from './gather-settings.ts';

const PackageAnswer = z.object({
  visibility: z.string(),
  repository: z.object({ full_name: z.string() }).nullish(),
});

/** The packages of the model file, each once: what the registry lets these credentials do, and how the forge lists them. */
export async function gatherPackages(
  context: Context,
  models: readonly LoadedModel[],
  forge: { reader: SettingsReader | null; registryHost: string },
): Promise<PackageFact[]> {
  const facts: PackageFact[] = [];
  const seen = new Set<string>();
  for (const { purpose, repository } of models.flatMap(packagesOf)) {
    if (seen.has(repository)) continue;
    seen.add(repository);
    const { host, name } = parseRepository(repository);
    const credentials = await registryCredentials(context, repository);
    const isOurs = host === forge.registryHost && forge.reader !== null;
    facts.push({
      purpose,
      repository,
      host,
      access: await registryAccess({ repository, credentials }),
      hasCredentials: credentials !== null,
      listing: isOurs && forge.reader !== null ? await askPackage(forge.reader, name) : null,
      scopes: isOurs ? (forge.reader?.classicScopes() ?? null) : null,
    });
  }
  return facts;
}

function packagesOf(model: LoadedModel): { purpose: 'store' | 'image'; repository: string }[] {
  return [
    ...('oci' in model.store ? [{ purpose: 'store' as const, repository: model.store.oci }] : []),
    ...(model.package === undefined ? [] : [{ purpose: 'image' as const, repository: model.package.repository }]),
  ];
}

/** An owner is an organization or a person, and each has a route of its own. */
async function askPackage(reader: SettingsReader, name: string): Promise<NonNullable<PackageFact['listing']>> {
  const [account = '', ...rest] = name.split('/');
  const ask = (route: string, owner: Record<string, string>): Promise<Answer<z.infer<typeof PackageAnswer>>> =>
    reader.ask(
      {
        what: `the package ${name}`,
        permission: 'packages: read',
        route,
        parameters: { ...owner, package_name: rest.join('/') },
      },
      PackageAnswer,
    );
  const found = await ask('GET /orgs/{org}/packages/container/{package_name}', { org: account });
  const answer =
    found.state === 'absent'
      ? await ask('GET /users/{username}/packages/container/{package_name}', { username: account })
      : found;
  return answered(answer, ({ visibility, repository }) => ({ visibility, repository: repository?.full_name ?? null }));
}
