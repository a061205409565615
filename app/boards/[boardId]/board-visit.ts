'use client';
import { CLOSE } from '@/lib/board/protocol.ts';
import { may, type Role } from '@/lib/roles.ts';
import { RequestFailure, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { BoardSession, type Closing } from './board-session.ts';
import { keepAside, type KeptAside } from './kept-aside.ts';
import type { OwnEdit } from './own-edits.ts';

const RETRY_MS = 2000;
const COOL_DOWN_MS = 10_000;
/** Times that the server may turn this page away, though it says that the person may come in, before it stays away. */
const ATTEMPTS = 3;

export interface Notice {
  text: string;
  /** the board cannot be used any more in this window */
  final: boolean;
  /** signing in would help */
  signIn: boolean;
  /** nothing went wrong */
  calm: boolean;
}

export interface VisitState {
  session: BoardSession;
  /** null: none any more */
  role: Role | null;
  /** the board document is about to be replaced: what is written into it now would be lost */
  changing: boolean;
  notice: Notice | null;
}

/**
 * One person at one board, through changes of their role and of the room. A session lives as long as its documents
 * can be synced; where they cannot, the edits that the server lacks are kept aside and another session follows. The
 * old one stays in sight until the new one has its documents.
 */
export class BoardVisit {
  #state: VisitState;
  #next: BoardSession | null = null;
  #busy = false;
  #ended = false;
  #turnedAway = 0;
  #wasConnected = false;
  #listeners = new Set<() => void>();

  constructor(
    readonly boardId: string,
    readonly personId: string,
    role: Role,
  ) {
    this.#state = { session: this.#openSession(role), role, changing: false, notice: null };
    this.#follow(this.#state.session);
    window.addEventListener('beforeunload', this.#warn);
  }

  get state(): VisitState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  say = (text: string): void => this.#set({ notice: { text, final: false, signIn: false, calm: true } });

  dismiss = (): void => this.#set({ notice: null });

  destroy(): void {
    this.#ended = true;
    window.removeEventListener('beforeunload', this.#warn);
    this.#state.session.destroy();
    this.#next?.destroy();
  }

  #openSession(role: Role): BoardSession {
    const { boardId, personId } = this;
    const session: BoardSession = new BoardSession({
      boardId,
      personId,
      editable: may(role, 'board.edit'),
      onClosed: (closing) => this.#onClosed(session, closing),
      onStale: (edits) => this.#keep(may(role, 'board.edit') ? 'left' : 'role', edits),
    });
    return session;
  }

  /** Whoever was away asks what they may do now: their role may have changed meanwhile. */
  #follow(session: BoardSession): void {
    session.subscribe(() => {
      const { status } = session.connection;
      if (status === 'offline' && this.#wasConnected) this.#wasConnected = false;
      else if (status === 'connected' && !this.#wasConnected) {
        this.#wasConnected = true;
        if (session === this.#state.session && !this.#busy) void this.#checkRole();
      }
    });
  }

  #onClosed(session: BoardSession, { code, reason, of }: Closing): void {
    if (this.#ended || this.#busy || session !== (this.#next ?? this.#state.session)) return;
    this.#busy = true;
    // Both sockets tend to be closed at once; one answer is enough.
    session.disconnect();
    void this.#answer(session, code, reason, of).finally(() => (this.#busy = false));
  }

  async #answer(session: BoardSession, code: number, reason: string, of: Closing['of']): Promise<void> {
    switch (code) {
      case CLOSE.roleChanged:
      case CLOSE.forbidden:
      case CLOSE.notFound:
        return this.#reconsider(session, code, reason);
      case CLOSE.otherEpoch:
        // The discussion is the server's alone: the board's own edits stay where they are.
        if (of === 'discussion' && !session.isAtRisk) return this.#replace(session, null, strings.closed.otherEpoch);
        return this.#replace(session, 'epoch', strings.closed.otherEpoch);
      case CLOSE.tooLarge:
        return this.#replace(session, 'refused', strings.closed.tooLarge);
      case CLOSE.invalidUpdate:
        return this.#replace(session, 'refused', strings.closed.invalidUpdate);
      case CLOSE.tooFast:
        this.#tell(strings.closed.tooFast);
        await pause(COOL_DOWN_MS);
        return session.connect();
      case CLOSE.unauthorised:
        return this.#lose(session, { text: strings.closed.unauthorised, final: true, signIn: true, calm: false });
      case CLOSE.badRequest:
        return this.#lose(session, { text: strings.closed.badRequest, final: true, signIn: false, calm: false });
      default:
        return this.#lose(session, { text: strings.closed.other(code), final: true, signIn: false, calm: false });
    }
  }

  /** Goes on with the role that the person has now, if they have one. */
  async #reconsider(session: BoardSession, code: number, reason: string): Promise<void> {
    const outcome = await this.#askRole();
    if (this.#ended) return;
    if (outcome instanceof RequestFailure) {
      const text = spoken(reason) ?? (code === CLOSE.notFound ? strings.closed.notFound : strings.closed.forbidden);
      if (outcome.status === 401) return this.#lose(session, { text: strings.closed.unauthorised, final: true, signIn: true, calm: false });
      this.#keep('removed', session.unsavedEdits);
      await session.abandon();
      return this.#lose(session, { text, final: true, signIn: false, calm: false });
    }
    this.#turnedAway = code === CLOSE.roleChanged ? 0 : this.#turnedAway + 1;
    if (this.#turnedAway > ATTEMPTS)
      return this.#lose(session, { text: spoken(reason) ?? strings.closed.forbidden, final: true, signIn: false, calm: false });
    this.#tell(spoken(reason) ?? strings.roles.now(outcome));
    return this.#goOnAs(session, outcome);
  }

  async #checkRole(): Promise<void> {
    const { session, role } = this.#state;
    const { boardId } = this;
    const now = await request<{ role: Role }>(`/api/boards/${boardId}/access`).then(
      (answer) => answer.role,
      // The sockets will tell.
      () => role,
    );
    if (this.#ended || this.#busy || session !== this.#state.session || now === null || now === role) return;
    this.#busy = true;
    session.disconnect();
    this.#tell(strings.roles.now(now));
    await this.#goOnAs(session, now).finally(() => (this.#busy = false));
  }

  async #goOnAs(session: BoardSession, role: Role): Promise<void> {
    this.#set({ role });
    if (may(role, 'board.edit') === session.editable) session.connect();
    else await this.#replace(session, 'role', null);
  }

  /** Starts afresh with new documents; `why` says what becomes of edits that the server lacks: null, they come along. */
  async #replace(session: BoardSession, why: KeptAside['why'] | null, text: string | null): Promise<void> {
    const { role } = this.#state;
    if (role === null) return;
    this.#set({ changing: true });
    if (why !== null) {
      this.#keep(why, session.unsavedEdits);
      await session.abandon();
    }
    if (text !== null) this.#tell(text);
    if (this.#ended) return;
    // One that never came into sight has nothing to show.
    if (session === this.#next) session.destroy();
    const next = this.#openSession(role);
    this.#next = next;
    const stop = next.subscribe(() => {
      if (!next.connection.ready) return;
      stop();
      this.#show(next);
    });
  }

  #show(next: BoardSession): void {
    if (this.#ended || next !== this.#next) return;
    const old = this.#state.session;
    this.#next = null;
    this.#wasConnected = true;
    this.#set({ session: next, changing: false });
    this.#follow(next);
    if (old !== next) old.destroy();
  }

  #lose(session: BoardSession, notice: Notice): void {
    if (session === this.#next) {
      this.#next = null;
      session.destroy();
    }
    this.#state.session.markClosed();
    this.#set({ role: null, changing: false, notice });
  }

  /** Asks until there is an answer, be it a refusal. */
  async #askRole(): Promise<Role | RequestFailure> {
    for (;;) {
      const answer = await request<{ role: Role }>(`/api/boards/${this.boardId}/access`).then(
        ({ role }) => role,
        (error: unknown) => {
          if (error instanceof RequestFailure) return error;
          throw error;
        },
      );
      if (typeof answer === 'string' || this.#ended || !(answer.isOffline || answer.status >= 500 || answer.status === 429)) return answer;
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await pause(RETRY_MS);
    }
  }

  #keep(why: KeptAside['why'], edits: readonly OwnEdit[]): void {
    if (edits.length > 0) keepAside(this.personId, this.boardId, why, edits);
  }

  #tell(text: string): void {
    this.#set({ notice: { text, final: false, signIn: false, calm: false } });
  }

  #warn = (event: BeforeUnloadEvent): void => {
    if (this.#state.session.isAtRisk) event.preventDefault();
  };

  #set(change: Partial<VisitState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The server's reason as a sentence; null for none, and for a line about a request, which says nothing to a person. */
function spoken(reason: string): string | null {
  if (reason === '' || reason.includes(': expected ')) return null;
  return `${reason[0]!.toUpperCase()}${reason.slice(1)}${reason.endsWith('.') ? '' : '.'}`;
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
