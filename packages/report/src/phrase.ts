import { codeSpan, escapeHtml, escapeMarkdown, plainText } from '@passloop/core';

/**
 * A phrase is plain text in which untrusted names stand between backticks (`named` puts them there, and nothing in a name
 * can end them). Renderers escape both halves their own way, so that a column called `</details>` stays a column.
 */
export function named(name: string): string {
  return `\`${plainText(name, 120).replaceAll('`', "'")}\``;
}

export function phraseMarkdown(phrase: string): string {
  return pieces(phrase)
    .map((piece) => (piece.code ? codeSpan(piece.text, 160) : escapeMarkdown(piece.text, 2000)))
    .join('')
    .trim();
}

export function phraseHtml(phrase: string): string {
  return pieces(phrase)
    .map((piece) => (piece.code ? `<code>${escapeHtml(piece.text)}</code>` : escapeHtml(piece.text)))
    .join('');
}

export function phraseText(phrase: string): string {
  return plainText(phrase.replaceAll('`', ''), 4000);
}

function pieces(phrase: string): { text: string; code: boolean }[] {
  const parts = plainText(phrase, 4000).split('`');
  // An odd number of backticks means a hostile or broken phrase: none of it is code then.
  if (parts.length % 2 === 0) return [{ text: parts.join("'"), code: false }];
  return parts.map((text, index) => ({ text, code: index % 2 === 1 })).filter((piece) => piece.text !== '');
}
