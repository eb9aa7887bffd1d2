import type { Progress } from '@passloop/core';
import type { Runner } from './runner.ts';

/** Long work as groups of a job's log: one a phase, folded, so that the log reads like a report. */
export function groupProgress(runner: Pick<Runner, 'startGroup' | 'endGroup' | 'info'>, now: () => number): Progress {
  let open = false;
  let started = 0;
  function close(): void {
    if (!open) return;
    runner.info(`${((now() - started) / 1000).toFixed(1)} s`);
    runner.endGroup();
    open = false;
  }
  return {
    phase(title) {
      close();
      runner.startGroup(title);
      open = true;
      started = now();
    },
    tick() {},
    note: (line) => runner.info(line),
    done: close,
  };
}
