import type * as Y from 'yjs';
import type { Database } from '../../db/client.ts';
import { CLOSE } from '../../lib/wire.ts';
import type { Bucket } from './bucket.ts';
import type { Budget } from './budgets.ts';
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

/** No walk is counted further; nobody may cause as long a one. */
const FAR = 400_000;

/** Decides what of clients' updates goes into the log, on a copy of the document that is ahead of it by what is not stored yet. */
export class Judge {
  /** whose client ids are, as far as anybody asked */
  private readonly writers = new Map<number, string | null>();
  /** how many client ids a person has, as far as anybody asked */
  private readonly counts = new Map<string, number>();
  /** takes back what an entry was charged with */
  private readonly refunds = new WeakMap<Entry, () => void>();

  constructor(
    readonly scratch: Scratch,
    private readonly maps: readonly string[],
    private readonly budgetOf: (personId: string) => Budget,
  ) {}

  /** Whether the client id is known to be somebody else's. */
  isForeign(client: number, personId: string): boolean {
    return this.writers.has(client) && this.writers.get(client) !== personId;
  }

  /** How many structs it adds, as it is written; 0 where it holds nothing but deletions. */
  countNew({ decoded }: Pick<Case, 'decoded'>): number {
    return decoded.structs.filter((struct) => endOf(struct) > this.scratch.clockOf(struct.id.client)).length;
  }

  /** How many structs there are, those included that are not stored yet. */
  get structs(): number {
    let count = 0;
    for (const own of this.scratch.doc.store.clients.values()) count += own.length;
    return count;
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
    const { fresh, count } = this.checkClients(clients, personId, personOf);
    const { walks, structs } = this.budgetOf(personId);
    this.checkCost(decoded, walks);
    const { data, refund } = this.charge(structs, this.countNew({ decoded }), clients, () => this.scratch.try(update));
    for (const client of fresh) this.writers.set(client, personId);
    this.counts.set(personId, count);
    if (!data) return null;
    const entry = { data, personId, clients: fresh };
    this.refunds.set(entry, refund);
    return entry;
  }

  /** Which of the client ids are new, and how many the person then has. */
  private checkClients(clients: readonly number[], personId: string, personOf: (client: number) => string | null) {
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
    return { fresh, count };
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
    for (const entry of entries) {
      for (const client of entry.clients) this.writers.delete(client);
      // They come again.
      this.refunds.get(entry)?.();
    }
    this.counts.clear();
  }

  /** Applies what adds `added` structs. Those that become one with others as they are applied cost nothing, nor does what is not stored. */
  private charge(budget: Bucket, added: number, clients: readonly number[], apply: () => Uint8Array | null) {
    if (!budget.take(added)) throw new Violation(CLOSE.tooFast, 'too many changes of one person in too short a time');
    const size = () => clients.reduce((sum, client) => sum + (this.scratch.doc.store.clients.get(client)?.length ?? 0), 0);
    const before = size();
    const data = apply();
    const grown = Math.min(added, Math.max(0, size() - before));
    budget.giveBack(added - grown);
    return { data, refund: () => budget.giveBack(grown) };
  }

  private checkCost(decoded: Decoded, walks: Bucket): void {
    const { steps, splits, moves } = costOf(decoded, this.scratch.doc, FAR);
    if (splits > LIMITS.splits || moves > LIMITS.moves) throw invalid('an update that would take too long to apply');
    if (!walks.take(steps)) throw new Violation(CLOSE.tooFast, 'too many values for one key at the same time');
  }
}
