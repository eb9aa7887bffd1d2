import { escapeHtml, plainText, shortDigest, type Verdict } from '@passloop/core';
import { phraseHtml } from './phrase.ts';
import { signs } from './words.ts';

// What the parts of the page share. Whatever a document says goes through `text`, `code` or a phrase: escaped, and cut.

export function text(value: string, limit = 600): string {
  return escapeHtml(plainText(value, limit));
}

export function code(value: string, limit = 300): string {
  return `<code>${text(value, limit)}</code>`;
}

/** Text of several lines, as it is. */
export function block(value: string, limit = 8000): string {
  return `<pre>${escapeHtml(value.length > limit ? `${value.slice(0, limit)}\n…` : value)}</pre>`;
}

export function digest(value: string): string {
  return code(shortDigest(value));
}

/** The sign of a headline, whose first word says the same. */
export function sign(verdict: Verdict): string {
  return `<span class="sign ${verdict}" aria-hidden="true"><span>${signs[verdict]}</span></span>`;
}

export function badge(verdict: Verdict): string {
  return `<span class="badge ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${verdict}</span>`;
}

/** A word beside the sign, and the reason under it. */
export function verdictCell(verdict: Verdict, word: string, reason: string | null): string {
  const note = reason === null ? '' : `<span class="note">${phraseHtml(reason)}</span>`;
  return `<td class="v ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${text(word.replaceAll('-', '\u2011'))}${note}</td>`;
}

/** A heading: `number` for a column of numbers. */
export type Head = string | { number: string };

/**
 * A table that scrolls on its own where it is too wide, by the keyboard too.
 * @param label what it shows, for who can't see the heading above it
 * @param rows each a row's cells, `<tr>` included
 */
export function table(label: string, heads: readonly Head[], rows: readonly string[], kind = ''): string {
  const head = heads.map((one) =>
    typeof one === 'string'
      ? `<th scope="col">${text(one, 200)}</th>`
      : `<th scope="col" class="n">${text(one.number, 200)}</th>`,
  );
  return `<div class="scroll${kind}" tabindex="0" role="group" aria-label="${text(label, 200)}"><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
