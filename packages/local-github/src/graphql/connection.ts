import { ApiError } from '../api-error.ts';

export type PageArguments = {
  after?: string | null;
  before?: string | null;
  first?: number | null;
  last?: number | null;
};

function cursorOf(index: number): string {
  return Buffer.from(`cursor:${index + 1}`).toString('base64');
}

function indexOf(cursor: string): number {
  const match = /^cursor:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
  if (match === null) throw new ApiError(422, `\`${cursor}\` does not appear to be a valid cursor.`);
  return Number(match[1]) - 1;
}

function checkBounds(field: string, { first, last }: PageArguments): void {
  const given = (
    [
      ['first', first],
      ['last', last],
    ] as const
  ).filter(([, value]) => typeof value === 'number');
  if (given.length === 0) {
    throw new ApiError(
      422,
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${field}\` connection.`,
    );
  }
  for (const [name, value] of given) {
    if (value! >= 0 && value! <= 100) continue;
    throw new ApiError(
      422,
      `Requesting ${value} records on the \`${field}\` connection exceeds the \`${name}\` limit of 100 records.`,
    );
  }
}

/**
 * A page of a list as GitHub's connections give it; `present` runs only for what is asked for.
 * @throws ApiError without `first` and `last`, or beyond 100
 */
export function connection<T, N>(field: string, items: T[], args: PageArguments, present: (item: T) => N) {
  checkBounds(field, args);
  const from = typeof args.after === 'string' ? indexOf(args.after) + 1 : 0;
  const to = typeof args.before === 'string' ? indexOf(args.before) : items.length;
  let indices = items.map((_, index) => index).slice(Math.max(from, 0), Math.max(to, 0));
  if (typeof args.first === 'number') indices = indices.slice(0, args.first);
  if (typeof args.last === 'number') indices = args.last === 0 ? [] : indices.slice(-args.last);
  const [start] = indices;
  const end = indices.at(-1);
  return {
    totalCount: items.length,
    nodes: () => indices.map((index) => present(items[index]!)),
    edges: () => indices.map((index) => ({ cursor: cursorOf(index), node: present(items[index]!) })),
    pageInfo: {
      startCursor: start === undefined ? null : cursorOf(start),
      endCursor: end === undefined ? null : cursorOf(end),
      hasPreviousPage: start !== undefined && start > 0,
      hasNextPage: end !== undefined && end < items.length - 1,
    },
  };
}
