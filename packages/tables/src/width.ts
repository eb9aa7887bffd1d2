import path from 'node:path';
import { ConfigurationError } from '@passloop/core';

/** The engine takes memory for each column of a table, whatever is in it: some ten thousand fit into its gigabyte. */
const mostColumns = 10_000;

/** The bytes of a line of a delimited file, the header's too, that the engine reads. */
export const longestLine = 2_000_000;

/** @throws ConfigurationError for a table of more columns than the engine could hold */
export function refuseTooWide(columns: number, file: string): void {
  if (columns <= mostColumns) return;
  throw new ConfigurationError(
    `${path.basename(file)} has more than ${mostColumns.toLocaleString('en')} columns, the most that a table may have.`,
    {
      file,
      hint: 'Leave out what no check reads, or write one list column in place of many columns: [0.1, 0.2, ...] is one value.',
    },
  );
}
