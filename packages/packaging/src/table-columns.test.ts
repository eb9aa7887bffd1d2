import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { openTables } from '@passloop/tables';
import { expect, it } from 'vitest';
import { requireSameRows } from './table-columns.ts';

it('compares predictions with the dataset only about the same rows', async () => {
  await using folder = await temporaryFolder('rows');
  const write = (name: string, ...lines: string[]) =>
    writeFile(path.join(folder.path, name), ['id,day,p', ...lines, ''].join('\n'));
  await write('dataset.csv', '1,2001-05-01,0', '2,2001-05-01,0', '3,2001-05-02,0');
  await write('same.csv', '3,2001-05-02,1', '1,2001-05-01,1', '2,2001-05-01,1');
  await write('fewer.csv', '1,2001-05-01,1', '2,2001-05-01,1');
  await write('others.csv', '1,2001-05-01,1', '2,2001-05-01,1', '4,2001-05-02,1');
  await using session = await openTables();
  const open = (uri: string) => session.open({ uri, root: folder.path });
  const dataset = await open('dataset.csv');

  await requireSameRows(session, dataset, await open('same.csv'), ['id', 'day']);
  for (const other of ['fewer.csv', 'others.csv']) {
    await expect(requireSameRows(session, dataset, await open(other), ['id', 'day'])).rejects.toThrow(
      /are about other rows than the dataset/,
    );
  }
});
