import { describe, expect, it } from 'vitest';
import { drawnSvg } from './svg.ts';

const bounds = { elements: 50, characters: 2000 };

function inner(content: string, prefix = 'p-'): string {
  return drawnSvg(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">${content}</svg>`, prefix, bounds).inner;
}

it('keeps what draws, to the tenth of a pixel', () => {
  expect(inner('<g class="mark"><path d="M0,0.12345L1e-7,2" fill="var(--s1)" opacity="1"/></g>')).toBe(
    '<path d="M0,0.1L1e-7,2" fill="var(--s1)"/>',
  );
  expect(inner('<text transform="translate(1.234,5)" font-size="11px" font-family="Evil">a &amp; b</text>')).toBe(
    '<text transform="translate(1.2,5)" font-size="11px">a &#38; b</text>',
  );
});

it('gives each picture ids of its own', () => {
  const gradient = '<defs><linearGradient id="g0"><stop offset="0" stop-color="red"/></linearGradient></defs>';
  expect(inner(`${gradient}<path d="M0,0L1,1" fill="url(#g0)"/>`, 'p7-')).toBe(
    '<defs><linearGradient id="p7-g0"><stop offset="0" stop-color="red"/></linearGradient></defs><path d="M0,0L1,1" fill="url(#p7-g0)"/>',
  );
});

describe('leaves out', () => {
  it.each([
    [
      'a link, and keeps what it holds',
      '<a href="javascript:alert(1)" xlink:href="https://evil.example"><text>x</text></a>',
      '<text>x</text>',
    ],
    ['an event', '<text onclick="alert(1)" onload="alert(1)">x</text>', '<text>x</text>'],
    ['a style', '<text style="background:url(https://evil.example)" class="a">x</text>', '<text>x</text>'],
    [
      'an address in a colour',
      '<path d="M0,0L1,1" stroke="red" fill="url(https://evil.example/#a)"/>',
      '<path d="M0,0L1,1" stroke="red"/>',
    ],
    [
      'a script in a colour',
      '<path d="M0,0L1,1" stroke="red" fill="expression(alert(1))"/>',
      '<path d="M0,0L1,1" stroke="red"/>',
    ],
    ['an address in a clip', '<text clip-path="url(https://evil.example)">x</text>', '<text>x</text>'],
    ['what is not shown', '<path d="M0,0L1,1" fill="red" display="none"/>', ''],
    ['a name of a prototype', '<text constructor="1" __proto__="1">x</text>', '<text>x</text>'],
    ['marks that turn the text around', '<text>a\u202eb</text>', '<text>ab</text>'],
  ])('%s', (_name, content, expected) => {
    expect(inner(content)).toBe(expected);
  });

  it('no escape of a character', () => {
    expect(inner('<text>&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#x3e; &unknown;</text>')).toBe(
      '<text>&#60;script&#62;alert(1)&#60;/script&#62; &#60;b&#62; &#38;unknown;</text>',
    );
    expect(inner('<text font-weight="bold&quot; onload=&quot;alert(1)">x</text>')).toBe('<text>x</text>');
  });
});

describe('refuses', () => {
  it.each([
    ['a script', '<script>alert(1)</script>', /<script>/],
    ['a foreign object', '<foreignObject><body></body></foreignObject>', /<foreignObject>/],
    ['a picture', '<image href="https://evil.example/x.png"/>', /<image>/],
    ['a reuse', '<use href="https://evil.example/x.svg#a"/>', /<use>/],
    ['a style sheet', '<style>*{fill:red}</style>', /<style>/],
    ['an animation', '<animate attributeName="href" to="javascript:alert(1)"/>', /<animate>/],
    ['a comment', '<!-- x --><text>x</text>', /well-formed/],
    ['a section of another kind', '<![CDATA[<script>]]>', /well-formed/],
    ['an attribute without quotes', '<text x=1>x</text>', /well-formed/],
    ['an element that never ends', '<g><text>x</text>', /well-formed/],
    ['an element that ends another', '<g><text>x</g></text>', /well-formed/],
    ['what follows the picture', '</svg><script>alert(1)</script><svg>', /<script>/],
    ['more elements than a page takes', '<text>x</text>'.repeat(60), /more than 50 elements/],
    ['more text than a page takes', `<text>${'x'.repeat(250)}</text>`.repeat(10), /characters/],
    ['a deep nest', '<g>'.repeat(120) + '</g>'.repeat(120), /elements|deeply/],
  ])('%s', (_name, content, reason) => {
    expect(() => inner(content)).toThrow(reason);
  });

  it('what is no picture', () => {
    for (const source of ['', 'x', '<g viewBox="0 0 1 1"></g>', '<svg></svg>', '<svg viewBox="0 0 0 -1"></svg>'])
      expect(() => drawnSvg(source, '', bounds), source).toThrow();
  });
});
