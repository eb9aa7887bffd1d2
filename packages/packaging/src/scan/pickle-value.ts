import type { Permission } from './allowlist.ts';

/** What the interpreter knows of an object on a pickle's stack. Nothing is ever constructed; unknown parts are opaque. */
export type PickleValue = string | number | boolean | null | Opaque | Import | PickleTuple | PickleDict | Instance;

/** Anything whose content decides nothing: long texts, bytes, floats, lists, sets. */
export interface Opaque {
  kind: 'opaque';
}

/** The result of an import: module and attribute, and what may be done with it. */
export interface Import {
  kind: 'import';
  module: string;
  name: string;
  permission: Permission;
}

interface PickleTuple {
  kind: 'tuple';
  items: readonly PickleValue[];
}

export interface PickleDict {
  kind: 'dict';
  /** Absent while there are none: a pickle may hold millions of dictionaries. */
  entries: Map<string, PickleValue> | undefined;
  /** Whether one of its keys is no literal: it may be any text. */
  computed: boolean;
  /** A key such as `__setstate__`, which as an attribute would change what happens next. */
  dunder: string | undefined;
}

/** What calling an import gave. */
export interface Instance {
  kind: 'instance';
  of: Import;
  args: readonly PickleValue[];
  state: PickleValue | undefined;
  /** As those of a dictionary, where items are set on it. */
  computed: boolean;
  dunder: string | undefined;
}

export const opaque: Opaque = { kind: 'opaque' };
export const empty: readonly PickleValue[] = [];

/** The value as one of the kinds that are objects here, or undefined. */
export function ofKind<K extends 'import' | 'tuple' | 'dict' | 'instance' | 'opaque'>(
  value: PickleValue | undefined,
  kind: K,
): Extract<PickleValue, { kind: K }> | undefined {
  if (typeof value !== 'object' || value === null || value.kind !== kind) return undefined;
  return value as Extract<PickleValue, { kind: K }>;
}
