import type { Presence } from '../../lib/wire.ts';
import { LIMITS } from './legality.ts';
import { joinEntries, readEntries, writeEntry, type AwarenessEntry } from './protocol.ts';

/** A connection as presence sees it. */
export interface Present {
  readonly user: Presence['user'];
  /** the Yjs client at its other end, once it has told */
  clientId: number | null;
  send(frame: Uint8Array): void;
  /** as {@link send}, for what it asked for */
  answer(frame: Uint8Array): void;
}

export interface PresenceOptions {
  members: ReadonlySet<Present>;
  now: () => number;
  /** milliseconds in which changes are collected, among few members */
  pause: number;
  /** whether the client id is known to be another person's */
  isForeign: (clientId: number, personId: string) => boolean;
  /** tells other instances who came, moved and went here */
  tell: (entries: AwarenessEntry[]) => void;
}

interface State {
  /** null: connected to another instance */
  owner: Present | null;
  instance: string | null;
  fields: Record<string, unknown>;
  entry: AwarenessEntry;
}

/** Each member hears of each other: with twice as many, changes go out half as often. */
const CROWD = 50;
/** Milliseconds after which an instance that says nothing is gone, with everybody on it. */
const SILENCE = 30_000;
/** Client ids whose persons are remembered while the room is loaded. */
const CLAIMS = 10_000;

/**
 * Who is in a room. Each connection speaks for its own Yjs client alone, `user` comes from its session, and
 * changes go out together: each encoded once, for all who did not change themselves.
 */
export class PresenceBoard {
  private readonly states = new Map<number, State>();
  private readonly changed = new Map<number, AwarenessEntry>();
  private readonly untold = new Map<number, AwarenessEntry>();
  /** who was the first to speak for a Yjs client */
  private readonly claims = new Map<number, string>();
  private readonly heard = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: PresenceOptions) {}

  receive(member: Present, bytes: Uint8Array): void {
    for (const { clientId, state } of readEntries(bytes, (id) => this.speaksFor(member, id))) {
      const fields = state.length <= LIMITS.presence ? readFields(state) : null;
      if (fields) this.put(member, clientId, fields);
      else if (this.states.get(clientId)?.owner === member) this.remove(clientId, true);
    }
  }

  leave(member: Present): void {
    const { clientId } = member;
    if (clientId !== null && this.states.get(clientId)?.owner === member) this.remove(clientId, true);
  }

  /** After a person's name changed. */
  refresh(member: Present): void {
    const { clientId } = member;
    const state = clientId === null ? undefined : this.states.get(clientId);
    if (clientId !== null && state?.owner === member) this.put(member, clientId, state.fields);
  }

  /** Everybody but the one who asks. */
  greet(member: Present): void {
    const others = [...this.states.values()].filter(({ entry }) => entry.clientId !== member.clientId);
    if (others.length > 0) member.answer(joinEntries(others.map(({ entry }) => writeEntry(entry))));
  }

  /** Who spoke for a Yjs client first, since the room was loaded. */
  personOf(clientId: number): string | null {
    return this.claims.get(clientId) ?? null;
  }

  /** Who is connected to this instance. */
  get here(): AwarenessEntry[] {
    return [...this.states.values()].filter(({ owner }) => owner !== null).map(({ entry }) => entry);
  }

  /** What another instance tells; with `whole`, nobody else is there. */
  hear(instance: string, entries: readonly AwarenessEntry[], whole: boolean): void {
    this.heard.set(instance, this.options.now());
    const named = new Set<number>();
    for (const { clientId, state } of entries) {
      named.add(clientId);
      const known = this.states.get(clientId);
      const fields = readFields(state);
      if (fields && !this.belongsTo(clientId, personIn(fields))) continue;
      const isNews = !known || (known.instance === instance && known.entry.state !== state);
      if (!fields) {
        if (known?.instance === instance) this.remove(clientId, false);
      } else if (whole ? isNews : known?.entry.state !== state || known.instance !== instance) {
        // A client that moves over is heard of there before its old connection here is missed.
        this.announce({ owner: null, instance, fields, entry: { clientId, clock: this.nextClock(clientId), state } });
      } else if (!whole) {
        // Said again, so that clients do not take it for gone.
        this.announce({ ...known!, entry: { ...known!.entry, clock: this.nextClock(clientId) } });
      }
    }
    if (whole) this.removeAllOf(instance, named);
  }

  /** Removes who was connected to an instance that has not been heard of for long. */
  dropSilent(): void {
    const since = this.options.now() - SILENCE;
    for (const [instance, at] of this.heard) {
      if (at >= since) continue;
      this.heard.delete(instance);
      this.removeAllOf(instance, new Set());
    }
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
  }

  /** The provider also relays what it heard of others: only a client's own word about itself counts. */
  private speaksFor(member: Present, clientId: number): boolean {
    if (member.clientId !== null) return member.clientId === clientId;
    const { id } = member.user;
    // The same client coming back before the server noticed that it had gone takes its place over.
    if (this.options.isForeign(clientId, id) || !this.belongsTo(clientId, id)) return false;
    member.clientId = clientId;
    return true;
  }

  /** A client that nobody spoke for is theirs from now on. */
  private belongsTo(clientId: number, personId: string): boolean {
    const claimant = this.claims.get(clientId);
    if (claimant !== undefined) return claimant === personId;
    this.claims.set(clientId, personId);
    if (this.claims.size > CLAIMS) this.claims.delete(this.claims.keys().next().value ?? clientId);
    return true;
  }

  private put(owner: Present, clientId: number, fields: Record<string, unknown>): void {
    const state = JSON.stringify({ ...fields, user: owner.user });
    const entry = { clientId, clock: this.nextClock(clientId), state };
    this.announce({ owner, instance: null, fields, entry });
    this.untold.set(clientId, entry);
  }

  private remove(clientId: number, isOurs: boolean): void {
    const entry = { clientId, clock: this.nextClock(clientId), state: 'null' };
    this.states.delete(clientId);
    this.note(entry);
    if (isOurs) this.untold.set(clientId, entry);
  }

  private removeAllOf(instance: string, but: ReadonlySet<number>): void {
    for (const [clientId, state] of this.states) if (state.instance === instance && !but.has(clientId)) this.remove(clientId, false);
  }

  /**
   * Clients ignore a clock that does not grow, across reconnections, instances and restarts of the server: so it is
   * the time, and each instance gives its own.
   */
  private nextClock(clientId: number): number {
    return Math.max((this.states.get(clientId)?.entry.clock ?? 0) + 1, this.options.now());
  }

  private announce(state: State): void {
    this.states.set(state.entry.clientId, state);
    this.note(state.entry);
  }

  private note(entry: AwarenessEntry): void {
    this.changed.set(entry.clientId, entry);
    const { members, pause } = this.options;
    this.timer ??= setTimeout(() => this.flush(), pause * Math.max(1, members.size / CROWD));
  }

  private flush(): void {
    this.timer = null;
    if (this.untold.size > 0) this.options.tell([...this.untold.values()]);
    this.untold.clear();
    const batch = new Map([...this.changed].map(([clientId, entry]) => [clientId, writeEntry(entry)]));
    this.changed.clear();
    const all = [...batch.values()];
    const forAll = joinEntries(all);
    for (const member of this.options.members) {
      // A client that heard of itself would take back what it has changed since.
      const own = member.clientId === null ? undefined : batch.get(member.clientId);
      if (!own) member.send(forAll);
      else if (all.length > 1) member.send(joinEntries(all.filter((entry) => entry !== own)));
    }
  }
}

/** Null for a client that says goodbye, and for what is no object. */
function readFields(state: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(state);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Every instance writes into a state whose it is. */
function personIn({ user }: Record<string, unknown>): string {
  return typeof user === 'object' && user !== null && 'id' in user ? String(user.id) : '';
}

const COLORS = ['#3b6fb6', '#b6573b', '#3b9a6d', '#8a5bb0', '#b0892f', '#4a8fa3', '#a34a7a', '#6b7a2f'];

/** Always the same colour for the same person. */
export function colorOf(personId: string): string {
  let hash = 0;
  for (const character of personId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return COLORS[hash % COLORS.length] ?? '#3b6fb6';
}
