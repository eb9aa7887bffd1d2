import { ConfigurationError, parseYaml } from '@passloop/core';
import { Check, type CheckInput, checkId, withOwnNames } from '@passloop/model';
import { z } from 'zod';
import type { Suggestion, Unmapped } from '../suggestion.ts';

export type ForeignChecks = { tool: string; suggestions: Suggestion[]; unmapped: Unmapped[] };

/** What readers collect into: whether a check was mapped. It is only if our schema takes it. */
export type Collected = {
  add(check: Record<string, unknown>, reason: string): boolean;
  leave(what: string, why: string): boolean;
};

export const noEqual = 'no check of ours is exactly this';

/** Lookaheads, lookbehinds, references to a group, atomic groups and conditions: RE2 has none of them. */
const looksAround = /(?<!\\)(?:\\\\)*(?:\(\?(?:[=!>(]|<[=!]|P=)|\\[1-9])/;

export function collect(): Collected & Omit<ForeignChecks, 'tool'> {
  const suggestions: Suggestion[] = [];
  const unmapped: Unmapped[] = [];
  const ids = new Map<string, number>();
  function leave(what: string, why: string): boolean {
    unmapped.push({ what, why });
    return false;
  }
  return {
    suggestions,
    unmapped,
    leave,
    add(check, reason) {
      const own = withOwnNames(dropNull(check));
      const parsed = Check.safeParse(own);
      if (!parsed.success) return leave(reason, parsed.error.issues[0]?.message ?? noEqual);
      if (parsed.data.kind === 'regex' && looksAround.test(parsed.data.pattern))
        return leave(reason, 'its pattern looks around or back, which no pattern of linear time does');
      // Two of one kind on one column would have one name.
      const id = checkId(parsed.data);
      const nth = (ids.get(id) ?? 0) + 1;
      ids.set(id, nth);
      suggestions.push({ check: { ...(own as CheckInput), ...(nth === 1 ? {} : { id: `${id}:${nth}` }) }, reason });
      return true;
    },
  };
}

function dropNull(check: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(check).filter(([, value]) => value !== null && value !== undefined));
}

/** Lists the fields that say something of the data and that nobody mapped: all but `known`, and what is empty or off. */
export function leaveOthers(
  found: Collected,
  of: string,
  fields: Record<string, unknown>,
  known: readonly string[],
): void {
  for (const [name, value] of Object.entries(fields)) {
    const isOff = value === null || value === undefined || value === false || value === '';
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (!known.includes(name) && !isOff && !isEmpty) found.leave(`${name} of ${of}`, noEqual);
  }
}

/** The relation of that name, or the only one. @throws ConfigurationError where it isn't clear which one is meant */
export function chosenRelation<T extends { name: string }>(all: readonly T[], name: string | null, file: string): T {
  const chosen = all.filter((one) => name === null || one.name === name);
  const [one] = chosen;
  if (one !== undefined && chosen.length === 1) return one;
  const isNone = chosen.length === 0;
  const found = name === null ? '' : `, and ${isNone ? 'none is' : 'several are'} ${JSON.stringify(name.slice(0, 80))}`;
  const names = [...new Set(all.map((each) => each.name))].slice(0, 10);
  throw new ConfigurationError(`${file} describes ${all.length} relations${found}.`, {
    file,
    hint: name === null || isNone ? `Say which one: --table ${names.join(', --table ')}` : 'Leave one of them in it.',
  });
}

/** `unique` of a tool that lets NULL pass. */
export function uniqueValues(columns: readonly string[]): Record<string, unknown> {
  const present = columns.map((name) => `"${name.replaceAll('"', '""')}" IS NOT NULL`).join(' AND ');
  return { kind: 'unique', columns: [...columns], where: present };
}

/** By names without what they say of length, unit and zone: `int64[pyarrow]`, `TIMESTAMP(6) WITH TIME ZONE`, `IntegerType()`. */
const typeNames: readonly [RegExp, readonly string[]][] = [
  [
    /^(tiny|small|big|medium|byte|short|long)?int(eger)?(8|16|32|64)?$|^u?int(8|16|32|64)$|^(long|short|byte)$/,
    ['integer'],
  ],
  [/^(float|double|real)(32|64)?( precision)?$/, ['float']],
  [/^number$/, ['integer', 'float', 'decimal']],
  [/^(decimal(128|256)?|numeric)$/, ['decimal']],
  [/^(large_)?(str|string|utf8)$|^(text|varchar|char|character varying|object|category|categorical|enum)$/, ['string']],
  [/^bool(ean)?$/, ['boolean']],
  [/^date(32|64)?$/, ['date']],
  [/^(datetime|timestamp)(64)?( with(out)? time zone)?(_[a-z]+)?$/, ['timestamp']],
  [/^time(32|64)?$/, ['time']],
];

/** Our types for a type of theirs; null for one that we have no word for. */
export function typesOf(name: string): readonly string[] | null {
  const bare = name
    // A list is written with nothing in its brackets, or with its length.
    .replace(/\[[a-z].*\]|\(.*\)/gi, '')
    .trim()
    .toLowerCase();
  const plain = name.trim().endsWith('Type()') || /Type\(\d/.test(name) ? bare.replace(/type$/, '') : bare;
  return typeNames.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}

/** A document of another tool: YAML or JSON, bounded by the YAML reader. @throws ConfigurationError with the line */
export function readDocument<T>(text: string, file: string, schema: z.ZodType<T>, tool: string): T {
  const parsed = schema.safeParse(parseYaml(text, file).value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ConfigurationError(
    `${file} is no ${tool}: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`,
    { file },
  );
}

export const Named = z.record(z.string(), z.unknown());
