import { expect, it } from 'vitest';
import { compareModels } from './compare.ts';
import { powerOf } from './power.ts';
import { createGate, createRequest, scoredFrame } from './testing/frames.ts';

const gates = [createGate({ metric: 'roc_auc', margin: 0.01 }), createGate({ metric: 'accuracy', min: 0.5 })];

it('says what margin the rows can show, and how many the declared one needs', () => {
  const document = compareModels(createRequest({ gates, frame: scoredFrame({ rows: 4000, seed: 3 }) }));

  const [auc, accuracy] = powerOf(document);

  const [low, high] = document.metrics[0]!.interval!.map(Number) as [number, number];
  // scipy.stats.norm.ppf: 0.975 -> 1.959963984540054, 0.8 -> 0.8416212335729143, 0.9 -> 1.2815515655446004
  const error = (high - low) / (2 * 1.959963984540054);
  expect(Number(auc?.standardError)).toBeCloseTo(error, 11);
  expect(Number(auc?.at[0]?.margin)).toBeCloseTo(2.8015852181129683 * error, 11);
  expect(Number(auc?.at[1]?.margin)).toBeCloseTo(3.2415155500846544 * error, 11);
  expect(auc?.at[0]?.rows).toBe(Math.ceil(4000 * ((2.8015852181129683 * error) / 0.01) ** 2));
  expect(accuracy).toMatchObject({
    margin: null,
    at: [
      { power: '0.8', rows: null },
      { power: '0.9', rows: null },
    ],
  });
});

it('says nothing of two that rank alike: how others would differ is not known', () => {
  const frame = scoredFrame();
  const alike = { ...frame, candidate: { ...frame.candidate, score: frame.production!.score } };
  const document = compareModels(createRequest({ gates, frame: alike }));
  expect(document.metrics[0]?.interval).toEqual(['0', '0']);
  expect(powerOf(document).map(({ name }) => name)).toEqual(['accuracy']);
});

it('says nothing of what was not compared', () => {
  expect(
    powerOf(compareModels(createRequest({ gates, frame: scoredFrame({ rows: 30 }) }))).map(({ name }) => name),
  ).toEqual(['accuracy']);
  expect(powerOf(compareModels(createRequest({ gates, outcome: 'unchanged', frame: null })))).toEqual([]);
});
