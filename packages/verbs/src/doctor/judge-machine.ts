import type { Facts } from './facts.ts';
import { type Finding, fail, ok, unknown, warn } from './finding.ts';

/** The first runner that knows `uses: $/…`. */
const neededRunner = '2.336.0';

/** The Docker engine here, the runner, and the kind of GitHub. */
export function judgeMachine(facts: Pick<Facts, 'machine' | 'forge' | 'modelFile'>): Finding[] {
  const models = facts.modelFile.state === 'valid' ? facts.modelFile.models : [];
  const isPackaged = models.some((model) => model.package !== undefined);
  return [judgeEngine(facts.machine.engine, isPackaged), judgeForge(facts.forge), judgeRunner(facts.machine.runner)];
}

function judgeEngine(engine: Facts['machine']['engine'], isPackaged: boolean): Finding {
  const place = { id: 'engine' };
  if (engine.state === 'silent' && !isPackaged) {
    return ok(place, 'No Docker engine answers, and no model here is packaged: none is needed.');
  }
  if (engine.state === 'silent') {
    return fail(place, engine.said, engine.hint ?? 'Install and start a Docker engine, or point DOCKER_HOST at one.');
  }
  if (engine.builder === 'classic') {
    return warn(
      place,
      `Docker ${engine.version} answers, without BuildKit: images are built by the classic builder.`,
      'Install the buildx component of the Docker client (docker-buildx-plugin).',
    );
  }
  return ok(place, `Docker ${engine.version} answers, with BuildKit.`);
}

function judgeForge(forge: Facts['forge']): Finding {
  const place = { id: 'forge', subject: forge.server };
  if (forge.kind === 'cloud')
    return ok(place, `${forge.server} knows \`uses: $/…\`, by which the workflows find their actions.`);
  return warn(
    place,
    `${forge.server} is a GitHub Enterprise Server, which doesn't know \`uses: $/…\`.`,
    'Call the second ref of each release, the one whose workflows name their actions by owner and commit; docs/forges.md says what promotions do without there.',
  );
}

function judgeRunner(runner: Facts['machine']['runner']): Finding {
  const place = { id: 'runner' };
  if (runner.state === 'hosted') return ok(place, "Jobs run on GitHub's own runners, which are current.");
  if (runner.state === 'none') {
    return ok(place, "The workflows name no runner of your own, and GitHub's are current.");
  }
  if (runner.version === null) {
    return unknown(
      place,
      `Jobs run on runners of your own, whose version isn't known here; \`uses: $/…\` needs ${neededRunner}.`,
      'On the runner: ./config.sh --version. Or run passloop doctor there with RUNNER_VERSION set to it.',
    );
  }
  if (isOlder(runner.version, neededRunner)) {
    return fail(
      place,
      `The runner is ${runner.version}; \`uses: $/…\` needs ${neededRunner}.`,
      `Update it to ${neededRunner} or later: https://github.com/actions/runner/releases`,
    );
  }
  return ok(place, `The runner is ${runner.version}; ${neededRunner} is needed.`);
}

function isOlder(version: string, needed: string): boolean {
  const [left, right] = [version, needed].map((text) => text.split('.').map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    // What is no number is no version, and not newer.
    if (Number.isNaN(difference)) return true;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
