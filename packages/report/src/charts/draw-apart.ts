import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainText, runProcess } from '@passloop/core';
import { z } from 'zod';
import { drawnSvg, RefusedSvg } from './svg.ts';

/** What is put into the page, or why nothing is, as the end of a sentence. */
export type DrawnPlot = { width: number; height: number; inner: string } | { reason: string };

/** @param specs Vega-Lite as JSON, strangers'; @returns as many pictures */
export type DrawPlots = (specs: readonly string[]) => Promise<DrawnPlot[]>;

const Answer = z.union([z.object({ svg: z.string() }), z.object({ reason: z.string() })]);

export type DrawLimits = {
  /** For the start, and for each plot on top. */
  startMs: number;
  plotMs: number;
  memoryMegabytes: number;
};

const usual: DrawLimits = { startMs: 15_000, plotMs: 2000, memoryMegabytes: 192 };
const bounds = { elements: 5000, characters: 250_000 };
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
  for (let ended = 0; drawn.length < specs.length; ended += 1) {
    if (ended === patience) {
      const reason = `${patience} plots before it could not be drawn within their bounds`;
      return [...drawn, ...specs.slice(drawn.length).map(() => ({ reason }))];
    }
    const rest = specs.slice(drawn.length);
    const { lines, reason } = await run(rest, limits);
    drawn.push(...lines.slice(0, rest.length).map(answered));
    if (drawn.length < specs.length) drawn.push({ reason });
  }
  return drawn;
}

/** The lines that came whole, and why no more did. */
async function run(specs: readonly string[], limits: DrawLimits): Promise<{ lines: string[]; reason: string }> {
  const { startMs, plotMs, memoryMegabytes } = limits;
  const chunks: Buffer[] = [];
  let size = 0;
  const flood = new AbortController();
  const ran = await runProcess({
    argv: [process.execPath, ...flags(memoryMegabytes), fileURLToPath(program())],
    env: {},
    input: JSON.stringify(specs),
    timeoutMs: startMs + plotMs * specs.length,
    signal: flood.signal,
    onStdout(chunk) {
      // The size since the last line's end.
      const end = chunk.lastIndexOf('\n');
      size = end < 0 ? size + chunk.length : chunk.length - end;
      if (size > mostOutput) flood.abort();
      else chunks.push(chunk);
    },
  });
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
  if (flood.signal.aborted) return { lines, reason: `its picture has more than ${mostOutput} bytes` };
  if (ran.timedOut) return { lines, reason: 'drawing it takes too long' };
  return { lines, reason: `drawing it takes more than ${memoryMegabytes} MB, or fails otherwise` };
}

function answered(text: string, i: number): DrawnPlot {
  let answer: z.infer<typeof Answer>;
  try {
    answer = Answer.parse(JSON.parse(text));
  } catch {
    return { reason: 'drawing it gave no picture' };
  }
  if ('reason' in answer) return { reason: `it cannot be drawn: ${plainText(answer.reason, 300)}` };
  try {
    const drawn = drawnSvg(answer.svg, `p${i}-`, bounds);
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
