import { isDangerous, isListed } from './allowlist.ts';
import type { ScanFinding, ScanRule } from './finding.ts';
import type { ScanLimits } from './limits.ts';
import { isDtype, itemSize } from './numpy-dtype.ts';
import { empty, type Import, ofKind, opaque, type PickleValue } from './pickle-value.ts';

/** What a file's scan gathers over all of its pickles. */
export interface PickleScan {
  limits: ScanLimits;
  /** Names that the caller lets through beside the built-in profiles. */
  allow: (name: string) => boolean;
  /** PyTorch names its storages by persistent ids. */
  persistentIds: boolean;
  globals: Set<string>;
  findings: ScanFinding[];
  opcodes: number;
  /** Arrays that stood between the opcodes, as joblib lays them. */
  arrays: number;
}

const dunder = /^__.*__$/s;
const mappings = new Set(
  'builtins.dict __builtin__.dict collections.OrderedDict collections.defaultdict collections.Counter'.split(' '),
);
const codecs = new Set<PickleValue | undefined>(['latin1', 'latin-1', 'utf-8', 'utf8']);

export function addFinding(scan: PickleScan, rule: ScanRule, detail: string): void {
  if (scan.findings.length < 1000) scan.findings.push({ rule, detail });
}

/** An import: its two operands must be literal, and its name must be on an allowlist. Records the name. */
export function judgeImport(
  scan: PickleScan,
  module: PickleValue | undefined,
  name: PickleValue | undefined,
  at: number,
): Import {
  if (typeof module !== 'string' || typeof name !== 'string') {
    addFinding(scan, 'computed-import', `an import at byte ${at} is computed, not literal.`);
    return { kind: 'import', module: '?', name: '?' };
  }
  const full = `${module}.${name}`;
  if (scan.globals.has(full) || scan.globals.size > 10_000) return { kind: 'import', module, name };
  scan.globals.add(full);
  if (!isListed(module, name) && !scan.allow(full)) {
    const shown = JSON.stringify(full).slice(1, -1);
    if (isDangerous(module))
      addFinding(scan, 'forbidden-import', `${shown} is imported at byte ${at}: it can run anything.`);
    else addFinding(scan, 'unlisted-import', `${shown} is imported at byte ${at} and is on no allowlist.`);
  }
  return { kind: 'import', module, name };
}

/** A call: of an import itself, never of what another call gave. Returns what it makes. */
export function judgeCall(
  scan: PickleScan,
  callee: PickleValue,
  args: readonly PickleValue[],
  at: number,
): PickleValue {
  const target = ofKind(callee, 'import');
  if (!target) {
    addFinding(scan, 'computed-call', `a call at byte ${at} is of a computed object, not of an import.`);
    return opaque;
  }
  if (target.module === '_codecs' && target.name === 'encode' && !codecs.has(args[1])) {
    addFinding(scan, 'unusual-call', `_codecs.encode is called with another codec than latin1 at byte ${at}.`);
  }
  if (target.name !== '_reconstructor')
    return { kind: 'instance', of: target, args, state: undefined, dunder: undefined };
  const of = ofKind(args[0], 'import');
  if (!of || !ofKind(args[1], 'import')) {
    addFinding(scan, 'computed-call', `copyreg._reconstructor makes a computed class at byte ${at}.`);
    return opaque;
  }
  return { kind: 'instance', of, args: empty, state: undefined, dunder: undefined };
}

/** Items and attributes are set on containers and instances; on an import they would change the program itself. */
export function judgeChange(scan: PickleScan, target: PickleValue, at: number): void {
  if (ofKind(target, 'import')) addFinding(scan, 'unusual-call', `an imported object is changed at byte ${at}.`);
}

/** BUILD: of an instance, with attributes that change no special method. */
export function judgeBuild(scan: PickleScan, target: PickleValue, state: PickleValue, at: number): void {
  judgeChange(scan, target, at);
  if (!ofKind(target, 'instance') && !ofKind(target, 'opaque') && !ofKind(target, 'import')) {
    addFinding(scan, 'unusual-call', `BUILD on a plain value at byte ${at}.`);
  }
  const instance = ofKind(target, 'instance');
  if (instance && isDtype(instance) && itemSize({ ...instance, state }) === undefined) {
    addFinding(
      scan,
      'unusual-call',
      `a numpy dtype at byte ${at} contradicts itself: reading its arrays would corrupt memory.`,
    );
  }
  const parts = ofKind(state, 'tuple')?.items ?? [state];
  for (const part of parts.length <= 2 ? parts : empty) {
    const computed = ofKind(part, 'instance');
    const name = ofKind(part, 'dict')?.dunder ?? computed?.dunder;
    if (name) addFinding(scan, 'dunder-state', `BUILD sets the attribute ${name} at byte ${at}.`);
    else if (computed && mappings.has(`${computed.of.module}.${computed.of.name}`)) {
      addFinding(scan, 'dunder-state', `BUILD takes its attributes from a computed dictionary at byte ${at}.`);
    }
  }
}

/** Notes an item that is set: keys matter where they become attributes. */
export function addItem(target: PickleValue, key: PickleValue, value: PickleValue): void {
  if (typeof key !== 'string') return;
  const holder = ofKind(target, 'dict') ?? ofKind(target, 'instance');
  if (!holder) return;
  if (dunder.test(key)) holder.dunder ??= key;
  if (holder.kind === 'dict' && (holder.entries.size < 1024 || holder.entries.has(key))) holder.entries.set(key, value);
}
