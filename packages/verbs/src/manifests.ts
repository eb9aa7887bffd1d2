import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, insidePath, isMissing } from '@passloop/core';
import { EnvironmentName, readDocument } from '@passloop/documents';
import { environmentsText, type GraphManifests, graphManifests, lintLine, lintManifests } from '@passloop/gitops';
import { FirstImage, type Graph, type LoadedModel, productionEnvironment } from '@passloop/model';
import { parseImageName } from '@passloop/packaging';
import type { Context } from './context.ts';
import { outFolder } from './out-folder.ts';
import { selectModel, workTreeModels } from './workspace.ts';

export type ManifestsRequest = {
  model?: string | undefined;
  /** The environment which they are for, and the folder's name. */
  environment?: string | undefined;
  /** `name@sha256:…`; by default the image that `package push` left its document of. */
  image?: string | undefined;
  /** A clone of the deploy repository. */
  out?: string | undefined;
  /** Write nothing. */
  plan?: boolean | undefined;
};

export type WrittenManifests = {
  files: GraphManifests['files'];
  /** `environments:` as it goes into the model file. */
  environments: string;
  notes: string[];
  written: boolean;
};

/**
 * Writes the first manifests of a model from `deploy.graph` of its model file in the work tree; they need no commit yet.
 * @throws ConfigurationError where a file is there already, a link leads out of the folder, or the image isn't named by digest
 */
export async function manifests(context: Context, request: ManifestsRequest): Promise<WrittenManifests> {
  const { root, models } = await workTreeModels(context);
  const model = selectModel(models, request.model);
  const graph = graphOf(model);
  const environment = environmentOf(model, request.environment);
  const image = await imageOf(root, model, request.image);
  const { files, environments } = graphManifests({ graph, model: model.name, environment, image });
  const plan = { files, environments: environmentsText(environments), notes: notesOf(model, image, files) };
  if (request.plan === true) return { ...plan, written: false };
  if (request.out === undefined) {
    throw new ConfigurationError('Nobody says where the deploy repository is.', {
      hint: 'Give the folder of a clone with --out, or see the files with --plan.',
    });
  }
  await writeNew(path.resolve(context.cwd, request.out), request.out, files);
  return { ...plan, written: true };
}

function graphOf(model: LoadedModel): Graph {
  if (model.deploy?.graph !== undefined) return model.deploy.graph;
  throw new ConfigurationError(`${model.name} has no \`deploy.graph\`: nothing says how it is served.`, {
    file: model.file,
    line: model.lineOf(model.deploy === undefined ? [] : ['deploy']),
    hint: `Add it below \`deploy\`, such as graph: {kind: plain, folder: apps/${model.name}}. docs/manifests.md shows each kind.`,
  });
}

function environmentOf(model: LoadedModel, asked: string | undefined): string {
  const name = asked ?? productionEnvironment(model)?.name;
  if (name === undefined) {
    throw new ConfigurationError(`${model.name} has no environments yet: nobody says for which one to write.`, {
      hint: 'Name it, such as --environment prod.',
    });
  }
  const parsed = EnvironmentName.safeParse(name);
  // A canary's environment has that word behind its name.
  if (parsed.success && name.length <= 43) return name;
  throw new ConfigurationError(`--environment ${JSON.stringify(name.slice(0, 100))} is no name of an environment.`, {
    hint: 'Lower case letters, digits and "-", at most 43 characters, with a letter first.',
  });
}

async function imageOf(root: string, model: LoadedModel, asked: string | undefined): Promise<FirstImage> {
  const reference = asked ?? (await pushedImage(root, model));
  const { digest } = parseImageName(reference);
  if (digest === null) {
    throw new ConfigurationError(`--image ${reference} names no digest.`, {
      hint: 'Give name@sha256:<64 hex>: a tag can be moved, a digest is what was tested.',
    });
  }
  const name = reference.slice(0, reference.indexOf('@'));
  const repository = name.replace(/:[^:/]+$/, '');
  const parsed = FirstImage.safeParse({ repository, digest });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigurationError(`--image ${reference}: the ${String(issue?.path[0])} ${issue?.message}.`, {
    hint: 'Take the reference that `passloop package push` prints.',
  });
}

/** The image of which `package push` wrote a document. */
async function pushedImage(root: string, model: LoadedModel): Promise<string> {
  const hint = 'Name one with --image name@sha256:<64 hex>, or push it first: `passloop package push`.';
  const file = path.join(outFolder(root, model.name, undefined).folder, 'image.json');
  try {
    await readFile(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigurationError(`No image of ${model.name} is known here.`, { hint });
  }
  const { reference } = await readDocument('image', file);
  if (reference !== null) return reference;
  throw new ConfigurationError(`The image of ${model.name} was built and not pushed: no cluster can pull it.`, {
    hint,
  });
}

function notesOf(model: LoadedModel, image: FirstImage, files: GraphManifests['files']): string[] {
  const pushed = model.package?.repository;
  const mirror =
    pushed === undefined || pushed === image.repository
      ? []
      : [
          `Images of ${model.name} are pushed to ${pushed}, and these manifests pull from ${image.repository}: is it a mirror?`,
        ];
  const findings = lintManifests(files.map(({ path: file, text }) => ({ file, text })));
  return [...mirror, ...findings.map(lintLine)];
}

/** All or none: nothing is overwritten, and no link is followed out of the folder. */
async function writeNew(folder: string, named: string, files: GraphManifests['files']): Promise<void> {
  const known = await lstat(folder).catch(() => null);
  if (known === null || !known.isDirectory()) {
    throw new ConfigurationError(`There is no folder ${named}.`, {
      hint: '--out is a clone of the deploy repository.',
    });
  }
  const places: { place: string; file: string; text: string }[] = [];
  for (const { path: file, text } of files) places.push({ place: await insidePath(folder, file, '--out'), file, text });
  const taken: string[] = [];
  for (const { place, file } of places) if ((await lstat(place).catch(() => null)) !== null) taken.push(file);
  if (taken.length > 0) {
    throw new ConfigurationError(
      `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already in ${named}.`,
      {
        hint: 'Manifests are written once, and then are yours. Remove them, or see with --plan what would be written.',
      },
    );
  }
  const done: string[] = [];
  try {
    for (const { place, text } of places) {
      await mkdir(path.dirname(place), { recursive: true });
      await writeFile(place, text, { flag: 'wx' });
      done.push(place);
    }
  } catch (error) {
    for (const place of done) await rm(place, { force: true });
    throw error;
  }
}
