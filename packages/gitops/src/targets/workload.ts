import { ConfigurationError } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import { descend, type Located, placeName, placeOf, rootOf } from '../address.ts';
import { containerImage } from '../container-image.ts';
import { editReference, readReference } from '../image-reference.ts';
import { type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';

type WorkloadTarget = TargetOf<'workload'>;

const kinds = [
  { group: 'apps', kind: 'Deployment' },
  { group: 'apps', kind: 'StatefulSet' },
  { group: 'apps', kind: 'DaemonSet' },
  { group: 'batch', kind: 'CronJob' },
  { group: 'batch', kind: 'Job' },
  { group: 'argoproj.io', kind: 'Rollout' },
];

/** The image of a container of a plain workload, or of an Argo Rollout. */
export const workload: TargetEditor<WorkloadTarget> = {
  read: (text, target) => readReference(imageOf(openManifest(text, target.file), target)),
  edit(text, target, image) {
    const manifest = openManifest(text, target.file);
    return applyChanges(manifest, editReference(imageOf(manifest, target), image));
  },
  value: (_, { digest }) => digest,
  address: ({ name, container, image }) => addressText({ name, container, image }) || 'container',
};

function imageOf(manifest: Manifest, target: WorkloadTarget): Located {
  const document = selectDocument(manifest, { kinds, name: target.name });
  const root = rootOf(document);
  const isTimed = document.kind === 'CronJob';
  const pod = isTimed
    ? descend(root, 'spec', 'jobTemplate', 'spec', 'template', 'spec')
    : descend(root, 'spec', 'template', 'spec');
  if (pod !== null) return containerImage(pod, target);
  const isReferring = document.kind === 'Rollout' && descend(root, 'spec', 'workloadRef') !== null;
  throw new ConfigurationError(`${placeName(root)}: the ${document.kind} has no pod template.`, {
    ...placeOf(root),
    hint: isReferring
      ? 'It refers to a Deployment by workloadRef: name the file of that.'
      : 'It lies at spec.template.spec.',
  });
}
