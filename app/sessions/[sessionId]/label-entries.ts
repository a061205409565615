import type { OwnLabel, QueueItem } from '@/lib/wire.ts';

/** What an annotator did and the server has not confirmed yet. Each has an id of its own, so that sending it twice does it once. */
export type LabelEntry = {
  authorId: string;
  at: number;
  /** the server's line when it refused */
  refused: string | null;
} & (
  | { kind: 'label'; id: string; item: number; label: string; unsure: boolean; note: string }
  | { kind: 'undo'; id: string; item: number; labelId: string }
  | { kind: 'skip'; id: string; item: number }
);

/** An item of one's queue as one left it, whether the server knows or not. */
export interface ShownItem extends QueueItem {
  /** waits to be sent */
  pending: boolean;
}

/** The queue with what waits on top, in the order in which it was done. What was refused changes nothing. */
export function shownQueue(queue: readonly QueueItem[], entries: readonly LabelEntry[], blind: boolean): ShownItem[] {
  const shown = new Map(queue.map((one) => [one.item, { ...one, pending: false } as ShownItem]));
  for (const entry of entries) {
    const one = shown.get(entry.item);
    if (!one || entry.refused !== null) continue;
    shown.set(entry.item, { ...applied(one, entry, blind), pending: true });
  }
  return [...shown.values()];
}

/** The item after the entry. */
export function applied<T extends QueueItem>(one: T, entry: LabelEntry, blind: boolean): T {
  switch (entry.kind) {
    case 'label':
      return { ...one, mine: ownOf(entry, blind) };
    case 'undo':
      return one.mine?.id === entry.labelId ? { ...one, mine: null } : one;
    case 'skip':
      return { ...one, skipped: true };
  }
}

function ownOf({ id, label, unsure, note, at }: Extract<LabelEntry, { kind: 'label' }>, blind: boolean): OwnLabel {
  return { id, label, unsure, note, blind, at };
}

/** Where to go on after an item: the next without a label, those put off last; null when there is none. */
export function nextOpen(queue: readonly ShownItem[], after: number): number | null {
  const open = queue.filter(({ mine, item }) => mine === null && item !== after);
  const fresh = open.filter(({ skipped }) => !skipped);
  const among = fresh.length > 0 ? fresh : open;
  return (among.find(({ item }) => item > after) ?? among[0])?.item ?? null;
}

/**
 * The label that was given last and can be taken back: by the order in which this page gave them, and beyond that by the
 * server's clock. The two are not compared.
 */
export function lastGiven(queue: readonly ShownItem[], revealed: boolean, givenHere: readonly number[]): ShownItem | null {
  const mine = queue.filter((one) => one.mine !== null && !(revealed && one.mine.blind));
  const here = givenHere.findLast((item) => mine.some((one) => one.item === item));
  if (here !== undefined) return mine.find(({ item }) => item === here) ?? null;
  return mine.reduce<ShownItem | null>((last, one) => (last === null || one.mine!.at >= last.mine!.at ? one : last), null);
}
