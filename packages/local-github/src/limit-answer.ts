import type { LoggedCall } from './call-log.ts';
import type { LimitFault } from './faults.ts';
import type { RestAnswer } from './serve-rest.ts';

const DOCUMENTATION = {
  primary: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
  secondary:
    'https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
};

/**
 * GitHub's answer to a call beyond a limit. The primary one is told by `x-ratelimit-*` (which the caller adds) and, for
 * GraphQL, by an error within a 200; the secondary one by `retry-after`.
 */
export function limitAnswer(call: LoggedCall, fault: LimitFault, caller: string): RestAnswer {
  const isPrimary = fault.rateLimit === 'primary';
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    ...(isPrimary ? {} : { 'Retry-After': String(fault.seconds ?? 60) }),
  };
  const answer = (status: number, body: object) => ({ status, headers, body: Buffer.from(JSON.stringify(body)) });
  const exceeded = `API rate limit exceeded for ${caller}.`;
  if (call.kind === 'registry') {
    return answer(429, { errors: [{ code: 'TOOMANYREQUESTS', message: 'rate limit exceeded' }] });
  }
  if (call.kind === 'graphql' && isPrimary)
    return answer(200, { errors: [{ type: 'RATE_LIMITED', message: exceeded }] });
  const message = isPrimary
    ? exceeded
    : `You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID ${call.requestId}.`;
  const status = fault.status ?? 403;
  return answer(status, { message, documentation_url: DOCUMENTATION[fault.rateLimit], status: String(status) });
}
