import * as Y from 'yjs';
import { BOARD_MAPS } from '../../lib/board/board-doc.ts';

type DeleteSet = ReturnType<typeof Y.createDeleteSet>;

/** What an edit left under a key; null where it removed it. */
export interface Change {
  map: string;
  key: string;
  value: unknown;
}

/** One transaction of one tab: what Yjs calls it by, and what it did. */
export interface Edit {
  clientId: number;
  /** the next clock of the client after it: whoever knows the client up to here has what it wrote; 0 where it only deleted */
  clock: number;
  deleted: DeleteSet;
  changes: Change[];
}

/** As a tab's own document saw it. */
export function editOf(transaction: Y.Transaction): Edit {
  const { doc, deleteSet, beforeState, afterState } = transaction;
  const changes: Change[] = [];
  for (const map of BOARD_MAPS) {
    const type = doc.getMap(map);
    for (const key of transaction.changed.get(type as unknown as Y.AbstractType<Y.YEvent<Y.AbstractType<unknown>>>) ?? []) {
      if (key !== null) changes.push({ map, key, value: type.get(key) ?? null });
    }
  }
  const { clientID } = doc;
  const clock = afterState.get(clientID) ?? 0;
  // One that only deletes may be stored before older ones that waited for a connection: it promises nothing about them.
  const hasWritten = clock > (beforeState.get(clientID) ?? 0);
  return { clientId: clientID, clock: hasWritten ? clock : 0, deleted: deleteSet, changes };
}

interface History {
  /** JSON of each value, in the order in which the one tab that writes this key gave it */
  values: string[];
  /** index of the last one that the server acknowledged; −1 before the first */
  acknowledged: number;
}

const NOTHING = 'null';

/**
 * Everything that a server promised to keep of one room's document. An edit counts once its acknowledgement
 * was read; what it wrote must then be in every later state of the room, whatever happened in between. It is
 * known twice over: by the structs and deletions of Yjs, and by the values of keys that one tab alone writes.
 */
export class Ledger {
  edits = 0;
  acknowledged = 0;
  /** those that had to wait for another connection, each time */
  resent = 0;
  /** by client id, the highest clock that was acknowledged */
  readonly #clocks = new Map<number, number>();
  #deleted: DeleteSet[] = [];
  readonly #histories = new Map<string, History>();
  readonly #entries = new Map<Edit, [History, number][]>();

  /** `owns`: no other tab ever writes this key. */
  made(edit: Edit, owns: (change: Change) => boolean): void {
    this.edits += 1;
    const entries: [History, number][] = [];
    for (const change of edit.changes) {
      if (!owns(change)) continue;
      const key = `${change.map} ${change.key}`;
      const history = this.#histories.get(key) ?? { values: [], acknowledged: -1 };
      this.#histories.set(key, history);
      entries.push([history, history.values.push(json(change.value)) - 1]);
    }
    this.#entries.set(edit, entries);
  }

  acknowledge(edit: Edit): void {
    this.acknowledged += 1;
    this.#clocks.set(edit.clientId, Math.max(edit.clock, this.#clocks.get(edit.clientId) ?? 0));
    if (edit.deleted.clients.size > 0) this.#deleted.push(edit.deleted);
    for (const [history, index] of this.#entries.get(edit) ?? []) history.acknowledged = Math.max(index, history.acknowledged);
    this.#entries.delete(edit);
  }

  /** What was acknowledged until now, to be looked for in what is read from now on: a line for each that is missing. */
  promise(): (doc: Y.Doc) => string[] {
    const clocks = new Map(this.#clocks);
    const deleted = Y.mergeDeleteSets(this.#deleted);
    this.#deleted = [deleted];
    const values = [...this.#histories].map(([key, history]) => ({ key, history, acknowledged: history.acknowledged }));
    return (doc) => [...missingStructs(doc, clocks), ...missingDeletions(doc, deleted), ...wrongValues(doc, values)];
  }
}

function missingStructs({ store }: Y.Doc, clocks: ReadonlyMap<number, number>): string[] {
  const missing = [...clocks].filter(([client, clock]) => Y.getState(store, client) < clock);
  return missing.map(([client, clock]) => `client ${client}: acknowledged up to ${clock}, kept up to ${Y.getState(store, client)}`);
}

function missingDeletions({ store }: Y.Doc, deleted: DeleteSet): string[] {
  const kept = Y.createDeleteSetFromStructStore(store);
  if (Y.equalDeleteSets(Y.mergeDeleteSets([kept, deleted]), kept)) return [];
  return ['deletions: expected all that were acknowledged, got fewer'];
}

function wrongValues(doc: Y.Doc, values: readonly { key: string; history: History; acknowledged: number }[]): string[] {
  return values.flatMap(({ key, history, acknowledged }) => {
    const [map = '', name = ''] = key.split(' ');
    const value = json(doc.getMap(map).get(name));
    // Later ones were on their way, and may have arrived or not.
    const allowed = acknowledged < 0 ? [NOTHING, ...history.values] : history.values.slice(acknowledged);
    return allowed.includes(value) ? [] : [`${key}: expected ${allowed.join(' or ')}, got ${value}`];
  });
}

function json(value: unknown): string {
  return JSON.stringify(value ?? null);
}
