import path from 'node:path';
import { gitIgnoredFolder } from '@passloop/core';
import { type DocumentKind, type DocumentOf, writeDocument } from '@passloop/documents';

/** Where a model's documents and outputs lie: `.passloop/out/<model>` below the repository's top, or the folder that was asked for. */
export type OutFolder = {
  folder: string;
  outputs: string;
  /** `name` tells several documents of one kind apart: `data-report-train.json`. */
  write<K extends DocumentKind>(kind: K, document: DocumentOf<K>, name?: string): Promise<string>;
};

export function outFolder(root: string, model: string, asked: string | undefined): OutFolder {
  const top = path.resolve(root, asked ?? '.passloop/out');
  const folder = path.join(top, model);
  return {
    folder,
    outputs: path.join(folder, 'outputs'),
    async write(kind, document, name) {
      const file = path.join(folder, `${kind}${name === undefined ? '' : `-${name}`}.json`);
      if (asked === undefined) await gitIgnoredFolder(top);
      await writeDocument(kind, file, document);
      return file;
    },
  };
}
