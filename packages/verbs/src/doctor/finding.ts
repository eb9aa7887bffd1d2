import type { DiagnosedCheck } from '@passloop/documents';

/** What a judge says about one thing. */
export type Finding = DiagnosedCheck;

type Place = { id: string; subject?: string | undefined };

export function ok(place: Place, message: string): Finding {
  return finding(place, 'ok', message, null);
}

export function warn(place: Place, message: string, fix: string): Finding {
  return finding(place, 'warn', message, fix);
}

export function fail(place: Place, message: string, fix: string): Finding {
  return finding(place, 'fail', message, fix);
}

/** What could not be found out, and what would tell. */
export function unknown(place: Place, message: string, fix: string): Finding {
  return finding(place, 'unknown', message, fix);
}

function finding(place: Place, verdict: Finding['verdict'], message: string, fix: string | null): Finding {
  return {
    id: place.id,
    subject: place.subject?.slice(0, 512) ?? null,
    verdict,
    message: message.slice(0, 4096),
    fix: fix === null ? null : fix.slice(0, 4096),
  };
}
