import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@passloop/core';
import { renderHtml } from '@passloop/report/page';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attacks } from '../../packages/report/src/testing/attacks.ts';
import { everyString, fullReport, specPlots } from '../../packages/report/src/testing/hostile-report.ts';
import { reports } from '../../packages/report/src/testing/reports.ts';
import { type Browser, type OpenPage, openBrowser } from './browser.ts';

/** The page as people meet it: in a real Chromium. */
let browser: Browser;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder('pages');
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function written(name: string, html: string): Promise<string> {
  const file = path.join(folder.path, `${name}.html`);
  await writeFile(file, html);
  return file;
}

async function pageOf(name: string, html: string): Promise<OpenPage> {
  return browser.open(await written(name, html));
}

/**
 * The least contrast of each piece of text with what lies behind it, by WCAG 2's formula. Half-clear colours are laid over
 * the ones below.
 */
const contrasts = `(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const over = (below, colour) => {
    canvas.fillStyle = 'rgb(' + below.join(' ') + ')';
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colour) => colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest('[aria-hidden]')) continue;
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(at);
    const behind = chain.reduce((below, at) => over(below, getComputedStyle(at).backgroundColor), [255, 255, 255]);
    const style = getComputedStyle(element);
    const front = over(behind, element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(front), light(behind)].sort((x, y) => y - x);
    found.push({ text: node.data.trim().slice(0, 40), ratio: (a + 0.05) / (b + 0.05) });
  }
  return found.sort((x, y) => x.ratio - y.ratio).slice(0, 3).concat({ text: 'pieces', ratio: found.length });
})()`;

describe('a full report in Chromium', () => {
  let page: OpenPage;
  beforeAll(async () => {
    page = await pageOf('full', await renderHtml(fullReport()));
  });

  it('asks for nothing and says nothing', () => {
    expect([page.requests, page.said]).toEqual([[], []]);
  });

  it.each([
    [1150, 'light'],
    [1150, 'dark'],
    [360, 'light'],
  ] as const)('fits %i pixels in %s, with contrast enough for every word', async (width, scheme) => {
    await page.view({ width, scheme });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const [worst, ...rest] = await page.evaluate<{ text: string; ratio: number }[]>(contrasts);
    expect(rest.at(-1)?.ratio).toBeGreaterThan(100);
    expect(worst?.ratio, JSON.stringify(worst)).toBeGreaterThanOrEqual(4.5);
  });

  it('is another picture in the dark, and on paper is light and has everything unfolded', async () => {
    const colours = '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]';
    await page.view({ width: 800, scheme: 'dark' });
    expect(await page.evaluate(colours)).toEqual(['rgb(13, 17, 23)', 'rgb(230, 237, 243)']);
    const hidden = `[...document.querySelectorAll('details table')].filter((one) => !one.checkVisibility({ contentVisibilityAuto: true })).length`;
    expect(await page.evaluate(hidden)).toBeGreaterThan(3);
    await page.view({ width: 800, scheme: 'dark', media: 'print' });
    expect(await page.evaluate(colours)).toEqual(['rgb(255, 255, 255)', 'rgb(28, 33, 40)']);
    expect(await page.evaluate(hidden)).toBe(0);
  });

  it('has a name for all that a screen reader meets, and the numbers of each chart as a table', async () => {
    await page.view({ width: 1150 });
    const nodes = await page.accessible();
    const named = (role: string) => nodes.filter((node) => node.role === role).map(({ name }) => name);
    const charts = [
      'ROC curve: ',
      'Precision by recall: ',
      'Share of positives by score: ',
      'Median of label',
      'Rows by label',
      'Loss: ',
      'Importance: ',
      'Classes: ',
      'Confusion matrix: production: ',
      'Confusion matrix: candidate: ',
    ];
    for (const chart of charts)
      expect(
        named('image').filter((name) => name.startsWith(chart)),
        chart,
      ).toHaveLength(1);
    for (const role of ['image', 'heading', 'region', 'columnheader', 'rowheader'])
      for (const name of named(role)) expect(name.trim(), role).not.toBe('');
    expect(named('heading')[0]?.trim()).toMatch(/^Blocked: /);
  });

  it('is read by the keyboard: folds open with Enter, and what scrolls takes the focus', async () => {
    await page.view({ width: 360 });
    const seen = new Set<string>();
    for (let i = 0; i < 60; i += 1) {
      await page.press('Tab');
      seen.add(await page.evaluate('document.activeElement.className || document.activeElement.tagName'));
      if ((await page.evaluate('document.activeElement.textContent')) === 'Numbers of “ROC”') break;
    }
    expect([...seen].some((name) => name.startsWith('scroll'))).toBe(true);
    expect(await page.evaluate('document.activeElement.parentElement.open')).toBe(false);
    await page.press('Enter');
    expect(await page.evaluate('document.activeElement.parentElement.open')).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  });
});

/** What is painted: of each kind of mark in each chart the colours that it really has. */
const painted = `[...new Set([...document.querySelectorAll('svg.chart *, svg.strip *')].flatMap((one) => {
  const { fill, stroke } = getComputedStyle(one);
  return one.matches('g, svg') ? [] : [fill, stroke];
}))]`;

it('draws its charts in the colours of the page: light, dark and on paper', async () => {
  const page = await pageOf('colours', await renderHtml(fullReport()));
  const production = { light: 'rgb(87, 96, 106)', dark: 'rgb(177, 186, 196)' };
  const candidate = { light: 'rgb(9, 105, 218)', dark: 'rgb(88, 166, 255)' };
  for (const scheme of ['light', 'dark'] as const) {
    const other = scheme === 'light' ? 'dark' : 'light';
    await page.view({ width: 1150, scheme });
    const colours = await page.evaluate<string[]>(painted);
    for (const of of [production, candidate]) {
      expect(colours).toContain(of[scheme]);
      expect(colours).not.toContain(of[other]);
    }
  }
  await page.view({ width: 800, scheme: 'dark', media: 'print' });
  expect(await page.evaluate<string[]>(painted)).toContain(candidate.light);
  expect(await page.evaluate<string[]>(painted)).not.toContain(candidate.dark);
  // The words have the page's letters, and lie within their picture.
  const outside = `[...document.querySelectorAll('svg.chart text')].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return inner.width > 0 && (inner.left < outer.left - 2 || inner.right > outer.right + 2 || inner.top < outer.top - 2 || inner.bottom > outer.bottom + 2);
  }).map((text) => text.textContent)`;
  await page.view({ width: 1150 });
  expect(await page.evaluate(outside)).toEqual([]);
  const families = `[...new Set([...document.querySelectorAll('svg.chart text, body')].map((one) => getComputedStyle(one).fontFamily))].length`;
  expect(await page.evaluate(families)).toBe(1);
});

it('shows what a team draws itself, on white paper in the dark too, without its links', async () => {
  const report = fullReport();
  report.models[0]!.plots = specPlots();
  const page = await pageOf('specs', await renderHtml(report));
  expect([page.requests, page.said]).toEqual([[], []]);
  await page.view({ width: 360, scheme: 'dark' });
  expect(await page.evaluate('document.querySelectorAll(".paper svg.drawn[role=img]").length')).toBe(2);
  expect(await page.evaluate('document.querySelectorAll("svg a, svg image, svg script, svg style").length')).toBe(0);
  expect(await page.evaluate('getComputedStyle(document.querySelector(".paper")).backgroundColor')).toBe(
    'rgb(255, 255, 255)',
  );
  const [worst] = await page.evaluate<{ text: string; ratio: number }[]>(contrasts);
  expect(worst?.ratio, JSON.stringify(worst)).toBeGreaterThanOrEqual(4.5);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(await page.evaluate('document.body.textContent')).toContain('nothing is loaded');
});

it('runs nothing and asks nobody, whatever the names say', async () => {
  const hostile = ['html', 'a comment that ends', 'a link', 'code that ends'].map((name) => attacks[name] as string);
  hostile.push('"><svg onload=alert(1)><style>*{background:url(https://evil.example/x)}</style>');
  const page = await pageOf('plain', await renderHtml(everyString(fullReport(), 'Plain')));
  for (const [i, attack] of hostile.entries()) {
    await page.go(await written(`attack-${i}`, await renderHtml(everyString(fullReport(), attack))));
    expect([page.requests, page.said], attack).toEqual([[], []]);
    expect(await page.evaluate('document.querySelectorAll("script,img,a,iframe,link,object,form").length')).toBe(0);
    expect(await page.evaluate('document.querySelectorAll("style").length')).toBe(1);
    await page.view({ width: 360 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), attack).toBeLessThanOrEqual(360);
  }
});

it('notices a page that does run and ask', async () => {
  const page = await pageOf('guilty', '<script>console.log(1);alert(2)</script><img src="https://evil.example/x.png">');
  expect(page.requests).toEqual(['https://evil.example/x.png']);
  expect(page.said.join()).toMatch(/dialog: 2/);
});

it('fits a narrow window whatever a model is like', async () => {
  const page = await pageOf('first', await renderHtml(fullReport()));
  for (const name of ['blocked', 'broken data', 'not comparable', 'several models', 'no engine']) {
    await page.go(await written(name.replaceAll(' ', '-'), await renderHtml(reports[name]!())));
    await page.view({ width: 360 });
    expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(360);
  }
});
