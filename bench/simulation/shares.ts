/** Shares of simulated trials, with how exact they are. */

/** Of `trials`, as percent with one standard error: `2.5 ± 0.5`. */
export function percent(count: number, trials: number): string {
  if (trials === 0) return '–';
  const share = count / trials;
  // Nothing seen is no certainty: the error of one in all of them.
  const spread = Math.max(share * (1 - share), (1 / trials) * (1 - 1 / trials));
  return `${(100 * share).toFixed(1)} ± ${(100 * Math.sqrt(spread / trials)).toFixed(1)}`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Puts text between `<!-- NAME-start -->` and `<!-- NAME-end -->`. @throws Error where the page has no such place */
export function between(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}-start -->`, `<!-- ${name}-end -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no ${start} … ${end}.`);
  return `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`;
}
