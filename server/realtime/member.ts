import { WebSocket } from 'ws';
import { CLOSE, type Presence } from '../../lib/wire.ts';
import { metrics } from '../metrics.ts';
import { Bucket, type Rate } from './bucket.ts';
import { LIMITS } from './legality.ts';
import type { Present } from './presence.ts';
import { writePersisted } from './protocol.ts';

const RATES = {
  messages: { perSecond: 300, burst: 3000 },
  bytes: { perSecond: 2_000_000, burst: 16_000_000 },
  /** bytes of what it asked for: a question of one byte is answered with the whole board */
  answers: { perSecond: 1_000_000, burst: 2 * LIMITS.room },
} as const satisfies Record<string, Rate>;
/** Bytes, beside what it asked for. A client that reads more slowly than this is dropped; it catches up when it reconnects. */
const UNREAD = 8_000_000;
/** Updates that build on missing ones, until one that answers our question has come. */
const GAPS = 20;
/** Bytes of such updates that may come before the answer that they wait for. */
const UNANSWERED = 500_000;
/** Updates of somebody who may not write: a screen may be late to learn of it, a program that goes on does not want to. */
const FORBIDDEN = 5;

export interface MemberOptions {
  user: Presence['user'];
  /** may write the board document */
  canEdit: boolean;
  now: () => number;
}

/** One connection of a person to one room. */
export class Member implements Present {
  clientId: number | null = null;
  user: Presence['user'];
  readonly canEdit: boolean;
  closed = false;
  /** a step 1 of ours is not answered yet */
  isAsked = false;
  private readonly messages: Bucket;
  private readonly bytes: Bucket;
  private readonly answers: Bucket;
  /** sync messages with an update that came, and how many of the first of them are in the log */
  private received = 0;
  private persisted = 0;
  private gaps = 0;
  private unanswered = 0;
  private forbidden = 0;
  private answered = 0;

  constructor(
    private readonly socket: WebSocket,
    { user, canEdit, now }: MemberOptions,
  ) {
    this.user = user;
    this.canEdit = canEdit;
    this.messages = new Bucket(RATES.messages, now);
    this.bytes = new Bucket(RATES.bytes, now);
    this.answers = new Bucket(RATES.answers, now);
  }

  send(frame: Uint8Array): void {
    if (this.closed || this.socket.readyState !== WebSocket.OPEN) return;
    const unread = this.socket.bufferedAmount;
    if (unread === 0) this.answered = 0;
    if (unread > UNREAD + this.answered) {
      this.closed = true;
      metrics.closes.inc({ code: 'slow' });
      this.socket.terminate();
      return;
    }
    this.socket.send(frame);
  }

  /** Sends what the client asked for, as long as it does not ask for too much. */
  answer(frame: Uint8Array): void {
    if (!this.answers.take(frame.length)) return this.close(CLOSE.tooFast, 'the same was asked for too often');
    this.send(frame);
    this.answered += frame.length;
  }

  close(code: number, reason: string): void {
    if (this.closed) return;
    this.closed = true;
    metrics.closes.inc({ code: String(code) });
    this.socket.close(code, fitReason(reason));
  }

  /** Closes the connection and answers false when the frame is too large or came too fast. */
  admits(size: number): boolean {
    if (this.closed) return false;
    if (size > LIMITS.frame) {
      this.close(CLOSE.tooLarge, `a message of ${size} bytes, at most ${LIMITS.frame} are accepted`);
      return false;
    }
    if (!this.messages.take(1) || !this.bytes.take(size)) {
      this.close(CLOSE.tooFast, 'too many messages in too short a time');
      return false;
    }
    return true;
  }

  /** Its next update is in the log. A step 2 holds all that came before it, whatever became of that. */
  stored(answersStep1: boolean): void {
    const isGapless = this.persisted === this.received;
    this.received += 1;
    if (answersStep1) {
      this.isAsked = false;
      this.gaps = 0;
      this.unanswered = 0;
    }
    if (isGapless || answersStep1) this.persisted = this.received;
  }

  /** Its next update builds on what is missing. False once that has happened too often. */
  missed(answersStep1: boolean, bytes: number): boolean {
    this.received += 1;
    // While it has our step 1 to answer, its honest edits build on what only that answer will bring.
    if (this.isAsked) this.unanswered += bytes;
    else this.gaps += 1;
    return !answersStep1 && this.gaps <= GAPS && this.unanswered <= UNANSWERED;
  }

  acknowledge(): void {
    this.send(writePersisted(this.persisted));
  }

  /** It tried to write where it may only read. */
  refuseWriting(): void {
    this.forbidden += 1;
    if (this.forbidden > FORBIDDEN) this.close(CLOSE.forbidden, 'this document is read-only for you');
  }
}

/** As much of a text as a close frame holds: 125 bytes, two of them the code. */
export function fitReason(reason: string): string {
  return Buffer.from(reason).subarray(0, 120).toString().replaceAll('\uFFFD', '');
}
