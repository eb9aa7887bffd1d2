import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { expect, it } from 'vitest';
import { codeSpan, escapeHtml, escapeMarkdown, logText, plainText } from './text.ts';

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
];

it.each(hostile)('Markdown: %s comes out as text', (text) => {
  const html = markdown.renderInline(escapeMarkdown(text));
  expect(html).not.toMatch(/<(?!\/?p>)[a-z!/]/i);
  expect(html).not.toMatch(/@\w|(^|[^&])#\d/);
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
    expect(line).not.toMatch(/^\s*(::|##\[)/);
  }
});
