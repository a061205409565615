import type { Presence } from '../../lib/wire.ts';
import { LIMITS } from './legality.ts';
import { writeAwareness, type AwarenessEntry } from './protocol.ts';

/** A connection as presence sees it. */
export interface Present {
  readonly user: Presence['user'];
  /** the Yjs client at its other end, once it has told */
  clientId: number | null;
  send(frame: Uint8Array): void;
}

interface State {
  owner: Present;
  fields: Record<string, unknown>;
  clock: number;
}

/**
 * Who is in a room. Each connection speaks for its own Yjs client alone, `user` comes from its session, and
 * changes go out together: encoded once for all who did not change themselves.
 */
export class PresenceBoard {
  private readonly states = new Map<number, State>();
  private readonly changed = new Map<number, AwarenessEntry>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly members: ReadonlySet<Present>,
    private readonly now: () => number,
    /** milliseconds in which changes are collected */
    private readonly pause: number,
  ) {}

  receive(member: Present, entries: readonly AwarenessEntry[]): void {
    for (const { clientId, state } of entries) {
      if (!this.speaksFor(member, clientId)) continue;
      const fields = readFields(state);
      if (fields) this.put(member, clientId, fields);
      else if (this.states.get(clientId)?.owner === member) this.remove(clientId);
    }
  }

  leave(member: Present): void {
    const { clientId } = member;
    if (clientId !== null && this.states.get(clientId)?.owner === member) this.remove(clientId);
  }

  /** After a person's name changed. */
  refresh(member: Present): void {
    const { clientId } = member;
    const state = clientId === null ? undefined : this.states.get(clientId);
    if (clientId !== null && state?.owner === member) this.put(member, clientId, state.fields);
  }

  /** Everybody but the one who asks. */
  greet(member: Present): void {
    const others = [...this.states]
      .filter(([clientId]) => clientId !== member.clientId)
      .map(([clientId, state]) => entryOf(clientId, state));
    if (others.length > 0) member.send(writeAwareness(others));
  }

  /** The person at the other end of a Yjs client that is present now. */
  personOf(clientId: number): string | null {
    return this.states.get(clientId)?.owner.user.id ?? null;
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
  }

  /** The provider also relays what it heard of others: only a client's own word about itself counts. */
  private speaksFor(member: Present, clientId: number): boolean {
    if (member.clientId !== null) return member.clientId === clientId;
    const state = this.states.get(clientId);
    // The same client coming back before the server noticed that it had gone takes its place over.
    if (state && state.owner.user.id !== member.user.id) return false;
    member.clientId = clientId;
    return true;
  }

  private put(owner: Present, clientId: number, fields: Record<string, unknown>): void {
    const state = { owner, fields, clock: this.nextClock(clientId) };
    this.states.set(clientId, state);
    this.announce(entryOf(clientId, state));
  }

  private remove(clientId: number): void {
    const clock = this.nextClock(clientId);
    this.states.delete(clientId);
    this.announce({ clientId, clock, state: 'null' });
  }

  /** Clients ignore a clock that does not grow, across reconnections and restarts of the server: so it is the time. */
  private nextClock(clientId: number): number {
    return Math.max((this.states.get(clientId)?.clock ?? 0) + 1, this.now());
  }

  private announce(entry: AwarenessEntry): void {
    this.changed.set(entry.clientId, entry);
    this.timer ??= setTimeout(() => this.flush(), this.pause);
  }

  private flush(): void {
    this.timer = null;
    const batch = [...this.changed.values()];
    this.changed.clear();
    const forAll = writeAwareness(batch);
    for (const member of this.members) {
      // A client that heard of itself would take back what it has changed since.
      const own = member.clientId !== null && batch.some(({ clientId }) => clientId === member.clientId);
      const rest = own ? batch.filter(({ clientId }) => clientId !== member.clientId) : batch;
      if (rest.length > 0) member.send(own ? writeAwareness(rest) : forAll);
    }
  }
}

function entryOf(clientId: number, { owner, fields, clock }: State): AwarenessEntry {
  return { clientId, clock, state: JSON.stringify({ ...fields, user: owner.user }) };
}

/** Null for a client that says goodbye, and for what is too large or no object. */
function readFields(state: string): Record<string, unknown> | null {
  if (state.length > LIMITS.presence) return null;
  try {
    const value: unknown = JSON.parse(state);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

const COLORS = ['#3b6fb6', '#b6573b', '#3b9a6d', '#8a5bb0', '#b0892f', '#4a8fa3', '#a34a7a', '#6b7a2f'];

/** Always the same colour for the same person. */
export function colorOf(personId: string): string {
  let hash = 0;
  for (const character of personId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return COLORS[hash % COLORS.length] ?? '#3b6fb6';
}
