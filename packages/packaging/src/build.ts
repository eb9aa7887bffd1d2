import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigurationError,
  type Digest,
  fileDigest,
  InfrastructureError,
  insidePath,
  lastLine,
  type Progress,
  plainText,
  sha256,
  temporaryFolder,
} from '@passloop/core';
import type { ImageDocument, ScanDocument } from '@passloop/documents';
import { type Package, parseRequirements, parseSignature } from '@passloop/model';
import { examineBase } from './base.ts';
import { copyRegularFile, writeContext } from './build-context.ts';
import type { Engine } from './engine.ts';
import { type ImageFacts, inspectImage, pullImage } from './image-facts.ts';
import { imageKey } from './image-key.ts';
import { parseImageName } from './image-name.ts';
import { dockerfile, imageLabels, installer, recipeVersion, servedModelFile } from './recipe.ts';
import { selectRequirements } from './requirements.ts';
import type { Runtime } from './runtime-files.ts';
import type { WheelSource } from './wheels.ts';

export type BuildRequest = {
  /** Name of the model. */
  model: string;
  package: Package;
  /** Folder of the model file: the paths of `package` are relative to it. */
  root: string;
  runtime: Runtime;
};

export type BuildPorts = {
  engine: Engine;
  wheels: WheelSource;
  /** Reads the model file without loading it; nothing is built from a file that doesn't pass. */
  scan: (file: string, allow: readonly string[]) => Promise<ScanDocument>;
  /** Where an image of this key was pushed to (`name@sha256:…`), by the store or the registry; null where nowhere. */
  findPushed?: ((key: string) => Promise<string | null>) | undefined;
  progress: Progress;
};

/** The image, or null where the scan refused the model; the scan, or null where an image of this key was there already. */
export type BuildResult = { image: ImageDocument | null; scan: ScanDocument | null };

type Parts = {
  request: BuildRequest;
  modelDigest: Digest;
  signatureDigest: Digest;
  serveLock: string;
  serveLockDigest: Digest;
  key: string;
};

/**
 * The image of a model: found by its key in the engine or where it was pushed to, else scanned and built.
 * @throws ConfigurationError for a file or a lock that the user mends; InfrastructureError where the engine, the index or the build fails
 */
export async function buildImage(request: BuildRequest, ports: BuildPorts): Promise<BuildResult> {
  await using context = await temporaryFolder('image');
  const modelFile = servedModelFile(request.package.model);
  const modelCopy = path.join(context.path, 'model', modelFile);
  const parts = await readParts(request, modelCopy);

  const found = await findImage(request.model, parts.key, request.package.platforms[0] ?? 'linux/amd64', ports);
  if (found !== null) {
    return { image: imageDocument(parts, found.facts, 'hit', found.reference), scan: null };
  }

  ports.progress.phase('scan the model file');
  const scan = await ports.scan(modelCopy, request.package.allow);
  if (scan.verdict !== 'pass') {
    ports.progress.done();
    return { image: null, scan };
  }
  const facts = await build(parts, context.path, ports);
  return { image: imageDocument(parts, facts, 'miss', null), scan };
}

/** Name of the image in the engine. The repository's name comes into play when it is pushed. */
export function engineTag(model: string, key: string): string {
  return `passloop/${model}:${key}`;
}

/** Reads what the key is made of. Model and signature are copied first: what was digested is what is scanned and served. */
async function readParts(request: BuildRequest, modelCopy: string): Promise<Parts> {
  const { package: section, root } = request;
  const lockPath = await insidePath(root, section.requirements, 'package.requirements');
  const lockCopy = path.join(path.dirname(modelCopy), '..', 'serve.lock');
  const signatureCopy = path.join(path.dirname(modelCopy), 'signature.json');
  await copyRegularFile(await insidePath(root, section.model, 'package.model'), modelCopy, 'package.model');
  await copyRegularFile(lockPath, lockCopy, 'package.requirements');
  await copyRegularFile(
    await insidePath(root, section.signature, 'package.signature'),
    signatureCopy,
    'package.signature',
  );
  const signature = await readFile(signatureCopy, 'utf8');
  parseSignature(signature, section.signature);
  const serveLock = await readFile(lockCopy, 'utf8');
  const modelDigest = await fileDigest(modelCopy);
  const digests = { modelDigest, signatureDigest: sha256(signature), serveLockDigest: sha256(serveLock) };
  const { version, digest } = request.runtime;
  const key = imageKey({ model: request.model, package: section, ...digests, runtime: { version, digest } });
  return { request, serveLock, key, ...digests };
}

async function findImage(
  model: string,
  key: string,
  platform: string,
  ports: BuildPorts,
): Promise<{ facts: ImageFacts; reference: string | null } | null> {
  const { engine } = ports;
  // By its tag, not by its label: an image that is built on this one inherits the label.
  const tag = engineTag(model, key);
  const local = await inspectImage(engine, tag);
  if (local !== null && carries(local, key, platform)) return { facts: local, reference: null };
  const reference = (await ports.findPushed?.(key)) ?? null;
  if (reference === null) return null;
  ports.progress.phase('pull the image of this key');
  const facts = await pullImage(engine, reference, platform, ports.progress);
  ports.progress.done();
  if (facts === null) return null;
  if (!carries(facts, key, platform)) {
    throw new InfrastructureError(`${plainText(reference)} should be the image of ${key}, and isn't labelled so.`, {
      hint: 'Someone pushed another image under this tag. Delete the tag; the image is then built again.',
    });
  }
  await engine.run(['image', 'tag', facts.id, tag]);
  return { facts, reference };
}

function carries(facts: ImageFacts, key: string, platform: string): boolean {
  return facts.labels[imageLabels.imageKey] === key && facts.platform === platform;
}

async function build(parts: Parts, folder: string, ports: BuildPorts): Promise<ImageFacts> {
  const { engine, progress } = ports;
  const { request } = parts;
  const platform = request.package.platforms[0] ?? 'linux/amd64';
  progress.phase('look at the base image');
  const base = await examineBase(engine, request.package.base, platform, progress);

  progress.phase('fetch wheels');
  const target = { python: base.python, platform };
  const serveLock = parseRequirements(parts.serveLock, request.package.requirements);
  const requirements = {
    runtime: selectRequirements(parseRequirements(request.runtime.lock, 'requirements.lock'), target),
    serve: selectRequirements(serveLock, target),
  };
  const forBase = { python: base.python.split('.').slice(0, 2).join('.'), platform };
  const wheels = {
    runtime: await ports.wheels({ requirements: requirements.runtime, ...forBase }),
    serve: await ports.wheels({ requirements: requirements.serve, ...forBase }),
    installer: await ports.wheels({ requirements: [installer], ...forBase }),
  };
  const text = dockerfile({
    model: request.model,
    modelDigest: parts.modelDigest,
    base: request.package.base,
    imageKey: parts.key,
    runtimeVersion: request.runtime.version,
  });
  await writeContext({ folder, dockerfile: text, runtime: request.runtime, requirements, wheels });

  progress.phase('build the image');
  const tag = engineTag(request.model, parts.key);
  const id = await runBuild(engine, { folder, tag, platform, progress });
  const facts = await inspectImage(engine, id);
  if (facts === null) throw new InfrastructureError(`The engine built ${id} and does not have it.`);
  progress.done();
  return facts;
}

/** `docker build` without network. @returns the image's id */
async function runBuild(
  engine: Engine,
  request: { folder: string; tag: string; platform: string; progress: Progress },
): Promise<string> {
  parseImageName(request.tag);
  await using output = await temporaryFolder('iid');
  const idFile = path.join(output.path, 'id');
  const args = [
    'build',
    ...['--file', path.join(request.folder, 'Dockerfile'), '--tag', request.tag, '--iidfile', idFile],
    ...['--platform', request.platform, '--network', 'none'],
    // The plugin may be set to a builder of its own, whose images stay there unless asked for.
    ...(engine.builder === 'buildkit' && Number.parseInt(engine.clientVersion, 10) >= 23 ? ['--load'] : []),
    ...(engine.builder === 'buildkit' ? ['--progress', 'plain'] : ['--rm', '--force-rm']),
    request.folder,
  ];
  const timeoutMs = 60 * 60_000;
  const tail: string[] = [];
  const result = await engine.follow(args, {
    timeoutMs,
    onLine(line) {
      tail.push(line);
      if (tail.length > 200) tail.shift();
    },
  });
  if (result.timedOut) throw new InfrastructureError(`docker build did not finish within ${timeoutMs / 1000} s.`);
  if (result.exitCode !== 0) {
    const reason = buildReason(tail) || lastLine(result.stderr) || lastLine(result.stdout);
    if (/no matching distribution|in --require-hashes mode|hashes/i.test(reason)) {
      throw new ConfigurationError(`The serving lock cannot be installed: ${plainText(reason, 400)}`, {
        hint: 'It must name every package that its packages need, each with a wheel and hash for the Python of the base image.',
      });
    }
    throw new InfrastructureError(`docker build failed: ${plainText(reason, 800)}`);
  }
  return (await readFile(idFile, 'utf8')).trim();
}

/** What pip or the builder said last as an error, without the builder's own numbering. */
function buildReason(lines: readonly string[]): string {
  const clean = lines.map((line) => line.replace(/^#\d+ (?:\d+\.\d+ )?/, '').trim());
  return (
    clean.findLast((line) => /^ERROR: (?!failed to solve|executor failed)/.test(line)) ??
    clean.findLast((line) => line !== '') ??
    ''
  );
}

function imageDocument(
  parts: Parts,
  facts: ImageFacts,
  cache: 'hit' | 'miss',
  reference: string | null,
): ImageDocument {
  return {
    schema: 'passloop/image/v1',
    model: parts.request.model,
    imageKey: parts.key,
    reference,
    digest: reference === null ? null : (parseImageName(reference).digest ?? null),
    imageId: facts.id,
    bytes: facts.bytes,
    cache,
    modelDigest: parts.modelDigest,
    signatureDigest: parts.signatureDigest,
    serveLockDigest: parts.serveLockDigest,
    base: parts.request.package.base,
    platform: facts.platform,
    runtime: parts.request.runtime.version,
    recipe: recipeVersion,
  };
}
