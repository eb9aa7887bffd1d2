import type { TableSession } from '@passloop/tables';

/** A session that works as the given one, and writes down each query of rows. */
export function spiedSession(session: TableSession): { spied: TableSession; queries: string[] } {
  const queries: string[] = [];
  const spied: TableSession = {
    ...session,
    rows(sql) {
      queries.push(sql);
      return session.rows(sql);
    },
  };
  return { spied, queries };
}
