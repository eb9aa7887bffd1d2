import type { Config } from 'vega-lite';

/** Colours are the page's variables, so that a chart follows light, dark and paper without being drawn again. */
const soft = 'var(--soft)';
const line = 'var(--line)';

/** How one of several is told from the others: its colour, and for who sees none its dash and its mark. 0 is production, 1 the candidate. */
export const looks = [
  { color: 'var(--s0)', dash: [6, 4], shape: 'square' },
  { color: 'var(--s1)', dash: [1, 0], shape: 'circle' },
  { color: 'var(--s2)', dash: [2, 3], shape: 'diamond' },
  { color: 'var(--s3)', dash: [10, 3, 2, 3], shape: 'triangle-up' },
  { color: 'var(--s4)', dash: [12, 4], shape: 'cross' },
  { color: 'var(--s5)', dash: [4, 2, 1, 2], shape: 'triangle-down' },
] as const;

/** Of every chart of the page. The page says what a chart shows and has its numbers as a table: marks have no words of their own. */
export const theme: Config = {
  aria: false,
  background: null as unknown as string,
  padding: 0,
  view: { stroke: null },
  text: { color: 'var(--text)' },
  title: { color: 'var(--text)', fontSize: 12 },
  header: { labelColor: soft, titleColor: 'var(--text)' },
  axis: {
    labelColor: soft,
    labelFontSize: 11,
    labelLimit: 120,
    titleColor: 'var(--text)',
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titleLimit: 400,
    titlePadding: 6,
    gridColor: line,
    gridWidth: 0.7,
    domain: false,
    ticks: false,
    labelPadding: 5,
    tickCount: 6,
  },
  legend: {
    orient: 'top',
    direction: 'horizontal',
    title: null,
    labelColor: 'var(--text)',
    labelFontSize: 12,
    labelLimit: 150,
    columns: 3,
    symbolSize: 350,
    symbolStrokeWidth: 2,
    offset: 6,
  },
  range: { category: looks.map(({ color }) => color) },
};

/** Of a team's own plots, which name their colours or get Vega's: they lie on white paper, in the dark too. */
export const foreignTheme: Config = { ...theme, range: {}, legend: {}, title: { color: 'var(--text)' } };
