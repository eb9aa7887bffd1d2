import { isDangerous, permissionOf } from './allowlist.ts';
import { type Findings, type ScanRule, ScanStop } from './finding.ts';
import type { ScanLimits } from './limits.ts';
import { isDtype, itemSize } from './numpy-dtype.ts';
import { empty, type Import, type Instance, ofKind, opaque, type PickleValue } from './pickle-value.ts';

/** What a file's scan gathers over all of its pickles. */
export interface PickleScan {
  limits: ScanLimits;
  /** Names that the caller lets through beside the built-in profiles. */
  allow: (name: string) => boolean;
  /** PyTorch names its storages by persistent ids. */
  persistentIds: boolean;
  globals: Set<string>;
  findings: Findings;
  opcodes: number;
  /** About how many bytes of this process' memory the symbols have taken. */
  held: number;
  /** Bytes that were decompressed. */
  decompressed: number;
  /** Arrays that stood between the opcodes, as joblib lays them. */
  arrays: number;
  /** Where the bytes of the first of them stand, if they are no pickle. */
  rawArray: { start: number; end: number } | undefined;
}

const dunder = /^__.*__$/s;
const lists = new Set('builtins.list builtins.set __builtin__.list __builtin__.set collections.deque'.split(' '));
const mappings = new Set(
  'builtins.dict __builtin__.dict collections.OrderedDict collections.defaultdict collections.Counter sklearn.utils._bunch.Bunch sklearn.utils.Bunch'.split(
    ' ',
  ),
);
const plainModules = new Set(['builtins', '__builtin__', 'collections', '_codecs']);
const codecs = new Set<PickleValue | undefined>(['latin1', 'latin-1', 'utf-8', 'utf8']);

export function addFinding(scan: PickleScan, rule: ScanRule, detail: string): void {
  scan.findings.add(rule, detail);
}

/** Counts memory before it is taken, so that a file can't make this process grow without end. Throws ScanStop `limit`. */
export function hold(scan: PickleScan, bytes: number): void {
  scan.held += bytes;
  if (scan.held > scan.limits.heldBytes)
    throw new ScanStop('limit', `the pickle makes more than ${scan.limits.heldBytes} bytes of objects.`);
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
    return { kind: 'import', module: '?', name: '?', permission: 'called' };
  }
  const full = `${module}.${name}`;
  const permission = permissionOf(module, name);
  if (permission) {
    record(scan, full);
    return { kind: 'import', module, name, permission };
  }
  // joblib's own classes take part in the reading of the file, and here only the one that is listed is followed.
  const vouched = scan.allow(full) && !/^joblib(\.|$)/.test(module);
  if (!vouched && !scan.globals.has(full)) {
    const shown = JSON.stringify(full).slice(1, -1);
    if (isDangerous(module))
      addFinding(scan, 'forbidden-import', `${shown} is imported at byte ${at}: it can run anything.`);
    else addFinding(scan, 'unlisted-import', `${shown} is imported at byte ${at} and is on no allowlist.`);
  }
  record(scan, full);
  return { kind: 'import', module, name, permission: 'called' };
}

function record(scan: PickleScan, full: string): void {
  if (scan.globals.has(full)) return;
  if (scan.globals.size >= scan.limits.globals)
    throw new ScanStop('limit', `the file imports more than ${scan.limits.globals} names.`);
  scan.globals.add(full);
}

/** A call (`call`), or an instance made without its constructor (`new`): of an import itself, never of what another call gave. */
export function judgeCall(
  scan: PickleScan,
  callee: PickleValue,
  args: readonly PickleValue[],
  how: 'call' | 'new',
  at: number,
): PickleValue {
  const target = ofKind(callee, 'import');
  if (!target) {
    addFinding(scan, 'computed-call', `a call at byte ${at} is of a computed object, not of an import.`);
    return opaque;
  }
  const shown = `${target.module}.${target.name}`;
  if (target.permission === 'named' || (target.permission === 'made' && how === 'call')) {
    addFinding(
      scan,
      'unusual-call',
      `${shown} is called at byte ${at}; a saved model only ${target.permission === 'named' ? 'mentions' : 'restores'} it.`,
    );
  }
  // numpy.ndarray, made with a buffer of bytes, takes them for the addresses of objects; scikit-learn's named tuples have arguments.
  const bare =
    target.permission !== 'made' || args.length === 0 || permissionOf(target.module, target.name) === undefined;
  const wrong = bare || target.module.startsWith('sklearn.') ? wrongArgument(target, args) : 'with arguments';
  if (wrong) addFinding(scan, 'unusual-call', `${shown} is called at byte ${at} ${wrong}.`);
  const of = madeBy(target, args);
  if (of === undefined) {
    addFinding(scan, 'computed-call', `${shown} makes an object of a computed class at byte ${at}.`);
    return opaque;
  }
  return {
    kind: 'instance',
    of,
    args: of === target ? args : empty,
    state: undefined,
    computed: false,
    dunder: undefined,
  };
}

/** The class of what a call makes: two functions make an instance of the class that they are given. */
function madeBy(target: Import, args: readonly PickleValue[]): Import | undefined {
  return target.name === '_reconstructor' || target.name === 'newObj' ? ofKind(args[0], 'import') : target;
}

/** Why a listed function must not get these arguments: some would call, or hand back, what they are given. */
function wrongArgument({ module, name }: Import, args: readonly PickleValue[]): string | undefined {
  if (module === '_codecs') return codecs.has(args[1]) ? undefined : 'with another codec than latin1';
  if (module === 'copyreg' || module === 'copy_reg') {
    const [of, base] = [ofKind(args[0], 'import'), ofKind(args[1], 'import')];
    if (of?.permission === 'named') return `for ${of.module}.${of.name}, which is no class of a model`;
    return base && plainModules.has(base.module) ? undefined : 'with a base that has a constructor of its own';
  }
  if (name === 'newObj') return isOf(args[0], /^sklearn\./) ? undefined : 'for a class outside of scikit-learn';
  if (plainModules.has(module)) {
    const plain = args.every((value) => {
      if (ofKind(value, 'import')) return name === 'defaultdict' && value === args[0];
      const instance = ofKind(value, 'instance');
      return !instance || plainModules.has(instance.of.module);
    });
    return plain ? undefined : 'with an object that it would iterate or convert';
  }
  if (module.startsWith('numpy.random.')) {
    return args.every((value) => typeof value !== 'object' || isOf(value, /^numpy\.random\./) || !isCallable(value))
      ? undefined
      : 'with something that it would call';
  }
  if (module === 'numpy' && name === 'dtype') return typeof args[0] === 'string' ? undefined : 'with no literal type';
  if (name === 'scalar' || name === '_frombuffer') {
    return typeof itemSize(args[name === 'scalar' ? 0 : 1]) === 'number' ? undefined : 'with a dtype that is not plain';
  }
  if (name === '_reconstruct' || name === '_mareconstruct') {
    return isOf(args[0], /^numpy(\.|$)/) ? undefined : 'for a class outside of numpy';
  }
  return undefined;
}

function isOf(value: PickleValue | undefined, module: RegExp): boolean {
  const of = ofKind(value, 'import') ?? ofKind(value, 'instance')?.of;
  return of !== undefined && module.test(of.module);
}

function isCallable(value: PickleValue): boolean {
  return ofKind(value, 'import') !== undefined || ofKind(value, 'instance') !== undefined;
}

/**
 * Items are set on mappings, and appended to lists and sets. On an import they would change the program itself; on another instance,
 * `append` would be a method of its class, or an attribute that the file has given it.
 */
export function judgeChange(scan: PickleScan, target: PickleValue, how: 'append' | 'set', at: number): void {
  if (ofKind(target, 'import')) addFinding(scan, 'unusual-call', `an imported object is changed at byte ${at}.`);
  const instance = ofKind(target, 'instance');
  if (!instance || isUnlisted(instance)) return;
  const shown = `${instance.of.module}.${instance.of.name}`;
  if (!(how === 'append' ? lists : mappings).has(shown))
    addFinding(scan, 'unusual-call', `items are put into an object of ${shown} at byte ${at}.`);
}

/** Named by the caller's allowance, or found already. */
function isUnlisted(instance: Instance): boolean {
  return permissionOf(instance.of.module, instance.of.name) === undefined;
}

/** BUILD: of an instance, once, with literal attributes that change no special method. */
export function judgeBuild(scan: PickleScan, target: PickleValue, state: PickleValue, at: number): void {
  if (ofKind(target, 'import')) addFinding(scan, 'unusual-call', `an imported object is changed at byte ${at}.`);
  else if (!ofKind(target, 'instance') && !ofKind(target, 'opaque')) {
    addFinding(scan, 'unusual-call', `BUILD on a plain value at byte ${at}.`);
  }
  const instance = ofKind(target, 'instance');
  // What a first state has set and a second doesn't name stays: neither state alone tells what the object is.
  if (instance?.state !== undefined) addFinding(scan, 'unusual-call', `an object is built twice, at byte ${at}.`);
  if (instance && isDtype(instance) && itemSize({ ...instance, state }) === undefined) {
    addFinding(
      scan,
      'unusual-call',
      `a numpy dtype at byte ${at} contradicts itself: reading its arrays would corrupt memory.`,
    );
  }
  const parts = ofKind(state, 'tuple')?.items ?? [state];
  for (const part of parts.length <= 2 ? parts : empty) {
    const made = ofKind(part, 'instance');
    const holder = ofKind(part, 'dict') ?? made;
    if (holder?.dunder) addFinding(scan, 'dunder-state', `BUILD sets the attribute ${holder.dunder} at byte ${at}.`);
    else if (holder?.computed)
      addFinding(scan, 'dunder-state', `BUILD sets an attribute whose name is computed at byte ${at}.`);
    else if (made && mappings.has(`${made.of.module}.${made.of.name}`))
      addFinding(scan, 'dunder-state', `BUILD takes its attributes from a computed dictionary at byte ${at}.`);
  }
}

/** Notes an item that is set: keys matter where they become attributes. */
export function addItem(scan: PickleScan, target: PickleValue, key: PickleValue, value: PickleValue): void {
  const holder = ofKind(target, 'dict') ?? ofKind(target, 'instance');
  if (!holder) return;
  if (typeof key !== 'string') {
    if (typeof key === 'object' && key !== null && !ofKind(key, 'tuple')) holder.computed = true;
    return;
  }
  if (dunder.test(key)) holder.dunder ??= key;
  if (holder.kind !== 'dict' || (holder.entries && holder.entries.size >= 1024 && !holder.entries.has(key))) return;
  hold(scan, 80);
  holder.entries ??= new Map();
  holder.entries.set(key, value);
}
