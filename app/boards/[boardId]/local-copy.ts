'use client';
import { IndexeddbPersistence } from 'y-indexeddb';
import type * as Y from 'yjs';
import { databaseName, forget, store, storeKey, stored } from '@/app/ui/browser-store.ts';

/** For how long the board waits for the browser's database before it opens without. */
const PATIENCE_MS = 3000;

/**
 * The board document in this browser's database, so that edits outlive the tab. The database's name holds the
 * room's epoch, which only the server knows: it is remembered from the last visit, and on the first one the copy
 * begins when the server has told it.
 */
export class LocalCopy {
  #persistence: IndexeddbPersistence | null = null;
  #closed = false;
  readonly #key: string;

  constructor(
    private readonly personId: string,
    private readonly boardId: string,
    private readonly doc: Y.Doc,
  ) {
    this.#key = storeKey('copy', personId, boardId);
  }

  /** Of the document as it was kept here last. */
  get epoch(): number | null {
    return stored<number>(this.#key);
  }

  /** Whether edits outlive the tab. */
  get isKept(): boolean {
    return this.#persistence !== null;
  }

  /** Whether a transaction came out of the copy. */
  isOrigin(origin: unknown): boolean {
    return origin !== null && origin === this.#persistence;
  }

  /** Puts into the document what this browser kept of it. Without a database the board works, but nothing is kept. */
  async load(epoch: number): Promise<void> {
    if (this.#closed || this.#persistence || !(await isUsable())) return;
    const persistence = new IndexeddbPersistence(databaseName(this.personId, this.boardId, epoch), this.doc);
    // Transactions that come out of it are told by their origin while it is still loading.
    this.#persistence = persistence;
    const loaded = await Promise.race([persistence.whenSynced.then(() => true), pause(PATIENCE_MS).then(() => false)]);
    if (this.#closed) return;
    if (!loaded || !store(this.#key, epoch)) {
      this.#persistence = null;
      await persistence.destroy();
    } else if (persistence.db) {
      // Another tab removes it: a closed database would throw at the next edit.
      persistence.db.onversionchange = () => void this.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const persistence = this.#persistence;
    this.#persistence = null;
    await persistence?.destroy();
  }

  /** Removes the copy from this browser. */
  async remove(): Promise<void> {
    const { epoch } = this;
    await this.close();
    forget(this.#key);
    if (epoch !== null) indexedDB.deleteDatabase(databaseName(this.personId, this.boardId, epoch));
  }
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** False where the browser has no database for us: some do in private windows, and where storage is forbidden or full. */
function isUsable(): Promise<boolean> {
  const opened = new Promise<boolean>((done) => {
    try {
      const request = indexedDB.open('pathboard/probe');
      request.addEventListener('error', () => done(false));
      request.addEventListener('success', () => {
        request.result.close();
        done(true);
      });
    } catch {
      done(false);
    }
  });
  return Promise.race([opened, pause(PATIENCE_MS).then(() => false)]);
}
