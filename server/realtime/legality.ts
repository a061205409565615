import * as Y from 'yjs';
import { BOARD_MAPS } from '../../lib/board/board-doc.ts';
import { CLOSE } from '../../lib/wire.ts';
import { contradicts, endOf, type Decoded, type Struct } from './decoded.ts';

/** What a connection did that ends it. `code` is the close code, the message goes to the client. */
export class Violation extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** An update that builds on what the server has never seen. Nothing of it may be kept: it would wait for ever. */
export class GapError extends Error {}

export const LIMITS = {
  /** of one frame, in bytes */
  frame: 1_000_000,
  /** of one room's state: bytes, and structs as Yjs keeps them in memory; so many are loaded in a second */
  room: 32_000_000,
  roomStructs: 100_000,
  /** of one update that are new */
  structs: 20_000,
  /** client ids that are new, in one update; each is remembered for ever */
  clients: 100,
  /** client ids of one person in one room */
  clientsOfPerson: 20_000,
  /** of a value's arrays and objects */
  depth: 16,
  key: 200,
  clock: 1_000_000_000,
  /** values of one key that were overwritten one after the other */
  run: 10_000,
  /** of one update, see cost.ts */
  splits: 1000,
  moves: 50_000_000,
  /** of one person's presence, in bytes of JSON */
  presence: 4_000,
  connectionsPerRoom: 500,
  /** of one person in one room: as many tabs */
  connectionsPerPerson: 60,
} as const;

/** For each kind of room, the maps that clients may write. None means that they may only read. */
export const WRITABLE: Record<'board' | 'discussion', readonly string[]> = {
  board: BOARD_MAPS,
  discussion: [],
};

/** The update as Yjs reads it. Throws a Violation on bytes that are none. */
export function decodeUpdate(update: Uint8Array): Decoded {
  const decoded = decode(update);
  checkBlocks(decoded.structs);
  checkRanges(decoded.ds);
  return decoded;
}

function decode(update: Uint8Array): Decoded {
  try {
    return Y.decodeUpdate(update);
  } catch {
    throw invalid('bytes that are no Yjs update');
  }
}

/** One block a client, one struct after the other: of a second block Yjs would know nothing of the first. */
function checkBlocks(structs: readonly Struct[]): void {
  const begun = new Set<number>();
  let before: Struct | null = null;
  for (const struct of structs) {
    // A struct without length has the same id as the next one, and makes the document unreadable.
    if (struct.length < 1) throw invalid('a change without length');
    const { client, clock } = struct.id;
    if (before?.id.client === client) {
      if (clock !== endOf(before)) throw invalid('changes out of order');
    } else if (begun.has(client)) {
      throw invalid(`client ${client} twice in one update`);
    }
    begun.add(client);
    before = struct;
  }
}

/** Ranges that overlap would be walked through again and again. Yjs writes them in order and apart. */
function checkRanges(ds: Decoded['ds']): void {
  for (const [client, ranges] of ds.clients) {
    let end = 0;
    for (const { clock, len } of ranges) {
      if (clock < end || len < 1) throw invalid(`deletions of client ${client} out of order`);
      end = clock + len;
    }
  }
}

/**
 * Judges an update before anything applies it. Documents of ours are maps of plain JSON values, so shared types
 * inside shared types, which can be nested until nobody can load them, have no business here.
 * Returns the client ids that it adds to, which must be the sender's.
 */
export function checkUpdate(decoded: Decoded, doc: Y.Doc, maps: readonly string[]): number[] {
  const ends = checkClocks(decoded.structs, doc);
  const isThere = ({ client, clock }: Y.ID) => clock < (ends.get(client) ?? Y.getState(doc.store, client));
  for (const struct of decoded.structs) {
    if (endOf(struct) <= Y.getState(doc.store, struct.id.client)) {
      if (contradicts(struct, doc)) throw invalid(`client id ${struct.id.client} is used by two documents`);
    } else if (struct instanceof Y.Item) {
      checkItem(struct, maps, decoded.ds, isThere);
    }
  }
  checkDeletions(decoded.ds, doc, ends);
  return [...ends].filter(([client, end]) => end > Y.getState(doc.store, client)).map(([client]) => client);
}

/** Where each client's changes end once the update is applied. */
function checkClocks(structs: readonly Struct[], doc: Y.Doc): Map<number, number> {
  const ends = new Map<number, number>();
  let fresh = 0;
  for (const struct of structs) {
    const { client, clock } = struct.id;
    const known = Y.getState(doc.store, client);
    const expected = ends.get(client) ?? known;
    const end = endOf(struct);
    if (struct instanceof Y.Skip || clock > expected) throw new GapError(`client ${client}: expected clock ${expected}, got ${clock}`);
    if (end > LIMITS.clock) throw invalid(`client ${client} has made more than ${LIMITS.clock} changes`);
    ends.set(client, Math.max(expected, end));
    if (end > known) fresh += 1;
  }
  if (fresh > LIMITS.structs) throw invalid(`${fresh} changes in one update, at most ${LIMITS.structs} are accepted`);
  return ends;
}

function checkItem(item: Y.Item, maps: readonly string[], ds: Decoded['ds'], isThere: (id: Y.ID) => boolean): void {
  const { origin, parentSub, content } = item;
  // Of the item's parent nothing is known yet but what the update says.
  const parent: unknown = item.parent;
  // A value of a map is written behind all others. One that is not would end up elsewhere when the document is read again.
  if (item.rightOrigin !== null) throw invalid('a value before another one');
  if (origin?.client === item.id.client && origin.clock >= item.id.clock) throw invalid('a change that builds on itself');
  if (origin && !isThere(origin)) throw new GapError(`client ${origin.client}: expected clock ${origin.clock}, got nothing`);
  // An item that builds on another has its parent and key.
  if (!origin || parent !== null) {
    if (typeof parent !== 'string') throw invalid('a change inside a nested shared type');
    if (!maps.includes(parent)) throw invalid(`a change of ${JSON.stringify(parent.slice(0, 40))}, writable are: ${maps.join(', ')}`);
    if (parentSub === null) throw invalid(`a list item in the map ${parent}`);
    if (parentSub.length > LIMITS.key) throw invalid(`a key of ${parentSub.length} characters, at most ${LIMITS.key}`);
  }
  if (content instanceof Y.ContentDeleted) return;
  if (!(content instanceof Y.ContentAny)) throw invalid('a value that is not plain JSON');
  // What an undo manager keeps of the values that a key had is one item; a key's present value is alone.
  if (item.length > LIMITS.run) throw invalid(`${item.length} values in one change, at most ${LIMITS.run} are accepted`);
  if (item.length > 1 && !covers(ds, item)) throw invalid('a key with several values');
  for (const value of content.arr) {
    if (!isShallow(value, LIMITS.depth)) throw invalid(`a value nested deeper than ${LIMITS.depth}, or one that is not plain JSON`);
  }
}

/** Whether the update deletes all of the item. */
function covers(ds: Decoded['ds'], item: Y.Item): boolean {
  const ranges = ds.clients.get(item.id.client) ?? [];
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { clock, len } = ranges[middle]!;
    if (item.id.clock < clock) high = middle - 1;
    else if (item.id.clock >= clock + len) low = middle + 1;
    else return endOf(item) <= clock + len;
  }
  return false;
}

function checkDeletions(ds: Decoded['ds'], doc: Y.Doc, ends: ReadonlyMap<number, number>): void {
  for (const [client, ranges] of ds.clients) {
    const last = ranges.at(-1);
    const end = ends.get(client) ?? Y.getState(doc.store, client);
    if (last && last.clock + last.len > end) throw new GapError(`client ${client}: expected deletions before clock ${end}`);
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  // With a field named constructor it would pass for something else, and Yjs could not write it again.
  if (depth === 0 || !(Array.isArray(value) || value.constructor === Object)) return false;
  return Object.values(value).every((inner) => isShallow(inner, depth - 1));
}

/** Whether the document waits for something that an update referred to and nobody has sent. */
export function isWaiting({ store }: Y.Doc): boolean {
  return store.pendingStructs !== null || store.pendingDs !== null;
}

export function invalid(message: string): Violation {
  return new Violation(CLOSE.invalidUpdate, message);
}
