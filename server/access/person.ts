import { and, eq, gt, isNull } from 'drizzle-orm';
import type { IncomingHttpHeaders } from 'node:http';
import type { Database } from '../../db/client.ts';
import { people, sessions } from '../../db/schema.ts';
import type { Author, Me } from '../../lib/wire.ts';
import type { App } from '../app.ts';
import { SECRET_HEADER, holdsSecret } from '../guard.ts';
import { Refusal } from '../refusal.ts';

/** Somebody who is signed in. */
export interface Person {
  id: string;
  /** what the others see */
  name: string;
  /** of this installation */
  owner: boolean;
  /** null for a guest, and for an owner without a password; nobody else is ever told */
  email: string | null;
  /** without an account: signed in on one browser alone */
  guest: boolean;
}

export interface Session {
  person: Person;
  /** null for the command on this machine, which shows the local secret */
  token: string | null;
  /** when it was last made to last longer */
  renewedAt: number;
}

type Row = Pick<typeof people.$inferSelect, 'id' | 'name' | 'owner' | 'email' | 'isAnonymous'>;

/** What of a row of people makes a {@link Person}. */
const COLUMNS = { id: people.id, name: people.name, owner: people.owner, email: people.email, isAnonymous: people.isAnonymous };
/** No mail is ever delivered there (RFC 2606): whoever has no address has one of these in its place. */
const NOWHERE = '.invalid';

export async function personOfHeaders(app: App, headers: Headers | IncomingHttpHeaders): Promise<Person | null> {
  return (await sessionOfHeaders(app, headers))?.person ?? null;
}

/** Whose request this is: by the session's cookie, or by the secret that the command on this machine shows. */
export async function sessionOfHeaders(app: App, given: Headers | IncomingHttpHeaders): Promise<Session | null> {
  const headers = given instanceof Headers ? given : headersOf(given);
  if (holdsSecret(headers.get(SECRET_HEADER), app.config.localSecret)) {
    const owner = await findOwner(app.db);
    return owner && { person: owner, token: null, renewedAt: app.now() };
  }
  const token = await app.auth.tokenOf(headers);
  if (token === null) return null;
  const [row] = await app.db
    .select({ ...COLUMNS, renewedAt: sessions.updatedAt })
    .from(sessions)
    .innerJoin(people, eq(people.id, sessions.userId))
    .where(and(eq(sessions.token, token), gt(sessions.expiresAt, new Date(app.now())), isNull(people.mergedInto)));
  return row ? { person: personOf(row), token, renewedAt: row.renewedAt.getTime() } : null;
}

export async function findOwner(db: Database): Promise<Person | null> {
  const [row] = await db.select(COLUMNS).from(people).where(eq(people.owner, true));
  return row ? personOf(row) : null;
}

export async function findPerson(db: Database, id: string): Promise<Person | null> {
  const [row] = await db.select(COLUMNS).from(people).where(eq(people.id, id));
  return row ? personOf(row) : null;
}

export function requirePerson(person: Person | null): Person {
  if (person) return person;
  throw new Refusal('unauthorised', 'session', 'somebody who is signed in or followed an invitation', 'a request without a session');
}

/** The ids under which this person ever wrote: their own, and of the guests who turned out to be them. */
export async function idsOf(db: Database, person: Person): Promise<Set<string>> {
  const rows = await db.select({ id: people.id }).from(people).where(eq(people.mergedInto, person.id));
  return new Set([person.id, ...rows.map(({ id }) => id)]);
}

export function meOf(person: Person | null): Me {
  return {
    person: person && authorOf(person),
    owner: person?.owner ?? false,
    email: person?.email ?? null,
    guest: person?.guest ?? false,
  };
}

/** What of a person everybody on a board may know. */
export function authorOf({ id, name }: Author): Author {
  return { id, name };
}

export function noAddress(id: string): string {
  return `${id}@guest${NOWHERE}`;
}

function personOf({ id, name, owner, email, isAnonymous }: Row): Person {
  return { id, name, owner, email: email.endsWith(NOWHERE) ? null : email, guest: isAnonymous };
}

function headersOf(given: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const name of ['cookie', SECRET_HEADER, 'user-agent']) {
    const value = given[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return headers;
}
