import { expect, it } from 'vitest';
import { prose } from './prose.ts';

const html = (source: string) => prose(source).join('');

it('makes paragraphs, lists, bold, emphasis and code', () => {
  expect(html('One *two* **three** `a0.h1`\n\n- a\n- b\n\n1. c\n2. d')).toBe(
    '<p>One <em>two</em> <strong>three</strong> <code>a0.h1</code></p><ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>',
  );
});

it('begins a list right after a line of text', () => {
  expect(html('Found:\n- a\n- b')).toBe('<p>Found:</p><ul><li>a</li><li>b</li></ul>');
});

it('leaves everything else as text', () => {
  expect(html('# no heading <b>x</b> [l](javascript:alert(1)) 2 * 3 * 4')).toBe(
    '<p># no heading &lt;b&gt;x&lt;/b&gt; [l](javascript:alert(1)) 2 * 3 * 4</p>',
  );
});
