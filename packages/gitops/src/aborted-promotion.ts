import { PassloopError, plainText, shortDigest } from '@passloop/core';
import type { StoredRecord } from '@passloop/record';
import type { AbortEvent } from './abort-event.ts';
import { type DeployPlace, type DeployTree, recordIn, recordPlaces } from './deploy-tree.ts';
import type { FileAt, Forge, PathVersion } from './forge.ts';
import type { CommitReports } from './health.ts';
import { landingOf } from './landing.ts';
import { type ManifestObject, objectsOf, resourcesOf } from './manifest-objects.ts';
import { stateFolder } from './paths.ts';

/** A record of the model repository, and what its manifests put into a cluster. */
export type PlacedRecord = DeployPlace & {
  digest: string;
  imageDigest: string;
  version: string;
  objects: readonly ManifestObject[];
  /** ISO 8601; when the record reached the branch. */
  landedAt: string | null;
};

export type Aborted =
  | { kind: 'found'; model: string; environment: string; record: string }
  /** `stale`: what was given up is in production no more; `unclear`: nobody can tell what is meant. */
  | { kind: 'stale' | 'unclear'; reason: string; model: string | null; environment: string | null };

/**
 * Finds the promotion that a controller in the cluster gave up, by the records at the head of the deploy repository's branch.
 * @param repository `owner/name` of the model repository: records of others are none of its business
 * @param commits lists the branch, for events that carry no digest
 */
export async function findAborted(
  forge: Forge,
  event: AbortEvent,
  { branch, repository, commits }: { branch: string | null; repository: string; commits: CommitReports['commits'] },
): Promise<Aborted> {
  const folders = [{ path: stateFolder, depth: 2 }];
  const first = await forge.read({ branch, files: [], folders, histories: [], heads: [], closed: [] });
  const tree: DeployTree = {
    commit: first.commit,
    files: new Map((first.folders.get(stateFolder) ?? []).map((file) => [file.path, file])),
  };
  const places = recordPlaces(tree.files.keys()).filter(
    ({ model, environment }) =>
      (event.model === null || event.model === model) &&
      (event.environment === null || event.environment === environment),
  );
  const records = places.flatMap((place) => {
    const found = recordIn(tree, place);
    const isOurs = found !== null && !(found instanceof PassloopError) && ownerOf(found) === repository.toLowerCase();
    return isOurs ? [{ place, found }] : [];
  });
  const histories = records.map(({ place }) => ({ path: place.file, limit: 1 }));
  const files = [...new Set(records.flatMap(({ found }) => found.record.deployment.targets.map(({ file }) => file)))];
  const second = await forge.read({ branch, files, folders: [], histories, heads: [], closed: [] });
  const resources = [...second.files].flatMap(([file, at]) => resourcesOf(file, at?.text ?? ''));
  const more =
    resources.length === 0
      ? new Map<string, FileAt | null>()
      : (
          await forge.read({
            branch,
            files: [...new Set(resources)],
            folders: [],
            histories: [],
            heads: [],
            closed: [],
          })
        ).files;
  const line = event.digests.length > 0 || records.length === 0 ? [] : await commits(first.commit);
  const placed = records.map(({ place, found }): PlacedRecord => {
    const { record, digest } = found;
    const objects = record.deployment.targets.flatMap(({ file }) =>
      objectsOf(file, second.files.get(file)?.text ?? '', (resource) => more.get(resource)?.text ?? null),
    );
    const [landed] = second.histories.get(place.file) ?? [];
    const isCurrent = isVersion(landed, tree.files.get(place.file)?.blob);
    const landedAt = isCurrent && landed !== undefined ? (landingOf(line, landed.commit)?.at ?? null) : null;
    return { ...place, digest, imageDigest: record.image.digest, version: record.version, objects, landedAt };
  });
  return abortedRecord(event, placed);
}

function ownerOf({ record }: StoredRecord): string {
  return (record.identity.split('#')[0] ?? '').toLowerCase();
}

/** Whether the newest commit that touched a record wrote what is there now: the two were read one after the other. */
function isVersion(version: PathVersion | undefined, blob: string | undefined): boolean {
  return version?.file?.blob !== undefined && version.file.blob === blob;
}

/**
 * Which record an event is about: the one whose manifests make that object, and which runs an image that was given up. Without an image
 * in the event, its time has to be after the landing: an old event must not take back what came after it.
 */
export function abortedRecord(event: AbortEvent, records: readonly PlacedRecord[]): Aborted {
  const here = recordsAt(event, records);
  const what = plainText([event.namespace, event.name].filter((part) => part !== null).join('/') || 'the rollout', 200);
  const unclear = (reason: string): Aborted => ({
    kind: 'unclear',
    reason,
    model: event.model,
    environment: event.environment,
  });
  if (here.length === 0) {
    const known = records.map(({ model, environment }) => `${model} in ${environment}`).slice(0, 10);
    return unclear(
      `No record's manifests make ${what}${known.length === 0 ? '; this repository has no record here' : ` (records: ${known.join(', ')})`}. ${nameThem}`,
    );
  }
  const [only] = here;
  const one = { model: only?.model ?? null, environment: here.length === 1 ? (only?.environment ?? null) : null };
  if (event.digests.length > 0) {
    const running = here.filter(({ imageDigest }) => event.digests.includes(imageDigest));
    if (running.length === 0) {
      const runs = here.map(({ environment, version }) => `${environment} runs ${version}`).slice(0, 10);
      const given = event.digests.map(shortDigest).slice(0, 5).join(', ');
      return {
        kind: 'stale',
        reason: `The image that was given up (${given}) is in production no more: ${runs.join(', ')}.`,
        ...one,
      };
    }
    return running.length === 1 ? foundRecord(running[0]) : unclear(severalRecords(what, running));
  }
  if (here.length > 1) return unclear(severalRecords(what, here));
  const landed = Date.parse(only?.landedAt ?? '');
  if (event.at === null || !Number.isFinite(landed)) {
    return unclear(
      `The event names no image by its digest and no time: nobody can tell whether ${what} gave up ${only?.version ?? ''} or what came before. Send an event with its time (Flagger: a webhook of type \`event\`), or with \`images\`.`,
    );
  }
  if (Date.parse(event.at) < landed) {
    return {
      kind: 'stale',
      reason: `${what} was given up at ${event.at}, before ${only?.version ?? ''} landed (${only?.landedAt}).`,
      ...one,
    };
  }
  return foundRecord(only);
}

const nameThem =
  'Name them in the event: `model` and `environment` in the metadata of a Flagger webhook, the annotations passloop.dev/model and passloop.dev/environment of a Rollout, or --environment.';

function severalRecords(what: string, records: readonly PlacedRecord[]): string {
  const list = records.map(({ model, environment }) => `${model} in ${environment}`).slice(0, 10);
  return `${what} may be any of ${list.join(', ')}. ${nameThem}`;
}

function foundRecord(record: PlacedRecord | undefined): Aborted {
  if (record === undefined) throw new Error('there is a record');
  return { kind: 'found', model: record.model, environment: record.environment, record: record.digest };
}

/** By object where the manifests say which; those that don't say leave it to the image, or to who named the environment. */
function recordsAt(event: AbortEvent, records: readonly PlacedRecord[]): PlacedRecord[] {
  const fits = (asked: string | null, found: string | null) => asked === null || found === null || asked === found;
  if (event.name === null && event.namespace === null) return [...records];
  const sure = records.filter(({ objects }) =>
    objects.some(({ namespace, name }) => name !== null && name === event.name && fits(event.namespace, namespace)),
  );
  if (sure.length > 0) return sure;
  // Whoever named the environment knows better than manifests that a chart or another folder makes.
  if (event.environment !== null) return [...records];
  return records.filter(
    ({ objects }) =>
      event.digests.length > 0 &&
      objects.every(({ name }) => name === null || event.name === null) &&
      objects.some(({ namespace }) => fits(event.namespace, namespace)),
  );
}
