import type { CheckInput } from '@passloop/model';

/** A check that was not written by hand, and why it is there. */
export type Suggestion = { check: CheckInput; reason: string };

/** What another tool checks and no check of ours is exactly. */
export type Unmapped = { what: string; why: string };

const plain = /^[A-Za-z_][\w./-]*$/;
const words = /^(?:true|false|null|yes|no|on|off|y|n|\.?nan|[-+]?\.?inf)$/i;

/** Checks as a list that a model file takes; reasons, and what could not be mapped, are comments. */
export function suggestionText(suggestions: readonly Suggestion[], unmapped: readonly Unmapped[]): string {
  const lines = suggestions.map(
    ({ check, reason }) => `- ${flow(check)}${reason === '' ? '' : `   # ${comment(reason)}`}`,
  );
  const left = unmapped.map(({ what, why }) => `# not mapped: ${comment(what)}: ${comment(why)}`);
  return `${[...lines, ...left].join('\n')}\n`;
}

function comment(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]+/g, ' ').slice(0, 300);
}

/** JSON but for names and words that need no quotes: YAML reads both. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${flow(key)}: ${flow(item)}`).join(', ')}}`;
  }
  if (typeof value === 'string' && plain.test(value) && !words.test(value)) return value;
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
