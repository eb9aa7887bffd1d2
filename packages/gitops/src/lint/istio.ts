import { type LintFinding, say } from './finding.ts';
import { type LintDocument, type LintFile, objectsOf } from './manifest-set.ts';
import { type Fields, fieldsOf, itemsAt, numberAt, type Placed, textAt, valueAt } from './values.ts';

const routeKinds = ['http', 'tcp', 'tls'] as const;

/** VirtualServices: weights, subsets and mirrors; and who owns the weights. */
export function lintIstio(files: readonly LintFile[]): LintFinding[] {
  const rules = objectsOf(files, 'networking.istio.io', 'DestinationRule');
  return objectsOf(files, 'networking.istio.io', 'VirtualService').flatMap((document) => {
    const routes = routeKinds.flatMap((kind) => itemsAt(document.value, ['spec', kind]));
    return [
      ...routes.flatMap((route) => weightFindings(document, route)),
      ...routes.flatMap((route) => subsetFindings(document, route, rules)),
      ...routes.flatMap((route) => mirrorFindings(document, route)),
      ...ownerFindings(document, routes, files),
    ];
  });
}

function destinationsOf(document: LintDocument, route: Placed<Fields>): Placed<Fields>[] {
  return itemsAt(document.value, [...route.path, 'route']);
}

function hostOf(destination: unknown): string {
  const subset = textAt(destination, 'subset');
  return `${textAt(destination, 'host') ?? 'no host'}${subset === null ? '' : `/${subset}`}`;
}

/** Istio takes shares of any sum; Argo Rollouts, and people, take them for percentages. */
function weightFindings(document: LintDocument, route: Placed<Fields>): LintFinding[] {
  const destinations = destinationsOf(document, route);
  const [first] = destinations;
  if (first === undefined || destinations.length === 1) return [];
  const weights = destinations.map(({ value }) => numberAt(value, 'weight') ?? 0);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 100 && weights.every((weight) => weight >= 0)) return [];
  const list = destinations.map(({ value }, index) => `${hostOf(value.destination)} ${weights[index]}`).join(', ');
  const message = `The weights of a route are ${list}: they are shares of their sum, and it isn't 100.`;
  return [say('istio-weights', 'fail', document, [...first.path, 'weight'], message, 'Write them as percentages.')];
}

/** `income` and `income.models.svc.cluster.local` are one host for those who stand in its namespace. */
function isSameHost(left: string, right: string): boolean {
  return left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`);
}

function subsetFindings(document: LintDocument, route: Placed<Fields>, rules: readonly LintDocument[]): LintFinding[] {
  const places = [
    ...destinationsOf(document, route).map(({ path }) => [...path, 'destination']),
    [...route.path, 'mirror'],
    ...itemsAt(document.value, [...route.path, 'mirrors']).map(({ path }) => [...path, 'destination']),
  ];
  return places.flatMap((path) => {
    const host = textAt(document.value, ...path, 'host');
    const subset = textAt(document.value, ...path, 'subset');
    if (host === null || subset === null) return [];
    const own = rules.filter(({ value }) => isSameHost(textAt(value, 'spec', 'host') ?? '', host));
    // Without a rule for the host in these files, another file may hold it.
    if (own.length === 0) return [];
    const known = own.flatMap(({ value }) =>
      itemsAt(value, ['spec', 'subsets']).map((one) => textAt(one.value, 'name')),
    );
    if (known.includes(subset)) return [];
    const message = `The DestinationRule of ${host} has no subset ${subset}; it has: ${known.join(', ') || 'none'}. Requests there fail.`;
    return [say('istio-subset', 'fail', document, [...path, 'subset'], message)];
  });
}

function mirrorFindings(document: LintDocument, route: Placed<Fields>): LintFinding[] {
  for (const key of ['mirror_percent', 'mirrorPercent']) {
    if (valueAt(route.value, [key]) === undefined) continue;
    const message = `${key} is deprecated.`;
    const hint = 'Write mirrorPercentage: {value: ...}.';
    return [say('istio-mirror-percent', 'warn', document, [...route.path, key], message, hint)];
  }
  const isAll = fieldsOf(route.value.mirror) !== null && route.value.mirrorPercentage === undefined;
  if (!isAll) return [];
  const message = `All requests are mirrored to ${hostOf(route.value.mirror)}: no mirrorPercentage says how many.`;
  return [say('istio-mirror-all', 'warn', document, [...route.path, 'mirror'], message)];
}

/** Weights that a controller sets while it rolls out: what Git says of them is drift, or undoes its work. */
function ownerFindings(
  document: LintDocument,
  routes: readonly Placed<Fields>[],
  files: readonly LintFile[],
): LintFinding[] {
  const owner = ownerOf(document, files);
  const weighted = routes.flatMap((route) => destinationsOf(document, route)).filter(({ value }) => 'weight' in value);
  const [first] = weighted;
  if (owner === null || first === undefined || document.name === null) return [];
  const list = weighted.map(({ value }) => `${hostOf(value.destination)} ${JSON.stringify(value.weight)}`).join(', ');
  const message = `${owner} sets the weights of the VirtualService ${document.name}; Git says ${list}, which is drift or undoes a rollout.`;
  const hint = `Take the weights out of the promotion, and promote the image that ${owner.split(' ')[0]} watches.`;
  return [say('owned-weights', 'fail', document, [...first.path, 'weight'], message, hint)];
}

function ownerOf(document: LintDocument, files: readonly LintFile[]): string | null {
  const labels = ['labels', 'annotations'].flatMap((kind) =>
    Object.entries(fieldsOf(valueAt(document.value, ['metadata', kind])) ?? {}),
  );
  if (labels.some(([key, value]) => key === 'app.kubernetes.io/managed-by' && value === 'flagger')) return 'Flagger';
  const references = itemsAt(document.value, ['metadata', 'ownerReferences']);
  if (references.some(({ value }) => textAt(value, 'apiVersion')?.startsWith('flagger.app/'))) return 'Flagger';
  for (const canary of objectsOf(files, 'flagger.app', 'Canary')) {
    const service =
      textAt(canary.value, 'spec', 'service', 'name') ?? textAt(canary.value, 'spec', 'targetRef', 'name');
    if (service !== null && service === document.name) return `Flagger (Canary ${canary.name ?? 'without a name'})`;
  }
  for (const rollout of objectsOf(files, 'argoproj.io', 'Rollout')) {
    const routing = valueAt(rollout.value, ['spec', 'strategy', 'canary', 'trafficRouting', 'istio']);
    const services = [
      textAt(routing, 'virtualService', 'name'),
      ...itemsAt(routing, ['virtualServices']).map(({ value }) => textAt(value, 'name')),
    ];
    // A service of one route begins as it is written, and Rollouts starts from there.
    if (services.includes(document.name) && !isAtRest(document)) {
      return `Rollouts (Rollout ${rollout.name ?? 'without a name'})`;
    }
  }
  return null;
}

/** 100 for one and 0 for all others: what Rollouts finds before a first rollout, and leaves after each. */
function isAtRest(document: LintDocument): boolean {
  return routeKinds
    .flatMap((kind) => itemsAt(document.value, ['spec', kind]))
    .every((route) => {
      const weights = destinationsOf(document, route).map(({ value }) => numberAt(value, 'weight') ?? 0);
      return weights.length < 2 || weights.filter((weight) => weight !== 0).join() === '100';
    });
}
