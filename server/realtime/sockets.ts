import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSE, id } from '../../lib/wire.ts';
import { personOfSession, requireMember } from '../access.ts';
import type { App } from '../app.ts';
import { sessionToken } from '../cookies.ts';
import { refuseUpgrade } from '../guard.ts';
import { isRefusal, Refusal } from '../refusal.ts';
import { LIMITS, Violation } from './legality.ts';
import { Member } from './member.ts';
import { colorOf } from './presence.ts';
import { readMessage, writeAwareness, type ClientMessage } from './protocol.ts';
import type { Room, RoomName } from './room.ts';

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The provider gives a connection up after 30 s of silence. */
const HEARTBEAT = 15_000;
const NOTHING = writeAwareness([]);

export interface Sockets {
  upgrade: Upgrade;
  close(): void;
}

/**
 * The one listener for `upgrade`: rooms are ours, `others` (the development server's own socket, where there is
 * one) answers whether it took the request, everything else is cut off.
 */
export function openSockets(
  app: App,
  others: ((...request: Parameters<Upgrade>) => boolean) | null,
  onFault: (error: unknown) => void,
): Sockets {
  // Larger than what is accepted, so that a client that sends too much is told so by a code of ours.
  const server = new WebSocketServer({ noServer: true, maxPayload: 8 * LIMITS.frame, perMessageDeflate: false });
  const alive = new WeakSet<WebSocket>();
  const heartbeat = setInterval(() => {
    for (const socket of server.clients) beat(socket, alive);
  }, HEARTBEAT);
  heartbeat.unref();
  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const refused = refuseUpgrade(request, app.config);
      if (refused) {
        socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${refused}\n`);
        return;
      }
      if (pathOf(request).startsWith('/collab/')) {
        server.handleUpgrade(request, socket, head, (open) => {
          alive.add(open);
          open.on('pong', () => alive.add(open));
          serve(app, open, request, onFault);
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
    socket.terminate();
    return;
  }
  alive.delete(socket);
  socket.ping();
  if (socket.readyState === WebSocket.OPEN) socket.send(NOTHING);
}

/** Frames that come while the room is still being loaded wait their turn. */
function serve(app: App, socket: WebSocket, request: IncomingMessage, onFault: (error: unknown) => void): void {
  const waiting: Uint8Array[] = [];
  let size = 0;
  let deliver = (frame: Uint8Array) => {
    size += frame.length;
    if (size > 2 * LIMITS.frame) socket.close(CLOSE.tooFast, 'too much before the first answer');
    else waiting.push(frame);
  };
  socket.on('message', (data, isBinary) => {
    if (!isBinary) socket.close(CLOSE.badRequest, 'a text message, expected a binary one');
    else deliver(bytesOf(data));
  });
  socket.on('error', () => socket.terminate());

  const start = async () => {
    const { name, member } = await admit(app, socket, request);
    const room = await app.rooms.acquire(name);
    if (socket.readyState !== WebSocket.OPEN) {
      app.rooms.release(room);
      return;
    }
    socket.once('close', () => {
      member.closed = true;
      room.leave(member);
      app.rooms.release(room);
    });
    const guarded = (work: () => void) => guard(member, work, onFault);
    guarded(() => room.enter(member));
    deliver = (frame) => {
      if (member.admits(frame.length)) guarded(() => handle(room, member, readFrame(frame)));
    };
    for (const frame of waiting.splice(0)) deliver(frame);
  };
  start().catch((error: unknown) => {
    if (isRefusal(error)) socket.close(closeCodeOf(error), error.message.slice(0, 120));
    else {
      onFault(error);
      socket.close(1011, 'the room could not be opened');
    }
  });
}

async function admit(app: App, socket: WebSocket, request: IncomingMessage): Promise<{ name: RoomName; member: Member }> {
  const [, , kind, boardId = '', ...rest] = pathOf(request).split('/');
  const person = await personOfSession(app, sessionToken(request.headers.cookie));
  if ((kind !== 'board' && kind !== 'discussion') || rest.length > 0 || !id.safeParse(boardId).success) {
    throw new Refusal('not-found', 'room', 'board/ID or discussion/ID', pathOf(request).slice(0, 80));
  }
  const { id: personId, name } = await requireMember(app, person, boardId);
  const member = new Member(socket, { id: personId, name, color: colorOf(personId) }, app.now);
  return { name: { kind, boardId }, member };
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
      room.presence?.receive(member, message.entries);
      break;
    case 'query':
      room.presence?.greet(member);
      break;
  }
}

function readFrame(frame: Uint8Array): ClientMessage {
  try {
    return readMessage(frame);
  } catch (error) {
    throw new Violation(CLOSE.badRequest, error instanceof Error ? error.message : 'an unreadable message');
  }
}

function guard(member: Member, work: () => void, onFault: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof Violation) return member.close(error.code, error.message);
    onFault(error);
    member.close(1011, 'the message could not be handled');
  }
}

function closeCodeOf({ code }: Refusal): number {
  if (code === 'unauthorised') return CLOSE.unauthorised;
  return code === 'not-found' ? CLOSE.notFound : CLOSE.forbidden;
}

function bytesOf(data: WebSocket.RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
