import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';

/** Yjs updates and frames that no client of ours would make. All of them are bytes, ready before an attack begins. */

const MAP = 'labels';
/** Of Yjs's encoding, version 1. */
const REF = { gc: 0, deleted: 1, json: 2, any: 8 } as const;
const HAS_KEY = 0x20;
const HAS_RIGHT = 0x40;
const HAS_LEFT = 0x80;

type Write = (encoder: encoding.Encoder) => void;

export interface Id {
  client: number;
  clock: number;
}

/** One struct as it is written; `values` are those of its content. */
export interface Struct {
  ref: (typeof REF)[keyof typeof REF];
  values: readonly unknown[];
  /** of the root type; the parent of an item with a neighbour is that of the neighbour */
  map?: string;
  /** null: an item of a list */
  key?: string | null;
  left?: Id;
  right?: Id;
  /** in place of a map's name: an item whose content is the parent */
  inside?: Id;
  /** of deleted content and GC; default: the number of values */
  length?: number;
}

export function encode(write: Write): Uint8Array {
  return encoding.encode(write);
}

export function writeId(encoder: encoding.Encoder, { client, clock }: Id): void {
  encoding.writeVarUint(encoder, client);
  encoding.writeVarUint(encoder, clock);
}

export function writeCount(encoder: encoding.Encoder, count: number): void {
  encoding.writeVarUint(encoder, count);
}

/** An update of these structs, a block for each client, and of ranges that it deletes. */
export function updateOf(
  blocks: readonly { client: number; clock: number; structs: readonly Struct[] }[],
  deletes: readonly { client: number; ranges: readonly { clock: number; length: number }[] }[] = [],
): Uint8Array {
  return encode((encoder) => {
    encoding.writeVarUint(encoder, blocks.length);
    for (const { client, clock, structs } of blocks) {
      encoding.writeVarUint(encoder, structs.length);
      writeId(encoder, { client, clock });
      for (const struct of structs) writeStruct(encoder, struct);
    }
    encoding.writeVarUint(encoder, deletes.length);
    for (const { client, ranges } of deletes) {
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, ranges.length);
      for (const { clock, length } of ranges) {
        encoding.writeVarUint(encoder, clock);
        encoding.writeVarUint(encoder, length);
      }
    }
  });
}

function writeStruct(encoder: encoding.Encoder, { ref, values, map = MAP, key = null, left, right, inside, length }: Struct): void {
  const hasNeighbour = left !== undefined || right !== undefined;
  const flags = (key === null ? 0 : HAS_KEY) | (left ? HAS_LEFT : 0) | (right ? HAS_RIGHT : 0);
  encoding.writeUint8(encoder, ref === REF.gc ? REF.gc : ref | flags);
  if (ref !== REF.gc) {
    if (left) writeId(encoder, left);
    if (right) writeId(encoder, right);
    if (!hasNeighbour) {
      encoding.writeVarUint(encoder, inside ? 0 : 1);
      if (inside) writeId(encoder, inside);
      else encoding.writeVarString(encoder, map);
      if (key !== null) encoding.writeVarString(encoder, key);
    }
  }
  if (ref === REF.gc || ref === REF.deleted) {
    encoding.writeVarUint(encoder, length ?? values.length);
    return;
  }
  encoding.writeVarUint(encoder, length ?? values.length);
  for (const value of values) {
    if (ref === REF.json) encoding.writeVarString(encoder, jsonOf(value));
    else encoding.writeAny(encoder, value as Parameters<typeof encoding.writeAny>[1]);
  }
}

export const any = (key: string, ...values: unknown[]): Struct => ({ ref: REF.any, values, key });
export const gc = (length: number): Struct => ({ ref: REF.gc, values: [], length });
export const deleted = (key: string, length: number): Struct => ({ ref: REF.deleted, values: [], key, length });

/** A map in a map in a map, and the few bytes that delete the outermost: Yjs deletes them one inside the other. */
export function depthBomb(depth: number, client: number): { bomb: Uint8Array; fuse: Uint8Array } {
  const doc = new Y.Doc();
  doc.clientID = client;
  const parts: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => parts.push(update));
  doc.transact(() => {
    let map: Y.Map<unknown> = doc.getMap(MAP);
    for (let level = 0; level < depth; level++) {
      const inner = new Y.Map<unknown>();
      map.set('inner', inner);
      map = inner;
    }
  });
  const [bomb] = parts;
  if (!bomb) throw new Error('depth bomb: expected an update, got none');
  return { bomb, fuse: updateOf([], [{ client, ranges: [{ clock: 0, length: 1 }] }]) };
}

/** An item whose value is a list in a list in a list. */
export function deepValue(depth: number, client: number): Uint8Array {
  // 117 says that a list follows, 1 how many are in it; the last one is empty.
  const levels = new Uint8Array(2 * depth).map((_, index) => (index % 2 === 0 ? 117 : 1));
  const flat = updateOf([{ client, clock: 0, structs: [any('deep', [])] }]);
  // The empty list and the empty delete set are the last three bytes.
  return joined(flat.subarray(0, -3), levels, flat.subarray(-3));
}

/** A list of numbers. */
export function longList(items: number, client: number): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = client;
  doc.getArray('list').push(Array.from({ length: items }, (_, item) => item));
  return Y.encodeStateAsUpdate(doc);
}

/** Updates each of which builds on one before; without the first, nobody can apply them. */
export function withoutTheFirst(count: number, size: number, client: number): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = client;
  const parts: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => parts.push(update));
  for (let part = 0; part <= count; part++) doc.getMap(MAP).set(`gap ${part}`, 'x'.repeat(size));
  return parts.slice(1);
}

/** Values under one key that know of each other nothing: Yjs looks through all of them to place each. */
export function crowdedKey(count: number, client: number, clock = 0): Uint8Array {
  return updateOf([{ client, clock, structs: Array.from({ length: count }, (_, value) => any('crowded', value)) }]);
}

/** As {@link crowdedKey}, each under a client id of its own. */
export function crowdOfClients(count: number, firstClient: number): Uint8Array {
  // Yjs writes the highest client first.
  return updateOf(
    Array.from({ length: count }, (_, index) => ({ client: firstClient + count - index, clock: 0, structs: [any('crowded', index)] })),
  );
}

/** Ranges that are deleted, one struct each. */
export function manyDeletes(count: number, client: number, length = 1): Uint8Array {
  return updateOf([], [{ client, ranges: Array.from({ length: count }, (_, index) => ({ clock: index, length })) }]);
}

export function stateVectorOf(entries: number): Uint8Array {
  return encode((encoder) => {
    encoding.writeVarUint(encoder, entries);
    for (let client = 1; client <= entries; client++) writeId(encoder, { client, clock: 0 });
  });
}

/** A frame of the protocol: a type and what follows it. */
export function frame(type: number, ...rest: (number | Uint8Array | { raw: Uint8Array })[]): Uint8Array {
  return encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    for (const part of rest) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part);
      else if ('raw' in part) encoding.writeUint8Array(encoder, part.raw);
      else encoding.writeVarUint8Array(encoder, part);
    }
  });
}

/** A frame of presence. */
export function presenceOf(entries: readonly { clientId: number; clock: number; state: string }[]): Uint8Array {
  return frame(
    1,
    encode((encoder) => {
      encoding.writeVarUint(encoder, entries.length);
      for (const { clientId, clock, state } of entries) {
        writeId(encoder, { client: clientId, clock });
        encoding.writeVarString(encoder, state);
      }
    }),
  );
}

/** A number of `bytes` bytes, most of them saying that more follow. */
export function endlessNumber(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0xff);
}

export function varUint(value: number): Uint8Array {
  return encode((encoder) => encoding.writeVarUint(encoder, value));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'undefined';
}
