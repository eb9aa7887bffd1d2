import { PassloopError, plainText } from '@passloop/core';
import type { Outcome } from '@passloop/documents';
import { allGates, type ImageMeasurement, type Starts } from '@passloop/evaluation';
import { clockMetrics, isComparative } from '@passloop/model';
import { type SideBySide, type TimedStart, timeSideBySide } from '@passloop/packaging';
import type { CompareStage } from './compare-stage.ts';
import { productionImage, signatureColumns } from './production-image.ts';

/** Why there are no starts to judge by. */
type Unmeasured = Exclude<Starts, { kind: 'measured' }>;

type ClockMetric = (typeof clockMetrics)[number];

const valueOfStart: Record<ClockMetric, (start: TimedStart) => number> = {
  latency_p50_ms: (start) => start.p50Ms,
  latency_p95_ms: (start) => start.p95Ms,
  ready_seconds: (start) => start.readySeconds,
};

/** What the gates on the image are judged by: the candidate's probe, the sizes, and both images side by side where a gate asks for that. */
export async function measureImages(stage: CompareStage, outcome: Outcome): Promise<Record<string, ImageMeasurement>> {
  const { probe } = stage;
  const number = (text: string | null | undefined) => (text === null || text === undefined ? null : Number(text));
  const alone: Record<ClockMetric, number | null> = {
    latency_p50_ms: number(probe?.latency?.p50Ms),
    latency_p95_ms: number(probe?.latency?.p95Ms),
    ready_seconds: number(probe?.readySeconds),
  };
  const timed = await sideBySide(stage, outcome);
  const ofClock = clockMetrics.map((name) => {
    return [name, { production: null, candidate: alone[name], starts: startsOf(timed, valueOfStart[name]) }] as const;
  });
  const image_bytes = { production: await productionBytes(stage, outcome), candidate: stage.imageBytes };
  return { ...Object.fromEntries(ofClock), image_bytes };
}

/** By its record; one that was written by hand knows none, and the engine tells then. Null where it can't be had. */
async function productionBytes(
  { context, policy, production, engine }: CompareStage,
  outcome: Outcome,
): Promise<number | null> {
  const known = production?.imageBytes ?? null;
  const isAsked = allGates(policy).some((gate) => isComparative(gate) && gate.metric === 'image_bytes');
  if (known !== null || production === null || !isAsked || !isJudged(outcome)) return known;
  try {
    return (await productionImage(await engine(), production, context.progress)).bytes;
  } catch (error) {
    if (error instanceof PassloopError) return null;
    throw error;
  }
}

/** Whether the images are held against one another: a return is judged by nobody. */
function isJudged(outcome: Outcome): boolean {
  return outcome === 'compared' || outcome === 'same-model';
}

function startsOf(timed: SideBySide | Unmeasured | null, value: (start: TimedStart) => number): Starts | undefined {
  if (timed === null) return undefined;
  if ('kind' in timed) return timed;
  return { kind: 'measured', production: timed.production.map(value), candidate: timed.candidate.map(value) };
}

/** Null where no gate compares what a clock measures, or there is nothing to compare. */
async function sideBySide(stage: CompareStage, outcome: Outcome): Promise<SideBySide | Unmeasured | null> {
  const { context, model, policy, production, signature, candidate } = stage;
  const isAsked = allGates(policy).some(
    (gate) => isComparative(gate) && (clockMetrics as readonly string[]).includes(gate.metric),
  );
  if (!isAsked || production === null || stage.probe === null) return null;
  if (outcome === 'rollback') return { kind: 'left-out', reason: 'a return is not timed' };
  if (!isJudged(outcome)) return null;
  if (candidate.image === null) {
    const reason =
      "the candidate's image is not where production's may be pulled: the promotion times them side by side";
    return { kind: 'later', reason };
  }
  try {
    if (signature === null) return { kind: 'failed', reason: 'there is no signature to ask the images with' };
    const engine = await stage.engine();
    const facts = await productionImage(engine, production, context.progress);
    if (facts.platform !== engine.platform)
      return { kind: 'failed', reason: `production's image is for ${facts.platform}, and this is ${engine.platform}` };
    return await timeSideBySide({
      engine,
      production: production.imageReference,
      candidate: candidate.image,
      model: model.name,
      signature,
      columns: await signatureColumns(stage, signature),
      withheld: [model.columns.label],
      progress: context.progress,
    });
  } catch (error) {
    if (!(error instanceof PassloopError)) throw error;
    const said = `${error.message}${error.hint === null ? '' : ` ${error.hint}`}`;
    return { kind: 'failed', reason: plainText(`not timed beside production's image: ${said}`, 2000) };
  }
}
