import type { ByteSource } from './byte-source.ts';
import { type ScanRule, ScanStop } from './finding.ts';
import { arrayLayout, skipArray } from './joblib-array.ts';
import { Memo } from './pickle-memo.ts';
import {
  addFinding,
  addItem,
  hold,
  judgeBuild,
  judgeCall,
  judgeChange,
  judgeImport,
  type PickleScan,
} from './pickle-policy.ts';
import {
  empty,
  type Import,
  type Instance,
  ofKind,
  opaque,
  type PickleDict,
  type PickleValue,
} from './pickle-value.ts';

/** Texts longer than this name no module and no key that matters. */
const TEXT = 512;

/**
 * Interprets one pickle of protocol 0 to 5 from the source's position to its STOP, with symbols in the place of objects:
 * nothing is imported, called or built. In `joblib` form the arrays that stand between the opcodes are followed as
 * joblib.load does; object arrays are pickles of their own, in plain form. Throws ScanStop where it cannot go on.
 * Semantics: CPython's Lib/pickle.py and joblib's numpy_pickle.py.
 */
export function scanPickle(source: ByteSource, scan: PickleScan, form: 'joblib' | 'plain', depth = 0): void {
  if (depth > scan.limits.depth) throw new ScanStop('limit', `pickles are nested more than ${scan.limits.depth} deep.`);
  const { limits } = scan;
  let stack: PickleValue[] = [];
  const marks: PickleValue[][] = [];
  /** Values below the marks. */
  let below = 0;
  const memo = new Memo(limits.memo);
  let memoReads = 0;
  let frameEnd = 0;
  let protocols = 0;

  function find(rule: ScanRule, detail: string): void {
    addFinding(scan, rule, detail);
  }

  function push(value: PickleValue): void {
    if (below + stack.length >= limits.stack)
      throw new ScanStop('limit', `a pickle's stack has more than ${limits.stack} values.`);
    stack.push(value);
  }

  function pop(): PickleValue {
    if (stack.length === 0) throw new ScanStop('malformed', `the pickle's stack is empty at byte ${source.position}.`);
    return stack.pop()!;
  }

  function top(): PickleValue {
    const value = pop();
    stack.push(value);
    return value;
  }

  function popMark(): PickleValue[] {
    const items = stack;
    const lower = marks.pop();
    if (!lower) throw new ScanStop('malformed', `a MARK is missing at byte ${source.position}.`);
    stack = lower;
    below -= stack.length;
    return items;
  }

  function get(index: number): void {
    const value = memo.get(index);
    if (value === undefined) throw new ScanStop('malformed', `memo ${index} is read before it is written.`);
    memoReads += 1;
    if (memoReads > 10_000 && memoReads > memo.size * limits.memoReads) {
      throw new ScanStop('limit', `a pickle reads its memo ${memoReads} times for ${memo.size} entries.`);
    }
    push(value);
  }

  function remember(index: number): void {
    hold(scan, 8);
    memo.put(index, top());
  }

  function text(bytes: number): void {
    if (bytes > TEXT) {
      source.skip(bytes);
      push(opaque);
    } else {
      hold(scan, 24 + bytes);
      push(source.bytes(bytes).toString('utf8'));
    }
  }

  function line(): string | undefined {
    hold(scan, 24);
    const held = source.line(TEXT, limits.headerBytes);
    hold(scan, held?.length ?? 0);
    return held;
  }

  function skipped(bytes: number): void {
    source.skip(bytes);
    push(opaque);
  }

  function imported(module: PickleValue | undefined, name: PickleValue | undefined): Import {
    return judgeImport(scan, module, name, source.position);
  }

  function called(callee: PickleValue, args: readonly PickleValue[], how: 'call' | 'new' = 'call'): PickleValue {
    hold(scan, 112);
    return judgeCall(scan, callee, args, how, source.position);
  }

  function tuple(items: PickleValue[]): PickleValue {
    hold(scan, 96 + 8 * items.length);
    return { kind: 'tuple', items };
  }

  function dict(): PickleDict {
    hold(scan, 64);
    return { kind: 'dict', entries: undefined, computed: false, dunder: undefined };
  }

  function argumentsOf(value: PickleValue): readonly PickleValue[] {
    return ofKind(value, 'tuple')?.items ?? empty;
  }

  function changed(target: PickleValue, how: 'append' | 'set'): PickleValue {
    judgeChange(scan, target, how, source.position);
    return target;
  }

  function build(state: PickleValue): void {
    const target = top();
    judgeBuild(scan, target, state, source.position);
    const instance = ofKind(target, 'instance');
    if (!instance) return;
    instance.state = state;
    if (form !== 'joblib' || !isWrapper(instance)) return;
    stack[stack.length - 1] = opaque;
    readArray(state);
    // The memo keeps the wrapper to the end; a file of many small arrays would spend its time on what no one asks for again.
    instance.state = opaque;
    const read = ofKind(state, 'dict');
    if (read) read.entries = undefined;
  }

  function readArray(state: PickleValue): void {
    const layout = arrayLayout(state);
    // joblib reads the array from the file while the rest of a frame waits: both would be these bytes.
    if (frameEnd > source.position)
      throw new ScanStop('array-framing', 'an array of joblib begins inside a pickle frame.');
    closeFrame();
    scan.arrays += 1;
    const start = source.position;
    if (layout.kind === 'raw') skipArray(source, layout);
    else scanPickle(source, scan, 'plain', depth + 1);
    if (scan.arrays === 1 && layout.kind === 'raw') scan.rawArray = { start, end: source.position };
  }

  function openFrame(): void {
    const length = source.u64();
    if (frameEnd > 0) find('frame-mismatch', `a frame at byte ${source.position} begins inside another.`);
    if (length > source.left) {
      find('frame-mismatch', `the frame at byte ${source.position} is longer than the file.`);
      throw new ScanStop('malformed', `the frame at byte ${source.position} is cut off.`);
    }
    frameEnd = source.position + length;
  }

  for (;;) {
    scan.opcodes += 1;
    if (scan.opcodes > limits.opcodes) throw new ScanStop('limit', `the file has more than ${limits.opcodes} opcodes.`);
    const opcode = source.u8();
    switch (opcode) {
      case 0x28: // MARK (
        if (marks.length >= limits.stack) throw new ScanStop('limit', `a pickle has more than ${limits.stack} marks.`);
        marks.push(stack);
        below += stack.length;
        stack = [];
        break;
      case 0x2e: // STOP .
        pop();
        if (frameEnd > 0 && frameEnd !== source.position) {
          find('frame-mismatch', `the pickle stops at byte ${source.position}, its frame ends at ${frameEnd}.`);
        }
        return;
      case 0x30: // POP 0
        if (stack.length > 0) stack.pop();
        else popMark();
        break;
      case 0x31: // POP_MARK 1
        popMark();
        break;
      case 0x32: // DUP 2
        push(top());
        break;
      case 0x46: // FLOAT F
        source.line(0, limits.headerBytes);
        push(opaque);
        break;
      case 0x53: // STRING S
        push(/^(['"])([^\\'"]*)\1$/.exec(line() ?? '')?.[2] ?? opaque);
        break;
      case 0x49: // INT I
      case 0x4c: // LONG L
        push(integer(source.line(24, limits.headerBytes)));
        break;
      case 0x56: {
        // UNICODE V
        const unescaped = line();
        push(unescaped === undefined || unescaped.includes('\\') ? opaque : unescaped);
        break;
      }
      case 0x4a: // BININT J
        push(source.i32());
        break;
      case 0x4b: // BININT1 K
        push(source.u8());
        break;
      case 0x4d: // BININT2 M
        push(source.u16());
        break;
      case 0x8a: // LONG1
        push(longInteger(source.bytes(source.u8())));
        break;
      case 0x8b: // LONG4
        skipped(positive(source.i32(), source));
        break;
      case 0x4e: // NONE N
        push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        push(opcode === 0x88);
        break;
      case 0x47: // BINFLOAT G
        skipped(8);
        break;
      case 0x58: // BINUNICODE X
        text(source.u32());
        break;
      case 0x8c: // SHORT_BINUNICODE
        text(source.u8());
        break;
      case 0x8d: // BINUNICODE8
        text(source.u64());
        break;
      case 0x55: // SHORT_BINSTRING U: a text as Python 3 reads Python 2
        text(source.u8());
        break;
      case 0x54: // BINSTRING T
        text(positive(source.i32(), source));
        break;
      case 0x43: // SHORT_BINBYTES C
        skipped(source.u8());
        break;
      case 0x42: // BINBYTES B
        skipped(source.u32());
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        skipped(source.u64());
        break;
      case 0x29: // EMPTY_TUPLE )
        push({ kind: 'tuple', items: empty });
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const items = new Array<PickleValue>(opcode - 0x84);
        for (let at = items.length - 1; at >= 0; at -= 1) items[at] = pop();
        push(tuple(items));
        break;
      }
      case 0x74: // TUPLE t
        push(tuple(popMark().slice(0, 1024)));
        break;
      case 0x5d: // EMPTY_LIST ]
      case 0x8f: // EMPTY_SET
        push(opaque);
        break;
      case 0x7d: // EMPTY_DICT }
        push(dict());
        break;
      case 0x6c: // LIST l
      case 0x91: // FROZENSET
        popMark();
        push(opaque);
        break;
      case 0x64: {
        // DICT d
        const target = dict();
        setItems(target, popMark());
        push(target);
        break;
      }
      case 0x61: // APPEND a
        pop();
        changed(top(), 'append');
        break;
      case 0x65: // APPENDS e
      case 0x90: // ADDITEMS
        popMark();
        changed(top(), 'append');
        break;
      case 0x73: {
        // SETITEM s
        const value = pop();
        const key = pop();
        addItem(scan, changed(top(), 'set'), key, value);
        break;
      }
      case 0x75: {
        // SETITEMS u
        const items = popMark();
        setItems(changed(top(), 'set'), items);
        break;
      }
      case 0x67: // GET g
        get(memoIndex(source.line(24, 24)));
        break;
      case 0x68: // BINGET h
        get(source.u8());
        break;
      case 0x6a: // LONG_BINGET j
        get(source.u32());
        break;
      case 0x70: // PUT p
        remember(memoIndex(source.line(24, 24)));
        break;
      case 0x71: // BINPUT q
        remember(source.u8());
        break;
      case 0x72: // LONG_BINPUT r
        remember(source.u32());
        break;
      case 0x94: // MEMOIZE
        remember(memo.size);
        break;
      case 0x63: // GLOBAL c
        push(imported(line(), line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        push(imported(pop(), name));
        break;
      }
      case 0x69: // INST i
        push(called(imported(line(), line()), popMark()));
        break;
      case 0x6f: {
        // OBJ o
        const [callee, ...args] = popMark();
        if (callee === undefined) throw new ScanStop('malformed', 'OBJ has no class.');
        push(called(callee, args));
        break;
      }
      case 0x52: // REDUCE R
      case 0x81: {
        // NEWOBJ
        const args = pop();
        push(called(pop(), argumentsOf(args), opcode === 0x81 ? 'new' : 'call'));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX
        const named = pop();
        const args = argumentsOf(pop());
        const dictionary = ofKind(named, 'dict');
        const none = dictionary && dictionary.entries === undefined && !dictionary.computed;
        push(called(pop(), none ? args : [...args, named], 'new'));
        break;
      }
      case 0x62: // BUILD b
        build(pop());
        break;
      case 0x80: {
        // PROTO
        const protocol = source.u8();
        if (protocol > 5) throw new ScanStop('malformed', `protocol ${protocol} is unknown.`);
        protocols += 1;
        if (protocols === 2) find('repeated-protocol', `a pickle names its protocol twice at byte ${source.position}.`);
        break;
      }
      case 0x95: // FRAME
        openFrame();
        break;
      case 0x50: // PERSID P
        source.line(0, limits.headerBytes);
        persistent();
        push(opaque);
        break;
      case 0x51: // BINPERSID Q
        pop();
        persistent();
        push(opaque);
        break;
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        source.skip([1, 2, 4][opcode - 0x82]!);
        find(
          'extension-code',
          `an extension code at byte ${source.position} stands for an import that the file doesn't name.`,
        );
        push(opaque);
        break;
      case 0x97: // NEXT_BUFFER
        throw new ScanStop('malformed', 'the pickle takes buffers from outside of the file.');
      case 0x98: // READONLY_BUFFER
        top();
        break;
      default:
        throw new ScanStop(
          'malformed',
          `0x${opcode.toString(16)} at byte ${source.position - 1} is no opcode of pickle.`,
        );
    }
    if (frameEnd > 0 && source.position >= frameEnd) closeFrame();
  }

  function closeFrame(): void {
    if (frameEnd > 0 && source.position > frameEnd) {
      find('frame-mismatch', `an opcode at byte ${source.position} goes beyond its frame.`);
    }
    frameEnd = 0;
  }

  function setItems(target: PickleValue, items: readonly PickleValue[]): void {
    for (let at = 0; at + 1 < items.length; at += 2) addItem(scan, target, items[at]!, items[at + 1]!);
  }

  function persistent(): void {
    if (!scan.persistentIds)
      find('persistent-id', `a persistent id at byte ${source.position} is resolved by the loader's own code.`);
  }
}

function isWrapper(instance: Instance): boolean {
  return instance.of.module === 'joblib.numpy_pickle' && instance.of.name === 'NumpyArrayWrapper';
}

function integer(line: string | undefined): PickleValue {
  if (line === '01' || line === '00') return line === '01';
  return line !== undefined && /^(0|-?[1-9]\d{0,14})L?$/.test(line) ? Number.parseInt(line, 10) : opaque;
}

function longInteger(bytes: Buffer): PickleValue {
  return bytes.length === 0 ? 0 : bytes.length <= 6 ? bytes.readIntLE(0, bytes.length) : opaque;
}

function memoIndex(line: string | undefined): number {
  if (line === undefined || !/^\d{1,15}$/.test(line)) throw new ScanStop('malformed', 'a memo index is no number.');
  return Number(line);
}

function positive(length: number, source: ByteSource): number {
  if (length < 0) throw new ScanStop('malformed', `a length at byte ${source.position} is negative.`);
  return length;
}
