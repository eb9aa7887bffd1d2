import { ConfigurationError } from '@passloop/core';
import type { Model } from '@passloop/model';
import type { TableSession } from '@passloop/tables';
import { type Cell, distinctCells, type FrameColumn, kindOf, listed } from './frame-columns.ts';

/**
 * How the classes of labels and predictions are written, so that they can be matched: `1`, `1.0`, "1" and true are one
 * class where some column holds numbers; true and "True" are one where some column holds booleans.
 */
type Encoding = 'number' | 'boolean' | 'text';

const decimalText = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** The class that a cell names: equal texts are equal classes. What does not fit the encoding keeps its own text. */
function classText(cell: Exclude<Cell, null>, encoding: Encoding): string {
  if (encoding === 'number') {
    if (typeof cell === 'boolean') return cell ? '1' : '0';
    return typeof cell === 'string' && !decimalText.test(cell) ? cell : numberText(Number(cell));
  }
  if (encoding === 'boolean') {
    if (cell === 1 || cell === 0) return cell === 1 ? 'true' : 'false';
    return /^(true|false)$/i.test(String(cell)) ? String(cell).toLowerCase() : String(cell);
  }
  return typeof cell === 'number' ? numberText(cell) : String(cell);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '0' : String(value);
}

/** Code-unit order: the same on every machine and for every file format. */
export function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The classes in the order of their codes, and each column's cells with their codes. */
export type ClassCodes = {
  classes: string[];
  codes: Map<FrameColumn, Map<Cell, number>>;
  /** The code of a class as the model file writes it. */
  codeOf: (written: string) => number | undefined;
};

type Names = {
  task: Model['task'];
  positive: string | number | boolean | undefined;
  /** The classes that have a score column of their own. */
  scored?: readonly string[] | undefined;
  field: (name: 'positive' | 'scores') => string;
};

/**
 * Finds the classes of a classification: those of the labels first (a binary task's positive one second), then those
 * that only a multiclass model predicts or scores.
 *
 * @throws ConfigurationError for a constant label, classes that don't fit the task, a positive class that no row has,
 *   and predictions that are written in other words than the labels
 */
export async function classCodes(
  session: TableSession,
  label: FrameColumn,
  predictions: readonly FrameColumn[],
  names: Names,
): Promise<ClassCodes> {
  const kinds = [label, ...predictions].map(({ column }) => kindOf(column));
  const encoding = kinds.includes('number') ? 'number' : kinds.includes('boolean') ? 'boolean' : 'text';
  const texts = new Map<FrameColumn, Map<Cell, string>>();
  for (const column of [label, ...predictions]) texts.set(column, await cellTexts(session, column, encoding));
  const own = labelClasses(label, texts.get(label)!, encoding, names);
  const foreign = new Set<string>();
  for (const column of predictions) {
    const found = [...new Set(texts.get(column)!.values())].sort(byCodeUnits);
    const other = found.filter((text) => !own.includes(text));
    const sameKind = kindOf(column.column) === kindOf(label.column);
    const allowed = names.task === 'multiclass' && sameKind && other.length < found.length;
    if (other.length > 0 && !allowed) throw otherWords(column, other, label, own);
    for (const text of other) foreign.add(text);
  }
  for (const text of scoredClasses(names, encoding)) if (!own.includes(text)) foreign.add(text);
  const classes = [...own, ...[...foreign].sort(byCodeUnits)];
  requireScores(classes, names, encoding);
  const codeOf = new Map(classes.map((text, code) => [text, code]));
  const codes = new Map(
    [...texts].map(([column, cells]) => [column, new Map([...cells].map(([cell, text]) => [cell, codeOf.get(text)!]))]),
  );
  return { classes, codes, codeOf: (written) => codeOf.get(classText(written, encoding)) };
}

function scoredClasses({ scored = [] }: Names, encoding: Encoding): string[] {
  return scored.map((written) => classText(written, encoding));
}

/** @throws ConfigurationError where a class has no score column, or two */
function requireScores(classes: readonly string[], names: Names, encoding: Encoding): void {
  if (names.scored === undefined) return;
  const scored = scoredClasses(names, encoding);
  const twice = scored.find((text, i) => scored.indexOf(text) !== i);
  if (twice !== undefined) {
    throw new ConfigurationError(`${names.field('scores')} names the class ${JSON.stringify(twice)} twice.`);
  }
  const lacking = classes.filter((text) => !scored.includes(text));
  if (lacking.length === 0) return;
  throw new ConfigurationError(`${names.field('scores')} names no column for the classes ${listed(lacking)}.`, {
    hint: `Every class of the labels and predictions needs the column of its score; there are ${listed(scored)}.`,
  });
}

/** More classes than these are no classes: an id, or a number where a class belongs. */
const mostClasses = 1000;

async function cellTexts(session: TableSession, column: FrameColumn, encoding: Encoding): Promise<Map<Cell, string>> {
  const cells = await distinctCells(session, column.table, column.column, mostClasses);
  if (cells === null) {
    throw new ConfigurationError(
      `${column.table.name}: \`${column.column.name}\` has more than ${mostClasses} values; ${column.namedBy}, and its values are classes.`,
      { file: column.table.source?.uri },
    );
  }
  // A missing value is no class; the reader of the rows tells how many there are.
  const present = cells.filter((cell) => cell !== null && !Number.isNaN(cell)) as Exclude<Cell, null>[];
  return new Map(present.map((cell) => [cell, classText(cell, encoding)]));
}

function labelClasses(
  label: FrameColumn,
  texts: Map<Cell, string>,
  encoding: Encoding,
  { task, positive, field }: Names,
): string[] {
  const classes = [...new Set(texts.values())].sort(byCodeUnits);
  const where = `\`${label.column.name}\` of ${label.table.name}`;
  const details = { file: label.table.source?.uri };
  if (classes.length === 0) throw new ConfigurationError(`The label ${where} is empty in every row.`, details);
  if (classes.length < texts.size) {
    const cells = listed([...texts.keys()].map((cell) => JSON.stringify(cell)).sort(byCodeUnits));
    throw new ConfigurationError(`Labels in ${where} are one class in several writings: ${cells}.`, details);
  }
  if (classes.length === 1) {
    throw new ConfigurationError(
      `The label ${where} is ${listed(classes)} in every row: nothing can be told apart.`,
      details,
    );
  }
  if (task !== 'binary') return classes;
  if (classes.length > 2) {
    throw new ConfigurationError(
      `The label ${where} has ${classes.length} classes (${listed(classes)}); a binary task has two.`,
      { ...details, hint: 'Is it a multiclass task, or is another column the label?' },
    );
  }
  const named = positive === undefined ? obviousPositive(classes) : classText(positive, encoding);
  if (named === null) {
    throw new ConfigurationError(
      `The label ${where} is ${classes.join(' or ')}: which of them is the positive class?`,
      {
        ...details,
        hint: `Say so in ${field('positive')}.`,
      },
    );
  }
  if (!classes.includes(named)) {
    throw new ConfigurationError(
      `No label in ${where} is ${JSON.stringify(positive ?? named)}, which ${field('positive')} names the positive class. Its values are ${listed(classes)}.`,
      details,
    );
  }
  return [...classes.filter((text) => text !== named), named];
}

/** The positive class where nobody names one and the labels leave no doubt. */
function obviousPositive(classes: readonly string[]): string | null {
  const found = classes.join(' ');
  if (found === '0 1' || found === '-1 1') return '1';
  return found === 'false true' ? 'true' : null;
}

function otherWords(column: FrameColumn, other: string[], label: FrameColumn, own: string[]): ConfigurationError {
  return new ConfigurationError(
    `${column.table.name}: \`${column.column.name}\` holds ${listed(other)}; ${column.namedBy}, and the labels in \`${label.column.name}\` of ${label.table.name} are ${listed(own)}.`,
    { file: column.table.source?.uri, hint: 'Write predictions with the values of the labels.' },
  );
}
