import { count, escapeHtml, plainText } from '@passloop/core';

const shownName = 40;

/** A confusion matrix as a table whose cells are shaded by their share of the label's rows; the numbers say the same. */
export function confusionFigure(
  title: string,
  classes: readonly string[],
  otherClasses: number,
  matrix: readonly (readonly number[])[],
): string {
  const names = classes.map((name, i) =>
    otherClasses > 0 && i === classes.length - 1 ? `${count(otherClasses)} others` : plainText(name, shownName),
  );
  const size = Math.min(names.length, matrix.length);
  if (size < 2) return '';
  const rows = names.slice(0, size).map((name, label) => {
    const cells = names.slice(0, size).map((_, prediction) => matrix[label]?.[prediction] ?? 0);
    const total = cells.reduce((sum, rows) => sum + rows, 0);
    const shaded = cells.map((rows, prediction) => {
      const share = total === 0 ? 0 : rows / total;
      return `<td class="n${prediction === label ? ' right' : ''}" style="--share:${Math.round(share * 40)}%">${count(rows)} <span class="note">${(share * 100).toFixed(1)} %</span></td>`;
    });
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code></th>${shaded.join('')}</tr>`;
  });
  return `<figure class="confusion">
<figcaption><strong>${escapeHtml(plainText(title, 200))}</strong></figcaption>
<div class="scroll" tabindex="0" role="group" aria-label="${escapeHtml(plainText(title, 200))}"><table><thead><tr><th scope="col">label \\ predicted</th>${names
    .slice(0, size)
    .map((name) => `<th scope="col" class="n"><code>${escapeHtml(name)}</code></th>`)
    .join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>
</figure>`;
}
