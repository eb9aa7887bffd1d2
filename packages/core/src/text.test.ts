import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import { codeSpan, escapeHtml, escapeMarkdown, logJson, logText, plainText } from './text.ts';

const markdown = new MarkdownIt({ html: true, linkify: true });

const hostile = [
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '![x](https://evil.example/p.png)',
  '@everyone',
  'see #123',
  'https://evil.example',
  '</details><h1>',
  '`code`',
  '*bold* _i_ ~~s~~',
  'a | b',
  '# head',
  '- list',
  '1. list',
  '> quote',
  '<!-- passloop:comment -->',
  'user\u202Egpj.exe',
  '&lt;script&gt;',
  'GH-123',
  ':white_check_mark:',
];

it.each(hostile)('Markdown: %s comes out as text', (text) => {
  const html = markdown.renderInline(escapeMarkdown(text));
  expect(html).not.toMatch(/<(?!\/?p>)[a-z!/]/i);
  expect(html).not.toMatch(/@\w|(^|[^&])#\d|GH-\d|:[a-z_]+:/);
});

it.each(hostile)('code span: %s stays inside', (text) => {
  const html = markdown.renderInline(codeSpan(text));
  expect(html).toMatch(/^<code>[^<]*<\/code>$/);
});

it('any text renders as one paragraph of text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
      expect(markdown.render(`x ${escapeMarkdown(text)}`)).toMatch(/^<p>x ?[^<]*<\/p>\n$/);
    }),
  );
});

it.each([
  '# a',
  '## a',
  '###### a',
  '#',
  '- a',
  '+ a',
  '> a',
  '1. a',
  '1) a',
  '===',
  '***',
  '```',
  '| a |',
  '~~~',
])('begins no block where a line begins with it: %s', (text) => {
  expect(markdown.render(`before\n\n${escapeMarkdown(text)}`)).toMatch(/^<p>before<\/p>\n<p>[^<]*<\/p>\n$/);
  expect(markdown.render(`- ${escapeMarkdown(text)}`)).toMatch(/^<ul>\n<li>[^<]*<\/li>\n<\/ul>\n$/);
});

it('turns nothing round in HTML', () => {
  expect(escapeHtml('\u202Edessap\u2066\u200B')).toBe('dessap');
});

it('cuts, flattens and cleans', () => {
  expect(plainText('a\nb\u0000c\u202Ed')).toBe('a bcd');
  expect(plainText('x'.repeat(500), 10)).toBe(`${'x'.repeat(9)}…`);
  expect(escapeHtml('<a href="x">\'`&')).toBe('&#60;a href=&#34;x&#34;&#62;&#39;&#96;&#38;');
});

it('no log line is a command to the runner', () => {
  for (const line of logText('ok\n::set-output name=a::b\r\n  ::error::x\n##[group]y\r::stop').split('\n')) {
    expect(line).not.toMatch(/^\s*::|##\[/);
  }
  expect(logText('size ##[add-mask]a\n\u0085::error::x')).toBe('size ## [add-mask]a\n| ::error::x');
});

it.each([
  ['an escape sequence', '\u001b[2Jx'],
  ['its one-character form', '\u009b2Jx'],
  ['a title', '\u001b]0;x\u0007'],
  ['a line that is overwritten', 'bad\rgood'],
  ['a bidirectional override', 'a\u202eb'],
  ['an isolate', 'a\u2066b'],
  ['an Arabic letter mark', 'a\u061cb'],
  ['a zero-width space', 'a\u200bb'],
  ['a byte order mark', 'a\ufeffb'],
  ['a soft hyphen', 'a\u00adb'],
  ['a Hangul filler', 'a\u3164b'],
  ['a variation selector', 'a\ufe0fb'],
  ['a tag character', 'a\u{e0041}b'],
  ['a line separator', 'a\u2028b'],
])('%s is in no line, log or page', (_name, text) => {
  const unwanted =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Bidi_Control}|\p{Default_Ignorable_Code_Point}/u;
  expect(text).toMatch(unwanted);
  for (const clean of [plainText, logText, escapeHtml, codeSpan]) expect(clean(text)).not.toMatch(unwanted);
});

it('writes JSON so that a log keeps what it says', () => {
  const said = { '##[add-mask]x': 'a\u202eb\u{e0001}c\u0085\u2028d', plain: 1 };
  const json = logJson(JSON.stringify(said, null, 2));
  expect(JSON.parse(json)).toEqual(said);
  expect(logText(json)).toBe(json);
});
