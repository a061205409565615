import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dealOut, isPart, pickTerms, takeOver, termsNeeded, type Task } from './queues.ts';

const TERMS = [
  { name: 'input->a0.h0->logits', value: -2 },
  { name: 'input->logits', value: 1.5 },
  { name: 'a1.b->logits', value: 0.1 },
];

test('the largest are picked, or those from a value or a share of the metric on, whatever their sign', () => {
  const names = (pick: Parameters<typeof pickTerms>[2]) => pickTerms(TERMS, -4, pick).map(({ anchor }) => anchor);
  expect(names({ by: 'top', count: 2 })).toEqual(['input->a0.h0->logits', 'input->logits']);
  expect(names({ by: 'threshold', of: 'value', least: 1.5 })).toEqual(['input->a0.h0->logits', 'input->logits']);
  expect(names({ by: 'threshold', of: 'share', least: 0.4 })).toEqual(['input->a0.h0->logits']);
  expect([termsNeeded({ by: 'top', count: 7 }), termsNeeded({ by: 'threshold', of: 'value', least: 1 })]).toEqual([7, 501]);
});

test('parts of the expansion end in the logits and name no slot', () => {
  const parts = ['input->a0.h0->logits', 'a1.h0->a2.h1->logits', 'logits.b->logits'];
  expect([...parts, 'a0.h0->a1.h0', 'a1.h0<q>->logits', 'm0', 'logits', 'group:abc'].filter(isPart)).toEqual(parts);
});

const people = fc.integer({ min: 1, max: 8 }).map((count) => Array.from({ length: count }, (_, index) => `p${index}`));

test('every item goes to as many different people as asked for, and everybody gets as much as the others', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      people,
      fc.option(fc.integer({ min: 1, max: 8 })),
      fc.nat(),
      (items, who, perItem, seed) => {
        const tasks = dealOut(items, who, perItem, seed);
        const each = Math.min(perItem ?? who.length, who.length);
        for (let item = 1; item <= items; item++) {
          const given = tasks.filter((task) => task.item === item).map(({ personId }) => personId);
          expect([given.length, new Set(given).size]).toEqual([each, each]);
        }
        const loads = who.map((person) => tasks.filter(({ personId }) => personId === person).length);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        expect(dealOut(items, who, perItem, seed)).toEqual(tasks);
      },
    ),
    { seed: 5 },
  );
});

test('with few people an item, all of them are put together with each other', () => {
  const tasks = dealOut(60, ['p', 'q', 'r', 's'], 2, 3);
  const pairs = new Set(
    Array.from({ length: 60 }, (_, index) =>
      tasks
        .filter(({ item }) => item === index + 1)
        .map(({ personId }) => personId)
        .sort()
        .join(''),
    ),
  );
  expect(pairs.size).toBe(6);
});

test('who comes late takes from those with most to do, never an item twice, until nobody has much more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), people, fc.integer({ min: 1, max: 3 }), fc.nat(), (items, who, perItem, seed) => {
      const open = dealOut(items, who, perItem, seed).filter(({ item }) => item % 3 !== 0);
      const taken = takeOver(open, new Set());
      expect(new Set(taken.map(({ item }) => item)).size).toBe(taken.length);
      const isOpen = ({ item, personId }: Task) => open.some((task) => task.item === item && task.personId === personId);
      expect(taken.every(isOpen)).toBe(true);
      const left = who.map(
        (person) => open.filter(({ personId }) => personId === person).length - taken.filter(({ personId }) => personId === person).length,
      );
      expect(taken.length).toBeLessThanOrEqual(Math.max(1, ...left) + 1);
    }),
    { seed: 6 },
  );
});

test('what one has labelled already is not taken over', () => {
  const open = [1, 2, 3, 4, 5, 6].map((item) => ({ item, personId: 'p' }));
  expect(takeOver(open, new Set([5, 6])).map(({ item }) => item)).toEqual([4, 3, 2]);
});
