import { eq } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { boards, quarantine, snapshots, updates } from '../../db/schema.ts';
import { readTitle } from '../../lib/board/board-doc.ts';
import type { Mishaps, Weather } from '../../server/testing/chaos.ts';
import type { Random } from '../../server/testing/random.ts';
import { disagreements, type Witness } from './agreement.ts';
import { loadCold, loadFromSnapshotBefore } from './cold.ts';
import { Commenter, flawsOf } from './commenter.ts';
import { Ledger } from './ledger.ts';
import { Tab } from './tab.ts';

export interface BoardOptions {
  id: string;
  /** cookies of those who edit it, also of somebody who may not always do so */
  editors: readonly string[];
  /** who of them may only read for a while */
  demoted?: string | null;
  /** of those who discuss it */
  commenters: readonly string[];
  /** every server, `http://127.0.0.1:PORT` */
  origins: readonly string[];
  random: Random;
  weather: Weather;
  tabs: number;
}

/** What happened on a board. */
export interface BoardCounts {
  edits: number;
  acknowledged: number;
  /** edits that had to wait for another connection, each time */
  resent: number;
  comments: number;
  deletions: number;
  cuts: number;
  duplicates: number;
}

export const NOTHING_YET: BoardCounts = { edits: 0, acknowledged: 0, resent: 0, comments: 0, deletions: 0, cuts: 0, duplicates: 0 };

/** Milliseconds between two things that happen on a board. */
const PACE = 16;
const POLL = 20;

/** A board that several people use at once over bad networks, and everything that they were promised. */
export class TorturedBoard {
  readonly ledger = new Ledger();
  readonly #readers = new Ledger();
  readonly #commenters: Commenter[];
  readonly #tabs: Tab[] = [];
  /** a reader of the discussion at every server */
  readonly #discussions: Tab[] = [];
  readonly #requests = new Set<Promise<void>>();
  readonly #random: Random;
  readonly #mishaps: Mishaps = { cuts: 0, duplicates: 0, stalls: 0 };
  #faults: string[] = [];
  #stopped = false;

  constructor(private readonly options: BoardOptions) {
    this.#random = options.random;
    const { id, commenters, random } = options;
    for (let n = 0; n < options.tabs; n++) this.#openTab();
    for (const [index] of options.origins.entries())
      this.#discussions.push(this.#open(`discussion/${id}`, commenters[0]!, this.#readers, index));
    const origin = () => random.pick(options.origins);
    this.#commenters = commenters.map((cookie) => new Commenter({ boardId: id, cookie, origin, random: random.fork() }));
  }

  get counts(): BoardCounts {
    const { cuts, stalls, duplicates } = this.#mishaps;
    const { edits, acknowledged, resent } = this.ledger;
    const comments = this.#commenters.reduce((total, { entries }) => total + entries.size, 0);
    const deletions = this.#commenters.reduce((total, { forgotten }) => total + forgotten.length, 0);
    return { edits, acknowledged, resent, comments, deletions, cuts: cuts + stalls, duplicates };
  }

  /** People do things until {@link calm}, or so many things. */
  async live(acts = Number.POSITIVE_INFINITY): Promise<void> {
    for (let done = 0; !this.#stopped && done < acts; done++) {
      await pause(this.#random.below(PACE));
      // Without a server all that happens waits: then a little will do.
      if (this.#tabs.some(({ isConnected }) => isConnected) || this.#random.chance(0.1)) this.#happen();
    }
  }

  /** From now on nobody does anything, every network works, everybody is there. Resolves when all requests were answered. */
  async calm(): Promise<void> {
    this.#stopped = true;
    for (const tab of [...this.#tabs, ...this.#discussions]) {
      tab.network.calm();
      tab.connect();
    }
    await Promise.all(this.#requests);
  }

  /** Waits until all copies are the same and everything is acknowledged. How they differ where that takes too long. */
  async settle(patience: number): Promise<string[]> {
    const end = Date.now() + patience;
    for (;;) {
      const open = this.#unsettled();
      if (open.length === 0 || Date.now() > end) return open;
      await pause(POLL);
    }
  }

  /** What was promised and is not so in the database: a line each. */
  async brokenPromises(db: Database): Promise<string[]> {
    const edits = this.ledger.promise();
    const comments = this.#commenters.map((commenter) => commenter.promise());
    const forgotten = this.#commenters.flatMap((commenter) => commenter.forgotten);
    const board = await loadCold(db, this.#boardRoom);
    const discussion = await loadCold(db, this.#discussionRoom);
    return [
      ...edits(board),
      ...comments.flatMap((broken) => broken(discussion)),
      ...flawsOf(discussion, this.#commenters),
      ...(await this.#wordsStillIn(db, forgotten)),
    ].map((line) => `board ${this.options.id}: ${line}`);
  }

  /** After {@link settle}: how the database, loaded from nothing, differs from what people see. */
  async differencesFrom(db: Database): Promise<string[]> {
    const lines: string[] = [];
    for (const [room, seen] of [
      [this.#boardRoom, this.#tabs],
      [this.#discussionRoom, this.#discussions],
    ] as const) {
      const cold = { who: `${room} loaded from nothing`, doc: await loadCold(db, room) };
      const older = await loadFromSnapshotBefore(db, room);
      const kept = older ? [{ who: `${room} from the snapshot before the last`, doc: older }] : [];
      lines.push(...disagreements([cold, ...kept, ...witnesses(room, seen)]));
    }
    const [row] = await db.select().from(boards).where(eq(boards.id, this.options.id));
    const title = readTitle(this.#tabs[0]!.doc);
    // Without a title it is listed by its prompt.
    if (title !== '' && row?.title !== title) lines.push(`board ${this.options.id}: listed as ${row?.title}, expected ${title}`);
    return lines;
  }

  /** Closings and refusals that nobody deserved. */
  get faults(): string[] {
    const open = [...this.#tabs, ...this.#discussions, ...this.#commenters].flatMap(({ faults }) => faults);
    return [...this.#faults, ...open];
  }

  /** Everybody leaves; what they saw last is still to be compared. */
  disconnect(): void {
    for (const tab of [...this.#tabs, ...this.#discussions]) tab.disconnect();
  }

  close(): void {
    this.#stopped = true;
    for (const commenter of this.#commenters) commenter.stop();
    for (const tab of [...this.#tabs, ...this.#discussions]) tab.close();
  }

  /** A new tab at each server, which knows nothing: what somebody sees who comes now. */
  openFresh(): void {
    for (const [index] of this.options.origins.entries()) {
      this.#tabs.push(this.#open(this.#boardRoom, this.options.commenters[0]!, this.#readers, index));
      this.#discussions.push(this.#open(this.#discussionRoom, this.options.commenters[0]!, this.#readers, index));
    }
    for (const tab of [...this.#tabs, ...this.#discussions]) tab.network.calm();
  }

  get #boardRoom(): string {
    return `board/${this.options.id}`;
  }

  get #discussionRoom(): string {
    return `discussion/${this.options.id}`;
  }

  #happen(): void {
    const random = this.#random;
    const dice = random.next();
    const tab = random.pick(this.#tabs);
    if (dice < 0.86) tab.act();
    else if (dice < 0.9) tab.connect();
    else if (dice < 0.93) tab.disconnect();
    else if (dice < 0.95) for (const one of this.#tabs) one.connect();
    else if (dice < 0.96) for (const one of [...this.#tabs, ...this.#discussions]) one.disconnect();
    else if (dice < 0.975) for (const one of [...this.#tabs, ...this.#discussions]) one.connect();
    else if (dice < 0.98) this.#replace(tab);
    else this.#request(random.pick(this.#commenters).act());
  }

  /** What only this tab knew is gone with it; what it was promised is not. */
  #replace(tab: Tab): void {
    this.#faults.push(...tab.faults);
    tab.close();
    this.#tabs.splice(this.#tabs.indexOf(tab), 1);
    this.#openTab();
  }

  #openTab(): void {
    const { id, editors, origins } = this.options;
    this.#tabs.push(this.#open(`board/${id}`, this.#random.pick(editors), this.ledger, this.#random.below(origins.length)));
  }

  /** A tab at one of the servers; where a connection breaks, the next one may reach another. */
  #open(room: string, cookie: string, ledger: Ledger, home: number): Tab {
    const { origins, weather, demoted } = this.options;
    const random = this.#random.fork();
    let first = true;
    const origin = () => {
      if (!first && random.chance(0.5)) return random.pick(origins);
      first = false;
      return origins[home]!;
    };
    const isDemoted = cookie === demoted;
    return new Tab({ room, cookie, isDemoted, origin, random: random.fork(), weather, mishaps: this.#mishaps, ledger });
  }

  #request(request: Promise<void>): void {
    this.#requests.add(request);
    void request.finally(() => this.#requests.delete(request));
  }

  #unsettled(): string[] {
    const tabs = [...this.#tabs, ...this.#discussions];
    const waiting = tabs.filter((tab) => !tab.isSettled);
    if (waiting.length > 0) {
      return waiting.map((tab) => `${tab.provider.roomname}: client ${tab.doc.clientID} is ${tab.state}`);
    }
    return [...disagreements(witnesses(this.#boardRoom, this.#tabs)), ...disagreements(witnesses(this.#discussionRoom, this.#discussions))];
  }

  async #wordsStillIn(db: Database, words: readonly string[]): Promise<string[]> {
    if (words.length === 0) return [];
    const lines: string[] = [];
    for (const [name, table] of Object.entries({ updates, snapshots, quarantine })) {
      const rows = await db.select({ data: table.data }).from(table).where(eq(table.room, this.#discussionRoom));
      for (const { data } of rows) {
        const bytes = Buffer.from(data);
        lines.push(...words.filter((word) => bytes.includes(word)).map((word) => `deleted, and still in ${name}: ${word}`));
      }
    }
    return lines;
  }
}

function witnesses(room: string, tabs: readonly Tab[]): Witness[] {
  return tabs.map(({ doc }) => ({ who: `${room} at client ${doc.clientID}`, doc }));
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
