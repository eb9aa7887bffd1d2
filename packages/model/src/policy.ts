import { jsonDigest, toDecimal } from '@passloop/core';
import type { PolicyDifference } from '@passloop/documents';
import { checkLoosens } from './checks/directions.ts';
import { type Check, checkId } from './checks.ts';
import { gatesIn } from './gates.ts';
import type { Gate, Model } from './schema.ts';

/**
 * The part of a model that judges: gates, checks, evaluation, trust, what a model file may import, the store, where it is
 * deployed; and whose values a log may show.
 * The target branch's decides; the change's own is compared with it, and what loosens it fails without an override.
 */
export type PolicyPart = {
  gates: Gate[];
  checks: { dataset: string; check: Check }[];
  profiles: { dataset: string; profile: string }[];
  /** Datasets whose values a log may show, and where each lies: leave for one table is none for another. */
  showValues?: { dataset: string; of: string }[] | undefined;
  columns: Model['columns'];
  /** What the gates' names mean. */
  metrics: Model['metrics'];
  evaluate: Model['evaluate'] | null;
  trust: 'writers' | 'attested' | 'retrain' | null;
  allow: string[];
  /** Where results and the knowledge of production come from: a change must not bring its own. */
  store: Model['store'];
  deploy: Model['deploy'] | null;
};

export function policyOf(model: Model): PolicyPart {
  const datasets = Object.entries(model.data);
  const shown = datasets
    .filter(([, source]) => source.showValues === true)
    .map(([dataset, source]) => ({ dataset, of: placeOf(source) }));
  return {
    gates: model.gates,
    checks: datasets.flatMap(([dataset, source]) => source.checks.map((check) => ({ dataset, check }))),
    profiles: datasets.flatMap(([dataset, source]) =>
      source.profile === undefined ? [] : [{ dataset, profile: source.profile }],
    ),
    showValues: shown.length === 0 ? undefined : shown,
    columns: model.columns,
    metrics: model.metrics,
    evaluate: model.evaluate ?? null,
    trust: model.train?.trust ?? null,
    allow: model.package?.allow ?? [],
    store: model.store,
    deploy: model.deploy ?? null,
  };
}

function placeOf({ path, uri }: Model['data'][string]): string {
  return path ?? uri ?? '';
}

/** The model of the change under the policy of the target branch: what it trains and packages is its own, what judges is not. */
export function underPolicy(model: Model, policy: PolicyPart): Model {
  const data = Object.fromEntries(
    Object.entries(model.data).map(([name, source]) => {
      const checks = policy.checks.filter((entry) => entry.dataset === name).map((entry) => entry.check);
      const profile = policy.profiles.find((entry) => entry.dataset === name)?.profile;
      // A dataset that the target branch doesn't know brings its own checks: there is nothing to hold it to.
      const known = checks.length > 0 || profile !== undefined;
      const showValues = policy.showValues?.some(({ dataset, of }) => dataset === name && of === placeOf(source));
      return [name, known ? { ...source, checks, profile, showValues } : { ...source, showValues }];
    }),
  );
  return {
    ...model,
    data,
    columns: policy.columns,
    metrics: policy.metrics,
    gates: policy.gates,
    evaluate: policy.evaluate ?? model.evaluate,
    train: model.train === undefined ? undefined : { ...model.train, trust: policy.trust ?? model.train.trust },
    package: model.package === undefined ? undefined : { ...model.package, allow: policy.allow },
    store: policy.store,
    deploy: policy.deploy ?? model.deploy,
  };
}

export function policyDigest(policy: PolicyPart): string {
  return jsonDigest(JSON.parse(JSON.stringify(policy)));
}

/** Every difference between two policies, each with whether it loosens. What cannot be judged counts as loosening. */
export function policyDifferences(base: PolicyPart, head: PolicyPart): PolicyDifference[] {
  return [
    ...gateDifferences(base.gates, head.gates),
    ...environmentGateDifferences(base, head),
    ...checkDifferences(base, head),
    ...valueDifferences('profiles', base.profiles, head.profiles, false),
    ...shownDifferences(base.showValues ?? [], head.showValues ?? []),
    ...valueDifferences('columns', base.columns, head.columns, true),
    ...metricDifferences(base.metrics, head.metrics),
    ...valueDifferences('evaluate', base.evaluate, head.evaluate, true),
    ...trustDifferences(base.trust, head.trust),
    ...allowDifferences(base.allow, head.allow),
    ...valueDifferences('store', base.store, head.store, true),
    ...deployDifferences(base.deploy, head.deploy),
  ];
}

function printed(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return toDecimal(value);
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 1024);
}

function difference(path: string, from: unknown, to: unknown, loosens: boolean): PolicyDifference {
  return { path: path.slice(0, 512), from: printed(from), to: printed(to), loosens };
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

function valueDifferences(path: string, base: unknown, head: unknown, loosens: boolean): PolicyDifference[] {
  return same(base, head) ? [] : [difference(path, base, head, loosens)];
}

/** True where a bound that was `from` lets more through as `to`. An absent bound lets everything through. */
function widens(bound: 'upper' | 'lower', from: number | undefined, to: number | undefined): boolean {
  if (from === undefined) return false;
  if (to === undefined) return true;
  return bound === 'upper' ? to > from : to < from;
}

function gateDifferences(base: readonly Gate[], head: readonly Gate[], place = 'gates'): PolicyDifference[] {
  const found: PolicyDifference[] = [];
  for (const gate of base) {
    const path = `${place}.${gate.metric}`;
    const other = head.find((candidate) => candidate.metric === gate.metric);
    if (other === undefined) {
      found.push(difference(path, 'present', null, true));
      continue;
    }
    if (gate.direction !== other.direction)
      found.push(difference(`${path}.direction`, gate.direction, other.direction, true));
    if (gate.margin !== other.margin) {
      found.push(difference(`${path}.margin`, gate.margin, other.margin, widens('upper', gate.margin, other.margin)));
    }
    if (gate.relative !== other.relative) {
      const loosens = widens('upper', gate.relative, other.relative);
      found.push(difference(`${path}.relative`, gate.relative, other.relative, loosens));
    }
    if (gate.min !== other.min)
      found.push(difference(`${path}.min`, gate.min, other.min, widens('lower', gate.min, other.min)));
    if (gate.max !== other.max)
      found.push(difference(`${path}.max`, gate.max, other.max, widens('upper', gate.max, other.max)));
    if (gate.minRows !== other.minRows) {
      // More of them leave a bad slice undecided, which warns; fewer pass on less evidence, where an undecided gate blocked.
      found.push(difference(`${path}.minRows`, gate.minRows, other.minRows, true));
    }
    if (gate.severity !== other.severity) {
      found.push(difference(`${path}.severity`, gate.severity, other.severity, other.severity === 'warn'));
    }
    for (const slice of gate.slices) {
      if (!other.slices.includes(slice)) found.push(difference(`${path}.slices`, slice, null, true));
    }
    for (const slice of other.slices) {
      if (!gate.slices.includes(slice)) found.push(difference(`${path}.slices`, null, slice, false));
    }
  }
  for (const gate of head) {
    if (!base.some((candidate) => candidate.metric === gate.metric))
      found.push(difference(`${place}.${gate.metric}`, null, 'present', false));
  }
  return found;
}

/**
 * Of the metrics on which an environment has a gate of its own, before or after: what holds there is compared, since one that takes the
 * place of the model's, or gives it back, may let more through than what stood there.
 */
function environmentGateDifferences(base: PolicyPart, head: PolicyPart): PolicyDifference[] {
  return (base.deploy?.environments ?? []).flatMap(({ name, gates = [] }) => {
    const other = head.deploy?.environments.find((environment) => environment.name === name);
    const own = new Set([...gates, ...(other?.gates ?? [])].map(({ metric }) => metric));
    const [before, after] = [base, head].map((policy) => gatesIn(policy, name).filter(({ metric }) => own.has(metric)));
    return gateDifferences(before ?? [], after ?? [], `deploy.environments.${name}.gates`);
  });
}

/** Another meaning of a name that gates use loosens: nobody can say which of two metrics lets more through. */
function metricDifferences(base: PolicyPart['metrics'], head: PolicyPart['metrics']): PolicyDifference[] {
  return [...new Set([...Object.keys(base), ...Object.keys(head)])].flatMap((name) => {
    const isNew = !Object.hasOwn(base, name);
    return valueDifferences(`metrics.${name}`, base[name], head[name], !isNew);
  });
}

function checkDifferences(base: PolicyPart, head: PolicyPart): PolicyDifference[] {
  const found: PolicyDifference[] = [];
  const key = (entry: PolicyPart['checks'][number]) => `${entry.dataset} ${checkId(entry.check)}`;
  const heads = new Map(head.checks.map((entry) => [key(entry), entry.check]));
  const bases = new Set(base.checks.map(key));
  for (const entry of base.checks) {
    const path = `data.${entry.dataset}.checks.${checkId(entry.check)}`;
    const other = heads.get(key(entry));
    if (other === undefined) found.push(difference(path, 'present', null, true));
    else if (!same(entry.check, other))
      found.push(difference(path, entry.check, other, checkLoosens(entry.check, other)));
  }
  for (const entry of head.checks) {
    if (!bases.has(key(entry)))
      found.push(difference(`data.${entry.dataset}.checks.${checkId(entry.check)}`, null, 'present', false));
  }
  return found;
}

/** Values in a log can't be called back, so that leave to show more of them loosens. */
function shownDifferences(
  base: NonNullable<PolicyPart['showValues']>,
  head: NonNullable<PolicyPart['showValues']>,
): PolicyDifference[] {
  const without = (these: typeof base, others: typeof base) =>
    these.filter((one) => !others.some((other) => same(one, other)));
  const path = (dataset: string) => `data.${dataset}.showValues`;
  return [
    ...without(base, head).map(({ dataset, of }) => difference(path(dataset), of, null, false)),
    ...without(head, base).map(({ dataset, of }) => difference(path(dataset), null, of, true)),
  ];
}

function trustDifferences(base: PolicyPart['trust'], head: PolicyPart['trust']): PolicyDifference[] {
  if (base === head) return [];
  const order = { writers: 0, attested: 1, retrain: 2 };
  const rank = (trust: PolicyPart['trust']) => (trust === null ? -1 : order[trust]);
  return [difference('train.trust', base, head, rank(head) < rank(base))];
}

function allowDifferences(base: readonly string[], head: readonly string[]): PolicyDifference[] {
  return [
    ...head.filter((name) => !base.includes(name)).map((name) => difference('package.allow', null, name, true)),
    ...base.filter((name) => !head.includes(name)).map((name) => difference('package.allow', name, null, false)),
  ];
}

/** Field by field: of a whole section on one line nobody sees what has changed. The gates of environments are compared one by one. */
function deployDifferences(base: PolicyPart['deploy'], head: PolicyPart['deploy']): PolicyDifference[] {
  if (base == null || head == null) return valueDifferences('deploy', base, head, base != null);
  const { environments: from, ...before } = base;
  const { environments: to, ...after } = head;
  const namesOf = (environments: typeof from) => environments.map(({ name }) => name);
  return [
    ...fieldDifferences('deploy', before, after),
    // Their order too: it is that of promotions, and the last is production where none is marked.
    ...valueDifferences('deploy.environments', namesOf(from), namesOf(to), true),
    ...from.flatMap(({ gates: _, ...environment }) => {
      const other = to.find(({ name }) => name === environment.name);
      if (other === undefined) return [];
      return fieldDifferences(`deploy.environments.${environment.name}`, environment, { ...other, gates: undefined });
    }),
  ];
}

/** Of two parts of one form; every one of them loosens. */
function fieldDifferences(path: string, base: object, head: object): PolicyDifference[] {
  const [before, after] = [base, head].map((part) => new Map<string, unknown>(Object.entries(part)));
  return [...new Set([...before!.keys(), ...after!.keys()])].flatMap((field) =>
    valueDifferences(`${path}.${field}`, before!.get(field), after!.get(field), true),
  );
}
