/**
 * A program of its own: takes strangers' Vega-Lite specifications as a list of JSON texts from its input and writes a line
 * for each, `{"svg": …}` or `{"reason": …}`. It is started with little memory, little time, no environment and no leave to
 * touch a file (draw-apart.ts), so that whatever a specification does ends with it.
 */
import { text } from 'node:stream/consumers';
import { vegaSvg } from './draw.ts';
import { foreignTheme } from './theme.ts';

async function drawn(spec: string): Promise<{ svg: string } | { reason: string }> {
  try {
    return { svg: await vegaSvg(JSON.parse(spec), {}, foreignTheme) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

for (const spec of JSON.parse(await text(process.stdin)) as string[]) {
  const line = `${JSON.stringify(await drawn(spec))}\n`;
  // The next one may end the process: this line has to be out before.
  await new Promise((written) => process.stdout.write(line, written));
}
