import { expect, test } from 'vitest';
import { mathRenderer } from './math.ts';

test('a page draws so much of formulas, and leaves the rest as it was written', () => {
  const draw = mathRenderer();
  const long = '\\frac{a}{b}'.repeat(150);
  const drawn = Array.from({ length: 60 }, () => draw(long, false).toString());
  const formulas = drawn.filter((one) => one.includes('<math'));
  expect(formulas).toHaveLength(Math.floor(50_000 / long.length));
  expect(drawn.at(-1)).toBe(`<code>${long}</code>`);
});
