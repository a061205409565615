import * as Y from 'yjs';
import { costOf } from './cost.ts';
import { isWaiting } from './legality.ts';
import type { LogRow, Reading } from './statements.ts';

/** What of a room's log does not load: its snapshot, or rows. The message says why. */
export class StoredFlaw extends Error {
  constructor(
    /** null: the snapshot */
    readonly rows: readonly LogRow[] | null,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/** A row larger than this may hide what takes minutes to load. */
const SUSPICIOUS = 50_000;
/** See cost.ts: about a second. */
const STEPS = 2_000_000;

/**
 * The document that a snapshot and rows amount to. Throws a {@link StoredFlaw} for the first of them that does not
 * apply, that leaves the document waiting for ever, or with which it could not be written and read again.
 */
export function buildDoc({ snapshot, rows }: Pick<Reading, 'snapshot' | 'rows'>): Y.Doc {
  const doc = new Y.Doc();
  if (snapshot) apply(doc, snapshot.data, null);
  if (isUnsound(doc)) throw new StoredFlaw(null, 'it refers to what is not there');
  for (const row of rows) apply(doc, row.data, row);
  if (isWaiting(doc)) {
    const waiting = waitingIn(doc, rows);
    throw new StoredFlaw(waiting.length > 0 ? waiting : null, 'it builds on what is not there');
  }
  // A snapshot was proven when it was made. Of rows that no client of ours writes the document has to prove itself again.
  if (!isUnsound(doc) && (!rows.some(({ data }) => isOdd(data)) || isReadable(doc))) return doc;
  const culprit = firstUnsound({ snapshot, rows });
  throw new StoredFlaw(culprit && [culprit], 'the document cannot be written and read again with it');
}

/** Whether a row holds what an earlier server took and this one would not. */
function isOdd(data: Uint8Array): boolean {
  return Y.decodeUpdate(data).structs.some((struct) => {
    if (!(struct instanceof Y.Item)) return false;
    return (
      struct.rightOrigin !== null ||
      typeof struct.parent === 'object' ||
      (struct.length > 1 && !(struct.content instanceof Y.ContentDeleted))
    );
  });
}

function apply(doc: Y.Doc, data: Uint8Array, row: LogRow | null): void {
  try {
    if (row && data.length > SUSPICIOUS && costOf(Y.decodeUpdate(data), doc, STEPS).steps > STEPS)
      throw new Error('it takes too long to load');
    Y.applyUpdate(doc, data);
  } catch (cause) {
    throw new StoredFlaw(row && [row], cause instanceof Error ? cause.message : 'it cannot be applied', { cause });
  }
}

function isUnsound(doc: Y.Doc): boolean {
  if (isWaiting(doc)) return true;
  // Two structs of one id: Yjs applies them and cannot read them back.
  for (const structs of doc.store.clients.values()) if (structs.some(({ length }) => length < 1)) return true;
  return false;
}

/** The document as one update, which was read again and gave the same. */
export function provenState(doc: Y.Doc): Uint8Array {
  const state = Y.encodeStateAsUpdate(doc);
  if (!isReadAs(state, doc)) throw new StoredFlaw(null, 'the document cannot be written and read again');
  return state;
}

function isReadable(doc: Y.Doc): boolean {
  try {
    return isReadAs(Y.encodeStateAsUpdate(doc), doc);
  } catch {
    return false;
  }
}

function isReadAs(state: Uint8Array, doc: Y.Doc): boolean {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, state);
  return !isUnsound(copy) && Y.equalSnapshots(Y.snapshot(copy), Y.snapshot(doc));
}

/** The row that breaks the document, found by halving; null where the snapshot alone does. */
function firstUnsound({ snapshot, rows }: Pick<Reading, 'snapshot' | 'rows'>): LogRow | null {
  const breaks = (count: number): boolean => {
    const doc = new Y.Doc();
    for (const data of [...(snapshot ? [snapshot.data] : []), ...rows.slice(0, count).map((row) => row.data)]) Y.applyUpdate(doc, data);
    return isUnsound(doc) || !isReadable(doc);
  };
  if (breaks(0)) return null;
  let [sound, unsound] = [0, rows.length];
  while (unsound - sound > 1) {
    const middle = (sound + unsound) >> 1;
    if (breaks(middle)) unsound = middle;
    else sound = middle;
  }
  return rows[unsound - 1] ?? null;
}

/** The rows that hold something of what the document waits with. */
function waitingIn({ store }: Y.Doc, rows: readonly LogRow[]): LogRow[] {
  const from = new Map<number, number>();
  const note = (client: number, clock: number) => from.set(client, Math.min(clock, from.get(client) ?? clock));
  const pending = store.pendingStructs ? Y.decodeUpdateV2(store.pendingStructs.update).structs : [];
  for (const struct of pending) if (!(struct instanceof Y.Skip)) note(struct.id.client, struct.id.clock);
  const deletions = store.pendingDs ? Y.decodeUpdateV2(store.pendingDs).ds.clients : new Map<number, { clock: number; len: number }[]>();
  return rows.filter(({ data }) => {
    const { structs, ds } = Y.decodeUpdate(data);
    if (structs.some(({ id, length }) => id.clock + length > (from.get(id.client) ?? Number.POSITIVE_INFINITY))) return true;
    return [...ds.clients].some(([client, ranges]) => deletions.get(client)?.some((one) => ranges.some((range) => overlap(one, range))));
  });
}

function overlap(a: { clock: number; len: number }, b: { clock: number; len: number }): boolean {
  return a.clock < b.clock + b.len && b.clock < a.clock + a.len;
}
