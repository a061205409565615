import { expect, it } from 'vitest';
import { mentionedIn, partsOf, splitMentions } from './mentions.ts';

it('finds code and names, with and without backticks', () => {
  expect(partsOf('see `input->a0.h1->logits`, a1.h0 and `x = 1`')).toEqual([
    { kind: 'text', text: 'see ' },
    { kind: 'anchor', text: 'input->a0.h1->logits' },
    { kind: 'text', text: ', ' },
    { kind: 'anchor', text: 'a1.h0' },
    { kind: 'text', text: ' and ' },
    { kind: 'code', text: 'x = 1' },
  ]);
  expect(partsOf('a0.h0->a1.h0<q>->logits.')).toEqual([
    { kind: 'anchor', text: 'a0.h0->a1.h0<q>->logits' },
    { kind: 'text', text: '.' },
  ]);
});

it('leaves words, arrows and unfinished code as text', () => {
  for (const body of ['the input goes -> there', 'a `b', 'xa1.h0y', '']) {
    expect(partsOf(body).every((part) => part.kind === 'text')).toBe(true);
    expect(
      partsOf(body)
        .map((part) => part.text)
        .join(''),
    ).toBe(body);
  }
});

const people = ['Ada', 'Ada Lovelace', 'Élodie', 'Bo'].map((name, index) => ({ id: `p${index}`, name }));
const names = (body: string) => mentionedIn(body, people).map(({ name }) => name);

it('finds who is addressed, by the longest name that fits', () => {
  expect(names('@Ada Lovelace, and @bo: see (@élodie).')).toEqual(['Ada Lovelace', 'Élodie', 'Bo']);
  expect(names('@Ada @Ada')).toEqual(['Ada']);
  expect(names('@Ada Love')).toEqual(['Ada']);
});

it('addresses nobody by an address, by half a name, or in code', () => {
  expect(names('me@Ada.org @Adam @@Ada ada')).toEqual([]);
  expect(names('`@Ada` and ``a ` @Bo`` here')).toEqual([]);
  expect(names('```\n@Ada\n```\n@Bo\n~~~ts\n@Élodie')).toEqual(['Bo']);
});

it('splits a text so that its parts are the whole', () => {
  const text = 'x @Ada Lovelace y@Bo @Bo';
  expect(splitMentions(text, people).map((part) => part.text)).toEqual(['x ', '@Ada Lovelace', ' y@Bo ', '@Bo']);
});

it('takes no longer for what is made to be slow', () => {
  const crowd = Array.from({ length: 500 }, (_, index) => ({ id: `p${index}`, name: `Annotator ${index}` }));
  const bodies = ['`'.repeat(20_000), `${'`'.repeat(10_000)}${'a'.repeat(10_000)}`, ' @'.repeat(10_000), '@Annotator '.repeat(1800)];
  const start = performance.now();
  for (const body of bodies) expect(mentionedIn(body, crowd)).toEqual([]);
  expect(performance.now() - start).toBeLessThan(400);
});

it('knows code as markdown does', () => {
  expect(names('```a``` @Ada\n@Bo')).toEqual(['Ada', 'Bo']);
  expect(names('~~~\n@Ada\n```\n@Ada\n~~~~\n@Bo')).toEqual(['Bo']);
  expect(names('`` @Ada ` @Bo')).toEqual(['Ada', 'Bo']);
});
