import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Random } from './random.ts';

/** What a bad network does; chances are per frame, times in milliseconds. */
export interface Weather {
  /** the longest that a frame is held back; frames of one direction keep their order */
  delay: number;
  /** the connection ends, with whatever is on its way; half the time in the middle of a frame */
  cut: number;
  /** a frame goes out, or comes in, twice in a row */
  duplicate: number;
  /** a frame that went out before goes out once more */
  repeat: number;
  /** for a while nothing is read any more, or nothing goes either way, and the connection stays open */
  stall: number;
  longestStall: number;
}

export const CALM: Weather = { delay: 0, cut: 0, duplicate: 0, repeat: 0, stall: 0, longestStall: 0 };

export interface Line {
  /** `http://127.0.0.1:PORT`: whom the next connection reaches, whatever address it names */
  origin(): string;
  cookie: string;
  /** a connection is being made */
  opened?(): void;
  /** a frame goes out, duplicates included */
  sending?(frame: Uint8Array): void;
}

interface Held {
  at: number;
  deliver: () => void;
}

const REMEMBERED = 8;

export interface Mishaps {
  cuts: number;
  duplicates: number;
  stalls: number;
}

/** The network between one client and the servers. */
export class Network {
  readonly #open = new Set<ChaosSocket>();

  constructor(
    readonly random: Random,
    public weather: Weather,
    readonly counts: Mishaps,
  ) {}

  /** For `WebSocketPolyfill` of a y-websocket provider. */
  socket(line: Line): typeof globalThis.WebSocket {
    const network = this as Network;
    class Connected extends ChaosSocket {
      constructor(address: string | URL) {
        super(address, network, line);
      }
    }
    return Connected as unknown as typeof globalThis.WebSocket;
  }

  /** From now on everything arrives; whoever was stalled is cut off rather than waited for. */
  calm(): void {
    this.weather = CALM;
    for (const socket of this.#open) socket.settle();
  }

  /** Ends what is open as a pulled plug does. */
  cut(): void {
    for (const socket of this.#open) socket.cut();
  }

  track(socket: ChaosSocket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }
}

/** A browser's socket on a bad network. A browser sends the page's origin and its cookies; Node's socket must be told. */
class ChaosSocket extends WebSocket {
  readonly #network: Network;
  readonly #line: Line;
  readonly #wire: { socket: Socket | null };
  readonly #outgoing = new Direction();
  readonly #incoming = new Direction();
  readonly #sent: Uint8Array[] = [];
  #stalled = false;
  #hasOpened = false;
  #hasClosed = false;

  constructor(address: string | URL, network: Network, line: Line) {
    const origin = line.origin();
    const { pathname, search } = new URL(address);
    const wire: { socket: Socket | null } = { socket: null };
    const createConnection = ((options: NetConnectOpts) => (wire.socket = connect(options))) as typeof connect;
    super(`${origin.replace(/^http/, 'ws')}${pathname}${search}`, { origin, headers: { cookie: line.cookie }, createConnection });
    this.#network = network;
    this.#line = line;
    this.#wire = wire;
    Object.defineProperty(this, 'readyState', { get: () => this.#seenState() });
    network.track(this);
    line.opened?.();
  }

  override send(data: Uint8Array): void {
    const { random, weather, counts } = this.#network;
    const frame = new Uint8Array(data);
    this.#put(frame);
    if (random.chance(weather.duplicate)) {
      counts.duplicates += 1;
      this.#put(frame);
    }
    if (random.chance(weather.repeat)) {
      counts.duplicates += 1;
      this.#put(random.pick(this.#sent));
    }
    this.#mishap();
  }

  /** What was sent before goes out before. */
  override close(code?: number, reason?: string | Buffer): void {
    this.#outgoing.put(0, () => {
      if (this.#state() <= WebSocket.OPEN) super.close(code, reason);
    });
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    // The constructor of the base class emits nothing, but its listeners may be called before ours is through.
    if (event === 'open') this.#hasOpened = true;
    if (event === 'message') this.#receive(values);
    else if (event === 'close') this.#tellClose(values);
    else return super.emit(event, ...values);
    return true;
  }

  cut(): void {
    this.#network.counts.cuts += 1;
    this.#drop();
    this.terminate();
  }

  /** Delivers what is held back at once. */
  settle(): void {
    if (this.#stalled) return this.cut();
    this.#outgoing.flush();
    this.#incoming.flush();
  }

  #put(frame: Uint8Array): void {
    this.#line.sending?.(frame);
    this.#sent.push(frame);
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
    this.#outgoing.put(this.#delay(), () => {
      if (this.#state() === WebSocket.OPEN) super.send(frame);
    });
  }

  #receive(values: unknown[]): void {
    const { random, weather, counts } = this.#network;
    const deliver = () => void super.emit('message', ...values);
    this.#incoming.put(this.#delay(), deliver);
    if (random.chance(weather.duplicate)) {
      counts.duplicates += 1;
      this.#incoming.put(this.#delay(), deliver);
    }
    this.#mishap();
  }

  #state(): WebSocket['readyState'] {
    return Reflect.get(WebSocket.prototype, 'readyState', this) as WebSocket['readyState'];
  }

  /** As far as its owner knows: a close that is still on its way has not happened yet. */
  #seenState(): WebSocket['readyState'] {
    const state = this.#state();
    return this.#hasOpened && !this.#hasClosed && state > WebSocket.OPEN ? WebSocket.OPEN : state;
  }

  #tellClose(values: unknown[]): void {
    this.#incoming.put(0, () => {
      this.#hasClosed = true;
      super.emit('close', ...values);
    });
  }

  #delay(): number {
    const { random, weather } = this.#network;
    return weather.delay === 0 ? 0 : random.below(weather.delay);
  }

  #mishap(): void {
    const { random, weather } = this.#network;
    if (random.chance(weather.cut)) {
      if (random.chance(0.5)) this.cut();
      else this.#cutWithin(random.between(1, 40));
    } else if (random.chance(weather.stall)) {
      this.#stall(random.between(1, weather.longestStall), random.chance(0.5));
    }
  }

  /** After so many bytes of what goes out next. */
  #cutWithin(bytes: number): void {
    const { socket } = this.#wire;
    if (socket === null) return this.cut();
    this.#network.counts.cuts += 1;
    const write = socket.write.bind(socket) as (chunk: Uint8Array) => boolean;
    let left = bytes;
    socket.write = ((chunk: Uint8Array) => {
      if (left <= 0) return false;
      write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) socket.destroySoon();
      return left > 0;
    }) as Socket['write'];
  }

  #stall(milliseconds: number, bothWays: boolean): void {
    const { socket } = this.#wire;
    if (this.#stalled || socket === null) return;
    this.#stalled = true;
    this.#network.counts.stalls += 1;
    socket.pause();
    if (bothWays) this.#outgoing.hold();
    const end = setTimeout(() => {
      this.#stalled = false;
      socket.resume();
      this.#outgoing.release();
    }, milliseconds);
    this.once('close', () => clearTimeout(end));
  }

  #drop(): void {
    this.#outgoing.clear();
    this.#incoming.clear();
  }
}

/** What is on its way in one direction: it arrives in the order in which it was sent. */
class Direction {
  #held: Held[] = [];
  #last = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  put(delay: number, deliver: () => void): void {
    const now = Date.now();
    this.#last = Math.max(this.#last, now + delay);
    this.#held.push({ at: this.#last, deliver });
    this.#run();
  }

  hold(): void {
    this.#closed = true;
  }

  release(): void {
    this.#closed = false;
    this.#run();
  }

  flush(): void {
    for (const one of this.#held) one.at = 0;
    this.#last = 0;
    this.release();
  }

  clear(): void {
    this.#held = [];
  }

  #run(): void {
    while (!this.#closed && this.#held[0] && this.#held[0].at <= Date.now()) this.#held.shift()?.deliver();
    const next = this.#held[0];
    if (this.#closed || next === undefined || this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#run();
      },
      Math.max(1, next.at - Date.now()),
    );
  }
}
