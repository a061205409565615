import { and, eq, ne } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { boards, members, memberships, workspaces } from '../../db/schema.ts';
import { higher, type Role } from '../../lib/roles.ts';
import type { Author } from '../../lib/wire.ts';
import { audit } from '../audit.ts';
import { Refusal } from '../refusal.ts';
import { roleInWorkspace } from './authorise.ts';
import { enterWorkspace } from './names.ts';
import { newId } from './tokens.ts';

/** The rows that say who is where, and what every change of them keeps true. Authorise before. */

export async function makeWorkspace(tx: Database, by: Author, name: string, now: number): Promise<string> {
  const id = newId();
  await tx.insert(workspaces).values({ id, name, createdAt: now });
  await giveWorkspaceRole(tx, id, by, 'owner', now);
  await audit(tx, { at: now, workspaceId: id, by, action: 'workspace.made', details: { name } });
  return id;
}

/** Changes of who owns a workspace take turns: two owners who leave at once must not both find the other. */
export async function lockWorkspace(tx: Database, workspaceId: string): Promise<void> {
  await tx.select({ id: workspaces.id }).from(workspaces).where(eq(workspaces.id, workspaceId)).for('no key update');
}

export async function giveWorkspaceRole(tx: Database, workspaceId: string, person: Author, role: Role, now: number): Promise<void> {
  await enterWorkspace(tx, workspaceId, person, now);
  await tx
    .update(members)
    .set({ role })
    .where(and(eq(members.workspaceId, workspaceId), eq(members.personId, person.id)));
}

export async function giveBoardRole(
  tx: Database,
  board: { id: string; workspaceId: string },
  person: Author,
  role: Role,
  now: number,
): Promise<void> {
  await enterWorkspace(tx, board.workspaceId, person, now);
  await tx
    .insert(memberships)
    .values({ boardId: board.id, personId: person.id, role, joinedAt: now })
    .onConflictDoUpdate({ target: [memberships.boardId, memberships.personId], set: { role } });
}

/** Takes somebody off a board, and out of the workspace where nothing holds them there. */
export async function takeOffBoard(tx: Database, board: { id: string; workspaceId: string }, personId: string): Promise<void> {
  await tx.delete(memberships).where(and(eq(memberships.boardId, board.id), eq(memberships.personId, personId)));
  const [kept] = await tx
    .select({ role: members.role })
    .from(members)
    .where(and(eq(members.workspaceId, board.workspaceId), eq(members.personId, personId)));
  if (!kept || kept.role !== null) return;
  const others = await boardsOf(tx, board.workspaceId, personId);
  if (others.length > 0) return;
  await tx.delete(members).where(and(eq(members.workspaceId, board.workspaceId), eq(members.personId, personId)));
}

/** Takes somebody out of a workspace and off all its boards. */
export async function takeOutOfWorkspace(tx: Database, workspaceId: string, personId: string): Promise<void> {
  for (const { boardId } of await boardsOf(tx, workspaceId, personId)) {
    await tx.delete(memberships).where(and(eq(memberships.boardId, boardId), eq(memberships.personId, personId)));
  }
  await tx.delete(members).where(and(eq(members.workspaceId, workspaceId), eq(members.personId, personId)));
}

/** A workspace has an owner, and through it every board. Call it under {@link lockWorkspace}. */
export async function requireOtherOwner(tx: Database, workspaceId: string, personId: string): Promise<void> {
  const others = await tx
    .select({ id: members.personId })
    .from(members)
    .where(and(eq(members.workspaceId, workspaceId), eq(members.role, 'owner'), ne(members.personId, personId)))
    .limit(1);
  if (others.length > 0) return;
  throw new Refusal('conflict', 'workspace', 'another owner beside this one: transfer it first', 'its last owner');
}

interface Held {
  inWorkspaces: (typeof members.$inferSelect)[];
  onBoards: (typeof memberships.$inferSelect)[];
}

/** Ends all that somebody is a member of, and gives it back for {@link giveMemberships}. */
export async function takeMemberships(tx: Database, personId: string): Promise<Held> {
  const onBoards = await tx.delete(memberships).where(eq(memberships.personId, personId)).returning();
  const inWorkspaces = await tx.delete(members).where(eq(members.personId, personId)).returning();
  return { inWorkspaces, onBoards };
}

/** Makes somebody a member of all that, with the higher role where they were one already. */
export async function giveMemberships(tx: Database, { inWorkspaces, onBoards }: Held, person: Author): Promise<void> {
  for (const { workspaceId, role, joinedAt } of inWorkspaces) {
    await enterWorkspace(tx, workspaceId, person, joinedAt);
    const best = higher(await roleInWorkspace(tx, person.id, workspaceId), role);
    if (best !== null) await giveWorkspaceRole(tx, workspaceId, person, best, joinedAt);
  }
  for (const { boardId, role, joinedAt } of onBoards) {
    const [held] = await tx
      .select({ role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.boardId, boardId), eq(memberships.personId, person.id)));
    const best = higher(held?.role ?? null, role) ?? role;
    await tx
      .insert(memberships)
      .values({ boardId, personId: person.id, role: best, joinedAt })
      .onConflictDoUpdate({ target: [memberships.boardId, memberships.personId], set: { role: best } });
  }
}

async function boardsOf(tx: Database, workspaceId: string, personId: string): Promise<{ boardId: string }[]> {
  return tx
    .select({ boardId: memberships.boardId })
    .from(memberships)
    .innerJoin(boards, eq(boards.id, memberships.boardId))
    .where(and(eq(boards.workspaceId, workspaceId), eq(memberships.personId, personId)));
}
