import { count, fromDecimal } from '@passloop/core';
import { type Curves, rocSteps } from '@passloop/documents';
import type { Point } from './charts/lines.ts';
import { lineFigure, type Sides, share, shown } from './curve-figures.ts';

type Recalls = readonly number[];
type Side = Sides[number];

/** Of a multiclass model: the mean of its classes' ROC curves, and that of the class that loses most. */
export function oneVsRestFigures(
  sides: Sides,
  { classes, otherClasses }: Pick<Curves, 'classes' | 'otherClasses'>,
): Promise<string>[] {
  const named = otherClasses > 0 ? classes.slice(0, -1) : classes;
  const places = named.map((_, at) => at).filter((at) => sides.every((side) => recallsOf(side, at) !== null));
  if (places.length === 0) return [];
  const areas = (at: number) => sides.map((side) => areaOf(recallsOf(side, at)!));
  const change = (at: number) => (areas(at).at(-1) ?? 0) - (areas(at)[0] ?? 0);
  const macro = (side: Side) => meanOf(places.map((at) => recallsOf(side, at)!));
  const rows = [...places].sort((left, right) => change(left) - change(right) || left - right);
  const [worst] = rows;
  const left = [
    ...(places.length < named.length ? ['classes with too few rows are left out'] : []),
    ...(otherClasses > 0 ? [`${count(otherClasses)} rarer ones have no curve`] : []),
  ];
  const over = [`The mean over ${places.length} classes, each against all others`, ...left].join('; ');
  const note = `${over}. Areas are of the lines as they are drawn.`;
  const made = [
    rocFigure('ROC, each class against the rest', sides, macro, note, {
      head: ['class', ...sides.map(({ name }) => `area, ${name}`)],
      rows: [
        ['mean', ...sides.map((side) => shown(areaOf(macro(side))))],
        ...rows.map((at) => [named[at]!, ...areas(at).map((area) => shown(area))]),
      ],
    }),
  ];
  if (sides.length < 2 || places.length < 2 || worst === undefined) return made;
  const title = change(worst) < 0 ? 'ROC of the class that loses most' : 'ROC of the class that gains least';
  const own = (side: Side) => recallsOf(side, worst)!;
  const levels = [0.05, 0.1, 0.2, 0.3, 0.5];
  return [
    ...made,
    rocFigure(`${title}: ${named[worst]}`, sides, own, 'This class against all others.', {
      head: ['at a rate of', ...sides.map(({ name }) => `recall, ${name}`)],
      rows: levels.map((level) => [
        String(level),
        ...sides.map((side) => shown(own(side)[Math.round(level * rocSteps)] ?? null)),
      ]),
    }),
  ];
}

function rocFigure(
  title: string,
  sides: Sides,
  recalls: (side: Side) => Recalls,
  note: string,
  numbers: { head: string[]; rows: string[][] },
): Promise<string> {
  const said = sides.map((side) => {
    const who = side.name === 'candidate' ? 'the candidate' : side.name;
    return `${who} has an area of ${shown(areaOf(recalls(side)))}`;
  });
  return lineFigure(
    title,
    {
      description: `${title}: ${said.join('; ')}.`,
      x: share('false positive rate'),
      y: share('recall (true positive rate)'),
      series: sides.map((side) => ({
        name: side.name,
        look: side.look,
        shape: 'line' as const,
        points: [[0, 0], ...recalls(side).map((recall, step): Point => [step / rocSteps, recall])],
      })),
      reference: [
        [0, 0],
        [1, 1],
      ],
    },
    numbers,
    note,
  );
}

/** Of a hostile document a list may be shorter, and a number no rate. */
function recallsOf({ curves }: Side, at: number): Recalls | null {
  const recalls = curves.oneVsRest?.[at] ?? null;
  return recalls === null ? null : recalls.map((recall) => Math.max(0, Math.min(1, fromDecimal(recall))));
}

function meanOf(lists: readonly Recalls[]): Recalls {
  return (lists[0] ?? []).map((_, step) => lists.reduce((sum, list) => sum + (list[step] ?? 0), 0) / lists.length);
}

function areaOf(recalls: Recalls): number {
  return recalls.slice(1).reduce((sum, recall, step) => sum + (recall + (recalls[step] ?? 0)) / 2, 0) / rocSteps;
}
