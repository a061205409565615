import { WebSocket } from 'ws';
import { CLOSE, type Presence } from '../../lib/wire.ts';
import { LIMITS } from './legality.ts';
import { writePersisted } from './protocol.ts';
import type { Present } from './presence.ts';

/** Refill of a second, and what may come at once. */
const RATES = { messages: { perSecond: 300, burst: 3000 }, bytes: { perSecond: 2_000_000, burst: 16_000_000 } };
/** A client that reads more slowly than this is dropped; it catches up when it reconnects. */
const UNREAD = 16_000_000;
const GAPS = 20;

/** One connection of a person to one room. */
export class Member implements Present {
  clientId: number | null = null;
  /** sync messages with an update that are in the log, since the connection opened */
  persisted = 0;
  closed = false;
  private readonly messages: Bucket;
  private readonly bytes: Bucket;
  private gaps = 0;
  private unforgiven = 0;

  constructor(
    private readonly socket: WebSocket,
    public user: Presence['user'],
    now: () => number,
  ) {
    this.messages = new Bucket(RATES.messages, now);
    this.bytes = new Bucket(RATES.bytes, now);
  }

  send(frame: Uint8Array): void {
    if (this.closed || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > UNREAD) {
      this.closed = true;
      this.socket.terminate();
      return;
    }
    this.socket.send(frame);
  }

  close(code: number, reason: string): void {
    if (this.closed) return;
    this.closed = true;
    // A close frame holds 125 bytes, two of them the code.
    this.socket.close(code, Buffer.from(reason).subarray(0, 120).toString().replaceAll('\uFFFD', ''));
  }

  acknowledge(): void {
    this.send(writePersisted(this.persisted));
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

  /** False once a client has sent too many updates that build on missing ones. */
  countGap(): boolean {
    this.gaps += 1;
    this.unforgiven += 1;
    return this.gaps <= GAPS;
  }

  /**
   * After a step 2 that we asked for because of gaps: it holds what the dropped updates held, so they count as
   * stored, and the step 2 itself, which the client did not reckon with, does not.
   */
  forgiveGaps(answersStep1: boolean): number {
    if (!answersStep1 || this.unforgiven === 0) return 0;
    const extra = this.unforgiven - 1;
    this.unforgiven = 0;
    return extra;
  }
}

class Bucket {
  private level: number;
  private at: number;
  constructor(
    private readonly rate: { perSecond: number; burst: number },
    private readonly now: () => number,
  ) {
    this.level = rate.burst;
    this.at = now();
  }

  take(amount: number): boolean {
    const now = this.now();
    this.level = Math.min(this.rate.burst, this.level + (Math.max(0, now - this.at) / 1000) * this.rate.perSecond);
    this.at = now;
    if (this.level < amount) return false;
    this.level -= amount;
    return true;
  }
}
