import type { IncomingHttpHeaders } from 'node:http';
import type { Role } from '../../lib/roles.ts';
import { personOfHeaders, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { reviewStay } from './admission.ts';
import type { Member } from './member.ts';
import type { AccessChange } from './notices.ts';

/** A connection that was let in, and what it was let in for. */
export interface Connection {
  member: Member;
  /** of the request that opened it */
  headers: IncomingHttpHeaders;
  boardId: string;
  role: Role;
}

/** Who is connected to this instance, and whether they still may be. */
export class Connections {
  /** grows with every change of anybody's access */
  changes = 0;
  private readonly open = new Set<Connection>();
  private reviewing: Promise<void> | null = null;
  private isOutageTold = false;

  constructor(
    private readonly app: App,
    private readonly onFault: (error: unknown) => void,
  ) {
    app.rooms.onAccessChange((change) => this.hear(change));
  }

  /** `since`: what {@link changes} was before it was looked up whether the connection may be let in. */
  add(connection: Connection, since: number): void {
    this.open.add(connection);
    if (since !== this.changes) void this.review([connection]);
  }

  delete(connection: Connection): void {
    this.open.delete(connection);
  }

  /** Everybody, one look-up for each person and board; so that access ends even where nobody told. */
  reviewAll(): Promise<void> {
    this.reviewing ??= this.review([...this.open]).finally(() => (this.reviewing = null));
    return this.reviewing;
  }

  private hear({ personId, boardId }: AccessChange): Promise<void> {
    this.changes += 1;
    const concerned = [...this.open].filter(
      (one) => (personId === null || one.member.user.id === personId) && (boardId === null || one.boardId === boardId),
    );
    return this.review(concerned);
  }

  /** Never rejects: while the database is away everybody stays. */
  private async review(connections: readonly Connection[]): Promise<void> {
    const people = new Map<string, Promise<Person | null>>();
    const stays = new Map<string, ReturnType<typeof reviewStay>>();
    for (const { member, headers, boardId, role } of connections) {
      if (member.closed) continue;
      const personId = member.user.id;
      const browser = headers.cookie ?? '';
      try {
        const signedIn = await once(people, browser, () => personOfHeaders(this.app, headers));
        const key = JSON.stringify([signedIn?.id ?? null, personId, boardId, role]);
        const closing = await once(stays, key, () => reviewStay(this.app, { signedIn, personId, boardId, role }));
        if (closing) member.close(closing.code, closing.reason);
        this.isOutageTold = false;
      } catch (error) {
        if (!this.isOutageTold) this.onFault(error);
        this.isOutageTold = true;
        return;
      }
    }
  }
}

/** What `make` gives, asked once for a key. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
