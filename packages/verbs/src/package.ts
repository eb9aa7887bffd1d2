import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, isPassing } from '@passloop/core';
import type { ImageDocument, ProbeDocument, ScanDocument } from '@passloop/documents';
import { type LoadedModel, parseSignature, type Signature, tensorColumn } from '@passloop/model';
import { type Engine, probeServer, pushImage, readTableColumns } from '@passloop/packaging';
import { openTables } from '@passloop/tables';
import type { Context } from './context.ts';
import { lockedFiles } from './data-stage.ts';
import { buildModelImage, engineOf, packageFolder, proveImage } from './image-stage.ts';
import { outFolder } from './out-folder.ts';
import { remoteTables } from './remote-tables.ts';
import { runStage } from './run-stage.ts';
import { openModelStore } from './store.ts';
import { openWorkspace, selectModel } from './workspace.ts';

export type PackageRequest = { model?: string | undefined; ref?: string | undefined; out?: string | undefined };

/** The image of a commit's model: found by its key, or built. The model comes from the store, or is trained. */
export async function packageBuild(context: Context, request: PackageRequest): Promise<ImageDocument> {
  await using engine = await engineOf(context);
  return (await build(context, engine, request)).image;
}

/** Builds the image where it isn't there yet, and pushes it under its key. */
export async function packagePush(context: Context, request: PackageRequest): Promise<ImageDocument> {
  await using engine = await engineOf(context);
  return await push(context, await build(context, engine, request));
}

async function push(context: Context, built: Built): Promise<ImageDocument> {
  const pushed = await pushImage(built.engine, built.image, built.repository, context.progress);
  await built.store.saveImage(pushed);
  await built.out.write('image', pushed);
  return pushed;
}

export type PackagedModel = { image: ImageDocument; scan: ScanDocument; probe: ProbeDocument | null };

/**
 * Scan, image and proof of a commit's model in one; on request it is pushed, once it is proven. With `prove: false` no model runs:
 * the run comes from the store, and the image is pushed for another job to prove it, which holds no token to write.
 */
export async function packageModel(
  context: Context,
  request: PackageRequest & { push?: boolean | undefined; prove?: boolean | undefined },
): Promise<PackagedModel> {
  await using engine = await engineOf(context);
  const built = await build(context, engine, request, request.prove !== false);
  if (request.prove === false) {
    const image = request.push === true ? await push(context, built) : built.image;
    return { image, scan: built.scan, probe: null };
  }
  const probe = built.model.evaluate === undefined ? null : await prove(context, built, built.model.evaluate);
  if (probe === null && request.push === true) throw noRows(built.model);
  if (request.push !== true || (probe !== null && !isPassing(probe.verdict)))
    return { image: built.image, scan: built.scan, probe };
  return { image: await push(context, built), scan: built.scan, probe };
}

type Built = Awaited<ReturnType<typeof build>>;

async function build(context: Context, engine: Engine, request: PackageRequest, train = true) {
  const workspace = await openWorkspace(context, { ref: request.ref });
  const model = selectModel(workspace.models, request.model);
  const store = await openModelStore(context, workspace.root, model);
  const out = outFolder(workspace.root, model.name, request.out);
  await runStage(context, { workspace, model, store, outputs: out.outputs, train });
  const folder = await packageFolder(workspace, model, out.outputs);
  const built = await buildModelImage(
    context,
    engine,
    model,
    folder,
    async (key) => (await store.findImage(key))?.reference ?? null,
  );
  await out.write('scan', built.scan);
  if (built.image === null) {
    const finding = built.scan.files.flatMap((file) => file.findings)[0];
    throw new ConfigurationError(
      `${folder.package.model} is not safe to load: ${finding?.rule ?? built.scan.verdict}: ${finding?.detail ?? ''}.`,
      {
        file: model.file,
        line: model.lineOf(['package']),
        hint: 'If you trust that global, name it in `package.allow`; `passloop package scan` lists all findings.',
      },
    );
  }
  await out.write('image', built.image);
  return {
    image: built.image,
    scan: built.scan,
    workspace,
    model,
    store,
    out,
    engine,
    folder,
    repository: folder.package.repository,
  };
}

export type ProbeRequest = {
  /** Address of a running server; without one, the image of the commit is built and probed. */
  url?: string | undefined;
  grpc?: string | undefined;
  model?: string | undefined;
  signature?: string | undefined;
  data?: string | undefined;
  ref?: string | undefined;
  out?: string | undefined;
};

/** Probes a server of the Open Inference Protocol, or the image of a commit's model. */
export async function packageProbe(context: Context, request: ProbeRequest): Promise<ProbeDocument> {
  if (request.url !== undefined) return probeUrl(context, request.url, request);
  await using engine = await engineOf(context);
  const built = await build(context, engine, request);
  if (built.model.evaluate === undefined) throw noRows(built.model);
  return await prove(context, built, built.model.evaluate);
}

function noRows(model: LoadedModel): ConfigurationError {
  return new ConfigurationError(
    `${model.name} has no \`evaluate\` section: there are no rows to prove its image with.`,
    {
      file: model.file,
      line: model.lineOf([]),
    },
  );
}

async function prove(
  context: Context,
  built: Built,
  evaluate: NonNullable<LoadedModel['evaluate']>,
): Promise<ProbeDocument> {
  const { image, model, workspace, out, engine, folder } = built;
  await using session = await openTables();
  const files = await lockedFiles(workspace, model, evaluate.dataset, remoteTables(context));
  const dataset = await session.open({ uri: files.uri, root: files.root, found: files.found });
  const predictions = path.join(out.outputs, evaluate.predictions);
  const stage = await session.open({ uri: path.basename(predictions), root: path.dirname(predictions) });
  const proof = await proveImage(context, engine, session, {
    image: image.imageId,
    model,
    signature: folder.signature,
    dataset,
    stage,
    file: path.join(out.folder, 'image-predictions.parquet'),
  });
  await out.write('probe', proof.probe);
  return proof.probe;
}

async function probeUrl(context: Context, url: string, request: ProbeRequest): Promise<ProbeDocument> {
  if (!/^https?:\/\/[^\s]+$/.test(url))
    throw new ConfigurationError(`${JSON.stringify(url.slice(0, 200))} is no http address.`, {
      hint: 'Give http://host:port.',
    });
  if (request.model === undefined)
    throw new ConfigurationError('--model is missing: the name under which the server serves the model.');
  if (request.data !== undefined && request.signature === undefined)
    throw new ConfigurationError('--data needs --signature, which says which column is which tensor.');
  const signature = request.signature === undefined ? null : await readSignature(context, request.signature);
  await using session = await openTables();
  let columns: Awaited<ReturnType<typeof readTableColumns>> | undefined;
  if (request.data !== undefined && signature !== null) {
    const table = await session.open({ uri: request.data, root: context.cwd });
    const derived = await session.derive(
      `SELECT row_number() OVER () AS passloop_row, * FROM ${table.relation} LIMIT 64`,
      request.data,
    );
    columns = await readTableColumns(session, derived, {
      columns: signature.inputs.map(tensorColumn),
      key: ['passloop_row'],
    });
  }
  return await probeServer(
    { rest: url.replace(/\/+$/, ''), grpc: request.grpc ?? null },
    { model: request.model, signature, columns, progress: context.progress },
  );
}

async function readSignature(context: Context, file: string): Promise<Signature> {
  const text = await readFile(path.resolve(context.cwd, file), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) throw new ConfigurationError(`--signature: there is no file ${file}.`, { file });
    throw error;
  });
  return parseSignature(text, file);
}
