import type { Change, KeyDocument, NamedValue, StageInputs } from '@passloop/documents';

type Kind = Change['kind'];

/**
 * What makes one key differ from another, in the words of the model file; empty where the keys are equal.
 * What all stages share (environment, seeds, variables) is said once.
 */
export function explainKeys(from: KeyDocument, to: KeyDocument): Change[] {
  const changes: Change[] = [];
  const several = from.stages.length > 1 || to.stages.length > 1;
  const names = [...new Set([...from.stages, ...to.stages].map((stage) => stage.name))];
  for (const name of names) {
    const before = from.stages.find((stage) => stage.name === name)?.inputs;
    const after = to.stages.find((stage) => stage.name === name)?.inputs;
    if (before === undefined || after === undefined) {
      changes.push(change('command', `stage ${name}`, commandText(before), commandText(after)));
    } else {
      changes.push(...stageChanges(before, after, several ? `${name}: ` : ''));
    }
  }
  const order = [from, to].map((key) => key.stages.map((stage) => stage.name).join(', '));
  if (changes.length === 0 && order[0] !== order[1])
    changes.push(change('command', 'order of the stages', order[0] ?? null, order[1] ?? null));
  const seen = new Set<string>();
  return changes.filter((found) => {
    const text = JSON.stringify(found);
    return !seen.has(text) && seen.add(text);
  });
}

function stageChanges(before: StageInputs, after: StageInputs, prefix: string): Change[] {
  const changes: Change[] = [];
  function compare(kind: Kind, subject: string, from: string | null, to: string | null): void {
    if (from !== to) changes.push(change(kind, subject, from, to));
  }
  function compareAll(kind: Kind, from: readonly NamedValue[], to: readonly NamedValue[], place: string): void {
    const left = new Map(from.map(({ name, value }) => [name, value]));
    const right = new Map(to.map(({ name, value }) => [name, value]));
    for (const name of [...new Set([...left.keys(), ...right.keys()])].sort()) {
      compare(kind, `${place}${name}`, left.get(name) ?? null, right.get(name) ?? null);
    }
  }
  compare('command', `${prefix}command`, commandText(before), commandText(after));
  compareAll('code', codeValues(before), codeValues(after), '');
  compareAll(
    'data',
    before.data.map(({ name, digest }) => ({ name, value: digest })),
    after.data.map(({ name, digest }) => ({ name, value: digest })),
    '',
  );
  const lists = listChanges(before.params, after.params);
  const rest = (params: readonly NamedValue[]) => params.filter(({ name }) => !lists.names.has(name));
  compareAll('params', rest(before.params), rest(after.params), prefix);
  for (const { subject, from, to } of lists.changes) compare('params', `${prefix}${subject}`, from, to);
  for (const field of ['image', 'lock', 'python', 'platform'] as const) {
    compare('environment', field, before.environment[field], after.environment[field]);
  }
  compareAll('variables', before.variables, after.variables, '');
  compareAll('seeds', before.seeds, after.seeds, '');
  compare('command', `${prefix}outputs`, before.outputs.join(', '), after.outputs.join(', '));
  const needs = [before, after].map((inputs) => inputs.upstream.map(({ stage }) => stage).join(', '));
  compare('command', `${prefix}needs`, needs[0] ?? null, needs[1] ?? null);
  return changes;
}

type ListChange = { subject: string; from: string | null; to: string | null };

/**
 * Lists of plain values whose elements differ: what each lost and gained, and not which places moved up. A list that only has another
 * order says that.
 */
function listChanges(
  before: readonly NamedValue[],
  after: readonly NamedValue[],
): { names: Set<string>; changes: ListChange[] } {
  const [left, right] = [elements(before), elements(after)];
  const names = new Set<string>();
  const changes: ListChange[] = [];
  for (const list of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [from, to] = [left.get(list) ?? [], right.get(list) ?? []];
    for (const place of Array(Math.max(from.length, to.length)).keys()) names.add(`${list}[${place}]`);
    const [lost, gained] = [without(from, to), without(to, from)];
    for (const value of lost) changes.push({ subject: list, from: value, to: null });
    for (const value of gained) changes.push({ subject: list, from: null, to: value });
    if (lost.length + gained.length === 0)
      changes.push({ subject: `order of ${list}`, from: from.join(', '), to: to.join(', ') });
  }
  return { names, changes };
}

/** The elements of each list, in order: `features[0]`, `features[1]`, …; a list of lists or mappings is none of these. */
function elements(params: readonly NamedValue[]): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const { name, value } of params) {
    const [, list, place] = /^([^[\]]+)\[(\d+)\]$/.exec(name) ?? [];
    if (list === undefined || place === undefined) continue;
    const found = lists.get(list) ?? [];
    found[Number(place)] = value;
    lists.set(list, found);
  }
  return lists;
}

/** What one list has more often than the other. */
function without(values: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return values.filter((value) => {
    const at = left.indexOf(value);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function codeValues(inputs: StageInputs): NamedValue[] {
  return inputs.code.map(({ path, mode, digest }) => ({
    name: path,
    value: mode === '100755' ? `${digest} (executable)` : digest,
  }));
}

function commandText(inputs: StageInputs | undefined): string | null {
  if (inputs === undefined) return null;
  return inputs.command.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : JSON.stringify(part))).join(' ');
}

function change(kind: Kind, subject: string, from: string | null, to: string | null): Change {
  return { kind, subject: subject.slice(0, 4096), from: shortened(from), to: shortened(to) };
}

function shortened(text: string | null): string | null {
  return text === null || text.length <= 1024 ? text : `${text.slice(0, 1023)}…`;
}
