import * as Y from 'yjs';
import { endOf, structAt, type Decoded, type Struct } from './decoded.ts';

/**
 * What Yjs does to integrate an update beyond reading it, counted before it is done. A kilobyte can cost minutes:
 * values of one key that know nothing of each other are compared one by one, and whatever splits or merges structs
 * moves all that follow in their array.
 */
export interface Cost {
  /** values passed on the way from what an item builds on to its place, where that is far; half a microsecond each */
  steps: number;
  /** structs cut in two */
  splits: number;
  /** places by which elements of arrays move; some nanoseconds each */
  moves: number;
}

/** Values that people who write the same key at the same time pass are nothing to speak of. */
const NEAR = 32;
/** No walk is counted further: it is too far already. */
const FAR = 1_000_000;

/** Counts no further once there are more than `enough` steps. All that the update builds on is in the document or in itself. */
export function costOf({ structs, ds }: Decoded, doc: Y.Doc, enough: number): Cost {
  const cost: Cost = { steps: 0, splits: 0, moves: 0 };
  const news = new News(structs, doc);
  for (const item of news.items) {
    if (cost.steps > enough) return cost;
    if (item.origin) countOrigin(item, item.origin, news, doc, cost);
    else countRoot(item, news, doc, cost);
  }
  cost.moves += news.runs();
  for (const [client, ranges] of ds.clients) for (const { clock, len } of ranges) countDeletion(doc, client, clock, len, cost);
  return cost;
}

/** A long walk counts, a short one does not. */
function walked(steps: number): number {
  return steps > NEAR ? steps : 0;
}

function countOrigin(item: Y.Item, origin: Y.ID, news: News, doc: Y.Doc, cost: Cost): void {
  const siblings = news.siblingsOf(`${origin.client} ${origin.clock}`);
  if (origin.clock >= Y.getState(doc.store, origin.client)) {
    if (!news.isEnd(origin)) cost.splits += 1;
    if (siblings > 0) cost.steps += walked(news.inLineOf(item));
    return;
  }
  const { structs, index, struct } = structAt(doc, origin.client, origin.clock);
  if (!(struct instanceof Y.Item)) return;
  const isInside = endOf(struct) - 1 !== origin.clock;
  if (isInside) cost.splits += 1;
  if (isInside || struct.right !== null) cost.steps += walked(distance(struct.right, 'right') + news.inLineOf(item));
  else if (siblings > 0) cost.steps += walked(news.inLineOf(item));
  else if (!struct.deleted && willMerge(structs, index)) cost.moves += structs.length;
}

/** Without an origin it is compared with all that the key ever held. */
function countRoot(item: Y.Item, news: News, doc: Y.Doc, cost: Cost): void {
  const siblings = news.siblingsOf(lineOf(item));
  const current = typeof item.parent === 'string' ? doc.share.get(item.parent)?._map.get(item.parentSub ?? '') : undefined;
  if (!current && siblings === 0) return;
  cost.steps += walked(distance(current ?? null, 'left') + distance(current?.right ?? null, 'right') + news.inLineOf(item));
}

function countDeletion(doc: Y.Doc, client: number, clock: number, len: number, cost: Cost): void {
  if (clock >= Y.getState(doc.store, client)) return;
  const { structs, index } = structAt(doc, client, clock);
  for (let at = index; at < structs.length && structs[at]!.id.clock < clock + len; at++) {
    const struct = structs[at]!;
    if (struct.deleted) continue;
    if (struct.id.clock < clock) cost.splits += 1;
    if (endOf(struct) > clock + len) cost.splits += 1;
    if (willMerge(structs, at)) cost.moves += structs.length;
  }
}

/** Whether the struct, once it is deleted, becomes one with a neighbour. */
function willMerge(structs: readonly (Y.Item | Y.GC)[], index: number): boolean {
  const [left, struct, right] = [structs[index - 1], structs[index], structs[index + 1]];
  return follows(left, struct) || follows(struct, right);
}

function follows(left: Y.Item | Y.GC | undefined, right: Y.Item | Y.GC | undefined): boolean {
  if (!(left instanceof Y.Item) || !(right instanceof Y.Item) || !(left.deleted || right.deleted)) return false;
  return Y.compareIDs(right.origin, left.lastId);
}

function distance(from: Y.Item | null, direction: 'left' | 'right'): number {
  let steps = 0;
  for (let item = from; item !== null && steps < FAR; item = item[direction]) steps += 1;
  return steps;
}

function lineOf({ parent, parentSub }: Y.Item): string {
  return `${String(parent)}/${parentSub}`;
}

/** The items of an update that are new to the document, and how they hang together. */
class News {
  readonly items: Y.Item[];
  private readonly byClient = new Map<number, Struct[]>();
  private readonly children = new Map<string, number>();
  private lines: Map<Y.Item, string> | null = null;
  private lengths: Map<string, number> | null = null;

  constructor(
    structs: readonly Struct[],
    private readonly doc: Y.Doc,
  ) {
    const isNew = (struct: Struct): struct is Y.Item => struct instanceof Y.Item && endOf(struct) > Y.getState(doc.store, struct.id.client);
    this.items = structs.filter(isNew);
    for (const struct of structs) {
      const own = this.byClient.get(struct.id.client);
      if (own) own.push(struct);
      else this.byClient.set(struct.id.client, [struct]);
    }
    for (const item of this.items) {
      const key = item.origin ? `${item.origin.client} ${item.origin.clock}` : lineOf(item);
      this.children.set(key, (this.children.get(key) ?? 0) + 1);
    }
  }

  /** Others of the update that build on the same. */
  siblingsOf(origin: string): number {
    return (this.children.get(origin) ?? 1) - 1;
  }

  isEnd({ client, clock }: Y.ID): boolean {
    const struct = this.find(client, clock);
    return struct === null || endOf(struct) - 1 === clock;
  }

  /** How many items of the update have the same key. */
  inLineOf(item: Y.Item): number {
    this.lines ??= this.findLines();
    if (!this.lengths) {
      this.lengths = new Map();
      for (const line of this.lines.values()) this.lengths.set(line, (this.lengths.get(line) ?? 0) + 1);
    }
    return this.lengths.get(this.lines.get(item) ?? '') ?? 0;
  }

  /** Values of one client that overwrite each other become one struct once they are deleted: what those merges move. */
  runs(): number {
    let moves = 0;
    for (const [client, structs] of this.byClient) {
      const size = (this.doc.store.clients.get(client)?.length ?? 0) + structs.length;
      let run = 1;
      for (const [index, struct] of structs.entries()) {
        const before = structs[index - 1];
        const continues = before instanceof Y.Item && struct instanceof Y.Item && Y.compareIDs(struct.origin, before.lastId);
        run = continues ? run + 1 : 1;
        // Of two one is deleted, and has nobody to merge with.
        if (run === 3) moves += size;
      }
    }
    return moves;
  }

  private findLines(): Map<Y.Item, string> {
    const lines = new Map<Y.Item, string>();
    for (const item of this.items) {
      const path: Y.Item[] = [];
      let line: string | null = null;
      for (let next: Y.Item | null = item; next !== null && line === null;) {
        path.push(next);
        const { origin }: Y.Item = next;
        line = lines.get(next) ?? (origin ? null : lineOf(next));
        const parent: Struct | null = origin && line === null ? this.find(origin.client, origin.clock) : null;
        next = parent instanceof Y.Item && path.length <= this.items.length ? parent : null;
        if (line === null && next === null && origin) line = this.lineInDocument(origin);
      }
      for (const one of path) lines.set(one, line ?? '');
    }
    return lines;
  }

  private lineInDocument({ client, clock }: Y.ID): string {
    if (clock >= Y.getState(this.doc.store, client)) return '';
    const { struct } = structAt(this.doc, client, clock);
    return struct instanceof Y.Item ? `*/${struct.parentSub}` : '';
  }

  private find(client: number, clock: number): Struct | null {
    const structs = this.byClient.get(client);
    if (!structs) return null;
    let [low, high] = [0, structs.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const struct = structs[middle]!;
      if (clock < struct.id.clock) high = middle - 1;
      else if (clock >= endOf(struct)) low = middle + 1;
      else return struct;
    }
    return null;
  }
}
