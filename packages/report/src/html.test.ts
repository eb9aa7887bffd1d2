import { formatDocument, parseDocument } from '@passloop/documents';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from './html.ts';
import { attacks } from './testing/attacks.ts';
import { createCurves, createDistributions, everyString, fullReport, specPlots } from './testing/hostile-report.ts';
import { reports } from './testing/reports.ts';

const tags = new Set(
  'html head meta title style body main header footer section h1 h2 h3 p span strong code pre div table thead tbody tr th td dl dt dd ol ul li details summary figure figcaption svg g path rect line circle text br'.split(
    ' ',
  ),
);
const attributes = new Set(
  'lang charset name content http-equiv class role tabindex scope open aria-label aria-hidden width height viewBox x y x1 x2 y1 y2 cx cy r d transform text-anchor fill fill-opacity opacity stroke stroke-width stroke-dasharray stroke-linecap stroke-miterlimit font-size font-weight'.split(
    ' ',
  ),
);

/** Every tag of the page with the names of its attributes. A quote that a text opened would show as a strange name. */
function elements(page: string): { tag: string; names: string[] }[] {
  return [...page.matchAll(/<([a-zA-Z][^\s>]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*>/g)].map(
    ([, tag = '', list = '']) => ({
      tag,
      names: [...list.replaceAll(/"[^"]*"/g, '').matchAll(/[^\s=]+/g)].map(([name]) => name),
    }),
  );
}

function expectHarmless(page: string): void {
  const strange = elements(page).flatMap(({ tag, names }) => [
    ...(tags.has(tag) ? [] : [`<${tag}>`]),
    ...names.filter((name) => !attributes.has(name)).map((name) => `<${tag} ${name}>`),
  ]);
  expect(strange).toEqual([]);
  // No `<` of another kind is left: what begins no known tag is an entity.
  expect(page.match(/<(?![a-z/!])|<!(?!doctype html>)/g)).toBeNull();
  expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  // The style is ours alone, and asks nobody for anything.
  const styles = [...page.matchAll(/<style>([^<]*)<\/style>/g)].map(([, style]) => style);
  expect(styles).toHaveLength(1);
  expect(styles[0]).not.toMatch(/url\(|@import|expression\(|image-set/);
  expect(page).not.toMatch(/ style="/);
}

const harmless = everyString(fullReport(), 'Plain');
let harmlessPage: string;
beforeAll(async () => {
  harmlessPage = await renderHtml(harmless);
});
const shape = (page: string) => elements(page).map(({ tag }) => tag);

describe.each([
  ...Object.entries(attacks),
  [
    'style and attribute',
    '"><style>*{background:url(https://evil.example)}</style><p style="x" onclick="alert(1)" x="',
  ],
  ['svg', '</text></svg><svg onload=alert(1)><a href="https://evil.example"><text>'],
] as const)('%s in every string', (_name, attack) => {
  it('stays text on the page', async () => {
    const page = await renderHtml(everyString(fullReport(), attack));
    expectHarmless(page);
    const code = ['code', 'span', 'br'];
    const outline = (source: string) => shape(source).filter((tag) => !code.includes(tag));
    expect(outline(page)).toEqual(outline(harmlessPage));
  });
});

it('stays small and quick with ten million characters in every string', async () => {
  const page = await renderHtml(everyString(fullReport(), '</td><script>alert(1)</script>'.repeat(340_000)));
  expectHarmless(page);
  expect(page.length).toBeLessThan(2_000_000);
});

it('says that it draws no curves where the rows were too many', async () => {
  const report = fullReport();
  const comparison = report.models[0]!.comparison!;
  delete comparison.curves;
  const said = 'No curves are drawn: the rows were too many';

  expect(await renderHtml(report)).not.toContain(said);
  comparison.curvesLeftOut = true;
  expect(await renderHtml(report)).toContain(said);

  comparison.claim = 'pipeline';
  const page = await renderHtml(report);
  expect(page).not.toContain(said);
  expect(page).toContain('No curves are drawn: each of several training seeds');
  expect(page).toContain('<dt>claim</dt><dd>Two ways of training are compared, by ');
});

it('draws nothing wrong of curves that nobody can have measured', async () => {
  const curves = createCurves();
  const far = { from: '-1e+308', to: '1e+308', rows: 0, low: '-1e+308', median: '0', high: '1e+308' };
  curves.candidate = {
    thresholds: { thresholds: [], truePositives: [9007199254740991, 0], falsePositives: [5, 0, 7] },
    calibration: [{ from: '0', to: '0', rows: 0, positives: 5, meanScore: '1e+308' }],
    confusion: [[1], []],
    oneVsRest: [Array.from({ length: 41 }, (_, i) => (i % 2 === 0 ? '-1e+308' : '1e+308')), null],
    residuals: { counts: [9007199254740991], groups: [far, far] },
  };
  curves.residualEdges = ['1e+308', '-1e+308'];
  const report = fullReport();
  report.models[0]!.comparison!.curves = curves;
  const page = await renderHtml(parseDocument('report', formatDocument('report', report), 'x'));
  expectHarmless(page);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

it('draws nothing wrong of distributions that nobody can have counted', async () => {
  const of = {
    column: 'x',
    against: 'y',
    isHidden: false,
    edges: [],
    values: [],
    missing: { reference: 0, current: 0 },
  };
  const most = Number.MAX_SAFE_INTEGER;
  const report = fullReport();
  report.models[0]!.data[0]!.distributions = [
    { ...of, kind: 'tenths', edges: ['1e+308', '-1e+308'], reference: [most, most, most, 1], current: [0] },
    { ...of, kind: 'tenths', reference: [0, 0], current: [0, 0] },
    { ...of, kind: 'values', values: ['others', 'others', ''], reference: [0, 0, 0, 0], current: [1, 1, 1, 0] },
    { ...of, kind: 'values', reference: [5, 5, 5], current: [1, 1, 1] },
    { ...of, kind: 'around', reference: [1, 1, 1, 1, 1], current: [1, 1, 1, 1, 1] },
    { ...of, kind: 'around', edges: ['5'], reference: [], current: [] },
  ];
  const page = await renderHtml(parseDocument('report', formatDocument('report', report), 'x'));
  expectHarmless(page);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  expect(page).not.toContain('cannot be drawn');
});

it('shows pictures that were drawn apart, each on its paper, and why one was not', async () => {
  const report = fullReport();
  report.models[0]!.plots = specPlots();
  const asked: string[] = [];
  const page = await renderHtml(report, async (specs) => {
    asked.push(...specs);
    return specs.map((_, i) =>
      i === 1 ? { reason: 'it <b>loops</b>' } : { width: 30, height: 20, inner: `<path d="M${i},0L1,1"/>` },
    );
  });
  expectHarmless(page);
  expect(asked).toEqual(specPlots().map(({ spec }) => spec));
  expect(page).toContain(
    '<div class="paper"><svg class="drawn" role="img" aria-label="depth.vl.json: Loss falls with depth on both branches." width="30" height="20" viewBox="0 0 30 20" fill="none"><path d="M0,0L1,1"/></svg></div>',
  );
  expect(page).toContain(
    'aria-label="away.vl.json: a picture that the model repository draws itself, from out/away.vl.json."',
  );
  expect(page).toMatch(/<li><code>out\/area\.vl\.json<\/code>: it &#60;b&#62;loops&#60;\/b&#62;<\/li>/);
});

describe('the page', () => {
  let page: string;
  beforeAll(async () => {
    page = await renderHtml(fullReport());
  });

  it.each([
    'ROC',
    'ROC, each class against the rest',
    'ROC of the class that loses most: bee',
    'Precision and recall',
    'Calibration',
    'Residuals by prediction',
    'Residuals',
  ])('shows %s of both models, with the numbers beside the picture', (title) => {
    const [figure = ''] =
      page.match(new RegExp(`<figure>\n<figcaption><strong>${title}</strong>[\\s\\S]*?</figure>`)) ?? [];
    expect(figure).toMatch(/<svg class="chart" role="img" aria-label="[^"]{20,}"/);
    // Each model by its colour and, for who sees none, by its dash.
    expect(figure.match(/stroke="var\(--s[01]\)" stroke-width="2"(?: stroke-dasharray="6,4")?/g)?.slice(0, 2)).toEqual([
      'stroke="var(--s0)" stroke-width="2" stroke-dasharray="6,4"',
      'stroke="var(--s1)" stroke-width="2"',
    ]);
    for (const name of ['production', 'candidate']) expect(figure).toContain(`>${name}</text>`);
    expect(figure).toMatch(/<summary>Numbers of [\s\S]*<tbody><tr><th scope="row">/);
  });

  it('says the rates that the counts give', () => {
    // 100 positives, 300 negatives: at a false positive rate of up to 0.2 the second threshold holds, 70 of 100.
    expect(page).toMatch(/<th scope="row">0\.2<\/th><td class="n">0\.700<\/td><td class="n">0\.700<\/td>/);
    // A recall of 0.5 needs the second threshold: 70 of 130 are right.
    expect(page).toContain('<th scope="row">0.5</th><td class="n">0.538</td><td class="n">0.538</td>');
    expect(page).toContain('<td class="n">280 (93.3 %)</td>');
    expect(page).toContain('12 others');
    // The areas under x^0.5 and x^0.4, and of the mean with x^0.25 and x^0.3, but for the corners of forty steps.
    expect(page).toMatch(/<th scope="row">ant<\/th><td class="n">0\.66\d<\/td><td class="n">0\.71\d<\/td>/);
    expect(page).toMatch(/<th scope="row">mean<\/th><td class="n">0\.73\d<\/td><td class="n">0\.7[34]\d<\/td>/);
    expect(page).toContain('The mean over 2 classes, each against all others; 12 rarer ones have no curve.');
  });

  it('shows the plots of the team beside its own, and says why one is not shown', () => {
    const [section = ''] = page.match(/<h2>Plots of the model repository<\/h2>[\s\S]*?<h2>/) ?? [];
    expect(section).toContain('aria-label="Loss: loss by step, 3 points."');
    // Never as production is drawn.
    expect([...new Set(section.match(/var\(--s\d\)/g))]).toEqual(['var(--s1)', 'var(--s2)']);
    expect(section).toContain('3 of 900 rows are drawn.');
    expect(section).toMatch(/<strong>Importance<\/strong>[\s\S]*distance<\/th>[\s\S]*−0\.3000/);
    expect(section).toMatch(/<strong>Classes<\/strong>[\s\S]*<td class="n">8 \(80\.0 %\)/);
    expect(section).toContain('<li><code>out/picture.png</code>: it is no CSV</li>');
  });

  it('counts drifted columns once, and draws what is held against the threshold', async () => {
    const report = fullReport();
    const n = { reference: 2000, current: 2000 };
    const of = { pValue: null, threshold: '0.1', reason: null, verdict: 'pass', n } as const;
    report.models[0]!.data[0]!.drift = [
      { ...of, column: 'id', method: 'auto', statistic: null, verdict: 'skipped' },
      { ...of, column: 'x', method: 'ks(exact)', statistic: '0.2', verdict: 'fail' },
      { ...of, column: 'x', method: 'psi(k=10)', statistic: '0.3', verdict: 'fail' },
      { ...of, column: 'hub', method: 'chi2(bins=values)', statistic: '845.2', effect: '0.05' },
      { ...of, column: 'y', method: 'evidently:ks(score=p,drifted<=)', statistic: '0.9' },
    ];
    const [section = ''] = (await renderHtml(report)).match(/<summary>Drift: [\s\S]*?<\/details>/) ?? [];
    expect(section).toMatch(/^<summary>Drift: 1 of 3 columns<\/summary>/);
    expect([...section.matchAll(/<path d="M0,4h([\d.]+)v8/g)].map(([, width]) => width)).toEqual(['120', '120', '40']);
    expect(section).not.toContain('845');
  });

  it.each<[string, string, string[][]]>([
    [
      'distance',
      'range of 4, in the reference (the profile) and now. Most apart: up to −0.5, 20.0 % of the reference and 0.0 % now.',
      [
        ['up to −0.5', '20.0 % (20)', '0.0 % (0)'],
        ['−0.5 … 12.25', '50.0 % (50)', '35.0 % (70)'],
        ['above 12.25', '30.0 % (30)', '50.0 % (100)'],
        ['missing', '0.0 % (0)', '15.0 % (30)'],
      ],
    ],
    [
      'hub',
      'value of 4, in the reference (the profile) and now. Most apart: large, 75.0 % of the reference and 8.7 % now.',
      [
        ['large', '75.0 % (75)', '8.7 % (20)'],
        ['small', '25.0 % (25)', '26.1 % (60)'],
        ['others', '0.0 % (0)', '52.2 % (120)'],
        ['missing', '0.0 % (0)', '13.0 % (30)'],
      ],
    ],
    [
      'late',
      'range of 4, in the reference (the profile) and now. Most apart: 5, 90.0 % of the reference and 43.5 % now.',
      [
        ['below 5', '10.0 % (10)', '0.0 % (0)'],
        ['5', '90.0 % (90)', '43.5 % (100)'],
        ['above 5', '0.0 % (0)', '43.5 % (100)'],
        ['missing', '0.0 % (0)', '13.0 % (30)'],
      ],
    ],
    [
      'salary',
      'range of 3, in the reference (the profile) and now. Most apart: range 1, lowest, 40.0 % of the reference and 7.7 % now.',
      [
        ['range 1, lowest', '40.0 % (40)', '7.7 % (10)'],
        ['range 2, highest', '60.0 % (60)', '69.2 % (90)'],
        ['missing', '0.0 % (0)', '23.1 % (30)'],
      ],
    ],
  ])('draws how %s is distributed on both sides, with the numbers beside the picture', (column, said, rows) => {
    const [figure = ''] =
      page.match(new RegExp(`<figure>\n<figcaption><strong>Drift of ${column}</strong>[\\s\\S]*?</figure>`)) ?? [];
    expect(figure).toContain(`role="img" aria-label="Drift of ${column}: share of rows by ${said}"`);
    const cells = [
      ...figure.matchAll(/<tr><th scope="row">([^<]*)<\/th><td class="n">([^<]*)<\/td><td class="n">([^<]*)</g),
    ];
    expect(cells.map(([, ...row]) => row)).toEqual(rows);
    // An empty bar and a full one of each bin.
    expect(figure.match(/fill="var\(--back\)" stroke="var\(--s0\)"/g)).toHaveLength(rows.length);
    expect(figure.match(/fill="var\(--s1\)" stroke="var\(--s1\)"/g)).toHaveLength(rows.length);
    for (const name of ['reference', 'now', ...rows.map(([first]) => first)])
      expect(figure).toContain(`>${name}</text>`);
    expect(figure.includes('showValues')).toBe(column === 'salary');
  });

  it('tells edges apart that are near to one another, and how many columns are not drawn', async () => {
    const report = fullReport();
    const [drawn] = createDistributions();
    const edges = ['170000000001', '170000000002', '170000000003'];
    const data = report.models[0]!.data[0]!;
    data.distributions = [{ ...drawn!, edges, reference: [1, 1, 1, 1], current: [1, 1, 1, 1] }];
    const [drift] = data.drift;
    data.drift = ['distance', 'b', 'b', 'c'].map((column, i) => ({
      ...drift!,
      column,
      statistic: '0.5',
      verdict: i === 3 ? 'pass' : 'fail',
    }));
    const text = await renderHtml(report);
    for (const name of ['up to 170,000,000,001', '170,000,000,001 … 170,000,000,002'])
      expect(text).toContain(`<th scope="row">${name}</th>`);
    expect(text).toContain('Drawn: 1 of 2 columns that drifted, what drifted most first.');
  });

  it('leaves out no level of heading', async () => {
    for (const [name, create] of [...Object.entries(reports), ['full', fullReport] as const]) {
      const levels = [...(await renderHtml(create())).matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
      expect(levels[0], name).toBe(1);
      for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0), name).toBeLessThanOrEqual(1);
    }
  });

  it('says in words what an icon says, and names what scrolls', () => {
    for (const [, sign = ''] of page.matchAll(/>([✓✕!?…–])</g)) expect(page).toContain(`aria-hidden="true">${sign}`);
    const scrolling = page.match(/<div class="scroll[^>]*>/g) ?? [];
    expect(scrolling.length).toBeGreaterThan(8);
    for (const tag of scrolling) expect(tag).toMatch(/tabindex="0" role="group" aria-label="[^"]+"/);
    for (const tag of page.match(/<svg [^>]*>/g) ?? []) expect(tag).toMatch(/aria-label="[^"]+"|aria-hidden="true"/);
  });
});
