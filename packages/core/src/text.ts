const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Zero-width, bidirectional and filler characters: a reader would see another text than the one that is there. */
const invisibleCharacters =
  /[\u2028\u2029\ufff9-\ufffb]|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}|\p{Noncharacter_Code_Point}/gu;

/** Untrusted text on one line: no control, bidirectional or invisible characters, at most `limit` characters. */
export function plainText(text: string, limit = 200): string {
  // Of a text of megabytes only so much is looked at: enough, unless nearly all of it can't be seen.
  const looked = text.length > 16 * limit + 4096 ? text.slice(0, 16 * limit + 4096) : text;
  const flat = looked
    .replace(/[\r\n\t]+/g, ' ')
    .replace(controlCharacters, '')
    .replace(invisibleCharacters, '');
  const characters = Array.from(flat.length > limit * 2 ? flat.slice(0, limit * 2) : flat);
  const isCut = characters.length > limit || looked.length < text.length;
  return isCut ? `${characters.slice(0, limit - 1).join('')}…` : characters.join('');
}

/**
 * Untrusted text inside GitHub Markdown, table cells included: no markup, HTML, mention, issue reference or link survives.
 * Autolinks are broken by an entity. Mentions, references and emoji codes (a green tick that nobody gave) are found in the
 * rendered text, where an entity is the character again: a zero-width space breaks those.
 */
export function escapeMarkdown(text: string, limit = 200): string {
  return plainText(text, limit)
    .replace(/:(?=[a-z_+-][\w+-]*:)/gi, ':\u200b')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|~$]/g, (character) => `\\${character}`)
    .replace(/@/g, '@\u200b')
    .replace(/(?<!&)#(?=\w)/g, '#\u200b')
    .replace(/\bGH-(?=\d)/gi, '$&\u200b')
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/\bwww\./gi, 'www&#46;')
    .replace(/^(\s*)([-+>]|=+\s*$|#{1,6}(?=\s|$))/, '$1\\$2')
    .replace(/^(\s*\d+)([.)])(?=\s|$)/, '$1\\$2');
}

/** Untrusted text as a Markdown code span that it cannot leave, table cells included. */
export function codeSpan(text: string, limit = 200): string {
  // "<!--" is literal inside a span, but whoever looks for a hidden marker reads the raw text.
  const plain = plainText(text, limit).replaceAll('`', "'").replaceAll('|', '¦').replaceAll('<!--', '<!- -').trim();
  return plain === '' ? '` `' : `\`${plain}\``;
}

/** Untrusted text inside HTML, attributes included; without characters that would turn the order of what is read. */
export function escapeHtml(text: string): string {
  return text
    .replace(controlCharacters, '')
    .replace(invisibleCharacters, '')
    .replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Untrusted text for a terminal, or a log that a runner reads: no escape sequence, and no command. To a runner a line that
 * starts with `::` is one, and so is `##[` anywhere in a line (ActionCommand.TryParse of actions/runner).
 */
export function logText(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(controlCharacters, '').replace(invisibleCharacters, '').replaceAll('##[', '## ['))
    .map((line) => (/^\s*::/.test(line) ? `| ${line}` : line))
    .join('\n');
}

/** JSON that says the same, and that {@link logText} leaves as it is: names in it keep every character. */
export function logJson(json: string): string {
  return json
    .replaceAll('##[', '##\\u005b')
    .replace(invisibleCharacters, (found) =>
      Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
        '',
      ),
    )
    .replace(/[\u007f-\u009f]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
