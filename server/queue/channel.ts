import { sql } from 'drizzle-orm';
import pg from 'pg';
import type { Database } from '../../db/client.ts';

/**
 * How machines on one database tell each other at once what they would otherwise find when they look: LISTEN and NOTIFY.
 * What is told may be lost; everything that matters is in tables, and everybody looks there now and then.
 */
export type Message =
  /** a job waits */
  | { type: 'waiting' }
  | { type: 'progress'; key: string; done: number; total: number; what: string }
  /** it is done, failed or cancelled: its row says which */
  | { type: 'ended'; key: string }
  /** whoever computes it should not */
  | { type: 'stop'; jobId: string };

type Listener = (message: Message | { type: 'reconnected' }) => void;

const NAME = 'pathboard_jobs';
/** What Postgres takes in one message, in bytes, with room to spare. */
const MOST = 7000;
/** Milliseconds. */
const AGAIN = 500;
const CONNECT = 5000;

/** Inside a transaction it is told when that is committed, and not at all where it is not. */
export async function tell(db: Database, message: Message): Promise<void> {
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) > MOST) throw new Error(`jobs: expected a message of at most ${MOST} bytes, got ${Buffer.byteLength(text)}`);
  await db.execute(sql`select pg_notify(${NAME}, ${text})`);
}

export class Channel {
  #client: pg.Client | null = null;
  #closed = false;
  #again: NodeJS.Timeout | null = null;
  readonly #listeners = new Set<Listener>();

  constructor(
    private readonly url: string,
    private readonly onFault: (error: unknown) => void,
  ) {}

  async open(): Promise<void> {
    await this.#connect();
  }

  /** Call what it returns to hear no more. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#again) clearTimeout(this.#again);
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: CONNECT, keepAlive: true });
    client.on('notification', ({ payload }) => this.#hear(payload));
    client.on('error', (error) => {
      if (!this.#closed) this.onFault(error);
    });
    client.on('end', () => this.#lost(client));
    this.#client = client;
    await client.connect();
    await client.query(`listen ${NAME}`);
  }

  #hear(payload: string | undefined): void {
    if (!payload) return;
    let message: Message;
    try {
      // Only Pathboard writes here; whoever else can write into the database can do worse.
      message = JSON.parse(payload) as Message;
    } catch (error) {
      return this.onFault(error);
    }
    this.#emit(message);
  }

  #emit(message: Parameters<Listener>[0]): void {
    for (const listener of this.#listeners) listener(message);
  }

  #lost(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = null;
    this.#again = setTimeout(() => {
      this.#connect().then(
        () => this.#emit({ type: 'reconnected' }),
        () => this.#client && this.#lost(this.#client),
      );
    }, AGAIN);
    this.#again.unref();
  }
}
