import { expect, it } from 'vitest';
import { markup } from './markup.ts';
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

it('hands formulas to whoever draws them, and takes prices for prices', () => {
  const drawn = (source: string) => prose(source, (tex, display) => markup`<m ${display && 'display '}>${tex}</m>`).join('');
  expect(drawn('So $a < b_1$ and $$\\sum_p v_p$$, **not $x$**')).toBe(
    '<p>So <m >a &lt; b_1</m> and <m display >\\sum_p v_p</m>, <strong>not <m >x</m></strong></p>',
  );
  for (const price of ['from $5 to $10', '$ 5 $', 'a $5', '`$x$`']) expect(drawn(price)).not.toContain('<m');
  expect(html('$a$')).toBe('<p><code>a</code></p>');
});
