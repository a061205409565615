import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { CLOSE } from '../../lib/wire.ts';
import { Bucket, type Rate } from './bucket.ts';
import { costOf } from './cost.ts';
import { endOf, type Decoded } from './decoded.ts';
import { LIMITS, Violation, checkUpdate, invalid } from './legality.ts';
import type { Scratch } from './scratch.ts';
import { countClients, writersOf, type Entry } from './statements.ts';

/** An update to be judged: who sent it, and what it says. */
export interface Case {
  personId: string;
  update: Uint8Array;
  decoded: Decoded;
}

/** Long walks (see cost.ts) that one person may cause in a room: each of them is walked again whenever the room is loaded. */
const WALKS: Rate = { burst: 400_000, perSecond: 200 };

/** Decides what of clients' updates goes into the log, on a copy of the document that is ahead of it by what is not stored yet. */
export class Judge {
  /** whose client ids are, as far as anybody asked */
  private readonly writers = new Map<number, string | null>();
  /** how many client ids a person has, as far as anybody asked */
  private readonly counts = new Map<string, number>();
  private readonly walks = new Map<string, Bucket>();

  constructor(
    readonly scratch: Scratch,
    private readonly maps: readonly string[],
    private readonly now: () => number,
  ) {}

  /** Whether the client id is known to be somebody else's. */
  isForeign(client: number, personId: string): boolean {
    return this.writers.has(client) && this.writers.get(client) !== personId;
  }

  /** Whether it holds more than deletions. */
  addsMore({ decoded }: Pick<Case, 'decoded'>): boolean {
    return decoded.structs.some((struct) => endOf(struct) > this.scratch.clockOf(struct.id.client));
  }

  /** Learns whose the client ids are that write something new. A guest's become the account's when they sign in, so what looks foreign is asked for again. */
  async learn(tx: Database, room: string, cases: readonly Case[]): Promise<void> {
    const unknown = new Set<number>();
    const people = new Set<string>();
    for (const { decoded, personId } of cases) {
      for (const struct of decoded.structs) {
        const { client } = struct.id;
        if (this.writers.get(client) === personId || unknown.has(client) || endOf(struct) <= this.scratch.clockOf(client)) continue;
        unknown.add(client);
        people.add(personId);
      }
    }
    if (unknown.size === 0) return;
    for (const [client, personId] of await writersOf(tx, room, [...unknown])) this.writers.set(client, personId);
    for (const id of people) if (!this.counts.has(id)) this.counts.set(id, await countClients(tx, room, id));
  }

  /**
   * Tries an update and gives what of it is new, or null where nothing is. `personOf` tells who speaks for a Yjs
   * client that has not written yet. Throws a Violation or a GapError.
   */
  try({ personId, update, decoded }: Case, personOf: (client: number) => string | null): Entry | null {
    const clients = checkUpdate(decoded, this.scratch.doc, this.maps);
    const fresh = clients.filter((client) => !this.writers.has(client));
    const foreign = clients.find(
      (client) => (this.writers.has(client) ? this.writers.get(client) : (personOf(client) ?? personId)) !== personId,
    );
    if (foreign !== undefined) throw invalid(`client id ${foreign} belongs to somebody else`);
    if (fresh.length > LIMITS.clients)
      throw invalid(`${fresh.length} new client ids in one update, at most ${LIMITS.clients} are accepted`);
    const count = (this.counts.get(personId) ?? 0) + fresh.length;
    if (fresh.length > 0 && count > LIMITS.clientsOfPerson)
      throw new Violation(CLOSE.tooFast, `more than ${LIMITS.clientsOfPerson} client ids of one person`);
    this.checkCost(decoded, personId);
    const data = this.scratch.try(update);
    for (const client of fresh) this.writers.set(client, personId);
    this.counts.set(personId, count);
    return data && { data, personId, clients: fresh };
  }

  /** The server's own change, as an entry; null where it changed nothing. */
  change<T>(change: (doc: Y.Doc) => T): { result: T; entry: Entry | null } {
    const { result, news } = this.scratch.change(change);
    const own = this.scratch.doc.clientID;
    const clients = this.writers.has(own) ? [] : [own];
    return { result, entry: news && { data: news, personId: null, clients } };
  }

  /** Entries are in the log: whoever made them, here or elsewhere. */
  remember(entries: readonly Entry[]): void {
    for (const { clients, personId } of entries) for (const client of clients) this.writers.set(client, personId);
  }

  /** Entries will not be in the log. */
  forget(entries: readonly Entry[]): void {
    for (const { clients } of entries) for (const client of clients) this.writers.delete(client);
    this.counts.clear();
  }

  private checkCost(decoded: Decoded, personId: string): void {
    const { steps, splits, moves } = costOf(decoded, this.scratch.doc, WALKS.burst);
    if (splits > LIMITS.splits || moves > LIMITS.moves) throw invalid('an update that would take too long to apply');
    if (steps === 0) return;
    const walks = this.walks.get(personId) ?? new Bucket(WALKS, this.now);
    this.walks.set(personId, walks);
    if (!walks.take(steps)) throw new Violation(CLOSE.tooFast, 'too many values for one key at the same time');
  }
}
