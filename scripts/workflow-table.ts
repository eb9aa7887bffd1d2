import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

/** One row for each permission of each job of the reusable workflows in a folder, with the reason that stands behind it. */
export function permissionTable(folder: string): string {
  const rows = readdirSync(folder)
    .filter((name) => /^[a-z][a-z-]*\.yml$/.test(name))
    .sort()
    .flatMap((name) => {
      const jobs = parseDocument(readFileSync(path.join(folder, name), 'utf8')).get('jobs');
      if (!isMap(jobs)) throw new Error(`${name} has no jobs.`);
      return jobs.items.flatMap(({ key, value }) => jobRows(name, String(isScalar(key) ? key.value : key), value));
    });
  return ['| workflow | job | permission | why |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function jobRows(name: string, id: string, job: unknown): string[] {
  const permissions = isMap(job) ? job.get('permissions') : undefined;
  if (!isMap(permissions)) throw new Error(`${name}: the job ${id} has no permissions.`);
  return (permissions as YAMLMap).items.map(({ key, value }) => {
    const level = isScalar(value) ? value : null;
    if (!level?.comment) throw new Error(`${name}: the job ${id} has no reason for a permission.`);
    const scope = String(isScalar(key) ? key.value : key);
    return `| \`${name}\` | \`${id}\` | \`${scope}: ${level.value}\` | ${level.comment.trim()} |`;
  });
}
