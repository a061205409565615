'use client';
import * as decoding from 'lib0/decoding';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { EDIT } from '@/lib/board/board-doc.ts';
import { MESSAGE_PERSISTED } from '@/lib/wire.ts';
import { UnsavedEdits } from '@/lib/board/unsaved-edits.ts';

export interface Connection {
  status: 'connecting' | 'connected' | 'offline' | 'closed';
  /** why the server closed for good, 44xx */
  closeCode: number | null;
  /** both documents have been received at least once */
  ready: boolean;
  /** own edits the server has not stored yet */
  unsaved: number;
}

/** Both documents of a board and their sockets, from opening the board to leaving it. */
export class BoardSession {
  readonly boardDoc = new Y.Doc();
  readonly discussionDoc = new Y.Doc();
  readonly board: WebsocketProvider;
  readonly discussion: WebsocketProvider;
  readonly undo: Y.UndoManager;
  #connection: Connection = { status: 'connecting', closeCode: null, ready: false, unsaved: 0 };
  #unsaved = new UnsavedEdits();
  #listeners = new Set<() => void>();

  constructor(boardId: string) {
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/collab`;
    // Windows of one browser may belong to different people, so they meet through the server alone.
    const options = { disableBc: true, connect: false };
    const WebSocketPolyfill = reportingSocket(this.#unsaved);
    this.board = new WebsocketProvider(url, `board/${boardId}`, this.boardDoc, { ...options, WebSocketPolyfill });
    this.discussion = new WebsocketProvider(url, `discussion/${boardId}`, this.discussionDoc, options);
    this.undo = new Y.UndoManager([this.boardDoc.getMap('meta'), this.boardDoc.getMap('labels')], {
      trackedOrigins: new Set([EDIT]),
      captureTimeout: 0,
    });
    this.#watchUnsaved();
    for (const provider of [this.board, this.discussion]) {
      provider.on('status', () => this.#refresh());
      provider.on('sync', () => this.#refresh());
      provider.on('closed', ({ code }: { code: number }) => this.#set({ status: 'closed', closeCode: code }));
    }
    this.board.connect();
    this.discussion.connect();
  }

  get connection(): Connection {
    return this.#connection;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  select(path: string | null): void {
    this.board.awareness.setLocalStateField('selection', path);
  }

  destroy(): void {
    this.undo.destroy();
    for (const provider of [this.board, this.discussion]) provider.destroy();
    this.boardDoc.destroy();
    this.discussionDoc.destroy();
  }

  #watchUnsaved(): void {
    const { board, boardDoc } = this;
    const tell = () => this.#set({ unsaved: this.#unsaved.count });
    // The provider listened first, so the edit's message has been sent by now.
    boardDoc.on('update', (_update: Uint8Array, origin: unknown) => {
      if (origin === board) return;
      this.#unsaved.add(board.wsconnected);
      tell();
    });
    board.messageHandlers[MESSAGE_PERSISTED] = (_encoder, decoder) => {
      this.#unsaved.stored(decoding.readVarUint(decoder));
      tell();
    };
  }

  #refresh(): void {
    if (this.#connection.status === 'closed') return;
    const providers = [this.board, this.discussion];
    const synced = providers.every((provider) => provider.synced);
    const ready = this.#connection.ready || synced;
    this.#set({ ready, status: synced ? 'connected' : ready ? 'offline' : 'connecting' });
  }

  #set(change: Partial<Connection>): void {
    this.#connection = { ...this.#connection, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** A socket that tells what it sends. */
function reportingSocket(unsaved: UnsavedEdits): typeof WebSocket {
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
