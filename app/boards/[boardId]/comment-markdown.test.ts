import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { BoardContext, type BoardScope } from './board-context.tsx';
import { CommentMarkdown } from './comment-markdown.tsx';
import { Links } from './links.ts';

const scope = { ids: ['me'], select: () => {}, links: new Links(() => {}) } as unknown as BoardScope;

function drawn(body: string, mentions = [{ id: 'me', name: 'Vera Lind' }]): string {
  return renderToStaticMarkup(createElement(BoardContext, { value: scope }, createElement(CommentMarkdown, { body, mentions })));
}

test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<a href="javascript:alert(1)" onclick="alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt&#58;alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '[x](vbscript:alert(1) "onmouseover=alert(1)")',
  '![x](https://example.org/track.png)',
  '<svg/onload=alert(1)>',
  '<style>*{display:none}</style>',
  '<form action="https://example.org"><input name="password"></form>',
  '<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>',
  '`<b onclick=alert(1)>`',
  '@Vera Lind<script>alert(1)</script>',
])('%s can do nothing', (body) => {
  const html = drawn(body);
  const tags = [...html.matchAll(/<\/?([a-z0-9]+)([^>]*)>/gi)];
  for (const [, name, attributes = ''] of tags) {
    expect(['div', 'p', 'a', 'code', 'b', 'button', 'em', 'strong']).toContain(name);
    expect(attributes).not.toMatch(/\son\w+=|style=|src=|javascript:|data:|vbscript:/i);
  }
});

test('what somebody wrote as HTML is shown as they wrote it', () => {
  expect(drawn('a <b>bold</b> word')).toContain('a &lt;b&gt;bold&lt;/b&gt; word');
});

test('names are buttons, people stand out, the reader most', () => {
  const html = drawn('a1.h0 and `m0`, `x = 1`, @Vera Lind');
  expect(html.match(/<button/g)).toHaveLength(2);
  expect(html).toContain('<code>x = 1</code>');
  expect(html).toContain('<b data-mention="self">@Vera Lind</b>');
  expect(drawn('@Vera Lind', [{ id: 'other', name: 'Vera Lind' }])).toContain('<b data-mention="other">@Vera Lind</b>');
  expect(drawn('`@Vera Lind`')).not.toContain('data-mention');
});

test('a link leads out without telling from where', () => {
  expect(drawn('[paper](https://example.org/a)')).toContain(
    '<a href="https://example.org/a" target="_blank" rel="noopener noreferrer nofollow">paper</a>',
  );
});

test.each([
  '>'.repeat(20_000),
  `${'- '.repeat(9999)}a`,
  `${'> 1. '.repeat(21)}a`,
  `x\n\n\t${'>'.repeat(2000)}`,
  `${'![a'.repeat(2000)}${'](b)'.repeat(2000)}`,
  '*a_'.repeat(5000),
])('what is nested too deep is shown as it was written, at once', (body) => {
  const start = performance.now();
  const shown = body.replaceAll('>', '&gt;');
  expect(drawn(body)).toBe(`<div class="comment text-sm break-words"><p class="whitespace-pre-wrap">${shown}</p></div>`);
  expect(performance.now() - start).toBeLessThan(500);
});

test('what people nest is drawn', () => {
  expect(drawn(`${'> '.repeat(40)}a`).match(/<blockquote>/g)).toHaveLength(40);
  expect(drawn(`${'- '.repeat(9)}a\n\n${'-'.repeat(80)}`).match(/<ul>/g)).toHaveLength(9);
});
