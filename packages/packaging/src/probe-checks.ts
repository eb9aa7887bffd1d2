import { PassloopError, plainText, type Verdict } from '@passloop/core';
import type { ProbeCheck } from '@passloop/documents';

/** What one check found: a sentence, with a verdict where it isn't a plain pass. */
export type Finding = string | { verdict: Verdict; detail: string };

/** The list of a prober's checks as it grows. What a check throws is its failure: the prober goes on. */
export type CheckList = {
  readonly checks: ProbeCheck[];
  run(id: string, body: () => Promise<Finding>): Promise<boolean>;
};

export function createCheckList(onCheck: (id: string) => void = () => {}): CheckList {
  const checks: ProbeCheck[] = [];
  return {
    checks,
    async run(id, body) {
      onCheck(id);
      let check: ProbeCheck;
      try {
        const finding = await body();
        check =
          typeof finding === 'string'
            ? { id, verdict: 'pass', detail: plainText(finding, 2000) }
            : { id, verdict: finding.verdict, detail: plainText(finding.detail, 2000) };
      } catch (error) {
        check = { id, verdict: 'fail', detail: plainText(describe(error), 2000) };
      }
      checks.push(check);
      return check.verdict === 'pass' || check.verdict === 'warn';
    },
  };
}

export function fail(detail: string): Finding {
  return { verdict: 'fail', detail };
}

export function warn(detail: string): Finding {
  return { verdict: 'warn', detail };
}

export function skipped(reason: string): Finding {
  return { verdict: 'skipped', detail: reason };
}

function describe(error: unknown): string {
  if (error instanceof PassloopError) return error.hint === null ? error.message : `${error.message} ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
