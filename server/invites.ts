import { and, desc, eq, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database } from '../db/client.ts';
import { boards, invites, people, workspaces } from '../db/schema.ts';
import { higher, type Role } from '../lib/roles.ts';
import type { Invitation, Invite, joinRequest, newInvite } from '../lib/wire.ts';
import { authorise, authoriseWorkspace, roleInWorkspace, roleOnBoard, type WorkspaceMember } from './access/authorise.ts';
import { makeGuest } from './access/guests.ts';
import { giveBoardRole, giveWorkspaceRole } from './access/membership.ts';
import { checkName, giveName } from './access/names.ts';
import type { Person } from './access/person.ts';
import { hashToken, newId, newToken } from './access/tokens.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { Refusal, isRefusal } from './refusal.ts';

/** Links by which people join a board or a workspace. */

const DAY = 24 * 3_600_000;

/** What a link leads to; `boardId` null is the whole workspace. */
interface Place {
  workspaceId: string;
  boardId: string | null;
}

type Row = typeof invites.$inferSelect;

type Wanted = z.infer<typeof newInvite>;

/** Makes a link to a board; its address is told this once. */
export async function makeBoardInvite(app: App, person: Person, boardId: string, wanted: Wanted): Promise<Invite & { url: string }> {
  return makeInvite(app, await authorise(app, person, 'board.invite', boardId), boardId, wanted);
}

/** Makes a link to a whole workspace; its address is told this once. */
export async function makeWorkspaceInvite(
  app: App,
  person: Person,
  workspaceId: string,
  wanted: Wanted,
): Promise<Invite & { url: string }> {
  return makeInvite(app, await authoriseWorkspace(app, person, 'workspace.invite', workspaceId), null, wanted);
}

/** The links to a board, newest first. */
export async function listBoardInvites(app: App, person: Person, boardId: string): Promise<Invite[]> {
  await authorise(app, person, 'board.invite', boardId);
  return listInvites(app.db, eq(invites.boardId, boardId));
}

/** The links to a workspace as a whole, newest first. */
export async function listWorkspaceInvites(app: App, person: Person, workspaceId: string): Promise<Invite[]> {
  await authoriseWorkspace(app, person, 'workspace.invite', workspaceId);
  return listInvites(app.db, and(eq(invites.workspaceId, workspaceId), isNull(invites.boardId)));
}

/** Whoever may make a link to somewhere may revoke every link to there. */
export async function revokeInvite(app: App, person: Person, id: string): Promise<void> {
  const { db, now } = app;
  const [invite] = await db.select({ workspaceId: invites.workspaceId, boardId: invites.boardId }).from(invites).where(eq(invites.id, id));
  if (!invite) throw noInvite(id);
  await (
    invite.boardId === null
      ? authoriseWorkspace(app, person, 'workspace.invite', invite.workspaceId)
      : authorise(app, person, 'board.invite', invite.boardId)
  ).catch((error: unknown) => {
    // The id tells nobody else where the link leads.
    throw isRefusal(error) && error.code === 'not-found' ? noInvite(id) : error;
  });
  await db.transaction(async (tx) => {
    const [revoked] = await tx
      .update(invites)
      .set({ revokedAt: now() })
      .where(and(eq(invites.id, id), isNull(invites.revokedAt)))
      .returning();
    if (!revoked) return;
    const { workspaceId, boardId, role } = revoked;
    await audit(tx, { at: now(), workspaceId, boardId, by: person, action: 'invite.revoked', details: { inviteId: id, role } });
  });
}

async function makeInvite(
  { config, db, now }: App,
  member: WorkspaceMember,
  boardId: string | null,
  { role, expiresIn, maxUses }: Wanted,
): Promise<Invite & { url: string }> {
  const token = newToken();
  const { workspaceId, id: createdBy } = member;
  const id = newId();
  const expiresAt = now() + expiresIn * DAY;
  const row = { id, tokenHash: hashToken(token), workspaceId, boardId, role, createdBy, createdAt: now(), expiresAt, maxUses };
  await db.transaction(async (tx) => {
    await tx.insert(invites).values(row);
    const details = { inviteId: id, role, expiresAt, maxUses };
    await audit(tx, { at: now(), workspaceId, boardId, by: member, action: 'invite.made', details });
  });
  return { ...inviteOf({ ...row, uses: 0, revokedAt: null }, member.name), url: `${config.publicUrl}/join/${token}` };
}

async function listInvites(db: Database, which: SQL | undefined): Promise<Invite[]> {
  const rows = await db
    .select({ invite: invites, name: people.name })
    .from(invites)
    .innerJoin(people, eq(people.id, invites.createdBy))
    .where(which)
    .orderBy(desc(invites.createdAt), desc(invites.id));
  return rows.map(({ invite, name }) => inviteOf(invite, name));
}

/** What an invitation is to, for the page that asks for a name. */
export async function readInvitation({ db, now }: App, token: string, person: Person | null): Promise<Invitation> {
  const { invite, title } = await openInvite(db, token, now());
  const { boardId, workspaceId, role, maxUses, uses } = invite;
  const held = person && (await roleAt(db, person.id, invite));
  const member = held !== null && higher(held, role) === held;
  if (!member && maxUses !== null && uses >= maxUses) throw closed('one that is used up');
  return { title, boardId, workspaceId, role, member };
}

/** Joins by an invitation; `cookies` are the headers of a new session, none where the person had one. */
export async function join(
  app: App,
  person: Person | null,
  request: z.infer<typeof joinRequest>,
  headers: Headers,
): Promise<{ boardId: string | null; workspaceId: string; cookies: string[] }> {
  const { db, now, rooms, auth } = app;
  const { place, joined } = await db.transaction(async (tx) => {
    await lockInvite(tx, request.token);
    const { invite } = await openInvite(tx, request.token, now());
    const { boardId, workspaceId, role } = invite;
    const held = person && (await roleAt(tx, person.id, invite));
    // Following a link again, or one to less than one has, uses nothing up and takes nothing away.
    if (held !== null && higher(held, role) === held) return { place: { boardId, workspaceId }, joined: null };
    const name = checkName(request.name);
    await use(tx, invite);
    const someone = person ?? (await makeGuest(tx, name));
    if (someone.name !== name) await giveName(tx, someone.id, name);
    const author = { id: someone.id, name };
    if (boardId === null) await giveWorkspaceRole(tx, workspaceId, author, role, now());
    else await giveBoardRole(tx, { id: boardId, workspaceId }, author, role, now());
    const details = { inviteId: invite.id, role };
    await audit(tx, { at: now(), workspaceId, boardId, by: author, action: 'member.joined', details });
    return { place: { boardId, workspaceId }, joined: author };
  });
  if (joined && person) {
    if (joined.name !== person.name) rooms.rename({ ...person, name: joined.name });
    await rooms.accessChanged({ personId: person.id, boardId: place.boardId });
  }
  return { ...place, cookies: joined && !person ? await auth.open(joined.id, headers) : [] };
}

/** Counts a use, unless all are used up by then: however many come at once, no more get in than were to. */
async function use(tx: Database, { id }: Row): Promise<void> {
  const used = await tx
    .update(invites)
    .set({ uses: sql`${invites.uses} + 1` })
    .where(and(eq(invites.id, id), or(isNull(invites.maxUses), lt(invites.uses, invites.maxUses))))
    .returning({ id: invites.id });
  if (used.length === 0) throw closed('one that is used up');
}

/** The link of a token while it can be followed. Whoever has a token may know why it cannot. */
async function openInvite(db: Database, token: string, now: number): Promise<{ invite: Row; title: string }> {
  const [row] = await db
    .select({ invite: invites, workspace: workspaces.name, board: boards.title, deletedAt: boards.deletedAt })
    .from(invites)
    .innerJoin(workspaces, eq(workspaces.id, invites.workspaceId))
    .leftJoin(boards, eq(boards.id, invites.boardId))
    .where(eq(invites.tokenHash, hashToken(token)));
  if (!row) throw closed('an unknown one');
  const { invite, workspace, board, deletedAt } = row;
  if (invite.revokedAt !== null) throw closed('one that was revoked');
  if (invite.expiresAt <= now) throw closed('one that has expired');
  if (deletedAt !== null) throw closed('one to a board that was deleted');
  return { invite, title: board ?? workspace };
}

/** Whoever joins by a link twice at once does so one after the other, and is counted once. */
async function lockInvite(tx: Database, token: string): Promise<void> {
  await tx
    .select({ id: invites.id })
    .from(invites)
    .where(eq(invites.tokenHash, hashToken(token)))
    .for('update');
}

/** What somebody has at the place already. */
async function roleAt(db: Database, personId: string, { boardId, workspaceId }: Place): Promise<Role | null> {
  return boardId === null ? roleInWorkspace(db, personId, workspaceId) : roleOnBoard(db, personId, boardId);
}

/** What may be told of a link; `createdBy` is a name. */
function inviteOf(
  { id, role, boardId, createdAt, expiresAt, maxUses, uses, revokedAt }: Omit<Row, 'tokenHash'>,
  createdBy: string,
): Invite {
  return { id, role, boardId, createdBy, createdAt, expiresAt, maxUses, uses, revokedAt };
}

function closed(got: string): Refusal {
  return new Refusal('not-found', 'invitation', 'a link that can be followed', got);
}

function noInvite(id: string): Refusal {
  return new Refusal('not-found', 'invitation', 'one to where you may invite people', id);
}
