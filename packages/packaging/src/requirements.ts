import { ConfigurationError } from '@passloop/core';
import { normalName, type Requirement } from '@passloop/model';
import { type MarkerTarget, markerHolds } from './marker.ts';

/**
 * What of a lock is installed for one interpreter, without markers.
 * @throws ConfigurationError where two versions of one package are left
 */
export function selectRequirements(requirements: readonly Requirement[], target: MarkerTarget): Requirement[] {
  const selected = requirements
    .filter(({ marker }) => marker === null || markerHolds(marker, target))
    .map((requirement) => ({ ...requirement, marker: null }));
  const names = new Set<string>();
  for (const { name } of selected) {
    if (names.has(normalName(name))) {
      throw new ConfigurationError(`The serving lock has two versions of ${name} for Python ${target.python}.`);
    }
    names.add(normalName(name));
  }
  return selected;
}
