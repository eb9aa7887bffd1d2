import { count, fromDecimal, plainText } from '@passloop/core';
import type { DataReport, Distribution } from '@passloop/documents';
import { pairDrawing } from './charts/pairs.ts';
import { figure, gallery } from './figure.ts';
import { roleText } from './words.ts';

const shownName = 40;

/** Of each column that drifted and is told with its counts: both distributions as a picture, and their numbers as a table. */
export async function driftFigures({ distributions = [], drift }: DataReport): Promise<string> {
  const figures = await Promise.all(distributions.map(driftFigure));
  const drifted = new Set(
    drift.flatMap(({ column, statistic, verdict }) =>
      statistic !== null && (verdict === 'fail' || verdict === 'warn') ? [column] : [],
    ),
  );
  const drawn = new Set(distributions.map(({ column }) => column)).size;
  const left =
    drawn === 0 || drifted.size <= drawn
      ? ''
      : `<p class="note">Drawn: ${count(drawn)} of ${count(drifted.size)} columns that drifted, what drifted most first.</p>`;
  return `${gallery(figures)}${left}`;
}

function driftFigure(distribution: Distribution): Promise<string> {
  const { column, against, isHidden, missing } = distribution;
  const size = Math.min(distribution.reference.length, distribution.current.length);
  const bins = binNames(distribution, size).map((name, i) => ({
    name,
    reference: distribution.reference[i] ?? 0,
    current: distribution.current[i] ?? 0,
  }));
  if (missing.reference > 0 || missing.current > 0) bins.push({ name: 'missing', ...missing });
  // The last of the values is all others, of which there may be none.
  const told = bins.filter(({ name, reference, current }) => name !== others || reference + current > 0);
  const rows = {
    reference: told.reduce((sum, one) => sum + one.reference, 0),
    current: told.reduce((sum, one) => sum + one.current, 0),
  };
  const pairs = told.map(({ name, reference, current }) => ({
    name,
    shares: [share(reference, rows.reference), share(current, rows.current)] as const,
  }));
  const title = `Drift of ${plainText(column, 80)}${roleText(distribution)}`;
  const before = `reference, ${plainText(against, shownName)}`;
  const what = distribution.kind === 'values' ? 'value' : 'range';
  const most = [...pairs].sort((left, right) => apart(right) - apart(left))[0];
  const said =
    most === undefined
      ? ''
      : ` Most apart: ${most.name}, ${percent(most.shares[0])} of the reference and ${percent(most.shares[1])} now.`;
  return figure({
    title,
    description: `${title}: share of rows by ${what} of ${told.length}, in the reference (${against}) and now.${said}`,
    drawing: pairs.length === 0 ? null : pairDrawing(['reference', 'now'], pairs),
    numbers: {
      head: [what, before, 'now'],
      rows: told.map(({ name, reference, current }) => [
        name,
        `${percent(share(reference, rows.reference))} (${count(reference)})`,
        `${percent(share(current, rows.current))} (${count(current)})`,
      ]),
    },
    note: `${noteOf(distribution)}${isHidden ? hidden : ''}`,
  });
}

const others = 'others';
const hidden = ' Values of the data stay hidden: showValues of the dataset in the model file names them.';

function noteOf({ kind, against }: Distribution): string {
  const of = `Shares of rows; the reference is ${against}.`;
  return kind === 'tenths' ? `${of} The ranges are the tenths of the reference.` : of;
}

function binNames({ kind, isHidden, edges, values }: Distribution, size: number): string[] {
  const bins = Array.from({ length: size }, (_, i) => i);
  if (kind === 'values')
    return bins.map((i) => {
      if (i === size - 1) return others;
      return isHidden ? `value ${i + 1}` : plainText(values[i] ?? '?', shownName) || 'empty text';
    });
  const shown = toldApart(edges);
  if (kind === 'around') {
    const value = isHidden ? 'the most frequent value' : (shown[0] ?? '?');
    return bins.map((i) => [`below ${value}`, value, `above ${value}`][i] ?? '?');
  }
  if (isHidden) return bins.map((i) => `range ${i + 1}${i === 0 ? ', lowest' : i === size - 1 ? `, highest` : ''}`);
  return bins.map((i) => {
    const [from, to] = [shown[i - 1], shown[i]];
    if (from === undefined) return to === undefined ? 'all' : `up to ${to}`;
    return to === undefined ? `above ${from}` : `${from} … ${to}`;
  });
}

/** Numbers with as many digits as no two of them are alike. */
function toldApart(edges: readonly string[]): string[] {
  const values = edges.map(fromDecimal);
  const written = (digits: number) => values.map((value) => number(value, digits));
  const digits = [4, 5, 6, 8, 10].find((each) => new Set(written(each)).size === values.length) ?? 12;
  return written(digits);
}

function number(value: number, digits: number): string {
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(digits));
  const isPlain = value === 0 || (size >= 1e-4 && size < 1e12);
  const text = isPlain
    ? rounded.toLocaleString('en', { maximumFractionDigits: 15, useGrouping: size >= 10_000 })
    : String(rounded);
  return text.replaceAll('-', '−');
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function percent(of: number): string {
  return `${(of * 100).toFixed(1)} %`;
}

function apart({ shares: [before, now] }: { shares: readonly [number, number] }): number {
  return Math.abs(before - now);
}
