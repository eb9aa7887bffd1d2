import { expect, it } from 'vitest';
import { streamProgress } from './progress.ts';

function record(isTTY: boolean) {
  const written: string[] = [];
  let clock = 0;
  const progress = streamProgress({ isTTY, write: (text) => written.push(text) }, () => {
    clock += 200;
    return clock;
  });
  return { progress, written };
}

it('writes a line a phase into a log, without a bar', () => {
  const { progress, written } = record(false);
  progress.phase('Train');
  progress.tick(5, 10, 'rows');
  progress.note('epoch 1');
  progress.phase('Score');
  progress.done();
  progress.done();
  expect(written.join('')).toMatch(/^ {2}epoch 1\nTrain \(\d\.\d s\)\nScore \(\d\.\d s\)\n$/);
});

it('redraws a bar on a terminal, and leaves whole lines', () => {
  const { progress, written } = record(true);
  progress.phase('Train');
  progress.tick(5, 10, 'rows');
  progress.tick(7, null, 'rows');
  progress.note('epoch 1');
  progress.done();
  expect(written).toContain('Train [============            ] 5/10 rows');
  expect(written).toContain('Train 7 rows');
  // What is seen: each clearing of the line takes what stands before it.
  expect(
    written
      .join('')
      .split('\n')
      .map((line) => line.split('\r\u001b[2K').at(-1)),
  ).toEqual(['  epoch 1', expect.stringMatching(/^Train \(\d\.\d s\)$/), '']);
});

it('lets nobody command the terminal or the runner', () => {
  const { progress, written } = record(false);
  progress.phase('::error::x');
  progress.note('\u001b[2Ja ##[add-mask]b');
  progress.note('::stop-commands::t');
  progress.done();
  expect(written.join('')).toMatch(
    /^ {2}\[2Ja ## \[add-mask\]b\n {2}\| ::stop-commands::t\n\| ::error::x \(\d\.\d s\)\n$/,
  );
});
