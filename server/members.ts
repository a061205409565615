import { and, asc, eq, isNotNull } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { boards, members, memberships, people } from '../db/schema.ts';
import { higher, type BoardAction, type Role, type WorkspaceAction } from '../lib/roles.ts';
import type { Member as Listed } from '../lib/wire.ts';
import {
  authorise,
  authoriseWorkspace,
  boardRoles,
  roleInWorkspace,
  type BoardRoles,
  type Member,
  type WorkspaceMember,
} from './access/authorise.ts';
import {
  giveBoardRole,
  giveWorkspaceRole,
  lockWorkspace,
  requireOtherOwner,
  takeOffBoard,
  takeOutOfWorkspace,
} from './access/membership.ts';
import { authorOf, findPerson, type Person } from './access/person.ts';
import type { App } from './app.ts';
import { audit, type AuditAction } from './audit.ts';
import { notify, type News } from './notifications.ts';
import { Refusal } from './refusal.ts';

/** Who is in a workspace or on a board, and what an owner changes about it. */

/** Those with a role in the whole workspace, in the order in which they came. */
export async function listWorkspaceMembers(app: App, person: Person, workspaceId: string): Promise<Listed[]> {
  await authoriseWorkspace(app, person, 'workspace.read', workspaceId);
  const rows = await app.db
    .select({ id: people.id, name: people.name, guest: people.isAnonymous, role: members.role, joinedAt: members.joinedAt })
    .from(members)
    .innerJoin(people, eq(people.id, members.personId))
    .where(and(eq(members.workspaceId, workspaceId), isNotNull(members.role)))
    .orderBy(asc(members.joinedAt), asc(people.id));
  return rows.flatMap(({ id, name, guest, role, joinedAt }) =>
    role === null ? [] : [{ person: { id, name }, guest, role, through: 'workspace' as const, joinedAt }],
  );
}

/** Those with a role on the board, from it or from its workspace, in the order in which they came. */
export async function listBoardMembers(app: App, person: Person, boardId: string): Promise<Listed[]> {
  await authorise(app, person, 'board.read', boardId);
  const rows = await app.db
    .select({
      id: people.id,
      name: people.name,
      guest: people.isAnonymous,
      fromWorkspace: members.role,
      fromBoard: memberships.role,
      enteredAt: members.joinedAt,
      joinedAt: memberships.joinedAt,
    })
    .from(boards)
    .innerJoin(members, eq(members.workspaceId, boards.workspaceId))
    .innerJoin(people, eq(people.id, members.personId))
    .leftJoin(memberships, and(eq(memberships.boardId, boards.id), eq(memberships.personId, people.id)))
    .where(eq(boards.id, boardId))
    .orderBy(asc(members.joinedAt), asc(people.id));
  return rows.flatMap(({ id, name, guest, fromWorkspace, fromBoard, enteredAt, joinedAt }) => {
    const role = higher(fromWorkspace, fromBoard);
    if (role === null) return [];
    const through = role === fromWorkspace ? ('workspace' as const) : ('board' as const);
    return [{ person: { id, name }, guest, role, through, joinedAt: through === 'board' ? (joinedAt ?? enteredAt) : enteredAt }];
  });
}

export async function changeWorkspaceRole(app: App, person: Person, workspaceId: string, personId: string, role: Role): Promise<void> {
  await inWorkspace(app, person, 'workspace.members', workspaceId, async (tx, by) => {
    const { other, role: before } = await requireWorkspaceMember(tx, workspaceId, personId);
    if (before === role) return;
    if (before === 'owner') await requireOtherOwner(tx, workspaceId, personId);
    if (role === 'owner') requireAccount(other);
    await giveWorkspaceRole(tx, workspaceId, other, role, app.now());
    await note(tx, app, by, 'member.role', other, { from: before, to: role });
  });
  await app.rooms.accessChanged({ personId, boardId: null });
}

/** Takes somebody out of the workspace and off all its boards; oneself: leaves. */
export async function removeFromWorkspace(app: App, person: Person, workspaceId: string, personId: string): Promise<void> {
  const leaves = personId === person.id;
  await inWorkspace(app, person, leaves ? 'workspace.leave' : 'workspace.members', workspaceId, async (tx, by) => {
    const { other, role } = await requireWorkspaceMember(tx, workspaceId, personId);
    if (role === 'owner') await requireOtherOwner(tx, workspaceId, personId);
    await takeOutOfWorkspace(tx, workspaceId, personId);
    await note(tx, app, by, leaves ? 'member.left' : 'member.removed', other, { role });
  });
  await app.rooms.accessChanged({ personId, boardId: null });
}

/** Makes somebody else an owner; who did so is an editor from then on. */
export async function transferWorkspace(app: App, person: Person, workspaceId: string, personId: string): Promise<void> {
  requireOther(person, personId);
  await inWorkspace(app, person, 'workspace.transfer', workspaceId, async (tx, by) => {
    const { other, role } = await requireWorkspaceMember(tx, workspaceId, personId);
    requireAccount(other);
    await giveWorkspaceRole(tx, workspaceId, other, 'owner', app.now());
    await giveWorkspaceRole(tx, workspaceId, by, 'editor', app.now());
    await note(tx, app, by, 'ownership.transferred', other, { from: role });
  });
  for (const id of [personId, person.id]) await app.rooms.accessChanged({ personId: id, boardId: null });
}

export async function changeBoardRole(app: App, person: Person, boardId: string, personId: string, role: Role): Promise<void> {
  let told: string[] = [];
  await onBoard(app, person, 'board.members', boardId, async (tx, by) => {
    const { other, roles } = await requireBoardMember(tx, boardId, personId);
    const before = higher(roles.fromWorkspace, roles.fromBoard);
    if (before === role) return;
    if (roles.fromWorkspace !== role && higher(roles.fromWorkspace, role) === roles.fromWorkspace) throw fromWorkspace(roles);
    await setBoardRole(tx, by, other, roles, role, app.now());
    await note(tx, app, by, 'member.role', other, { from: before, to: role });
    told = await notify(tx, [roleNews(by, other, app.now())]);
  });
  await app.rooms.accessChanged({ personId, boardId });
  app.rooms.tellNews(told);
}

/** Takes somebody off the board; oneself: leaves. */
export async function removeFromBoard(app: App, person: Person, boardId: string, personId: string): Promise<void> {
  const leaves = personId === person.id;
  await onBoard(app, person, leaves ? 'board.leave' : 'board.members', boardId, async (tx, by) => {
    const { other, roles } = await requireBoardMember(tx, boardId, personId);
    if (roles.fromWorkspace !== null) throw fromWorkspace(roles);
    await takeOffBoard(tx, { id: boardId, workspaceId: roles.workspaceId }, personId);
    await note(tx, app, by, leaves ? 'member.left' : 'member.removed', other, { role: roles.fromBoard });
  });
  await app.rooms.accessChanged({ personId, boardId });
}

/** Makes somebody else an owner; who did so is an editor from then on, unless they own the workspace too. */
export async function transferBoard(app: App, person: Person, boardId: string, personId: string): Promise<void> {
  requireOther(person, personId);
  let told: string[] = [];
  await onBoard(app, person, 'board.transfer', boardId, async (tx, by) => {
    const { other, roles } = await requireBoardMember(tx, boardId, personId);
    await setBoardRole(tx, by, other, roles, 'owner', app.now());
    const mine = await requireBoardMember(tx, boardId, by.id);
    await setBoardRole(tx, by, by, mine.roles, 'editor', app.now());
    await note(tx, app, by, 'ownership.transferred', other, { from: higher(roles.fromWorkspace, roles.fromBoard) });
    told = await notify(tx, [roleNews(by, other, app.now())]);
  });
  for (const id of [personId, person.id]) await app.rooms.accessChanged({ personId: id, boardId });
  app.rooms.tellNews(told);
}

function roleNews(by: Member, other: Person, at: number): News {
  const { boardId } = by;
  return { kind: 'role', boardId, by: authorOf(by), subjectId: boardId, anchor: null, threadId: null, at, to: [other.id] };
}

/** The decision is made again where nothing can change it: somebody may have stopped being an owner meanwhile. */
async function inWorkspace(
  app: App,
  person: Person,
  action: WorkspaceAction,
  workspaceId: string,
  work: (tx: Database, by: WorkspaceMember) => Promise<void>,
): Promise<void> {
  await authoriseWorkspace(app, person, action, workspaceId);
  await app.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    await work(tx, await authoriseWorkspace({ db: tx }, person, action, workspaceId));
  });
}

async function onBoard(
  app: App,
  person: Person,
  action: BoardAction,
  boardId: string,
  work: (tx: Database, by: Member) => Promise<void>,
): Promise<void> {
  const { workspaceId } = await authorise(app, person, action, boardId);
  await app.db.transaction(async (tx) => {
    await lockWorkspace(tx, workspaceId);
    await work(tx, await authorise({ db: tx }, person, action, boardId));
  });
}

/** A role on the board is kept where it says more than the one from the workspace. */
async function setBoardRole(tx: Database, { boardId }: Member, other: Person, roles: BoardRoles, role: Role, now: number): Promise<void> {
  const board = { id: boardId, workspaceId: roles.workspaceId };
  if (higher(roles.fromWorkspace, role) === roles.fromWorkspace) await takeOffBoard(tx, board, other.id);
  else await giveBoardRole(tx, board, other, role, now);
}

async function requireWorkspaceMember(tx: Database, workspaceId: string, personId: string): Promise<{ other: Person; role: Role }> {
  const role = await roleInWorkspace(tx, personId, workspaceId);
  const other = await findPerson(tx, personId);
  if (role !== null && other) return { other, role };
  throw new Refusal('not-found', 'member', 'somebody with a role in the workspace', personId);
}

async function requireBoardMember(tx: Database, boardId: string, personId: string): Promise<{ other: Person; roles: BoardRoles }> {
  const roles = await boardRoles(tx, personId, boardId);
  const other = await findPerson(tx, personId);
  if (roles && other && higher(roles.fromWorkspace, roles.fromBoard) !== null) return { other, roles };
  throw new Refusal('not-found', 'member', 'somebody with a role on the board', personId);
}

/** A guest is lost with the browser that they came in, and an owner must not be. */
function requireAccount({ guest, name }: Person): void {
  if (guest) throw new Refusal('conflict', 'owner', 'somebody with an account', `${name}, who is a guest`);
}

function requireOther(person: Person, personId: string): void {
  if (person.id === personId) throw new Refusal('conflict', 'transfer', 'somebody else', 'yourself');
}

function fromWorkspace({ fromWorkspace: role }: BoardRoles): Refusal {
  return new Refusal('conflict', 'role', 'one that was given on this board', `${role} from the workspace, which is changed there`);
}

function note(
  tx: Database,
  { now }: App,
  by: WorkspaceMember | Member,
  action: AuditAction,
  other: Person,
  details: Record<string, string | null>,
): Promise<void> {
  const boardId = 'boardId' in by ? by.boardId : null;
  const { workspaceId } = by;
  return audit(tx, { at: now(), workspaceId, boardId, by, action, details: { personId: other.id, name: other.name, ...details } });
}
