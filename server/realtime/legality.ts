import * as Y from 'yjs';
import { BOARD_MAPS } from '../../lib/board/board-doc.ts';
import { CLOSE } from '../../lib/wire.ts';

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
  /** of one room's state, in bytes */
  room: 32_000_000,
  structs: 50_000,
  /** client ids that are new, in one update; each is remembered for ever */
  clients: 1000,
  /** of a value's arrays and objects */
  depth: 16,
  key: 200,
  clock: 1_000_000_000,
  /** of one person's presence, in bytes of JSON */
  presence: 4_000,
  connectionsPerRoom: 300,
} as const;

/** For each kind of room, the maps that clients may write. None means that they may only read. */
export const WRITABLE: Record<'board' | 'discussion', readonly string[]> = {
  board: BOARD_MAPS,
  discussion: [],
};

export type Writers = ReadonlyMap<number, string | null>;

/**
 * Judges an update before anything applies it. Documents of ours are maps of plain JSON values, so shared types
 * inside shared types, which can be nested until nobody can load them, have no business here.
 * Returns the client ids that the person writes under for the first time.
 */
export function checkUpdate(update: Uint8Array, doc: Y.Doc, maps: readonly string[], writers: Writers, personId: string): number[] {
  const { structs } = decode(update);
  if (structs.length > LIMITS.structs) throw invalid(`${structs.length} changes in one update, at most ${LIMITS.structs} are accepted`);
  const next = new Map<number, number>();
  const fresh = new Set<number>();
  for (const struct of structs) {
    const { client, clock } = struct.id;
    const known = Y.getState(doc.store, client);
    const expected = next.get(client) ?? known;
    if (struct instanceof Y.Skip || clock > expected) throw new GapError(`client ${client}: expected clock ${expected}, got ${clock}`);
    const end = clock + struct.length;
    if (end > LIMITS.clock) throw invalid(`client ${client} has made more than ${LIMITS.clock} changes`);
    next.set(client, Math.max(expected, end));
    if (end <= known) continue;
    if (!writers.has(client)) fresh.add(client);
    else if (writers.get(client) !== personId) throw invalid(`client id ${client} belongs to somebody else`);
    if (struct instanceof Y.Item) checkItem(struct, maps);
  }
  if (fresh.size > LIMITS.clients) throw invalid(`${fresh.size} new client ids in one update, at most ${LIMITS.clients} are accepted`);
  return [...fresh];
}

function decode(update: Uint8Array): ReturnType<typeof Y.decodeUpdate> {
  try {
    return Y.decodeUpdate(update);
  } catch {
    throw invalid('bytes that are no Yjs update');
  }
}

function checkItem(item: Y.Item, maps: readonly string[]): void {
  // An item without a parent takes that of its neighbour, which has passed this check.
  const parent: unknown = item.parent;
  if (parent !== null) {
    if (typeof parent !== 'string') throw invalid('a change inside a nested shared type');
    if (!maps.includes(parent)) throw invalid(`a change of ${JSON.stringify(parent.slice(0, 40))}, writable are: ${maps.join(', ')}`);
    if (item.parentSub === null) throw invalid(`a list item in the map ${parent}`);
    if (item.parentSub.length > LIMITS.key) throw invalid(`a key of ${item.parentSub.length} characters, at most ${LIMITS.key}`);
  }
  const { content } = item;
  if (content instanceof Y.ContentDeleted) return;
  if (!(content instanceof Y.ContentAny)) throw invalid('a value that is not plain JSON');
  for (const value of content.arr) {
    if (!isShallow(value, LIMITS.depth)) throw invalid(`a value nested deeper than ${LIMITS.depth}, or one that is not plain JSON`);
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if (depth === 0 || value instanceof Uint8Array) return false;
  return Object.values(value).every((inner) => isShallow(inner, depth - 1));
}

/** Throws when the document waits for something that the update referred to and nobody has sent. */
export function checkComplete(doc: Y.Doc): void {
  if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null)
    throw new GapError('the update builds on changes that are missing');
}

export function invalid(message: string): Violation {
  return new Violation(CLOSE.invalidUpdate, message);
}
