import { Draws } from '../engine/generators/draws.ts';
import type { Term } from '../engine/index.ts';

/** What an annotation session puts before whom. The server decides by these; the set-up screen shows the same beforehand. */

export const SESSION_LIMITS = {
  /** of one board */
  sessions: 200,
  items: 500,
  annotators: 20,
  /** items times the people who label each */
  tasks: 5000,
  labels: 9,
  label: 60,
  note: 2000,
  instructions: 5000,
} as const;

/** How the items of a session are picked. */
export type Pick =
  /** the largest complete paths */
  | { by: 'top'; count: number }
  /** complete paths from this |value| in logits, or this |share| of the metric, on */
  | { by: 'threshold'; of: 'value' | 'share'; least: number }
  | { by: 'hand'; anchors: readonly string[] };

export interface Picked {
  anchor: string;
  /** a mechanism's name and members; null for what the grammar names */
  title: string | null;
  members: readonly string[] | null;
  /** logits; null for what is no part of the expansion */
  value: number | null;
}

/** Terms that a `paths` request has to list for {@link pickTerms} to see whether there are too many. */
export function termsNeeded(pick: Exclude<Pick, { by: 'hand' }>): number {
  return pick.by === 'top' ? pick.count : SESSION_LIMITS.items + 1;
}

/** Of the terms of a `paths` answer, largest first. */
export function pickTerms(terms: readonly Term[], metric: number, pick: Exclude<Pick, { by: 'hand' }>): Picked[] {
  const sized = terms.flatMap(({ name, value }) => (value === undefined ? [] : [{ anchor: name, title: null, members: null, value }]));
  if (pick.by === 'top') return sized.slice(0, pick.count);
  const least = pick.of === 'value' ? pick.least : pick.least * Math.abs(metric);
  return sized.filter(({ value }) => Math.abs(value) >= least);
}

/** Whether something is a part of the frozen expansion: it ends in the logits, and names no slot. */
export function isPart(anchor: string): boolean {
  return anchor.endsWith('->logits') && !anchor.includes('<');
}

export interface Task {
  item: number;
  personId: string;
}

/**
 * Gives every item, numbered from 1, to `perItem` people, or to everyone. Nobody gets more than one item more than
 * another, and who is put together on an item is drawn with the seed.
 */
export function dealOut(items: number, people: readonly string[], perItem: number | null, seed: number): Task[] {
  const numbers = Array.from({ length: items }, (_, index) => index + 1);
  if (perItem === null || perItem >= people.length) return numbers.flatMap((item) => people.map((personId) => ({ item, personId })));
  const draws = new Draws(seed);
  const loads = new Map(people.map((personId) => [personId, 0]));
  return numbers.flatMap((item) => {
    // Drawn first: the sort keeps the order of those with the same load.
    const chosen = draws
      .sample(people, people.length)
      .sort((a, b) => loads.get(a)! - loads.get(b)!)
      .slice(0, perItem);
    for (const personId of chosen) loads.set(personId, loads.get(personId)! + 1);
    return chosen.map((personId) => ({ item, personId }));
  });
}

/**
 * What somebody who comes late takes over where each item has only so many people: open tasks of those who have most
 * of them, until the late one has as many as they.
 */
export function takeOver(open: readonly Task[], known: ReadonlySet<number>): Task[] {
  const left = new Map<string, number[]>();
  for (const { item, personId } of open) left.set(personId, [...(left.get(personId) ?? []), item]);
  const taken: Task[] = [];
  const mine = new Set(known);
  for (;;) {
    const fullest = [...left.entries()].sort(([, a], [, b]) => b.length - a.length);
    const from = fullest.find(([, items]) => items.length > taken.length + 1 && items.some((item) => !mine.has(item)));
    if (!from) return taken;
    const [personId, items] = from;
    // The last ones: nobody has them on the screen yet.
    const item = items.findLast((one) => !mine.has(one))!;
    left.set(
      personId,
      items.filter((one) => one !== item),
    );
    mine.add(item);
    taken.push({ item, personId });
  }
}
