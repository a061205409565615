import { and, eq, gt, isNull, ne } from 'drizzle-orm';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Database } from '../db/client.ts';
import { boards, invites, memberships, ownerLinks, people, sessions } from '../db/schema.ts';
import type { Me } from '../lib/wire.ts';
import type { App } from './app.ts';
import { Refusal } from './refusal.ts';

/** Somebody with a session. `name` is what the others see. */
export interface Person {
  id: string;
  name: string;
  owner: boolean;
}

export const SESSION_COOKIE = 'pathboard_session';
const HOUR = 3_600_000;
const OWNER_LINK_LIFE = 24 * HOUR;
const INVITE_LIFE = 30 * 24 * HOUR;
export const SESSION_LIFE = 90 * 24 * HOUR;

/** The database never holds what would open a session: a copy of it signs nobody in. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The owner of this installation, made at the first start. */
export async function ensureOwner(db: Database, now: number): Promise<Person> {
  const [owner] = await db.select().from(people).where(eq(people.owner, true));
  if (owner) return personOf(owner);
  const made = { id: randomUUID(), name: 'Owner', owner: true, createdAt: now };
  await db.insert(people).values(made);
  return personOf(made);
}

/** A link that signs the owner in once. */
export async function makeOwnerLink({ config, db, now }: App): Promise<string> {
  const token = newToken();
  await db.insert(ownerLinks).values({ tokenHash: hashToken(token), createdAt: now(), expiresAt: now() + OWNER_LINK_LIFE });
  return `${originOf(config.host, config.port)}/enter?token=${token}`;
}

/** Uses an owner link up and returns the token of the session that it opens. */
export async function redeemOwnerLink({ db, now }: App, token: string): Promise<string> {
  return db.transaction(async (tx) => {
    const used = await tx
      .update(ownerLinks)
      .set({ usedAt: now() })
      .where(and(eq(ownerLinks.tokenHash, hashToken(token)), isNull(ownerLinks.usedAt), gt(ownerLinks.expiresAt, now())))
      .returning({ tokenHash: ownerLinks.tokenHash });
    if (used.length === 0) throw new Refusal('unauthorised', 'owner link', 'a link that is less than a day old and unused', 'another one');
    const owner = await ensureOwner(tx, now());
    return openSession(tx, owner.id, now());
  });
}

/** Who a session's token belongs to, or null. */
export async function personOfSession({ db, now }: App, token: string | null): Promise<Person | null> {
  if (!token) return null;
  const [row] = await db
    .select({ id: people.id, name: people.name, owner: people.owner })
    .from(sessions)
    .innerJoin(people, eq(people.id, sessions.personId))
    .where(and(eq(sessions.tokenHash, hashToken(token)), gt(sessions.expiresAt, now())));
  return row ?? null;
}

export function meOf(person: Person | null): Me {
  return { person: person && { id: person.id, name: person.name }, owner: person?.owner ?? false };
}

export function requirePerson(person: Person | null): Person {
  if (person) return person;
  throw new Refusal('unauthorised', 'session', 'an owner link or an invitation to be followed first', 'a request without a session');
}

/** Refuses in the same words whether the board exists or not. */
export async function requireMember({ db }: App, person: Person | null, boardId: string): Promise<Person> {
  const someone = requirePerson(person);
  const [row] = someone.owner
    ? await db.select({ id: boards.id }).from(boards).where(eq(boards.id, boardId))
    : await db
        .select({ id: memberships.boardId })
        .from(memberships)
        .where(and(eq(memberships.boardId, boardId), eq(memberships.personId, someone.id)));
  if (row) return someone;
  throw new Refusal('not-found', 'board', 'a board that you are a member of', boardId);
}

/** The token of a link by which people join the board. */
export async function invite({ db, now }: App, person: Person, boardId: string): Promise<string> {
  const token = newToken();
  await db.insert(invites).values({
    tokenHash: hashToken(token),
    boardId,
    createdBy: person.id,
    createdAt: now(),
    expiresAt: now() + INVITE_LIFE,
  });
  return token;
}

/** What an invitation is to, for the page that asks for a name. */
export async function readInvitation(
  { db, now }: App,
  token: string,
  person: Person | null,
): Promise<{ boardId: string; title: string; member: boolean }> {
  const board = await invitedBoard(db, token, now());
  const member = person !== null && (person.owner || (await isMember(db, board.boardId, person.id)));
  return { ...board, member };
}

/** Joins by an invitation; `session` is the token of a new session, or null where the person had one. */
export async function join(
  { db, now }: App,
  person: Person | null,
  request: { token: string; name: string },
): Promise<{ boardId: string; session: string | null }> {
  return db.transaction(async (tx) => {
    const { boardId } = await invitedBoard(tx, request.token, now());
    if (person && (person.owner || (await isMember(tx, boardId, person.id)))) return { boardId, session: null };
    const name = checkName(request.name);
    const id = person?.id ?? randomUUID();
    if (!person) await tx.insert(people).values({ id, name, owner: false, createdAt: now() });
    await addMember(tx, boardId, { id, name }, now());
    if (person) await giveName(tx, id, name);
    return { boardId, session: person ? null : await openSession(tx, id, now()) };
  });
}

/** The same name on every board of the person, or a refusal. */
export async function rename({ db, rooms }: App, person: Person, wanted: string): Promise<Person> {
  const name = checkName(wanted);
  await db.transaction((tx) => giveName(tx, person.id, name));
  const renamed = { ...person, name };
  rooms.rename(renamed);
  return renamed;
}

export async function addMember(tx: Database, boardId: string, person: { id: string; name: string }, now: number): Promise<void> {
  const key = nameKey(person.name);
  const [taken] = await tx
    .select({ id: memberships.personId })
    .from(memberships)
    .where(and(eq(memberships.boardId, boardId), eq(memberships.nameKey, key)));
  if (taken && taken.id !== person.id) throw nameTaken(person.name);
  await tx
    .insert(memberships)
    .values({ boardId, personId: person.id, nameKey: key, joinedAt: now })
    .onConflictDoNothing({ target: [memberships.boardId, memberships.personId] });
}

async function giveName(tx: Database, personId: string, name: string): Promise<void> {
  const key = nameKey(name);
  const mine = await tx.select({ boardId: memberships.boardId }).from(memberships).where(eq(memberships.personId, personId));
  for (const { boardId } of mine) {
    const others = await tx
      .select({ id: memberships.personId })
      .from(memberships)
      .where(and(eq(memberships.boardId, boardId), eq(memberships.nameKey, key), ne(memberships.personId, personId)));
    if (others.length > 0) throw nameTaken(name);
  }
  await tx.update(memberships).set({ nameKey: key }).where(eq(memberships.personId, personId));
  await tx.update(people).set({ name }).where(eq(people.id, personId));
}

function nameTaken(name: string): Refusal {
  return new Refusal('conflict', 'name', 'a name that nobody else on the board has', JSON.stringify(name));
}

/** Two names with the same key look alike to a reader. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').replaceAll(/\s+/gu, ' ').trim().toLowerCase();
}

const UNSEEN = /\p{C}|[\u2028\u2029]/u;

function checkName(name: string): string {
  const trimmed = name.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
  if (UNSEEN.test(trimmed)) throw new Refusal('bad-request', 'name', 'characters that can be seen', JSON.stringify(trimmed));
  if (nameKey(trimmed).length === 0 || trimmed.length > 40) {
    throw new Refusal('bad-request', 'name', '1 to 40 characters', `${trimmed.length}`);
  }
  return trimmed;
}

async function invitedBoard(db: Database, token: string, now: number): Promise<{ boardId: string; title: string }> {
  const [row] = await db
    .select({ boardId: boards.id, title: boards.title })
    .from(invites)
    .innerJoin(boards, eq(boards.id, invites.boardId))
    .where(and(eq(invites.tokenHash, hashToken(token)), gt(invites.expiresAt, now)));
  if (row) return row;
  throw new Refusal('not-found', 'invitation', 'a link that is less than 30 days old', 'an unknown or expired one');
}

async function isMember(db: Database, boardId: string, personId: string): Promise<boolean> {
  const rows = await db
    .select({ boardId: memberships.boardId })
    .from(memberships)
    .where(and(eq(memberships.boardId, boardId), eq(memberships.personId, personId)));
  return rows.length > 0;
}

async function openSession(tx: Database, personId: string, now: number): Promise<string> {
  const token = newToken();
  await tx.insert(sessions).values({ tokenHash: hashToken(token), personId, createdAt: now, expiresAt: now + SESSION_LIFE });
  return token;
}

function personOf({ id, name, owner }: Person): Person {
  return { id, name, owner };
}

/** How this server is addressed. */
export function originOf(host: string, port: number): string {
  const name = host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host;
  return `http://${name}${port === 80 ? '' : `:${port}`}`;
}
