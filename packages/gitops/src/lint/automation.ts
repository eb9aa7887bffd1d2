import { plainText } from '@passloop/core';
import { type LintFinding, say } from './finding.ts';
import type { LintFile } from './manifest-set.ts';
import { fieldsOf, valueAt } from './values.ts';

const updaterAnnotation = 'argocd-image-updater.argoproj.io/image-list';

/** Others that write images into Git, or past it: what one writes, the other undoes. */
export function lintAutomation(files: readonly LintFile[]): LintFinding[] {
  return [...files.flatMap(markerFindings), ...files.flatMap(objectFindings)];
}

/** Flux marks a field by a comment, which names the policy that sets it. */
function markerFindings({ file, text }: LintFile): LintFinding[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, index) => {
    const policy = /#.*"\$imagepolicy"\s*:\s*"([^"]*)"/.exec(line)?.[1];
    if (policy === undefined) return [];
    const message = `Flux's image automation sets this field by the policy ${plainText(policy, 120)}: it undoes a promotion, and a rollback.`;
    const hint = 'Remove the marker, or suspend the automation.';
    return [say('image-policy', 'warn', { file, lineOf: () => index + 1 }, [], message, hint)];
  });
}

function objectFindings({ documents }: LintFile): LintFinding[] {
  return documents.flatMap((document) => {
    if (document.group === 'image.toolkit.fluxcd.io' && document.kind === 'ImageUpdateAutomation') {
      if (valueAt(document.value, ['spec', 'suspend']) === true) return [];
      const message = `The ImageUpdateAutomation ${document.name ?? 'without a name'} writes images of its own accord.`;
      const hint = 'See that it marks no field of a model: a rollback would be undone.';
      return [say('image-automation', 'warn', document, ['kind'], message, hint)];
    }
    const annotations = fieldsOf(valueAt(document.value, ['metadata', 'annotations'])) ?? {};
    const isUpdater = document.group === 'argocd-image-updater.argoproj.io';
    if (!isUpdater && !Object.hasOwn(annotations, updaterAnnotation)) return [];
    const message = `Argo CD Image Updater sets images of ${document.kind ?? 'an object'} ${document.name ?? 'without a name'}, past Git or in it.`;
    const path = isUpdater ? ['kind'] : ['metadata', 'annotations', updaterAnnotation];
    const hint = 'Take the images of a model out of it: a rollback would be undone.';
    return [say('image-automation', 'warn', document, path, message, hint)];
  });
}
