import { escapeHtml, plainText } from '@passloop/core';

type Element = { tag: string; attributes: [name: string, value: string][]; children: (Element | string)[] };

export type SvgBounds = { elements: number; characters: number };

/** A picture that isn't put into the page, with the reason as the end of a sentence. */
export class RefusedSvg extends Error {}

/** What draws, and what groups it. Nothing of it loads, runs, links or styles. */
const elements = new Set([
  'svg',
  'g',
  'path',
  'rect',
  'line',
  'text',
  'tspan',
  'defs',
  'clipPath',
  'linearGradient',
  'radialGradient',
  'stop',
]);

const number = /^-?[\d.]+(?:e-?\d+)?$/;
const color = /^(?:[a-z]{3,30}|#[\da-f]{3,8}|(?:rgb|hsl)a?\([\d.,%\s/-]{1,60}\)|var\(--[a-z]\w{0,12}\))$/i;
const own = /^url\((?:"|')?#([\w-]{1,40})(?:"|')?\)$/;
const word = /^[a-z-]{1,20}$/;
const numbers = /^[-\d.,\s]{0,200}$/;

const attributes: Record<string, RegExp> = {
  id: /^[\w-]{1,40}$/,
  d: /^[-\d.,eA-Z\s]*$/i,
  transform: /^[-\d.,ea-z()\s]{0,200}$/i,
  gradientTransform: /^[-\d.,ea-z()\s]{0,200}$/i,
  'font-size': /^[\d.]+(?:px)?$/,
  'font-weight': /^(?:[a-z]{1,10}|\d{3})$/,
  offset: /^[\d.]+%?$/,
  ...each(['fill', 'stroke', 'stop-color'], color),
  ...each(['stroke-dasharray', 'viewBox'], numbers),
  ...each(
    ['text-anchor', 'dominant-baseline', 'font-style', 'stroke-linecap', 'stroke-linejoin', 'gradientUnits'],
    word,
  ),
  ...each(
    'x y x1 x2 y1 y2 dx dy cx cy fx fy r rx ry width height opacity fill-opacity stroke-opacity stop-opacity stroke-width stroke-miterlimit stroke-dashoffset'.split(
      ' ',
    ),
    number,
  ),
};

function each(names: readonly string[], pattern: RegExp): Record<string, RegExp> {
  return Object.fromEntries(names.map((name) => [name, pattern]));
}

/**
 * Builds a picture anew from the parts of `source` that draw: elements and attributes on a list, of values that have the form
 * on it. A link is left out and what it holds stays; any other element that isn't on the list refuses the whole.
 *
 * @param source SVG as vega writes it; another form of XML is refused
 * @param prefix stands before each id, since several pictures share a page
 * @throws RefusedSvg
 */
export function drawnSvg(
  source: string,
  prefix: string,
  bounds: SvgBounds,
): { width: number; height: number; inner: string } {
  const root = parsed(source, bounds);
  const [, , width = '', height = ''] = (root.attributes.find(([name]) => name === 'viewBox')?.[1] ?? '').split(
    /[\s,]+/,
  );
  if (root.tag !== 'svg' || !(Number(width) > 0) || !(Number(height) > 0)) throw new RefusedSvg('it has no size');
  const inner = root.children.map((child) => written(child, prefix)).join('');
  if (inner.length > bounds.characters)
    throw new RefusedSvg(`its picture has ${inner.length} characters; ${bounds.characters} is the most`);
  return { width: Number(width), height: Number(height), inner };
}

const token = /<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

function parsed(source: string, bounds: SvgBounds): Element {
  const top: Element = { tag: '', attributes: [], children: [] };
  const open = [top];
  let at = 0;
  let count = 0;
  token.lastIndex = 0;
  for (let found = token.exec(source); found !== null; found = token.exec(source)) {
    at = token.lastIndex;
    const [, closes, tag = '', list = '', isEmpty, text] = found;
    const inside = open.at(-1) as Element;
    if (text !== undefined) {
      if (text.trim() !== '') inside.children.push(text);
      continue;
    }
    if (closes !== '') {
      if (inside.tag !== tag || open.length === 1) throw new RefusedSvg('its picture is no well-formed SVG');
      open.pop();
      continue;
    }
    if (tag !== 'a' && !elements.has(tag)) throw new RefusedSvg(`it draws with <${tag}>, which the page does not take`);
    count += 1;
    if (count > bounds.elements) throw new RefusedSvg(`its picture has more than ${bounds.elements} elements`);
    if (open.length > 100) throw new RefusedSvg('its picture is nested too deeply');
    const element: Element = { tag, attributes: pairs(list), children: [] };
    inside.children.push(element);
    if (isEmpty === '') open.push(element);
  }
  const [root, ...more] = top.children;
  if (at !== source.length || open.length !== 1 || typeof root !== 'object' || more.length > 0)
    throw new RefusedSvg('its picture is no well-formed SVG');
  return root;
}

function pairs(list: string): [string, string][] {
  return [...list.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decoded(value)]);
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : '';
  });
}

function written(node: Element | string, prefix: string): string {
  if (typeof node === 'string') return escapeHtml(plainText(decoded(node), 300));
  const { tag } = node;
  if (node.attributes.some(([name, value]) => name === 'display' && value === 'none')) return '';
  const kept = node.attributes.flatMap(([name, value]) => attribute(name, value, prefix));
  const inner = node.children.map((child) => written(child, prefix)).join('');
  if (tag === 'a') return inner;
  // Groups and backgrounds that draw nothing are half of what vega writes.
  if (tag === 'g' && (inner === '' || kept.length === 0)) return inner;
  if (tag === 'path' && !isSeen(node)) return '';
  const start = [tag, ...kept].join(' ');
  return inner === '' ? `<${start}/>` : `<${start}>${inner}</${tag}>`;
}

function isSeen({ attributes }: Element): boolean {
  const value = (name: string) => attributes.find(([one]) => one === name)?.[1];
  const paints = (name: string) => ![undefined, 'none', 'transparent'].includes(value(name));
  return (value('d') ?? '') !== '' && (paints('fill') || paints('stroke'));
}

/** Of no use to who sees the picture: the value that holds without the attribute. */
const usual = new Set(['opacity="1"', 'stroke-width="1"', 'x2="0"', 'y2="0"', 'stroke-dasharray="1,0"']);

function attribute(name: string, value: string, prefix: string): string[] {
  const [, id] = own.exec(value) ?? [];
  if (id !== undefined && ['fill', 'stroke', 'clip-path'].includes(name)) return [`${name}="url(#${prefix}${id})"`];
  if (!Object.hasOwn(attributes, name) || !attributes[name]?.test(value)) return [];
  const shown = name === 'id' ? `${prefix}${value}` : name.endsWith('opacity') ? value : rounded(value);
  const pair = `${name}="${escapeHtml(shown)}"`;
  return usual.has(pair) || pair === 'transform="translate(0,0)"' ? [] : [pair];
}

/** A tenth of a pixel is what is seen. */
function rounded(value: string): string {
  return value.replace(/-?\d*\.\d{2,}(?:e-?\d+)?/g, (found) => String(Math.round(Number(found) * 10) / 10));
}
