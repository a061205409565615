import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { Author } from '../../lib/wire.ts';
import type { AwarenessEntry } from './protocol.ts';

/** Whose access changed: of one person, or of everybody; on one board, or on all. */
export interface AccessChange {
  personId: string | null;
  boardId: string | null;
}

/** What instances tell each other. Each of them is a hint: whoever misses one finds the same in the database. */
export type Notice =
  /** a batch is in the log; `previous` is the row before it, `update` is left out where it is large */
  | { type: 'stored'; room: string; previous: number; last: number; rows: number; update: Uint8Array | null }
  | { type: 'compacted'; room: string; rows: number; bytes: number }
  | { type: 'epoch'; room: string; epoch: number }
  /** who is in the room at the instance; `whole`: and nobody else is */
  | { type: 'presence'; room: string; whole: boolean; entries: AwarenessEntry[] }
  | { type: 'presence-wanted'; room: string }
  | ({ type: 'access' } & AccessChange)
  | { type: 'renamed'; person: Author }
  /** whose notifications or marks changed */
  | { type: 'news'; people: string[] };

/** A notice as it travels: who tells it, its fields as JSON, and an update as it is. */
export function writeNotice(from: string, notice: Notice): Uint8Array {
  const { update, ...fields } = { update: null, ...notice };
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, JSON.stringify({ from, fields, updated: update !== null }));
    encoding.writeVarUint8Array(encoder, update ?? new Uint8Array());
  });
}

/** Throws on bytes that another instance cannot have written. */
export function readNotice(bytes: Uint8Array): { from: string; notice: Notice } {
  const decoder = decoding.createDecoder(bytes);
  const { from, fields, updated } = JSON.parse(decoding.readVarString(decoder)) as { from: string; fields: Notice; updated: boolean };
  const update = decoding.readVarUint8Array(decoder);
  return { from, notice: fields.type === 'stored' ? { ...fields, update: updated ? update : null } : fields };
}
