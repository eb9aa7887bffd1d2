import { constants } from 'node:os';
import { removeTemporaryFolders, stopProcesses } from '@passloop/core';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long blocks may clean up: containers are removed, folders too. */
const graceMs = 10_000;
/** npm passes a terminal's signal on to whom it has reached already: a second one within this time is the first. */
const echoMs = 1000;

let received: { signal: (typeof signals)[number]; at: number } | null = null;

/**
 * Ctrl-C and a job's cancellation: what was started ends, what waits for it fails and cleans up, and then the command ends. It ends
 * at once at a second signal. Whatever the reason, no process and no temporary folder outlives the command.
 */
export function watchSignals(): void {
  for (const signal of signals) {
    process.on(signal, () => {
      if (received === null) {
        received = { signal, at: performance.now() };
        stopProcesses();
        setTimeout(leave, graceMs).unref();
      } else if (performance.now() - received.at > echoMs) leave();
    });
  }
  process.on('exit', () => {
    stopProcesses();
    removeTemporaryFolders();
  });
}

/** The signal that ended this command, or null. */
export function interruption(): { signal: string; exitCode: number } | null {
  return received === null ? null : { signal: received.signal, exitCode: 128 + constants.signals[received.signal] };
}

/** By the signal itself: `process.exit` waits for threads, and an engine may be deep in its work. */
function leave(): void {
  stopProcesses();
  removeTemporaryFolders();
  if (received === null) return;
  process.removeAllListeners(received.signal);
  process.kill(process.pid, received.signal);
}
