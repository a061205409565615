import * as Y from 'yjs';
import { isEqual } from '../../lib/board/json.ts';

/** An update as Yjs reads it, nothing of it applied. */
export type Decoded = ReturnType<typeof Y.decodeUpdate>;
export type Struct = Decoded['structs'][number];

export function endOf({ id, length }: Struct): number {
  return id.clock + length;
}

/** The struct of the document that holds this clock; it must have one. */
export function structAt(doc: Y.Doc, client: number, clock: number): { structs: (Y.Item | Y.GC)[]; index: number; struct: Y.Item | Y.GC } {
  const structs = doc.store.clients.get(client) ?? [];
  const index = Y.findIndexSS(structs, clock);
  return { structs, index, struct: structs[index]! };
}

/** Whether the document holds all of the update already. Its ranges of deletions must be in order and apart. */
export function isKnown({ structs, ds }: Decoded, doc: Y.Doc): boolean {
  return structs.every((struct) => endOf(struct) <= Y.getState(doc.store, struct.id.client)) && areDeleted(ds, doc);
}

function areDeleted(ds: Decoded['ds'], doc: Y.Doc): boolean {
  for (const [client, ranges] of ds.clients) {
    const state = Y.getState(doc.store, client);
    for (const { clock, len } of ranges) {
      if (clock + len > state) return false;
      const { structs, index } = structAt(doc, client, clock);
      for (let at = index; at < structs.length && structs[at]!.id.clock < clock + len; at++) if (!structs[at]!.deleted) return false;
    }
  }
  return true;
}

/**
 * Whether a struct says something else than the one that the document has under its id: two documents write under
 * one client id, and each would take its own for stored.
 */
export function contradicts(struct: Struct, doc: Y.Doc): boolean {
  const { client, clock } = struct.id;
  if (!(struct instanceof Y.Item) || endOf(struct) > Y.getState(doc.store, client)) return false;
  const { struct: known } = structAt(doc, client, clock);
  // What was merged or collected has forgotten what it said.
  if (!(known instanceof Y.Item) || known.id.clock !== clock) return false;
  if (!Y.compareIDs(struct.origin, known.origin)) return true;
  if (struct.parentSub !== null && struct.parentSub !== known.parentSub) return true;
  const [said, stored] = [struct.content, known.content];
  return (
    said instanceof Y.ContentAny &&
    stored instanceof Y.ContentAny &&
    said.arr.length === stored.arr.length &&
    !isEqual(said.arr, stored.arr)
  );
}
