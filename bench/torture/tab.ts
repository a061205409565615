import * as decoding from 'lib0/decoding';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { addLabel, editLabel, readLabels, removeLabel, setSetup, setTitle } from '../../lib/board/board-doc.ts';
import { Undo } from '../../lib/board/undo.ts';
import { UnsavedEdits } from '../../lib/board/unsaved-edits.ts';
import { CLOSE, MESSAGE_EPOCH, MESSAGE_PERSISTED } from '../../lib/wire.ts';
import { Network, type Mishaps, type Weather } from '../../server/testing/chaos.ts';
import type { Random } from '../../server/testing/random.ts';
import { SETUP } from '../../server/testing/world.ts';
import { editOf, type Edit, type Ledger } from './ledger.ts';

interface TabOptions {
  /** `board/ID` or `discussion/ID` */
  room: string;
  cookie: string;
  /** whether the person may only read now and then; unlike the page, a tab then goes on writing */
  isDemoted: boolean;
  /** `http://127.0.0.1:PORT` of the server that the next connection reaches */
  origin: () => string;
  random: Random;
  weather: Weather;
  mishaps: Mishaps;
  ledger: Ledger;
}

/** Labels that every tab writes, so that they write the same keys at the same time. */
const SHARED = 6;
/** Milliseconds; a person's browser waits longer, a test need not. */
const BACKOFF = 300;
const ANCHORS = ['a0.h0', 'a1.h0->logits', 'input->a0.h0->a1.h0->logits', 'input->logits'];

/** A browser tab with one of a board's documents open: the real provider, the real counting of what is unsaved. */
export class Tab {
  readonly doc = new Y.Doc();
  readonly provider: WebsocketProvider;
  readonly network: Network;
  /** closings that a client which does nothing wrong must never see */
  readonly faults: string[] = [];
  readonly #unsaved = new UnsavedEdits<Edit>();
  readonly #undo: Undo;
  readonly #random: Random;
  readonly #name: string;
  #made = 0;
  #ended = false;

  constructor(private readonly options: TabOptions) {
    const { room, cookie, origin, random, weather, mishaps } = options;
    this.#random = random;
    this.#name = `own-${this.doc.clientID}`;
    this.network = new Network(random.fork(), weather, mishaps);
    const unsaved = this.#unsaved;
    this.provider = new WebsocketProvider('ws://wherever/collab', room, this.doc, {
      WebSocketPolyfill: this.network.socket({
        origin,
        cookie,
        opened: () => unsaved.opened(),
        sending: (frame) => unsaved.sending(frame),
      }),
      disableBc: true,
      maxBackoffTime: BACKOFF,
    });
    this.#undo = new Undo(this.doc);
    this.#watch();
  }

  get unsaved(): number {
    return this.#unsaved.count;
  }

  get isSettled(): boolean {
    return this.provider.synced && this.#unsaved.count === 0;
  }

  get state(): string {
    const { synced, wsconnected, wsconnecting, shouldConnect } = this.provider;
    if (synced) return `left with ${this.unsaved} unsaved edits`;
    return `not synced, ${wsconnected ? 'connected' : wsconnecting ? 'connecting' : 'without a connection'}${shouldConnect ? '' : ', and wants none'}`;
  }

  get isConnected(): boolean {
    return this.provider.wsconnected;
  }

  /** Something that a person does to a board. */
  act(): void {
    const random = this.#random;
    const dice = random.next();
    const own = [...this.doc.getMap('labels').keys()].filter((key) => key.startsWith(this.#name));
    if (dice < 0.45 || own.length === 0) addLabel(this.doc, random.pick(ANCHORS), this.#words(), Date.now(), this.#newKey());
    else if (dice < 0.58) editLabel(this.doc, random.pick(own), this.#words());
    else if (dice < 0.66) removeLabel(this.doc, random.pick(own));
    else if (dice < 0.76) this.#undo.undo();
    else if (dice < 0.8) this.#undo.redo();
    else if (dice < 0.84) setTitle(this.doc, this.#words());
    else if (dice < 0.87) setSetup(this.doc, { ...SETUP, prompt: this.#words() });
    else if (dice < 0.97) this.#actTogether();
    else this.provider.awareness.setLocalStateField('selection', random.pick(ANCHORS));
  }

  connect(): void {
    if (!this.#ended) this.provider.connect();
  }

  disconnect(): void {
    this.provider.disconnect();
  }

  /** The tab is closed, and its document with it. */
  close(): void {
    this.#ended = true;
    this.#undo.destroy();
    this.provider.destroy();
    this.network.cut();
    this.doc.destroy();
  }

  /** Keys that all tabs of the room write. */
  #actTogether(): void {
    const key = `shared-${this.#random.below(SHARED)}`;
    if (this.#random.chance(0.3)) removeLabel(this.doc, key);
    else if (readLabels(this.doc).records.some(({ id }) => id === key)) editLabel(this.doc, key, this.#words());
    else addLabel(this.doc, ANCHORS[0]!, this.#words(), Date.now(), key);
  }

  #newKey(): string {
    return `${this.#name}-${this.#made}`;
  }

  /** Never the same twice. */
  #words(): string {
    return `${this.#name} says ${this.#made++}`;
  }

  #watch(): void {
    const { doc, provider } = this;
    const { ledger } = this.options;
    // The provider listened first, so the edit's message has been sent by now.
    doc.on('update', (_update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      if (origin === provider) return;
      const edit = editOf(transaction);
      ledger.made(edit, ({ map, key }) => map === 'labels' && key.startsWith(this.#name));
      this.#unsaved.add(edit, provider.wsconnected);
    });
    provider.messageHandlers[MESSAGE_PERSISTED] = (_encoder, decoder) => {
      const before = this.#unsaved.edits;
      this.#unsaved.stored(decoding.readVarUint(decoder));
      const waiting = new Set(this.#unsaved.edits);
      for (const edit of before) if (!waiting.has(edit)) ledger.acknowledge(edit);
    };
    provider.messageHandlers[MESSAGE_EPOCH] = (_encoder, decoder) => {
      provider.params = { epoch: String(decoding.readVarUint(decoder)) };
    };
    provider.on('status', ({ status }) => {
      if (status === 'connected') ledger.resent += this.#unsaved.count;
    });
    provider.on('closed', ({ code, reason }) => {
      const isDeserved = code === CLOSE.roleChanged || (code === CLOSE.forbidden && this.options.isDemoted);
      if (isDeserved) setTimeout(() => this.connect(), BACKOFF);
      else this.faults.push(`${provider.roomname}: closed for good with ${code} ${reason}`);
    });
  }
}
