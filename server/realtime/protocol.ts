import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync';
import { MESSAGE_EPOCH, MESSAGE_NEWS, MESSAGE_PERSISTED } from '../../lib/wire.ts';

/**
 * The y-websocket protocol. A frame is one message: a type, then
 *   0 sync        step 1 (state vector), step 2 (update: what the other lacks) or 2 (update)
 *   1 awareness   a length and entries of client id, clock and state as JSON (`null` = gone)
 *   3 query       asks for everybody's awareness
 *   100 persisted (server to client) how many of this connection's sync messages that carry an update, in the
 *                 order in which it sent them, are in the log; step 2 counts like any other
 *   101 epoch     (server to client, first of all) the room's epoch
 *   102 news      (server to client, in discussions) notifications or marks of this person changed
 */
export const MESSAGE = {
  sync: 0,
  awareness: 1,
  auth: 2,
  query: 3,
  persisted: MESSAGE_PERSISTED,
  epoch: MESSAGE_EPOCH,
  news: MESSAGE_NEWS,
} as const;

export interface AwarenessEntry {
  clientId: number;
  clock: number;
  /** JSON */
  state: string;
}

export type ClientMessage =
  | { type: 'step1'; stateVector: Uint8Array }
  | { type: 'update'; update: Uint8Array; answersStep1: boolean }
  | { type: 'awareness'; entries: Uint8Array }
  | { type: 'query' };

/** Throws on anything that is no message of a client. */
export function readMessage(frame: Uint8Array): ClientMessage {
  const decoder = decoding.createDecoder(frame);
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case MESSAGE.sync:
      return readSync(decoder);
    case MESSAGE.awareness:
      return { type: 'awareness', entries: decoding.readVarUint8Array(decoder) };
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

/**
 * Those entries that `wanted` asks for. A provider sends back whatever it hears of others, so that most of what
 * comes is passed over without being read. Throws on bytes that hold no entries.
 */
export function readEntries(bytes: Uint8Array, wanted: (clientId: number) => boolean): AwarenessEntry[] {
  const decoder = decoding.createDecoder(bytes);
  const count = decoding.readVarUint(decoder);
  const entries: AwarenessEntry[] = [];
  for (let index = 0; index < count; index++) {
    const clientId = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const state = decoding.readVarUint8Array(decoder);
    if (wanted(clientId)) entries.push({ clientId, clock, state: utf8.decode(state) });
  }
  return entries;
}

const utf8 = new TextDecoder();

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
  return joinEntries(entries.map(writeEntry));
}

/** One entry as {@link joinEntries} takes it: written once, however many frames it goes into. */
export function writeEntry({ clientId, clock, state }: AwarenessEntry): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, clientId);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarString(encoder, state);
  });
}

export function joinEntries(entries: readonly Uint8Array[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, MESSAGE.awareness);
    encoding.writeVarUint8Array(
      encoder,
      encoding.encode((inner) => {
        encoding.writeVarUint(inner, entries.length);
        for (const entry of entries) encoding.writeUint8Array(inner, entry);
      }),
    );
  });
}

export function writePersisted(count: number): Uint8Array {
  return writeNumber(MESSAGE.persisted, count);
}

export function writeEpoch(epoch: number): Uint8Array {
  return writeNumber(MESSAGE.epoch, epoch);
}

export function writeNews(): Uint8Array {
  return encoding.encode((encoder) => encoding.writeVarUint(encoder, MESSAGE.news));
}

function writeNumber(type: number, value: number): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    encoding.writeVarUint(encoder, value);
  });
}
