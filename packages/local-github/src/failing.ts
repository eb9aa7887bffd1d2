import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import type { LoggedCall } from './call-log.ts';
import { actorOfHeader, callerOf } from './callers.ts';
import { type Fault, type Faults, faultName, type LimitFault, type StatusFault } from './faults.ts';
import type { Forge } from './forge.ts';
import { limitAnswer } from './limit-answer.ts';
import { type RateLimits, rateLimitHeaders } from './rate-limit.ts';
import type { Registry } from './registry.ts';
import { errorAnswer, type RestAnswer } from './serve-rest.ts';
import { endToken, isToken, tokenOfHeader } from './tokens.ts';

export type Exchange = { incoming: IncomingMessage; outgoing: ServerResponse; url: URL; call: LoggedCall };

export type Failing = {
  /** The fault that meets this call. */
  take: (exchange: Exchange) => Fault | undefined;
  /** Does what a fault wants before the work; true when nothing is left to do. */
  before: (exchange: Exchange, fault: Fault | undefined) => boolean;
  /** Does what a fault wants after the work; true when the answer must not be sent. */
  after: (exchange: Exchange, fault: Fault | undefined) => boolean;
};

/** Lets faults happen to calls. */
export function createFailing(
  forge: Forge,
  parts: {
    registry: Registry | undefined;
    faults: Faults;
    limits: RateLimits;
    finish: (exchange: Exchange, answer: RestAnswer) => void;
  },
): Failing {
  const { registry, faults, limits, finish } = parts;

  /** Undefined where a call has none, one of nobody, or another service's. */
  function tokenOf(incoming: IncomingMessage): string | undefined {
    try {
      const sent = tokenOfHeader(incoming.headers.authorization);
      const token = sent === undefined ? undefined : (registry?.tokenBehind(sent) ?? sent);
      return token !== undefined && isToken(forge, token) ? token : undefined;
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  }

  function replace(exchange: Exchange, { status, headers, body = {} }: StatusFault): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = { 'Content-Type': 'application/json; charset=utf-8', ...headers };
    finish(exchange, { status, headers: all, body: Buffer.from(text) });
  }

  /** REST and GraphQL count calls; the other services know only that it was too much. */
  function limit({ incoming, call }: Exchange, fault: LimitFault): RestAnswer {
    if (call.kind !== 'graphql' && call.kind !== 'rest') return limitAnswer(call, fault, '');
    const resource = call.kind === 'graphql' ? 'graphql' : 'core';
    try {
      const caller = callerOf(forge, actorOfHeader(forge, incoming.headers.authorization));
      const isPrimary = fault.rateLimit === 'primary';
      const state = isPrimary ? limits.exhaust(resource, caller, fault.seconds) : limits.peek(resource, caller);
      const answer = limitAnswer(call, fault, caller);
      return { ...answer, headers: { ...rateLimitHeaders(state, resource), ...answer.headers } };
    } catch (error) {
      if (error instanceof ApiError) return errorAnswer(error, null);
      throw error;
    }
  }

  /** What happens before the work; true when nothing is left to do. */
  function happensBefore(exchange: Exchange, fault: Fault): boolean {
    const { incoming } = exchange;
    if (fault === 'drop-before') {
      incoming.socket.destroy();
      return true;
    }
    if (fault === 'timeout') return true;
    if (fault === 'token-expired') endToken(forge, tokenOf(incoming) ?? '');
    if (typeof fault === 'string' || ('after' in fault && fault.after === true)) return false;
    if ('rateLimit' in fault) finish(exchange, limit(exchange, fault));
    else replace(exchange, fault);
    return true;
  }

  return {
    take: ({ incoming, call }) => faults.take(call, tokenOf(incoming)),

    before: (exchange, fault) => {
      if (fault === undefined) return false;
      exchange.call.fault = faultName(fault);
      const isOver = happensBefore(exchange, fault);
      if (isOver) faults.happened(exchange.call);
      return isOver;
    },

    after: (exchange, fault) => {
      faults.happened(exchange.call);
      if (fault === 'drop-after') {
        exchange.incoming.socket.destroy();
        return true;
      }
      if (fault === 'timeout-after') return true;
      if (typeof fault !== 'object' || 'rateLimit' in fault) return false;
      replace(exchange, fault);
      return true;
    },
  };
}

/** Whether the call's own answer is sent after the work. */
export function isAnswered(fault: Fault | undefined): boolean {
  return fault === undefined || fault === 'lag' || fault === 'token-expired';
}
