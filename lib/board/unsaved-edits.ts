/**
 * Which of one's own edits the server has not stored yet. The server tells how many of this connection's messages
 * with an update are stored, so each edit remembers the number of the message that carried it; one made without a
 * connection waits for the message that catches the server up.
 */
export class UnsavedEdits<T> {
  #waiting: { edit: T; carrier: number | null }[] = [];
  #sent = 0;

  get count(): number {
    return this.#waiting.length;
  }

  /** Oldest first. */
  get edits(): T[] {
    return this.#waiting.map(({ edit }) => edit);
  }

  /** An edit was made; `connected` says that the message just sent carries it. */
  add(edit: T, connected: boolean): void {
    this.#waiting.push({ edit, carrier: connected && this.#sent > 0 ? this.#sent : null });
  }

  opened(): void {
    this.#sent = 0;
    for (const one of this.#waiting) one.carrier = null;
  }

  /** A frame of the y-websocket protocol goes out. */
  sending(frame: Uint8Array): void {
    const [type, step] = frame;
    if (type !== SYNC || (step !== STEP_2 && step !== UPDATE)) return;
    this.#sent += 1;
    if (step === STEP_2) for (const one of this.#waiting) one.carrier ??= this.#sent;
  }

  /** The first `count` messages of this connection are stored. */
  stored(count: number): void {
    this.#waiting = this.#waiting.filter(({ carrier }) => carrier === null || carrier > count);
  }
}

const SYNC = 0;
const STEP_2 = 1;
const UPDATE = 2;
