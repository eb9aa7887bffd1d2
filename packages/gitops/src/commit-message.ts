import { plainText } from '@passloop/core';
import type { RecordDocument } from '@passloop/documents';

export type Trailer = { token: string; value: string };

/**
 * The trailers of a promotion commit: an index derived from the record, in one block that `git interpret-trailers --parse`
 * reads. Tokens have letters, digits and `-` only; one other character and git would read none of them.
 */
export function promotionTrailers(record: RecordDocument, reverts: string | null): Trailer[] {
  const { deployment, source } = record;
  const trailers: (Trailer | null)[] = [
    { token: 'Promotion-Id', value: deployment.promotionId },
    source === null
      ? null
      : {
          token: 'Promotion-Source',
          value: source.repository === null ? source.commit : `${source.repository}@${source.commit}`,
        },
    { token: 'Image-Digest', value: record.image.digest },
    deployment.previous === null ? null : { token: 'Previous-Image-Digest', value: deployment.previous.imageDigest },
    { token: 'Model-Digest', value: record.modelDigest },
    record.runKey === null ? null : { token: 'Run-Key', value: record.runKey },
    ...record.data.map((dataset) => ({ token: 'Dataset-Digest', value: `${dataset.name}=${dataset.digest}` })),
    ...record.gates.map((gate) => ({
      token: 'Gate',
      value: [
        gate.slice === null ? gate.metric : `${gate.metric}[${gate.slice}]`,
        gate.verdict,
        gate.value ?? '-',
      ].join(' '),
    })),
    reverts === null ? null : { token: 'Reverts-Promotion', value: reverts },
  ];
  return trailers.filter((trailer) => trailer !== null);
}

/** Headline, paragraphs, and the trailers as the last paragraph. Untrusted text stays on its line. */
export function commitMessage(headline: string, paragraphs: readonly string[], trailers: readonly Trailer[]): string {
  const block = trailers
    .map(({ token, value }) => `${trailerToken(token)}: ${quiet(plainText(value, 500)).trim()}`)
    .join('\n');
  return [paragraphText(headline.slice(0, 200)), ...paragraphs.map(paragraphText), block]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

/** GitHub refuses a longer text of a pull request. */
const bodyLimit = 65_536;

/**
 * A pull request's text that ends with the trailers of its commit, for repositories where it becomes the message of what is merged: a person's merge or a
 * merge queue asks nobody. Where they don't fit, those that no record has twice stay.
 */
export function withTrailers(body: string, message: string): string {
  const block = message.trimEnd().split('\n\n').at(-1) ?? '';
  const few = block.split('\n').filter((line) => !/^(Gate|Dataset-Digest): /.test(line));
  const blocks = [block, few.join('\n')].map((lines) => `${body.trimEnd()}\n\n${lines}\n`);
  return blocks.find((text) => text.length <= bodyLimit) ?? body;
}

/** Prose on one line. A line that begins with `---` would end the message for git: what follows is a patch. */
function paragraphText(text: string): string {
  return quiet(plainText(text, 1000))
    .trim()
    .replace(/^-{3,}/, '—');
}

/**
 * GitHub acts on a commit message: `[skip ci]` keeps every workflow from running, `fixes #7` closes an issue, `@name` calls
 * somebody. A dataset's value, by way of a slice, must do none of that.
 */
function quiet(text: string): string {
  return text
    .replace(/\[\s*(skip ci|ci skip|no ci|skip actions|actions skip)\s*\]/gi, '($1)')
    .replace(/(#|\bGH-)(?=\d)/gi, '$1 ')
    .replace(/(^|[^\w/.-])@(?=\w)/g, '$1@ ');
}

function trailerToken(token: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(token)) throw new RangeError(`${JSON.stringify(token)} is no trailer token.`);
  return token;
}
