import { chartSvg, type Drawing } from './charts/draw.ts';
import { type Head, table, text } from './page-text.ts';

/** The numbers of a chart; the first cell of a row is its name. */
export type Numbers = { head: readonly string[]; rows: readonly (readonly string[])[] };

export function gallery(figures: readonly string[]): string {
  const shown = figures.filter((one) => one !== '');
  return shown.length === 0 ? '' : `<div class="charts">${shown.join('\n')}</div>`;
}

export type Figure = {
  title: string;
  /** What a reader who sees nothing is told. */
  description: string;
  /** Null where nothing can be drawn. */
  drawing: Drawing | null;
  numbers: Numbers;
  note?: string;
};

/** A chart with its title and its numbers as a table; nothing where nothing can be drawn. */
export async function figure({ title, description, drawing, numbers, note = '' }: Figure): Promise<string> {
  if (drawing === null) return '';
  const svg = await chartSvg(drawing, description);
  return framed(title, svg ?? '<p class="note">Its picture cannot be drawn; its numbers are here.</p>', note, numbers);
}

/** @param picture HTML */
export function framed(title: string, picture: string, note: string, numbers: Numbers | null): string {
  return `<figure>
<figcaption><strong>${text(title, 200)}</strong></figcaption>
${picture}
${note === '' ? '' : `<p class="note">${text(note)}</p>`}
${numbers === null ? '' : folded(title, numbers)}
</figure>`;
}

function folded(title: string, { head, rows }: Numbers): string {
  const heads = head.map((cell, i): Head => (i === 0 ? cell : { number: cell }));
  const cells = (row: readonly string[]) =>
    row.map((cell, i) =>
      i === 0 ? `<th scope="row">${text(cell, 200)}</th>` : `<td class="n">${text(cell, 200)}</td>`,
    );
  return `<details><summary>Numbers of “${text(title, 200)}”</summary>${table(
    `${title}, as a table`,
    heads,
    rows.map((row) => `<tr>${cells(row).join('')}</tr>`),
  )}</details>`;
}
