import { type Answer, askInstallation, type SettingsReader } from '@passloop/github';
import { z } from 'zod';
import type { AppFacts, DeployFacts, Installation } from './facts.ts';
import { answered, askRepository } from './gather-settings.ts';
import { readWorkflow, type WorkflowFile } from './workflow-file.ts';

const Listing = z.array(z.object({ name: z.string(), path: z.string(), type: z.string(), size: z.number() })).max(1000);
const File = z.object({ content: z.string().max(2_000_000), encoding: z.literal('base64') });
const InstallationAnswer = z.object({
  app_slug: z.string(),
  repository_selection: z.string(),
  permissions: z.record(z.string(), z.string()),
});
const Installations = z.object({
  installations: z.array(InstallationAnswer.extend({ client_id: z.string().optional() })),
});

const maxFiles = 50;
const maxBytes = 1_000_000;

/** The deploy repository as the token sees it: its default branch and its workflows. */
export async function gatherDeploy(
  reader: SettingsReader,
  { isChain, health }: Pick<DeployFacts, 'isChain' | 'health'>,
  app: (reader: SettingsReader) => Promise<AppFacts>,
): Promise<DeployFacts> {
  const settings = await askRepository(reader);
  return {
    repository: reader.repository,
    isChain,
    health,
    settings: answered(settings, ({ defaultBranch, isPrivate }) => ({ defaultBranch, isPrivate })),
    workflows:
      settings.state === 'found' ? await askWorkflows(reader) : { state: 'unanswered', said: 'it is not seen' },
    app: await app(reader),
    git: null,
  };
}

async function askWorkflows(reader: SettingsReader): Promise<Answer<WorkflowFile[]>> {
  const route = 'GET /repos/{owner}/{repo}/contents/{path}';
  const permission = 'contents: read';
  const folder = '.github/workflows';
  const listing = await reader.ask({ what: folder, permission, route, parameters: { path: folder } }, Listing);
  if (listing.state !== 'found') return listing;
  const files: WorkflowFile[] = [];
  const wanted = listing.value.filter(
    (one) => one.type === 'file' && /\.ya?ml$/.test(one.name) && one.size <= maxBytes,
  );
  for (const { path } of wanted.slice(0, maxFiles)) {
    const file = await reader.ask({ what: path, permission, route, parameters: { path } }, File);
    if (file.state !== 'found') return file;
    files.push(readWorkflow(path, Buffer.from(file.value.content, 'base64').toString('utf8')));
  }
  return { state: 'found', value: files };
}

/** The App's installation: asked as the App where its key is at hand, else of the organization. */
export async function gatherApp(
  reader: SettingsReader,
  app: { clientId: string; privateKey: string | null; baseUrl: string | undefined; userAgent: string | undefined },
): Promise<AppFacts> {
  const { clientId, privateKey } = app;
  if (privateKey !== null) {
    const question = { ...app, privateKey, repository: reader.repository };
    return {
      state: 'named',
      clientId,
      installation: answered(await askInstallation(question, InstallationAnswer), installationOf),
    };
  }
  const listed = await reader.ask(
    {
      what: 'the installations of Apps',
      permission: 'organization administration: read',
      route: 'GET /orgs/{org}/installations',
      parameters: { org: reader.repository.split('/')[0], per_page: 100 },
    },
    Installations,
  );
  return { state: 'named', clientId, installation: ofOrganization(listed, clientId, reader.repository) };
}

function installationOf(answer: z.infer<typeof InstallationAnswer>): Installation {
  return { slug: answer.app_slug, selection: answer.repository_selection, permissions: answer.permissions };
}

function ofOrganization(
  listed: Answer<z.infer<typeof Installations>>,
  clientId: string,
  repository: string,
): Answer<Installation> {
  if (listed.state === 'absent')
    return { state: 'refused', permission: 'organization administration: read', said: listed.said };
  if (listed.state !== 'found') return listed;
  const found = listed.value.installations.find((one) => one.client_id === clientId);
  if (found === undefined) return { state: 'absent', said: 'no installation has this client id' };
  if (found.repository_selection !== 'all') {
    return {
      state: 'unanswered',
      said: `it is installed on selected repositories, and only the App itself tells whether ${repository} is one`,
    };
  }
  return { state: 'found', value: installationOf(found) };
}
