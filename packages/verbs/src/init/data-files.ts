import { tableFormat } from '@passloop/tables';
import { freeName, plainName } from './pipeline.ts';

/** A table of the repository as a dataset: a file, or a folder of parts. */
export type FoundDataset = { name: string; path: string };

const mostDatasets = 12;
const noData = /(^|\/)(\.[^/]*|tests?|fixtures|node_modules|out|outputs?|results?|reports?|mlruns|dist|build)\//i;
const noTable = /(predictions?|scores?|metrics?|submission|results?|requirements)[\w-]*$/i;
const splits: readonly [RegExp, string][] = [
  [/(^|[^a-z])train(ing)?($|[^a-z])/i, 'train'],
  [/(^|[^a-z])(test|holdout|hold-out)($|[^a-z])/i, 'test'],
  [/(^|[^a-z])(valid(ation)?|val|dev)($|[^a-z])/i, 'validation'],
];

/**
 * The tables among the files, by their endings. A file that DVC tracks is there as `NAME.dvc`. Three or more files of one
 * format in a folder that is named for no other are the parts of one table; so is all of a Delta table, and what lies in
 * folders named `key=value`.
 */
export function findDatasets(files: readonly string[]): { datasets: FoundDataset[]; left: string[] } {
  const tables = [...new Set(files.map((file) => file.replace(/\.dvc$/, '')))].filter(isTable).sort();
  const paths: string[] = [...wholeFolders(files, tables)];
  const isApart = (file: string) => !paths.some((folder) => file.startsWith(`${folder}/`));
  const folders = new Map<string, string[]>();
  for (const file of tables.filter(isApart)) {
    const folder = file.split('/').slice(0, -1).join('/');
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  for (const [folder, inside] of [...folders].sort()) {
    if (folder !== '' && inside.length >= 3 && inside.every((file) => isPart(file, inside[0] ?? '')))
      paths.push(folder);
    else paths.push(...inside);
  }
  const taken = new Set<string>();
  const datasets = paths.slice(0, mostDatasets).map((path) => {
    const name = freeName(nameOf(path), taken);
    taken.add(name);
    return { name, path };
  });
  const order = ['train', 'validation', 'test'];
  const rank = ({ name }: FoundDataset) => (order.indexOf(name) + order.length + 1) % (order.length + 1);
  datasets.sort((one, other) => rank(one) - rank(other));
  const left = paths.slice(mostDatasets).map((path) => `${path} is a table too; ${mostDatasets} were taken.`);
  return { datasets, left: left.slice(0, 5) };
}

/** Folders that are one table each: of a Delta log, and above folders named `key=value`; the outermost of them. */
function wholeFolders(files: readonly string[], tables: readonly string[]): string[] {
  const logs = files.flatMap((file) => /^(.+)\/_delta_log\/\d{20}\.json$/.exec(file)?.[1] ?? []);
  const partitioned = tables.flatMap((file) => /^((?:[^/=]+\/)*[^/=]+)\/[^/=]+=[^/=]*\//.exec(file)?.[1] ?? []);
  const folders = [...new Set([...logs, ...partitioned])].filter((folder) => !noData.test(`${folder}/`)).sort();
  return folders.filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)));
}

function isTable(file: string): boolean {
  return (
    tableFormat(file) !== null && !/(^|\/)_delta_log\//.test(file) && !noData.test(file) && !noTable.test(stem(file))
  );
}

function stem(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/(\.[a-z]+){1,2}$/i, '');
}

/** Names that differ in their numbers only: `part-0001`, `part-0002`. */
function isPart(file: string, first: string): boolean {
  const withoutNumbers = (one: string) => one.replace(/[0-9a-f]{8}-[0-9a-f-]{20,}/gi, '').replace(/\d+/g, '');
  return withoutNumbers(file) === withoutNumbers(first) && tableFormat(file) === tableFormat(first);
}

function nameOf(path: string): string {
  const split = splits.find(([pattern]) => pattern.test(stem(path)))?.[1];
  return split ?? plainName(stem(path), 'table');
}
