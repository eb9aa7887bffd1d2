import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainText, runProcess, sha256Hex } from '@passloop/core';
import { z } from 'zod';
import { drawnSvg, RefusedSvg } from './svg.ts';

/** What is put into the page, or why nothing is, as the end of a sentence. */
export type DrawnPlot = { width: number; height: number; inner: string } | { reason: string };

/** @param specs Vega-Lite as JSON, strangers'; @returns as many pictures */
export type DrawPlots = (specs: readonly string[]) => Promise<DrawnPlot[]>;

const Answer = z.union([z.object({ svg: z.string() }), z.object({ reason: z.string() })]);

type DrawLimits = {
  /** For one plot, and the program's start before the first. */
  plotMs: number;
  /** For all of a page that one program draws. */
  allMs: number;
  memoryMegabytes: number;
};

const usual: DrawLimits = { plotMs: 15_000, allMs: 120_000, memoryMegabytes: 192 };
const bounds = { elements: 5000, characters: 150_000 };
/** Of one plot's line, before it is tidied. */
const mostOutput = 4_000_000;
const largestSide = 4000;
/** So many plots may end the program before the rest is given up: a report waits for no list of endless loops. */
const patience = 3;

/**
 * Draws strangers' plots in a process of its own that is killed at its bounds; a plot that ends it is refused, and the others
 * get another. Code that a specification could smuggle past vega's interpreter would find no file to read, no program to start
 * and no variable.
 */
export async function drawApart(specs: readonly string[], limits = usual): Promise<DrawnPlot[]> {
  const drawn: DrawnPlot[] = [];
  for (let ended = 1; drawn.length < specs.length; ended += 1) {
    const rest = specs.slice(drawn.length);
    const { lines, reason, isLast } = await run(rest, limits);
    drawn.push(...lines.slice(0, rest.length).map((line, i) => answered(line, rest[i] as string)));
    if (drawn.length < specs.length) drawn.push({ reason });
    if (isLast || ended === patience) {
      const given = { reason: 'the plots before it could not be drawn within their bounds' };
      drawn.push(...specs.slice(drawn.length).map(() => given));
    }
  }
  return drawn;
}

type Run = {
  /** Those that came whole. */
  lines: string[];
  /** Why no more did. */
  reason: string;
  /** True where the time of all is over. */
  isLast: boolean;
};

async function run(specs: readonly string[], { plotMs, allMs, memoryMegabytes }: DrawLimits): Promise<Run> {
  const chunks: Buffer[] = [];
  const stop = new AbortController();
  const slow = () => stop.abort('drawing it takes too long');
  let timer = setTimeout(slow, plotMs);
  let size = 0;
  const { timedOut } = await runProcess({
    argv: [process.execPath, ...flags(memoryMegabytes), fileURLToPath(program())],
    env: {},
    input: JSON.stringify(specs),
    timeoutMs: allMs,
    signal: stop.signal,
    onStdout(chunk) {
      chunks.push(chunk);
      const end = chunk.lastIndexOf('\n');
      size = end < 0 ? size + chunk.length : chunk.length - end;
      if (size > mostOutput) stop.abort(`its picture has more than ${mostOutput} bytes`);
      if (end < 0) return;
      clearTimeout(timer);
      timer = setTimeout(slow, plotMs);
    },
  });
  clearTimeout(timer);
  const ended = `drawing it takes more than ${memoryMegabytes} MB, or fails otherwise`;
  const reason = stop.signal.aborted ? String(stop.signal.reason) : timedOut ? 'drawing all takes too long' : ended;
  return { lines: Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1), reason, isLast: timedOut };
}

function answered(text: string, spec: string): DrawnPlot {
  let answer: z.infer<typeof Answer>;
  try {
    answer = Answer.parse(JSON.parse(text));
  } catch {
    return { reason: 'drawing it gave no picture' };
  }
  if ('reason' in answer) return { reason: `it cannot be drawn: ${plainText(answer.reason, 300)}` };
  try {
    const drawn = drawnSvg(answer.svg, `p${sha256Hex(spec).slice(0, 12)}-`, bounds);
    return Math.max(drawn.width, drawn.height) > largestSide
      ? { reason: `it is larger than ${largestSide} pixels` }
      : drawn;
  } catch (error) {
    if (!(error instanceof RefusedSvg)) throw error;
    return { reason: error.message };
  }
}

const isSource = import.meta.url.endsWith('.ts');

function program(): URL {
  return new URL(isSource ? './draw-plot.ts' : './draw-plot.mjs', import.meta.url);
}

/** It may read the code that it consists of, and nothing else. */
function flags(memoryMegabytes: number): string[] {
  const code = path.resolve(fileURLToPath(new URL(isSource ? '../../../../' : './', import.meta.url)));
  return [
    `--max-old-space-size=${memoryMegabytes}`,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    '--no-warnings',
    '--permission',
    `--allow-fs-read=${code}`,
    `--allow-fs-read=${path.join(code, '*')}`,
  ];
}
