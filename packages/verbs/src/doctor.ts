import { openGitRepository, plainText, toPassloopError } from '@passloop/core';
import type { DiagnosisDocument } from '@passloop/documents';
import { type SettingsReader, settingsReader } from '@passloop/github';
import { healthPermissions } from '@passloop/gitops';
import type { LoadedModel } from '@passloop/model';
import { openEngine } from '@passloop/packaging';
import { type Context, toolEnvironment } from './context.ts';
import { githubOptions, openDeployRepository } from './deploy-repository.ts';
import type { AppFacts, DeployFacts, Facts, ForgeFacts, GitFacts, MachineFacts } from './doctor/facts.ts';
import { gatherApp, gatherDeploy } from './doctor/gather-deploy.ts';
import { gatherPackages } from './doctor/gather-packages.ts';
import {
  gatherDatasets,
  gatherModelFile,
  gatherOwners,
  gatherWorkflows,
  hasRecords,
} from './doctor/gather-repository.ts';
import { askVariable, gatherEnvironment, gatherSettings } from './doctor/gather-settings.ts';
import { diagnose } from './doctor/judge.ts';
import { isGithub, remoteHost } from './doctor/remote-host.ts';
import type { Caller, WorkflowFile } from './doctor/workflow-file.ts';
import { forgeRegistry } from './store.ts';
import { repositoryName } from './workspace.ts';

export type DoctorRequest = {
  /** The commit that is looked at; HEAD by default. */
  ref?: string | undefined;
};

const defaultEnvironment = 'passloop';
const defaultSecret = 'PASSLOOP_APP_PRIVATE_KEY';

/**
 * Looks at all that a repository needs and says what is missing, with its fix. Reads only: git, the work tree's data, the
 * forge's API, the registry, the engine. What the token may not see is unknown.
 */
export async function doctor(context: Context, request: DoctorRequest): Promise<DiagnosisDocument> {
  const repository = await openGitRepository(context.cwd, toolEnvironment(context));
  const root = (await repository.run(['rev-parse', '--show-toplevel'])).trim();
  const [name, commit] = await Promise.all([
    repositoryName(context, repository),
    repository.resolve(request.ref ?? 'HEAD'),
  ]);
  const remote = await repository.run(['remote', 'get-url', 'origin'], { allowFailure: true });
  const forge = forgeOf(context, remote);
  context.progress.phase('read the repository');
  const modelFile: Facts['modelFile'] =
    commit === null ? { state: 'absent' } : await gatherModelFile(repository, commit);
  const models = modelFile.state === 'valid' ? modelFile.models : [];
  const workflows = commit === null ? [] : await gatherWorkflows(repository, commit);
  const datasets = commit === null ? [] : await gatherDatasets(repository, root, commit, models);
  const owners = commit === null ? null : await gatherOwners(repository, commit);

  const callers = workflows.flatMap((file) => file.callers);
  const isDeploy =
    modelFile.state === 'absent' &&
    commit !== null &&
    (callers.some((caller) => caller.workflow.startsWith('deploy-')) || (await hasRecords(repository, commit)));
  const role = isDeploy ? 'deploy' : 'model';

  context.progress.phase('ask the forge');
  const reader = name === null || forge.elsewhere !== null ? null : readerOf(context, name, context.env.GITHUB_TOKEN);
  const settings = reader === null ? null : await gatherSettings(reader);
  const deploying = models.filter((model) => model.deploy !== undefined);
  const promote = callers.find((caller) => caller.workflow === (isDeploy ? 'deploy-chain' : 'model-promote'));
  const names = namesOf(promote);
  const usesEnvironment = isDeploy ? promote !== undefined : deploying.length > 0;
  const isSeen = settings?.repository.state === 'found';
  const environment = reader === null || !usesEnvironment || !isSeen ? null : await gatherEnvironment(reader, names);
  const deploys = await gatherDeploys(context, {
    elsewhere: forge.elsewhere,
    reader,
    promote,
    models: deploying,
    environment: names.environment,
  });

  context.progress.phase('ask the registry and the engine');
  const registryHost = forgeRegistry(context);
  const packages = await gatherPackages(context, models, { reader: isSeen ? reader : null, registryHost });
  const machine = await gatherMachine(context, workflows);
  context.progress.done();
  return diagnose({
    role,
    name,
    commit,
    forge,
    modelFile,
    datasets,
    packages,
    workflows,
    owners,
    settings,
    environment,
    deploys,
    machine,
  });
}

function readerOf(context: Context, repository: string, token: string | undefined): SettingsReader {
  return settingsReader({
    ...githubOptions(context),
    repository,
    token: token === undefined || token === '' ? null : token,
  });
}

/** GitHub's own clouds know everything first. A job says which GitHub is its own; on a laptop the remote must be on github.com. */
function forgeOf(context: Context, remote: string): ForgeFacts {
  const server = (context.env.GITHUB_SERVER_URL ?? 'https://github.com').replace(/\/+$/, '');
  const { hostname } = URL.canParse(server) ? new URL(server) : { hostname: '' };
  const host = remoteHost(remote);
  const isTold = context.env.GITHUB_API_URL !== undefined || context.env.GITHUB_REPOSITORY !== undefined;
  const isElsewhere = !isTold && remote.trim() !== '' && (host === null || !isGithub(host));
  return {
    server,
    kind: hostname === 'github.com' || hostname.endsWith('.ghe.com') ? 'cloud' : 'server',
    elsewhere: isElsewhere ? (host === null ? 'a folder of this machine' : `on ${host}`) : null,
  };
}

function namesOf(promote: Caller | undefined): { environment: string; secret: string } {
  const secret = Array.isArray(promote?.secrets) ? promote.secrets[0] : undefined;
  return { environment: promote?.inputs.environment ?? defaultEnvironment, secret: secret ?? defaultSecret };
}

async function gatherDeploys(
  context: Context,
  world: {
    elsewhere: string | null;
    reader: SettingsReader | null;
    promote: Caller | undefined;
    models: readonly LoadedModel[];
    environment: string;
  },
): Promise<DeployFacts[]> {
  const facts: DeployFacts[] = [];
  const names = new Set(world.models.map((model) => model.deploy?.repository ?? ''));
  for (const repository of names) {
    const isName = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[\w.-]{1,100}$/.test(repository);
    if (!isName || world.elsewhere !== null) {
      const said = isName ? `the remote \`origin\` is ${world.elsewhere}` : 'it is no repository of a forge';
      const unseen = { state: 'unanswered', said } as const;
      const shown = plainText(repository.replace(/:\/\/[^/]*@/, '://'));
      const git = isName ? null : await gatherGit(context, repository);
      const app = { state: 'unnamed', said } as const;
      facts.push({ repository: shown, isChain: false, health: {}, settings: unseen, workflows: unseen, app, git });
      continue;
    }
    const isChain = world.models.some(
      (model) => model.deploy?.repository === repository && model.deploy.environments.length > 1,
    );
    const environments = world.models
      .filter((model) => model.deploy?.repository === repository)
      .flatMap((model) => model.deploy?.environments ?? []);
    const health = Object.assign(
      {},
      ...environments.map(({ healthy }) => (healthy === undefined ? {} : healthPermissions(healthy))),
    );
    const token = context.env.PASSLOOP_DEPLOY_TOKEN ?? context.env.GITHUB_TOKEN;
    facts.push(
      await gatherDeploy(readerOf(context, repository, token), { isChain, health }, (reader) =>
        appOf(context, world, reader),
      ),
    );
  }
  return facts;
}

/** A deploy repository that is a git URL: whether git may read it. */
async function gatherGit(context: Context, repository: string): Promise<GitFacts> {
  try {
    const forge = await openDeployRepository(context, repository);
    const { branch } = await forge.read({ branch: null, files: [], folders: [], histories: [], heads: [], closed: [] });
    return { state: 'found', url: forge.repository, branch };
  } catch (error) {
    const { message, hint } = toPassloopError(error);
    return { state: 'failed', said: message, hint };
  }
}

/** The App by the client id of the environment, of the workflow, or of the variable that the workflow names. */
async function appOf(
  context: Context,
  world: { reader: SettingsReader | null; promote: Caller | undefined; environment: string },
  deploy: SettingsReader,
): Promise<AppFacts> {
  const written = context.env.PASSLOOP_APP_CLIENT_ID ?? world.promote?.inputs['app-client-id'];
  if (written === undefined || written === '') {
    return { state: 'unnamed', said: 'no workflow hands one on' };
  }
  const variable = /\bvars\.([A-Za-z_]\w*)/.exec(written)?.[1];
  let clientId = written;
  if (variable !== undefined) {
    if (world.reader === null) return { state: 'unnamed', said: `${variable} is a variable of a forge` };
    const answer = await askVariable(world.reader, world.environment, variable);
    if (answer.state !== 'found') {
      const lacks = answer.state === 'refused' ? ` (the token lacks \`${answer.permission}\`)` : '';
      return { state: 'unnamed', said: `the variable ${variable} has no value that this token sees${lacks}` };
    }
    clientId = answer.value;
  }
  const { baseUrl, userAgent } = githubOptions(context);
  return gatherApp(deploy, { clientId, privateKey: context.env.PASSLOOP_APP_PRIVATE_KEY || null, baseUrl, userAgent });
}

async function gatherMachine(context: Context, workflows: readonly WorkflowFile[]): Promise<MachineFacts> {
  return { engine: await engineOf(context), runner: runnerOf(context, workflows) };
}

async function engineOf(context: Context): Promise<MachineFacts['engine']> {
  try {
    const engine = await openEngine({ program: context.env.PASSLOOP_DOCKER, environment: context.env });
    return { state: 'answers', version: engine.serverVersion, builder: engine.builder };
  } catch (error) {
    const { message, hint } = toPassloopError(error);
    return { state: 'silent', said: message, hint };
  }
}

function runnerOf(context: Context, workflows: readonly WorkflowFile[]): MachineFacts['runner'] {
  const version = context.env.RUNNER_VERSION ?? null;
  if (context.env.RUNNER_ENVIRONMENT === 'github-hosted') return { state: 'hosted' };
  const labels = workflows
    .flatMap((file) => file.callers)
    .flatMap((caller) => Object.entries(caller.inputs).filter(([name]) => name.endsWith('runs-on')))
    .map(([, label]) => label);
  const isOwn = labels.some((label) => !/^(ubuntu|windows|macos)-[\w.-]+$/.test(label));
  if (isOwn || version !== null || context.env.GITHUB_ACTIONS === 'true') return { state: 'own', version };
  return { state: 'none' };
}
