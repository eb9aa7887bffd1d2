import path from 'node:path';
import { ConfigurationError, insidePath, worstVerdict, writeFileAtomic } from '@passloop/core';
import type { ImageDocument, ProbeDocument, ScanDocument } from '@passloop/documents';
import {
  fromRoot,
  type LoadedModel,
  type Package,
  parseSignature,
  type Signature,
  tensorColumn,
} from '@passloop/model';
import {
  buildImage,
  type Column,
  compareSkew,
  type Engine,
  openEngine,
  pipWheelSource,
  probeImage,
  readRuntime,
  readTableColumns,
  requireSameRows,
  type Skew,
  scoreByImage,
  wholeColumns,
  withLogin,
  writePredictions,
} from '@passloop/packaging';
import type { Table, TableSession } from '@passloop/tables';
import { cacheFolder } from './cache-folder.ts';
import type { Context } from './context.ts';
import { scanFiles } from './package-scan.ts';
import { dockerConfigFolder, forgeLogin } from './store.ts';
import type { Workspace } from './workspace.ts';

/** A model ready to be packaged: its outputs and the committed files of its `package` section, in one folder. */
export type PackageFolder = { root: string; package: Package; signature: Signature };

/**
 * Lays the committed package files (requirements, signature) beside the run's outputs.
 * @throws ConfigurationError where the model file has no `package`, or the commit lacks a file that it names
 */
export async function packageFolder(workspace: Workspace, model: LoadedModel, outputs: string): Promise<PackageFolder> {
  const section = model.package;
  if (section === undefined) {
    throw new ConfigurationError(`${model.name} has no \`package\` section.`, {
      file: model.file,
      line: model.lineOf([]),
      hint: 'docs/model-file.md shows one.',
    });
  }
  for (const file of [section.requirements, section.signature]) {
    const content = await packageFile(workspace, model, file);
    await writeFileAtomic(await insidePath(outputs, file, 'package'), content);
  }
  return { root: outputs, package: section, signature: await signatureOf(workspace, model, section) };
}

/** The signature that a commit gives a model. @throws ConfigurationError where the commit lacks the file */
export async function signatureOf(workspace: Workspace, model: LoadedModel, section: Package): Promise<Signature> {
  const content = await packageFile(workspace, model, section.signature);
  return parseSignature(content.toString('utf8'), section.signature);
}

async function packageFile(workspace: Workspace, model: LoadedModel, file: string): Promise<Buffer> {
  const content = await workspace.repository.readFile(workspace.commit, fromRoot(model, file));
  if (content !== null) return content;
  throw new ConfigurationError(`The commit has no file ${fromRoot(model, file)}, which \`package\` names.`, {
    file: model.file,
    line: model.lineOf(['package']),
  });
}

/**
 * The engine, for one block: its client is logged in to the forge's registry with the job's token.
 * @throws InfrastructureError that says what is missing, where no engine answers
 */
export async function engineOf(context: Context): Promise<Engine & AsyncDisposable> {
  const engine = await openEngine({ program: context.env.PASSLOOP_DOCKER, environment: context.env });
  const login = forgeLogin(context);
  if (login === null) return { ...engine, [Symbol.asyncDispose]: async () => {} };
  return withLogin(engine, login, {
    configFolder: dockerConfigFolder(context),
    searchPath: context.env.PATH ?? '',
  });
}

export async function buildModelImage(
  context: Context,
  engine: Engine,
  model: LoadedModel,
  folder: PackageFolder,
  findPushed: (key: string) => Promise<string | null>,
): Promise<{ image: ImageDocument | null; scan: ScanDocument }> {
  const modelFile = await insidePath(folder.root, folder.package.model, 'package.model');
  // Scanned each time, an image that exists included: what is allowed is the policy's, and it may be stricter by now.
  const scan = await scanFiles([{ path: folder.package.model, file: modelFile }], folder.package.allow);
  if (scan.verdict !== 'pass') return { image: null, scan };
  const built = await buildImage(
    { model: model.name, package: folder.package, root: folder.root, runtime: await readRuntime() },
    {
      engine,
      wheels: pipWheelSource({
        cache: path.join(cacheFolder(context), 'wheels'),
        python: context.env.PASSLOOP_PYTHON ?? 'python3',
        environment: context.env,
      }),
      // The copy that enters the image: what stands beside the run's outputs may have changed since.
      scan: (file, allow) => scanFiles([{ path: folder.package.model, file }], allow),
      findPushed,
      progress: context.progress,
    },
  );
  return { image: built.image, scan: built.scan ?? scan };
}

export type Proof = { probe: ProbeDocument; predictions: string };

/**
 * Proves an image: conformance, a start without network, and predictions for the evaluation rows, which see no label. They are
 * written to `file`, and the stage's own predictions are held against them (train/serve skew).
 */
export async function proveImage(
  context: Context,
  engine: Engine,
  session: TableSession,
  request: {
    image: string;
    model: LoadedModel;
    signature: Signature;
    dataset: Table;
    stage: Table | null;
    file: string;
  },
): Promise<Proof> {
  const { model, signature, dataset } = request;
  const key = model.columns.key;
  const withheld = [model.columns.label];
  const inputs = await readTableColumns(session, dataset, {
    columns: [...new Set(signature.inputs.map(tensorColumn))],
    key,
  });
  const probe = await probeImage(engine, request.image, {
    model: model.name,
    signature,
    columns: inputs,
    withheld,
    progress: context.progress,
  });
  if (probe.verdict === 'fail') return { probe, predictions: '' };
  const scores = await scoreByImage({
    engine,
    image: request.image,
    model: model.name,
    signature,
    columns: inputs,
    withheld,
    progress: context.progress,
  });
  await writePredictions(session, dataset, { key, signature, predictions: scores.columns, file: request.file });
  if (request.stage === null) return { probe, predictions: request.file };
  const skew = await skewOf(session, { model, signature, dataset, stage: request.stage, image: scores.columns });
  return {
    probe: {
      ...probe,
      predictions: skew,
      verdict: worstVerdict([probe.verdict, skew.verdict]),
      executed: probe.executed + 1,
    },
    predictions: request.file,
  };
}

/** The image's answers against the stage's own predictions, which must be about the same rows. */
export async function skewOf(
  session: TableSession,
  request: { model: LoadedModel; signature: Signature; dataset: Table; stage: Table; image: readonly Column[] },
): Promise<Skew> {
  const { model, signature, dataset, stage } = request;
  const { key } = model.columns;
  const outputs = signature.outputs.map(tensorColumn);
  const present = outputs.filter((name) => stage.columns.some((column) => column.name === name));
  await requireSameRows(session, dataset, stage, key);
  const expected = await readTableColumns(session, stage, { columns: present, key });
  return compareSkew(expected, request.image, wholeColumns(signature));
}
