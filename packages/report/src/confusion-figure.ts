import { count, plainText } from '@passloop/core';
import { matrixDrawing } from './charts/matrix.ts';
import { figure } from './figure.ts';

const shownName = 40;

/** A confusion matrix: cells shaded by their share of the label's rows, and the same as a table. */
export async function confusionFigure(
  title: string,
  classes: readonly string[],
  otherClasses: number,
  matrix: readonly (readonly number[])[],
): Promise<string> {
  const names = classes.map((name, i) =>
    otherClasses > 0 && i === classes.length - 1 ? `${count(otherClasses)} others` : plainText(name, shownName),
  );
  const size = Math.min(names.length, matrix.length);
  if (size < 2) return '';
  const shown = names.slice(0, size);
  const counts = shown.map((_, label) => shown.map((_, prediction) => matrix[label]?.[prediction] ?? 0));
  const right = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const total = counts.flat().reduce((sum, rows) => sum + rows, 0);
  return await figure({
    title,
    description: `${title}: rows by label and prediction of ${size} classes; ${count(right)} of ${count(total)} are right.`,
    drawing: matrixDrawing(shown, counts),
    numbers: {
      head: ['label', ...shown.map((name) => `predicted ${name}`)],
      rows: counts.map((row, i) => {
        const rows = row.reduce((sum, one) => sum + one, 0);
        return [shown[i] as string, ...row.map((one) => `${count(one)} (${percent(one, rows)} %)`)];
      }),
    },
  });
}

function percent(part: number, whole: number): string {
  return (whole === 0 ? 0 : (part / whole) * 100).toFixed(1);
}
