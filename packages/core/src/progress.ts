import { logText, plainText } from './text.ts';

/** Where long work says what it does. `phase` starts a step, `tick` counts inside it (total null when unknown), `done` ends it. */
export type Progress = {
  phase(title: string): void;
  tick(done: number, total: number | null, unit: string): void;
  note(line: string): void;
  done(): void;
};

export const silentProgress: Progress = { phase() {}, tick() {}, note() {}, done() {} };

type Writable = { write(text: string): unknown; isTTY?: boolean | undefined; columns?: number | undefined };

/** What a stage printed, or a name from a file, must not move the cursor or command a runner. */
function safe(text: string): string {
  return logText(plainText(text, 2000));
}

/** A bar that redraws on a terminal; elsewhere one line a phase, so that a CI log stays readable. */
export function streamProgress(stream: Writable, now: () => number): Progress {
  let title = '';
  let started = 0;
  let drawn = false;
  let lastDraw = 0;

  function clear(): void {
    if (drawn) stream.write('\r\u001b[2K');
    drawn = false;
  }
  function finish(): void {
    clear();
    if (title !== '') stream.write(`${title} (${((now() - started) / 1000).toFixed(1)} s)\n`);
    title = '';
  }
  return {
    phase(next) {
      finish();
      title = safe(next);
      started = now();
      if (stream.isTTY) {
        stream.write(`${title} …`);
        drawn = true;
      }
    },
    tick(done, total, unit) {
      if (!stream.isTTY || now() - lastDraw < 100) return;
      lastDraw = now();
      clear();
      const share = total === null || total === 0 ? null : Math.min(1, done / total);
      const bar = share === null ? '' : ` [${'='.repeat(Math.round(share * 24)).padEnd(24)}]`;
      stream.write(`${title}${bar} ${done}${total === null ? '' : `/${total}`} ${unit}`);
      drawn = true;
    },
    note(line) {
      clear();
      stream.write(`  ${safe(line)}\n`);
    },
    done: finish,
  };
}
