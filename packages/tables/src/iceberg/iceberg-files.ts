import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError, isMissing, jsonDigest, plainText } from '@passloop/core';
import type { PartitionColumn } from '../hive.ts';
import { placeBelow } from './location.ts';
import type { IcebergSnapshot } from './metadata.ts';
import { damaged } from './refusals.ts';
import { engineType, type IcebergField } from './schema.ts';

export const metadataFolder = 'metadata';
export const hintName = 'version-hint.text';
const largestFile = 128 << 20;

/** What an Iceberg table has beside its files. */
export type IcebergTable = {
  /** The table's folder, as the user wrote it. */
  place: string;
  snapshot: string;
  fields: IcebergField[];
  /** The files that tell this snapshot, absolute; the one that tells of the others first. */
  metadata: string[];
};

export type IcebergAddress = {
  /** The folder on disk. */
  folder: string;
  /** The name of the metadata file, where the address names one. */
  file: string | null;
  /** A snapshot's id, a tag or a branch. */
  snapshot: string | null;
  /** The id of the snapshot that a lock says. */
  locked: string | null;
};

/** Fetches files of the table, by their paths below its folder, before they are read; nothing where all are there. */
export type Bring = (below: readonly string[]) => Promise<void>;

/** A folder with metadata of Iceberg in it. */
export async function isIceberg(folder: string): Promise<boolean> {
  const names = await readdir(path.join(folder, metadataFolder)).catch(() => []);
  return names.some((name) => /\.metadata\.json(\.gz)?$/.test(name));
}

type Live = { below: string; bytes: number; values: Map<number, string | null> };
type Told = { snapshot: IcebergSnapshot; metadata: string[]; files: Live[] };

/**
 * The data files of a snapshot, as its metadata tells them.
 *
 * @param table what messages call it
 * @throws ConfigurationError for a snapshot that isn't there, and whatever would be read wrongly
 */
export async function readMetadata(
  table: string,
  { folder, file, snapshot: asked, locked }: IcebergAddress,
  bring: Bring = async () => undefined,
): Promise<Told> {
  // Who has no such table loads nothing of what reads its metadata.
  const [{ currentMetadata, noRows, snapshotOf }, { fileCollector, manifestsOf }, { partitionText }] =
    await Promise.all([import('./metadata.ts'), import('./manifests.ts'), import('./partition-text.ts')]);
  const names = await readdir(path.join(folder, metadataFolder));
  const name = file ?? currentMetadata(table, names, await readHint(table, folder));
  const told = `${metadataFolder}/${name}`;
  const snapshot = snapshotOf(table, await bytesOf(table, folder, told, largestFile), asked, locked);
  const list = placeBelow(table, snapshot.location, snapshot.manifestList);
  await bring([list]);
  const manifests = manifestsOf(table, await bytesOf(table, folder, list, largestFile)).map((manifest) => ({
    ...manifest,
    below: placeBelow(table, snapshot.location, manifest.address),
  }));
  await bring(manifests.map(({ below }) => below));
  const collector = fileCollector(table);
  for (const manifest of manifests) {
    const bytes = await bytesOf(table, folder, manifest.below, largestFile);
    if (bytes.length !== manifest.bytes)
      throw damaged(table, `${manifest.below} has ${bytes.length} bytes, and ${manifest.bytes} in the manifest list`);
    collector.add(manifest, bytes);
  }
  if (collector.files.length === 0) throw noRows(table, `no file in the snapshot ${snapshot.id}`);
  const files = collector.files.map(({ address, bytes, spec, partition }) => {
    const identities = snapshot.identities.get(spec);
    if (identities === undefined) throw damaged(table, `its metadata lacks the partition spec ${spec}`);
    const values = identities.map(({ id, source }): [number, string | null] => {
      const type = snapshot.fields.find((field) => field.id === source)?.type;
      const [, scale = 0] = type?.kind === 'plain' ? (/,(\d+)\)$/.exec(type.engine) ?? []) : [];
      const value =
        type?.kind === 'plain' ? partitionText(type.plain, Number(scale), partition.get(id) ?? null) : undefined;
      if (value === undefined) throw damaged(table, `a file’s partition has a wrong value of the field ${id}`);
      return [source, value];
    });
    return { below: placeBelow(table, snapshot.location, address), bytes, values: new Map(values) };
  });
  files.sort((left, right) => Buffer.compare(Buffer.from(left.below), Buffer.from(right.below)));
  if (new Set(files.map(({ below }) => below)).size !== files.length)
    throw damaged(table, 'its manifests name one file twice');
  return {
    snapshot,
    metadata: [told, list, ...manifests.map(({ below }) => below)],
    files,
  };
}

/** The text of the file that says which metadata file is current; null where there is none. */
export async function readHint(table: string, folder: string): Promise<string | null> {
  const names = await readdir(path.join(folder, metadataFolder)).catch((): string[] => []);
  return names.includes(hintName)
    ? (await bytesOf(table, folder, `${metadataFolder}/${hintName}`, 1024)).toString('utf8')
    : null;
}

async function bytesOf(table: string, folder: string, below: string, most: number): Promise<Buffer> {
  const file = await regularFile(table, folder, below);
  const { size } = await lstat(file);
  if (size > most) throw damaged(table, `${below} is longer than ${most} bytes`);
  return readFile(file);
}

async function regularFile(table: string, folder: string, below: string): Promise<string> {
  const file = path.join(folder, ...below.split('/'));
  const real = await realpath(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  const shown = plainText(below);
  if (real === null) throw damaged(table, `${shown} isn't there; it expired, or was not fetched`);
  if (real !== file || !(await lstat(file)).isFile()) {
    throw new ConfigurationError(
      `${shown} is no regular file, or lies behind a symbolic link; a table of ${table} has regular files only.`,
      { file: table },
    );
  }
  return file;
}

/**
 * The data files of a snapshot, each verified to be there with the size that the metadata says.
 * @param place the table's folder, as the user wrote it
 * @throws ConfigurationError as {@link readMetadata}, and for files that are gone, cut off, or links
 */
export async function icebergFiles(
  table: string,
  address: IcebergAddress,
  place: string,
): Promise<{ files: string[]; partitions: PartitionColumn[]; iceberg: IcebergTable }> {
  const { snapshot, metadata, files: live } = await readMetadata(table, address);
  const files: string[] = [];
  for (const { below, bytes } of live) {
    const file = await regularFile(table, address.folder, below);
    const { size } = await lstat(file);
    if (size !== bytes) throw damaged(table, `${plainText(below)} has ${size} bytes, and ${bytes} in its manifest`);
    files.push(file);
  }
  const absolute = metadata.map((below) => path.join(address.folder, ...below.split('/')));
  return {
    files,
    partitions: partitionsOf(snapshot, live),
    iceberg: { place, snapshot: snapshot.id, fields: snapshot.fields, metadata: absolute },
  };
}

function partitionsOf({ fields, identities }: IcebergSnapshot, live: readonly Live[]): PartitionColumn[] {
  const sources = new Set([...identities.values()].flatMap((spec) => spec.map(({ source }) => source)));
  return fields
    .filter(({ id }) => sources.has(id))
    .map(({ id, name, type }) => ({
      name,
      type: engineType(type),
      values: live.map(({ values }) => values.get(id) ?? null),
    }));
}

/** Digest of what a snapshot says beside the bytes of its files: columns, and values of partitions, file by file. */
export function icebergDigest({ fields }: IcebergTable, partitions: readonly PartitionColumn[]): string {
  return jsonDigest({
    fields: fields.map(({ id, name, type }) => [id, name, engineType(type)]),
    partitions: partitions.map(({ name, values }) => [name, values]),
  });
}
