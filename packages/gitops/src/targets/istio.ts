import { ConfigurationError, plainText } from '@passloop/core';
import type { TargetOf } from '@passloop/model';
import { descend, itemsOf, type Located, lineOf, nearest, placeName, placeOf, readingAt, rootOf } from '../address.ts';
import { fieldsOf, type Manifest, openManifest, selectDocument } from '../manifest.ts';
import { applyChanges } from '../manifest-edit.ts';
import { addressText, type TargetEditor } from '../target-kind.ts';
import { editWeights, shareOf, weightsOf } from '../traffic-weights.ts';

type IstioTarget = TargetOf<'istio'>;

const kinds = [{ group: 'networking.istio.io', kind: 'VirtualService' }];

/** The share of one subset in an HTTP route of a VirtualService; all weights of the route are written to sum to 100. */
export const istio: TargetEditor<IstioTarget> = {
  read(text, target) {
    const { entries, chosen } = routeOf(openManifest(text, target.file), target);
    const share = shareOf(weightsOf(entries), chosen);
    return { value: share === null ? null : `${target.subset}=${share}`, digest: null, tag: null, pulls: null };
  },
  edit(text, target) {
    const manifest = openManifest(text, target.file);
    const { entries, chosen } = routeOf(manifest, target);
    return applyChanges(manifest, ...editWeights(weightsOf(entries), chosen, target.weight));
  },
  value: ({ subset, weight }) => `${subset}=${weight}`,
  address: ({ name, route, subset }) => addressText({ name, route, subset }),
};

/** The entries of the one route that has the subset, and that entry. */
function routeOf(manifest: Manifest, { name, route, subset }: IstioTarget): { entries: Located[]; chosen: Located } {
  const root = rootOf(selectDocument(manifest, { kinds, name }));
  const http = descend(root, 'spec', 'http');
  const routes = http === null ? [] : itemsOf(http);
  const named = routes.filter((one) => route === undefined || fieldsOf(readingAt(one)).name === route);
  const found = named.flatMap((one) => {
    const list = descend(one, 'route');
    const entries = list === null ? [] : itemsOf(list);
    return entries.filter((entry) => subsetOf(entry) === subset).map((chosen) => ({ entries, chosen }));
  });
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    const lines = found.map(({ chosen }) => `line ${lineOf(chosen)}`).join(', ');
    throw new ConfigurationError(`${placeName(root)} routes to subset ${subset} in several places: ${lines}.`, {
      ...placeOf(second.chosen),
      hint: 'Say which by `route` of the target, the `name` of the HTTP route.',
    });
  }
  const subsets = routes.flatMap((one) => {
    const list = descend(one, 'route');
    return list === null ? [] : itemsOf(list).flatMap((entry) => subsetOf(entry) ?? []);
  });
  const names = routes.flatMap((one) => fieldsOf(readingAt(one)).name ?? []).map(String);
  const isRoute = route !== undefined && named.length === 0;
  const listed = nearest(isRoute ? route : subset, isRoute ? names : subsets).slice(0, 20);
  throw new ConfigurationError(
    `${placeName(root)} has no ${isRoute ? `HTTP route named ${plainText(route)}` : `destination of subset ${subset}`}.`,
    { ...placeOf(root), hint: `It has: ${plainText(listed.join(', '), 500) || 'none'}.` },
  );
}

function subsetOf(entry: Located): string | null {
  const { subset } = fieldsOf(fieldsOf(readingAt(entry)).destination);
  return typeof subset === 'string' ? subset : null;
}
