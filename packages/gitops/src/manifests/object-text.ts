import { Document, isMap, isScalar, isSeq } from 'yaml';

/** An object to be written, with comments above its keys. */
export type ManifestObject = {
  value: Readonly<Record<string, unknown>>;
  /** Above the object. */
  head?: string;
  comments?: readonly (readonly [path: readonly (string | number)[], text: string])[];
  /** Lists whose items are written on one line each. */
  flow?: readonly (readonly (string | number)[])[];
};

/**
 * Objects as the documents of one file. The same objects give the same bytes; a text that a reader of YAML 1.1 would take for
 * something else, as `no` or `1_000`, is quoted.
 */
export function objectText(objects: readonly ManifestObject[]): string {
  return objects.map(oneText).join('---\n');
}

function oneText({ value, head, comments = [], flow = [] }: ManifestObject): string {
  const document = new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  if (head !== undefined) document.commentBefore = commentText(head);
  for (const [path, text] of comments) {
    const key = path.at(-1);
    const parent = document.getIn(path.slice(0, -1), true);
    const found = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key
      : isSeq(parent)
        ? parent.items[Number(key)]
        : undefined;
    if (found === undefined) throw new RangeError(`Nothing stands at ${path.join('.')} to be commented on.`);
    (found as { commentBefore?: string }).commentBefore = commentText(text);
  }
  for (const path of flow) {
    const list = document.getIn(path, true);
    if (isSeq(list)) for (const item of list.items) if (isMap(item)) item.flow = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function commentText(text: string): string {
  return text
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n');
}
