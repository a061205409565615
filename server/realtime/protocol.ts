import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync';
import { MESSAGE_PERSISTED } from '../../lib/wire.ts';

/**
 * The y-websocket protocol. A frame is one message: a type, then
 *   0 sync        step 1 (state vector), step 2 (update: what the other lacks) or 2 (update)
 *   1 awareness   a length and entries of client id, clock and state as JSON (`null` = gone)
 *   3 query       asks for everybody's awareness
 *   100 persisted (server to client) how many of this connection's sync messages that carry an update, in the
 *                 order in which it sent them, are in the log; step 2 counts like any other
 */
export const MESSAGE = { sync: 0, awareness: 1, auth: 2, query: 3, persisted: MESSAGE_PERSISTED } as const;

export interface AwarenessEntry {
  clientId: number;
  clock: number;
  /** JSON */
  state: string;
}

export type ClientMessage =
  | { type: 'step1'; stateVector: Uint8Array }
  | { type: 'update'; update: Uint8Array; answersStep1: boolean }
  | { type: 'awareness'; entries: AwarenessEntry[] }
  | { type: 'query' };

/** Throws on anything that is no message of a client. */
export function readMessage(frame: Uint8Array): ClientMessage {
  const decoder = decoding.createDecoder(frame);
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case MESSAGE.sync:
      return readSync(decoder);
    case MESSAGE.awareness:
      return { type: 'awareness', entries: readEntries(decoding.readVarUint8Array(decoder)) };
    case MESSAGE.query:
      return { type: 'query' };
    default:
      throw new Error(`message type: expected 0, 1 or 3, got ${type}`);
  }
}

function readSync(decoder: decoding.Decoder): ClientMessage {
  const step = decoding.readVarUint(decoder);
  switch (step) {
    case messageYjsSyncStep1:
      return { type: 'step1', stateVector: decoding.readVarUint8Array(decoder) };
    case messageYjsSyncStep2:
    case messageYjsUpdate:
      return { type: 'update', update: decoding.readVarUint8Array(decoder), answersStep1: step === messageYjsSyncStep2 };
    default:
      throw new Error(`sync message: expected 0, 1 or 2, got ${step}`);
  }
}

function readEntries(bytes: Uint8Array): AwarenessEntry[] {
  const decoder = decoding.createDecoder(bytes);
  const count = decoding.readVarUint(decoder);
  const entries: AwarenessEntry[] = [];
  for (let index = 0; index < count; index++) {
    entries.push({
      clientId: decoding.readVarUint(decoder),
      clock: decoding.readVarUint(decoder),
      state: decoding.readVarString(decoder),
    });
  }
  return entries;
}

export function writeStep1(stateVector: Uint8Array): Uint8Array {
  return writeSync(messageYjsSyncStep1, stateVector);
}

export function writeStep2(update: Uint8Array): Uint8Array {
  return writeSync(messageYjsSyncStep2, update);
}

export function writeUpdate(update: Uint8Array): Uint8Array {
  return writeSync(messageYjsUpdate, update);
}

function writeSync(step: number, payload: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.sync);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, payload);
  });
}

export function writeAwareness(entries: readonly AwarenessEntry[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.awareness);
    encoding.writeVarUint8Array(
      encoder,
      encoding.encode((inner) => {
        encoding.writeVarUint(inner, entries.length);
        for (const { clientId, clock, state } of entries) {
          encoding.writeVarUint(inner, clientId);
          encoding.writeVarUint(inner, clock);
          encoding.writeVarString(inner, state);
        }
      }),
    );
  });
}

export function writePersisted(count: number): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.persisted);
    encoding.writeVarUint(encoder, count);
  });
}
