const words = /^(?:true|false|null|yes|no|on|off|y|n|\.?nan|[-+]?\.?inf)$/i;

/** A text as a YAML scalar, in a flow too: plain where nothing could read it otherwise, else in double quotes. */
export function yamlScalar(text: string): string {
  if (/^-{0,2}[A-Za-z_][\w./*-]*$/.test(text) && !words.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `[a, b]` */
export function yamlList(texts: readonly string[]): string {
  return `[${texts.map(yamlScalar).join(', ')}]`;
}
