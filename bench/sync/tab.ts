import * as decoding from 'lib0/decoding';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import type { Awareness } from 'y-protocols/awareness';
import * as OurYjs from 'yjs';
import { MESSAGE_EPOCH, MESSAGE_PERSISTED } from '../../lib/wire.ts';

/** Where a client connects, and with what. */
export interface Address {
  /** `ws://…` without the room */
  url: string;
  room: string;
  /** the page's, as a browser would tell */
  origin: string;
  cookie: string | null;
}

/** A client with a board open, whatever its provider. */
export interface Tab {
  doc: OurYjs.Doc;
  awareness: Awareness;
  /** resolves when the document is there; rejects when the server turns the client away */
  synced: Promise<void>;
  /** told how many of this connection's updates are in the log, the first answer to the server included */
  onPersisted: ((count: number) => void) | null;
  /** connections that ended without being closed here */
  losses: number;
  close(): void;
}

/** The provider that browsers use with Pathboard; @y/websocket-server speaks the same protocol. */
export function openTab({ url, room, origin, cookie }: Address): Tab {
  const doc = new OurYjs.Doc();
  const provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: socketOf(origin, cookie), disableBc: true });
  const tab: Tab = {
    doc,
    awareness: provider.awareness,
    synced: new Promise((resolve, reject) => {
      provider.once('sync', () => resolve());
      provider.once('closed', ({ code, reason }) => reject(new Error(`${room}: closed with ${code} ${reason}`)));
    }),
    onPersisted: null,
    losses: 0,
    close() {
      provider.destroy();
      doc.destroy();
    },
  };
  provider.messageHandlers[MESSAGE_PERSISTED] = (_, decoder) => tab.onPersisted?.(decoding.readVarUint(decoder));
  provider.messageHandlers[MESSAGE_EPOCH] = (_, decoder) => void decoding.readVarUint(decoder);
  provider.on('connection-close', () => (tab.losses += 1));
  return tab;
}

/** A browser sends the page's origin and its cookies; Node's socket must be told. */
function socketOf(origin: string, cookie: string | null): typeof globalThis.WebSocket {
  class BrowserSocket extends WebSocket {
    constructor(url: string | URL) {
      super(url, { origin, perMessageDeflate: false, headers: cookie === null ? {} : { cookie } });
    }
  }
  return BrowserSocket as unknown as typeof globalThis.WebSocket;
}

/** What peers/hocuspocus/client.mjs exports, as far as it is used here. */
interface HocuspocusClient {
  Y: typeof OurYjs;
  HocuspocusProviderWebsocket: new (options: { url: string; WebSocketPolyfill: unknown }) => { destroy(): void };
  HocuspocusProvider: new (options: { name: string; document: OurYjs.Doc; websocketProvider: object }) => {
    awareness: Awareness;
    attach(): void;
    destroy(): void;
    on(event: 'synced' | 'close', listener: () => void): void;
  };
}

/** Hocuspocus's own provider, from where it is installed. */
export async function hocuspocusTabs(client: string): Promise<(address: Address) => Tab> {
  const { Y, HocuspocusProvider, HocuspocusProviderWebsocket } = (await import(pathToFileURL(client).href)) as HocuspocusClient;
  return ({ url, room, origin }) => {
    const doc = new Y.Doc();
    const socket = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: socketOf(origin, null) });
    const provider = new HocuspocusProvider({ name: room, document: doc, websocketProvider: socket });
    let closing = false;
    const tab: Tab = {
      doc,
      awareness: provider.awareness,
      synced: new Promise((resolve) => provider.on('synced', resolve)),
      onPersisted: null,
      losses: 0,
      close() {
        closing = true;
        provider.destroy();
        socket.destroy();
        doc.destroy();
      },
    };
    provider.on('close', () => (tab.losses += closing ? 0 : 1));
    provider.attach();
    return tab;
  };
}
