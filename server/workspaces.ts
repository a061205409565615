import { asc, count, eq, isNotNull } from 'drizzle-orm';
import { boards, members, workspaces } from '../db/schema.ts';
import type { WorkspaceSummary } from '../lib/wire.ts';
import { authoriseWorkspace, type Person } from './access.ts';
import { lockWorkspace, makeWorkspace } from './access/membership.ts';
import { checkName } from './access/names.ts';
import type { App } from './app.ts';
import { audit } from './audit.ts';
import { deleteRooms, removePages } from './bin.ts';
import { listBoards } from './boards.ts';
import { Refusal } from './refusal.ts';

/** Characters of a workspace's name. */
const LONGEST = 100;

/** Those that the person is in, or on a board of, in the order in which they came to them. */
export async function listWorkspaces(app: App, person: Person): Promise<WorkspaceSummary[]> {
  const mine = await app.db
    .select({ id: workspaces.id, name: workspaces.name, role: members.role })
    .from(members)
    .innerJoin(workspaces, eq(workspaces.id, members.workspaceId))
    .where(eq(members.personId, person.id))
    .orderBy(asc(members.joinedAt), asc(workspaces.id));
  const people = await app.db
    .select({ id: members.workspaceId, count: count() })
    .from(members)
    .where(isNotNull(members.role))
    .groupBy(members.workspaceId);
  const seen = await listBoards(app, person);
  return mine.map((workspace) => ({
    ...workspace,
    boards: seen.filter(({ workspaceId }) => workspaceId === workspace.id).length,
    people: people.find(({ id }) => id === workspace.id)?.count ?? 0,
  }));
}

/** A guest is lost with the browser that they came in, and a workspace must not be. */
export async function createWorkspace({ db, now }: App, person: Person, wanted: string): Promise<{ id: string }> {
  const name = checkName(wanted, LONGEST);
  if (person.guest) throw new Refusal('forbidden', 'workspace', 'somebody with an account', 'a guest');
  return { id: await db.transaction((tx) => makeWorkspace(tx, person, name, now())) };
}

export async function renameWorkspace(app: App, person: Person, workspaceId: string, wanted: string): Promise<void> {
  const member = await authoriseWorkspace(app, person, 'workspace.rename', workspaceId);
  const name = checkName(wanted, LONGEST);
  await app.db.transaction(async (tx) => {
    const [before] = await tx.select({ name: workspaces.name }).from(workspaces).where(eq(workspaces.id, workspaceId)).for('update');
    if (!before || before.name === name) return;
    await tx.update(workspaces).set({ name }).where(eq(workspaces.id, workspaceId));
    const details = { from: before.name, to: name };
    await audit(tx, { at: app.now(), workspaceId, by: member, action: 'workspace.renamed', details });
  });
}

/** With all its boards, at once and for good; what is written down about it stays, and so does what was published, but for pages in the bin. */
export async function deleteWorkspace(app: App, person: Person, workspaceId: string): Promise<void> {
  await authoriseWorkspace(app, person, 'workspace.delete', workspaceId);
  const gone = await app.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    const member = await authoriseWorkspace({ db: tx }, person, 'workspace.delete', workspaceId);
    const within = await tx.select({ id: boards.id }).from(boards).where(eq(boards.workspaceId, workspaceId));
    const ids = within.map(({ id }) => id);
    await removePages(tx, ids);
    await deleteRooms(tx, ids);
    const [deleted] = await tx.delete(workspaces).where(eq(workspaces.id, workspaceId)).returning({ name: workspaces.name });
    const details = { name: deleted?.name ?? null, boards: ids.length };
    await audit(tx, { at: app.now(), workspaceId, by: member, action: 'workspace.deleted', details });
    return ids;
  });
  for (const boardId of gone) await app.rooms.accessChanged({ personId: null, boardId });
}
