import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { may } from '../../lib/roles.ts';
import { CLOSE } from '../../lib/wire.ts';
import type { App } from '../app.ts';
import { isUnavailable } from '../database-errors.ts';
import { refuseUpgrade } from '../guard.ts';
import { metrics } from '../metrics.ts';
import { admit, closingOf, type Admission } from './admission.ts';
import { Connections } from './connections.ts';
import { LIMITS, Violation } from './legality.ts';
import { Member, fitReason } from './member.ts';
import { colorOf } from './presence.ts';
import { readMessage, writeAwareness, writeEpoch, type ClientMessage } from './protocol.ts';
import type { Room } from './room.ts';

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The provider gives a connection up after 30 s of silence. */
const HEARTBEAT = 15_000;
/** Milliseconds in which a connection is let in or told to come again. */
const PATIENCE = 15_000;
/** Pings that are answered before a connection is let in, and bytes that may be unread for one to be answered. */
const PINGS = { early: 10, unread: 64_000 };
const NOTHING = writeAwareness([]);

export interface Sockets {
  upgrade: Upgrade;
  close(): void;
}

/** What each socket needs of the server. */
interface Hall {
  app: App;
  connections: Connections;
  onFault: (error: unknown) => void;
}

/**
 * The one listener for `upgrade`: rooms are ours, `others` (the development server's own socket, where there is
 * one) answers whether it took the request, everything else is cut off.
 */
export function openSockets(
  app: App,
  others: ((...request: Parameters<Upgrade>) => boolean) | null,
  onFault: (error: unknown) => void,
  beatEvery = HEARTBEAT,
): Sockets {
  // Larger than what is accepted, so that a client that sends too much is told so by a code of ours. Pings are answered below.
  const server = new WebSocketServer({ noServer: true, maxPayload: 8 * LIMITS.frame, perMessageDeflate: false, autoPong: false });
  const connections = new Connections(app, onFault);
  const alive = new WeakSet<WebSocket>();
  const heartbeat = setInterval(() => {
    for (const socket of server.clients) beat(socket, alive);
    void connections.reviewAll();
  }, beatEvery);
  heartbeat.unref();
  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const refused = refuseUpgrade(request, app.config);
      if (refused) {
        socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${refused}\n`);
        return;
      }
      if ((request.url ?? '').startsWith('/collab/')) {
        server.handleUpgrade(request, socket, head, (open) => {
          alive.add(open);
          open.on('pong', () => alive.add(open));
          new Door({ app, connections, onFault }, open, request).open();
        });
      } else if (!others?.(request, socket, head)) {
        socket.destroy();
      }
    },
    close() {
      clearInterval(heartbeat);
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

function beat(socket: WebSocket, alive: WeakSet<WebSocket>): void {
  if (!alive.has(socket)) {
    metrics.closes.inc({ code: 'silent' });
    socket.terminate();
    return;
  }
  alive.delete(socket);
  socket.ping();
  if (socket.readyState === WebSocket.OPEN) socket.send(NOTHING);
}

/** One socket, from its opening to its room. Frames that come while the room is still being loaded wait their turn. */
class Door {
  private member: Member | null = null;
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private pings = 0;

  constructor(
    private readonly hall: Hall,
    private readonly socket: WebSocket,
    private readonly request: IncomingMessage,
  ) {}

  open(): void {
    const { socket } = this;
    socket.on('message', (data, isBinary) => this.hear(bytesOf(data), isBinary));
    socket.on('ping', (data) => this.answerPing(data));
    socket.on('error', () => socket.terminate());
    const late = setTimeout(() => this.refuse(1013, 'the board cannot be opened now'), PATIENCE);
    this.enter()
      .catch((error: unknown) => this.fail(error))
      .finally(() => clearTimeout(late));
  }

  private deliver: (frame: Uint8Array) => void = (frame) => {
    this.waitingBytes += frame.length;
    if (this.waitingBytes > 2 * LIMITS.frame) this.refuse(CLOSE.tooFast, 'too much before the first answer');
    else this.waiting.push(frame);
  };

  private hear(frame: Uint8Array, isBinary: boolean): void {
    if (isBinary) this.deliver(frame);
    else this.refuse(CLOSE.badRequest, 'a text message, expected a binary one');
  }

  private async enter(): Promise<void> {
    const { app, connections } = this.hall;
    const { changes } = connections;
    const admission = await admit(app, this.request);
    const room = await app.rooms.acquire(admission.name);
    if (this.socket.readyState !== WebSocket.OPEN) {
      app.rooms.release(room);
      return;
    }
    const { headers } = this.request;
    const member = this.makeMember(admission);
    const connection = { member, headers, boardId: admission.name.boardId, role: admission.role };
    this.socket.once('close', () => {
      member.closed = true;
      connections.delete(connection);
      room.leave(member);
      app.rooms.release(room);
    });
    // A copy from before the board was mended must not bring back what was taken out of it.
    if (admission.epoch !== null && admission.epoch !== room.epoch) {
      member.send(writeEpoch(room.epoch));
      member.close(CLOSE.otherEpoch, `expected epoch ${room.epoch}, got ${admission.epoch}`);
      return;
    }
    connections.add(connection, changes);
    this.guard(member, () => room.enter(member));
    this.deliver = (frame) => {
      if (member.admits(frame.length))
        this.guard(member, () =>
          handle(
            room,
            member,
            readable(() => readMessage(frame)),
          ),
        );
    };
    for (const frame of this.waiting.splice(0)) this.deliver(frame);
  }

  private makeMember({ person: { id, name }, role }: Admission): Member {
    const user = { id, name, color: colorOf(id) };
    this.member = new Member(this.socket, { user, canEdit: may(role, 'board.edit'), now: this.hall.app.now });
    return this.member;
  }

  private answerPing(data: Buffer): void {
    const mayAnswer = this.member ? this.member.admits(data.length) : ++this.pings <= PINGS.early;
    if (mayAnswer && this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < PINGS.unread) this.socket.pong(data);
  }

  private guard(member: Member, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof Violation) return member.close(error.code, error.message);
      this.hall.onFault(error);
      member.close(1011, 'the message could not be handled');
    }
  }

  /** Codes from 4400 stop a client from coming again: only for what will be the same then. */
  private fail(error: unknown): void {
    const closing = closingOf(error);
    if (closing) return this.refuse(closing.code, closing.reason);
    if (isUnavailable(error)) return this.refuse(1013, 'the board cannot be opened now');
    this.hall.onFault(error);
    this.refuse(1011, 'the room could not be opened');
  }

  private refuse(code: number, reason: string): void {
    if (this.member) return this.member.close(code, reason);
    if (this.socket.readyState !== WebSocket.OPEN) return;
    metrics.closes.inc({ code: String(code) });
    this.socket.close(code, fitReason(reason));
  }
}

function handle(room: Room, member: Member, message: ClientMessage): void {
  switch (message.type) {
    case 'step1':
      room.answerStep1(member, message.stateVector);
      break;
    case 'update':
      room.receive(member, message.update, message.answersStep1);
      break;
    case 'awareness':
      readable(() => room.presence?.receive(member, message.entries));
      break;
    case 'query':
      room.presence?.greet(member);
      break;
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Violation(CLOSE.badRequest, error instanceof Error ? error.message : 'an unreadable message');
  }
}

function bytesOf(data: WebSocket.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
