/**
 * The picture of drift in docs/images/, as the report draws it: two columns of a month of the flights example against the four before it, with distances in kilometres and
 * another code for a fifth of the hubs. Needs Chromium.
 *
 *   node scripts/drift-picture.ts
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '@passloop/core';
import { driftBetween } from '@passloop/data';
import { openTables } from '@passloop/tables';
import { driftFigures } from '../packages/report/src/drift-figures.ts';
import { style } from '../packages/report/src/page-style.ts';
import { openBrowser } from '../test/pages/browser.ts';

const root = path.resolve(import.meta.dirname, '..');
const flights = path.join(root, 'examples/flight-delay/data');
await using folder = await temporaryFolder('drift-picture');
await using session = await openTables();
const reference = await session.open({ uri: 'train.parquet', root: flights });
const may = await session.open({ uri: 'test.parquet', root: flights });
const current = await session.derive(
  `SELECT * REPLACE ((distance * 1.609344)::BIGINT AS distance, CASE WHEN id % 5 = 0 THEN 'LARGE' ELSE hub END AS hub) FROM ${may.relation}`,
  'test.parquet',
);
const columns = ['distance', 'hub'];
const report = await driftBetween({ session, reference, current, method: 'auto', columns, showValues: true });
const figures = await driftFigures(report);
const page = path.join(folder.path, 'drift.html');
await writeFile(page, `<!doctype html><meta charset="utf-8"><style>${style}</style><main>${figures}</main>`);
await using browser = await openBrowser();
const opened = await browser.open(page);
await opened.view({ width: 1000 });
const height = await opened.evaluate<number>(
  "Math.max(...[...document.querySelectorAll('figure')].map((one) => one.getBoundingClientRect().bottom)) + 16",
);
await opened.screenshot(path.join(root, 'docs/images/drift.png'), Math.ceil(height));
