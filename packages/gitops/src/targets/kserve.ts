import { ConfigurationError, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import {
  childOf,
  descend,
  itemsOf,
  itemWhere,
  type Located,
  lineOf,
  placeName,
  placeOf,
  readingAt,
  rootOf,
  textAt,
} from '../address.ts';
import { containerImage } from '../container-image.ts';
import { editReference, readReference, referenceText } from '../image-reference.ts';
import { fieldsOf, type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges, type Change, editInSteps, insertKey, remove, setScalar } from '../manifest-edit.ts';
import type { Reading } from '../manifest-reading.ts';
import { editStorage, readStorage, requireImage } from '../storage-image.ts';
import { addressText, type Carried, type TargetEditor, type TargetImage } from '../target-kind.ts';

type KserveTarget = TargetOf<'kserve'>;

const kinds = [{ group: 'serving.kserve.io', kind: 'InferenceService' }];
const modeAnnotation = 'serving.kserve.io/deploymentMode';

/**
 * An InferenceService. Its canary is one of two things: in Knative mode `predictor.canaryTrafficPercent`, the share of what the
 * predictor names now against the revision before; in Standard mode an entry of `spec.canary`, a predictor of its own. Writing
 * the stable slot takes the canary away: that promotes it.
 */
export const kserve: TargetEditor<KserveTarget> = {
  read(text, target) {
    const service = serviceOf(openManifest(text, target.file), target);
    return target.slot === 'stable' ? readStable(service) : readCanary(service, target.percent ?? 0);
  },
  edit(text, target, image) {
    if (target.slot === 'stable') return editStable(text, target, image);
    const service = serviceOf(openManifest(text, target.file), target);
    const percent = target.percent ?? 0;
    return modeOf(service) === 'Knative'
      ? editKnativeCanary(text, target, image, percent)
      : editStandardCanary(text, target, image, percent);
  },
  value: (_, { digest }) => digest,
  address: ({ name, slot }) => addressText({ name, slot }),
  warnings(text, target) {
    const service = serviceOf(openManifest(text, target.file), target);
    const canaries = canariesOf(service);
    if (target.slot !== 'canary' || canaries.length > 0 || modeOf(service) !== 'Standard') return [];
    const fields = ignoredInCanary.filter((field) => childOf(service.predictor, field) !== null);
    if (fields.length === 0) return [];
    return [
      `${target.file}:${lineOf(service.predictor)}: the canary is written without ${fields.join(', ')}, which KServe refuses there.`,
    ];
  },
};

type Service = { root: Located; spec: Located; predictor: Located };

function serviceOf(manifest: Manifest, { name }: KserveTarget): Service {
  const root = rootOf(selectDocument(manifest, { kinds, name }));
  const spec = childOf(root, 'spec');
  const predictor = spec === null ? null : childOf(spec, 'predictor');
  if (spec !== null && predictor !== null) return { root, spec, predictor };
  throw new ConfigurationError(`${placeName(root)} has no spec.predictor.`, placeOf(root));
}

/** Where a predictor names its image: a model's own server, its storageUri, else its container. */
function imageIn(predictor: Located): { at: Located; isStorage: boolean } {
  const server = descend(predictor, 'model', 'image');
  if (server !== null) return { at: server, isStorage: false };
  const uri = descend(predictor, 'model', 'storageUri');
  if (uri !== null) return { at: uri, isStorage: true };
  const containers = childOf(predictor, 'containers');
  if (containers === null) {
    throw new ConfigurationError(`${placeName(predictor)} names no image.`, {
      ...placeOf(predictor),
      hint: 'Write model.image or model.storageUri: oci://repository there, or containers with an image.',
    });
  }
  const named = itemWhere(containers, 'name', 'kserve-container') !== null;
  return { at: containerImage(predictor, named ? { container: 'kserve-container' } : {}), isStorage: false };
}

function readIn(predictor: Located): Carried {
  const { at, isStorage } = imageIn(predictor);
  return isStorage ? readStorage(at) : readReference(at);
}

function editIn(predictor: Located, image: TargetImage): Change {
  const { at, isStorage } = imageIn(predictor);
  return isStorage ? editStorage(at, image) : editReference(at, image);
}

function canariesOf({ spec }: Service): Located[] {
  const list = childOf(spec, 'canary');
  return list === null ? [] : itemsOf(list);
}

/** @throws ConfigurationError where nothing says it: the one canary is silently ignored in the other mode */
function modeOf({ root, predictor, spec }: Service): 'Knative' | 'Standard' {
  const annotation = descend(root, 'metadata', 'annotations');
  const mode = annotation === null ? null : textAt(childOf(annotation, modeAnnotation));
  if (mode === 'Standard') return 'Standard';
  if (mode === 'Knative' || mode === 'Serverless') return 'Knative';
  if (mode === null && childOf(spec, 'canary') === null && childOf(predictor, 'canaryTrafficPercent') !== null) {
    return 'Knative';
  }
  throw new ConfigurationError(
    mode === null
      ? `${placeName(root)} doesn't say its deployment mode.`
      : `${placeName(root)} has the deployment mode ${plainText(mode)}, which takes no canary.`,
    {
      ...placeOf(root),
      hint: `Set the annotation ${modeAnnotation} to Standard or Knative: KServe ignores the canary of the other mode, and all traffic would move.`,
    },
  );
}

function percentAt(at: Located | null): number | null {
  if (at === null) return null;
  const percent = readingAt(at);
  if (percent === null) return null;
  if (typeof percent === 'number' && Number.isInteger(percent) && percent >= 0 && percent <= 100) return percent;
  throw new ConfigurationError(`${placeName(at)} must be a whole number from 0 to 100.`, placeOf(at));
}

function readStable(service: Service): Carried {
  const carried = readIn(service.predictor);
  const percent = percentAt(childOf(service.predictor, 'canaryTrafficPercent'));
  // In Knative mode the predictor is the canary while it has a percent: the revision before is named nowhere.
  if (percent === null || percent === 100) return carried;
  return { value: null, digest: null, tag: null, pulls: carried.pulls, hidden: true };
}

/** Without a canary, what is stable is what its traffic gets: so it is after the canary was promoted. */
function readCanary(service: Service, wanted: number): Carried {
  const [canary, second] = canariesOf(service);
  if (second !== undefined) throw severalCanaries(service);
  const holder = canary === undefined ? service.predictor : predictorOf(canary);
  const carried = readIn(holder);
  const percent =
    canary === undefined
      ? percentAt(childOf(service.predictor, 'canaryTrafficPercent'))
      : (percentAt(childOf(canary, 'trafficPercent')) ?? 0);
  if (percent === null) return { ...carried, hidden: true };
  if (percent === wanted || carried.digest === null) return carried;
  return { ...carried, value: `${carried.digest} at ${percent} %` };
}

function predictorOf(canary: Located): Located {
  const predictor = childOf(canary, 'predictor');
  if (predictor !== null) return predictor;
  throw new ConfigurationError(`${placeName(canary)} has no predictor.`, placeOf(canary));
}

function severalCanaries(service: Service): ConfigurationError {
  const lines = canariesOf(service).map((one) => `line ${lineOf(one)}`);
  return new ConfigurationError(`${placeName(service.spec)} has several canaries: ${lines.join(', ')}.`, {
    ...placeOf(service.spec),
    hint: 'An environment is one canary: leave one of them.',
  });
}

function editStable(text: string, target: KserveTarget, image: TargetImage): string {
  const step = (change: (service: Service) => Change | null) => (manifest: Manifest) =>
    change(serviceOf(manifest, target));
  return editInSteps(
    text,
    target.file,
    step((service) => editIn(service.predictor, image)),
    step((service) => renameToCanary(service, image)),
    step(({ predictor }) => removed(childOf(predictor, 'canaryTrafficPercent'))),
    step(({ spec }) => removed(childOf(spec, 'canary'))),
  );
}

/** A stable predictor that takes the name of the canary with its image takes over its pods: nothing starts anew. */
function renameToCanary(service: Service, image: TargetImage): Change | null {
  const [canary, second] = canariesOf(service);
  if (canary === undefined || second !== undefined) return null;
  const name = textAt(childOf(predictorOf(canary), 'name'));
  const stable = childOf(service.predictor, 'name');
  if (name === null || stable === null || readIn(predictorOf(canary)).digest !== image.digest) return null;
  return setScalar(stable, name);
}

function removed(at: Located | null): Change | null {
  return at === null ? null : remove(at);
}

function editKnativeCanary(text: string, target: KserveTarget, image: TargetImage, percent: number): string {
  const manifest = openManifest(text, target.file);
  const { predictor } = serviceOf(manifest, target);
  const written = childOf(predictor, 'canaryTrafficPercent');
  percentAt(written);
  return applyChanges(
    manifest,
    editIn(predictor, image),
    written === null ? insertKey(predictor, 'canaryTrafficPercent', percent) : setScalar(written, percent),
  );
}

function editStandardCanary(text: string, target: KserveTarget, image: TargetImage, percent: number): string {
  const manifest = openManifest(text, target.file);
  const service = serviceOf(manifest, target);
  const [canary, second] = canariesOf(service);
  if (second !== undefined) throw severalCanaries(service);
  if (canary !== undefined) {
    const written = childOf(canary, 'trafficPercent');
    percentAt(written);
    return applyChanges(
      manifest,
      editIn(predictorOf(canary), image),
      written === null ? insertKey(canary, 'trafficPercent', percent) : setScalar(written, percent),
    );
  }
  const entry = { trafficPercent: percent, predictor: canaryPredictor(service.predictor, image) };
  const empty = childOf(service.spec, 'canary');
  return editInSteps(
    text,
    target.file,
    () => removed(empty),
    (now) => insertKey(serviceOf(now, target).spec, 'canary', [entry], 'predictor'),
  );
}

const ignoredInCanary = ['maxReplicas', 'scaleTarget', 'scaleMetric', 'autoScaling', 'workerSpec'];

/** The stable predictor with the image in it, and a name of its own that follows from the image. */
function canaryPredictor(stable: Located, image: TargetImage): Reading {
  const { at, isStorage } = imageIn(stable);
  if (isStorage) requireImage(at);
  const own = at.path.slice(stable.path.length);
  const copy = withValueAt(readingAt(stable), own, referenceText(at, image));
  const fields = Object.entries(fieldsOf(copy)).filter(([key]) => key !== 'name' && !ignoredInCanary.includes(key));
  const replicas = fields.map(([key, value]): [string, Reading] =>
    key === 'minReplicas' ? [key, fewer(value)] : [key, value],
  );
  return { name: `v-${image.digest.slice(7, 15)}`, ...Object.fromEntries(replicas) };
}

/** A share of the traffic needs no more than one to begin with; none stays none. */
function fewer(replicas: Reading): Reading {
  return typeof replicas === 'number' ? Math.min(replicas, 1) : replicas;
}

function withValueAt(reading: Reading, path: readonly (string | number)[], value: string): Reading {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(reading)) {
    return reading.map((item, index) => (index === key ? withValueAt(item, rest, value) : item));
  }
  const fields = fieldsOf(reading);
  return { ...fields, [String(key)]: withValueAt(fields[String(key)] ?? null, rest, value) };
}
