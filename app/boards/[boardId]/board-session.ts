'use client';
import * as decoding from 'lib0/decoding';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { Undo } from '@/lib/board/undo.ts';
import { UnsavedEdits } from '@/lib/board/unsaved-edits.ts';
import { MESSAGE_EPOCH, MESSAGE_NEWS, MESSAGE_PERSISTED } from '@/lib/board/protocol.ts';
import { LocalCopy } from './local-copy.ts';
import { editOf, type OwnEdit } from './own-edits.ts';
import { UnsavedStore } from './unsaved-store.ts';

/** 1012 and 1013 of RFC 6455's registry: the provider connects again by itself. */
const TROUBLES: Record<number, 'restarting' | 'overloaded'> = { 1012: 'restarting', 1013: 'overloaded' };

/** Presence goes to everybody each time, so that it is kept short. */
const LONGEST_PLACE = 1500;

export interface Connection {
  status: 'connecting' | 'connected' | 'offline' | 'closed';
  /** what the server said about itself when it closed, while it is being waited for */
  trouble: 'restarting' | 'overloaded' | null;
  /** both documents have been received at least once */
  ready: boolean;
  /** own edits the server has not stored yet */
  unsaved: number;
}

/** The server closed for good: 44xx. */
export interface Closing {
  code: number;
  reason: string;
  of: 'board' | 'discussion';
}

interface SessionOptions {
  boardId: string;
  personId: string;
  /** whether this person may write the board document; one who may not has no edits to keep */
  editable: boolean;
  onClosed: (closing: Closing) => void;
  /** edits from an earlier visit that this document cannot take */
  onStale: (edits: OwnEdit[]) => void;
}

/** Both documents of a board and their sockets, from opening the board to leaving it or to its starting afresh. */
export class BoardSession {
  readonly boardDoc = new Y.Doc();
  readonly discussionDoc = new Y.Doc();
  readonly board: WebsocketProvider;
  readonly discussion: WebsocketProvider;
  readonly undo: Undo;
  readonly editable: boolean;
  #connection: Connection = { status: 'connecting', trouble: null, ready: false, unsaved: 0 };
  #unsaved = new UnsavedEdits<OwnEdit>();
  #copy: LocalCopy;
  #store: UnsavedStore;
  #epochs: Record<Closing['of'], number | null> = { board: null, discussion: null };
  #stored = true;
  #ended = false;
  #listeners = new Set<() => void>();
  #newsListeners = new Set<() => void>();

  constructor(private readonly options: SessionOptions) {
    const { boardId, personId, editable } = options;
    this.editable = editable;
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/collab`;
    // Windows of one browser may belong to different people, so they meet through the server alone.
    const shared = { disableBc: true, connect: false };
    const WebSocketPolyfill = reportingSocket(this.#unsaved);
    this.board = new WebsocketProvider(url, `board/${boardId}`, this.boardDoc, { ...shared, WebSocketPolyfill });
    this.discussion = new WebsocketProvider(url, `discussion/${boardId}`, this.discussionDoc, shared);
    this.undo = new Undo(this.boardDoc);
    this.#copy = new LocalCopy(personId, boardId, this.boardDoc);
    this.#store = new UnsavedStore(personId, boardId, this.boardDoc.clientID);
    this.#watchUnsaved();
    this.#watchSocket('board', this.board);
    this.#watchSocket('discussion', this.discussion);
    void this.#open();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Own edits that the server has not stored, oldest first. */
  get unsavedEdits(): OwnEdit[] {
    return this.#unsaved.edits;
  }

  /** Whether closing the tab now would lose edits. */
  get isAtRisk(): boolean {
    return this.#unsaved.count > 0 && !(this.#copy.isKept && this.#stored);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Tells the others what is selected and, for who follows, the address's search part. */
  look(selection: string | null, search: string): void {
    const place = search.length <= LONGEST_PLACE ? search : null;
    this.board.awareness.setLocalState({ ...this.board.awareness.getLocalState(), selection, place });
  }

  hover(anchor: string | null): void {
    this.board.awareness.setLocalStateField('hover', anchor);
  }

  /** Told when notifications or marks of this person may have changed: the server said so, or was away. */
  onNews = (listener: () => void): (() => void) => {
    this.#newsListeners.add(listener);
    return () => this.#newsListeners.delete(listener);
  };

  connect(): void {
    if (this.#ended) return;
    this.board.connect();
    this.discussion.connect();
  }

  disconnect(): void {
    this.board.disconnect();
    this.discussion.disconnect();
    this.#refresh();
  }

  /** The server will not have this session any more. */
  markClosed(): void {
    this.disconnect();
    this.#set({ status: 'closed', trouble: null });
  }

  /** This document's edits will never be sent: they are somebody else's to keep now. */
  async abandon(): Promise<void> {
    this.#ended = true;
    this.disconnect();
    this.#store.write(null, []);
    await this.#copy.remove();
  }

  destroy(): void {
    this.#ended = true;
    this.undo.destroy();
    for (const provider of [this.board, this.discussion]) provider.destroy();
    void this.#copy.close();
    this.boardDoc.destroy();
    this.discussionDoc.destroy();
  }

  /** What this browser kept comes first, so that the first exchange with the server catches it up, too. */
  async #open(): Promise<void> {
    const { editable, onStale } = this.options;
    const known = this.#copy.epoch;
    if (editable && known !== null) {
      await this.#copy.load(known);
      if (this.#copy.isKept) this.#hold('board', known);
    }
    if (this.#ended) return;
    const { current, stale } = this.#store.adopt(this.#copy.isKept ? known : null);
    for (const edit of current) this.#unsaved.add(edit, false);
    this.#tell();
    if (stale.length > 0) onStale(stale);
    if (!editable) await this.#copy.remove();
    this.connect();
  }

  #watchUnsaved(): void {
    const { board, boardDoc } = this;
    // The provider listened first, so the edit's message has been sent by now.
    boardDoc.on('update', (_update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (origin === board || this.#copy.isOrigin(origin)) return;
      this.#unsaved.add(editOf(transaction, Date.now()), board.wsconnected);
      this.#tell();
    });
    board.messageHandlers[MESSAGE_PERSISTED] = (_encoder, decoder) => {
      this.#unsaved.stored(decoding.readVarUint(decoder));
      this.#tell();
    };
  }

  #watchSocket(of: Closing['of'], provider: WebsocketProvider): void {
    provider.messageHandlers[MESSAGE_EPOCH] = (_encoder, decoder) => {
      const epoch = decoding.readVarUint(decoder);
      if (this.#epochs[of] !== null) return;
      this.#hold(of, epoch);
      if (of === 'board' && this.options.editable) void this.#copy.load(epoch).then(() => this.#tell());
    };
    provider.on('status', () => this.#refresh());
    provider.on('sync', (synced: boolean) => {
      this.#refresh();
      if (synced && of === 'discussion') this.#tellNews();
    });
    provider.messageHandlers[MESSAGE_NEWS] = () => this.#tellNews();
    provider.on('connection-close', (event) => {
      const trouble = TROUBLES[event?.code ?? 0];
      if (trouble) this.#set({ trouble });
    });
    provider.on('closed', ({ code, reason }) => {
      if (!this.#ended && this.#connection.status !== 'closed') this.options.onClosed({ code, reason, of });
    });
  }

  /** From now on the server is asked for the room as it was in this epoch, or to refuse. */
  #hold(of: Closing['of'], epoch: number): void {
    this.#epochs[of] = epoch;
    this[of].params = { epoch: String(epoch) };
  }

  #tell(): void {
    this.#stored = this.#store.write(this.#epochs.board, this.#unsaved.edits);
    this.#set({ unsaved: this.#unsaved.count });
  }

  #tellNews(): void {
    for (const listener of this.#newsListeners) listener();
  }

  #refresh(): void {
    if (this.#connection.status === 'closed') return;
    const synced = this.board.synced && this.discussion.synced;
    const ready = this.#connection.ready || synced;
    this.#set({
      ready,
      status: synced ? 'connected' : ready ? 'offline' : 'connecting',
      trouble: synced ? null : this.#connection.trouble,
    });
  }

  #set(change: Partial<Connection>): void {
    this.#connection = { ...this.#connection, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** A socket that tells what it sends. */
function reportingSocket(unsaved: UnsavedEdits<OwnEdit>): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      unsaved.opened();
    }

    override send(frame: Uint8Array<ArrayBuffer>): void {
      unsaved.sending(frame);
      super.send(frame);
    }
  };
}
