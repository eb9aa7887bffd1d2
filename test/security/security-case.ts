import type { ReportDocument } from '@passloop/documents';
import type { PostedForkReport } from '@passloop/verbs';
import type { ForkRequest, ForkRun, ForkWorld } from './fork-world.ts';

/** A stage on which the job that posts has still to run. */
export type Scene = ForkRun & { act: () => Promise<PostedForkReport> };

export type SecurityCase = {
  /** What the attacker does; stable, since the list of cases is documented by it. */
  name: string;
  play: (world: ForkWorld) => Promise<Scene>;
  /** Whether one comment and one check are written; nothing at all otherwise. */
  posts: boolean;
  /** The error's message, the reason, or the outcome. */
  says: RegExp;
  /** The operations that write, where they are others than `posts` says. */
  writes?: string[];
  afterwards?: (world: ForkWorld, scene: Scene, answer: PostedForkReport | Error) => unknown;
};

/** A fork's run, and the job that its end starts. */
export function forkRun(request: ForkRequest = {}): SecurityCase['play'] {
  return async (world) => {
    const made = await world.openRun(request);
    return { ...made, act: () => world.post(made.run.payload()) };
  };
}

export function refused(name: string, request: ForkRequest, says: RegExp): SecurityCase {
  return { name, play: forkRun(request), posts: false, says };
}

/** The honest report, changed in place. */
export function edited(change: (report: ReportDocument) => unknown): (report: ReportDocument) => ReportDocument {
  return (report) => {
    change(report);
    return report;
  };
}
