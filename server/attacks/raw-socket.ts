import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until, type Actor, type World } from '../testing/world.ts';

export interface Opening {
  /** default: that of the actor */
  cookie?: string | null;
  origin?: string | null;
  host?: string;
  /** as a reverse proxy would tell it */
  address?: string;
  /** in place of /collab/ROOM, sent as it is */
  path?: string;
  extensions?: boolean;
}

/** A client that says whatever it is told to, and nothing else. */
export class RawSocket {
  readonly frames: Uint8Array[] = [];
  closed: { code: number; reason: string } | null = null;
  /** of the HTTP answer, where there was no upgrade */
  refused: number | null = null;
  readonly ws: WebSocket;

  constructor({ port }: Pick<World, 'port'>, actor: Actor | null, room: string, opening: Opening = {}) {
    const { cookie = actor?.cookie ?? null, origin = `http://127.0.0.1:${port}`, host, address, path = `/collab/${room}` } = opening;
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/`, {
      perMessageDeflate: opening.extensions ?? false,
      maxPayload: 256 * 1024 * 1024,
      headers: {
        ...(cookie !== null && { cookie }),
        ...(origin !== null && { origin }),
        ...(host !== undefined && { host }),
        ...(address !== undefined && { 'x-forwarded-for': address }),
      },
      // The address as given: a URL would be made tidy first.
      finishRequest: (request) => {
        Object.assign(request, { path });
        request.end();
      },
    });
    this.ws.on('message', (data: Buffer) => this.frames.push(new Uint8Array(data)));
    this.ws.on('close', (code, reason) => (this.closed ??= { code, reason: reason.toString() }));
    this.ws.on('unexpected-response', (request, { statusCode = 0 }) => {
      this.refused = statusCode;
      this.closed ??= { code: 1006, reason: `HTTP ${statusCode}` };
      request.destroy();
    });
    this.ws.on('error', (error) => (this.closed ??= { code: 1006, reason: error.message }));
  }

  /** Resolves once the room greets, or the door is shut. */
  async entered(): Promise<this> {
    await until(() => this.frames.length > 0 || this.closed !== null);
    return this;
  }

  send(bytes: Uint8Array | string): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(bytes);
  }

  /** The close code, or the status of an upgrade that was refused. */
  async ended(timeout?: number): Promise<number> {
    await until(() => this.closed !== null, timeout);
    return this.refused ?? this.closed?.code ?? 0;
  }

  /** Leaves whatever comes from the server in the operating system's buffers. */
  stopReading(): void {
    this.ws.pause();
  }

  leave(): void {
    this.ws.terminate();
  }
}

/** A connection without any manners; resolves once it is open. */
export async function rawConnection({ port }: Pick<World, 'port'>): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The request that asks for an upgrade, as text. */
export function upgradeRequest({ port }: Pick<World, 'port'>, actor: Actor, room: string): string {
  return [
    `GET /collab/${room} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    `Cookie: ${actor.cookie}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');
}

/** A connection that shook hands by hand: from here on its bytes are its own. */
export async function upgradedByHand(world: Pick<World, 'port'>, actor: Actor, room: string): Promise<Socket> {
  const socket = await rawConnection(world);
  socket.write(upgradeRequest(world, actor, room));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`upgrade: expected 101, got ${answer.toString('latin1')}`);
  return socket;
}

/** A WebSocket frame byte by byte; the mask is zeros, so that the payload reads as given. */
export function wireFrame(first: number, payload: Uint8Array, { masked = true, length = payload.length } = {}): Buffer {
  const size =
    length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0, ...new Uint8Array(bigEndian(length))];
  const [head = 0, ...more] = size;
  return Buffer.concat([
    Uint8Array.of(first, (masked ? 0x80 : 0) | head, ...more),
    masked ? new Uint8Array(4) : new Uint8Array(0),
    payload,
  ]);
}

function bigEndian(value: number): ArrayBuffer {
  const buffer = new ArrayBuffer(4);
  new DataView(buffer).setUint32(0, value);
  return buffer;
}
