import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { boards, members, memberships } from '../../db/schema.ts';
import { higher, may, rolesFor, type Action, type BoardAction, type Role, type WorkspaceAction } from '../../lib/roles.ts';
import type { App } from '../app.ts';
import { Refusal } from '../refusal.ts';
import { requirePerson, type Person } from './person.ts';

/** Somebody who may do what was asked for in a workspace. */
export interface WorkspaceMember extends Person {
  role: Role;
  workspaceId: string;
}

/** Somebody who may do what was asked for on a board. */
export interface Member extends WorkspaceMember {
  boardId: string;
}

/** Both roles that somebody has on a board; the higher one counts. */
export interface BoardRoles {
  workspaceId: string;
  fromWorkspace: Role | null;
  fromBoard: Role | null;
}

/** Throws unless the person may, on the board. HTTP, sockets and the command line all ask here. */
export async function authorise({ db }: Pick<App, 'db'>, person: Person | null, action: BoardAction, boardId: string): Promise<Member> {
  const someone = requirePerson(person);
  const roles = await boardRoles(db, someone.id, boardId);
  const role = decide(roleOf(roles), 'board.read', action, 'board', boardId);
  return { ...someone, role, boardId, workspaceId: roles?.workspaceId ?? '' };
}

/** As {@link authorise}, for a board in the bin, which nobody else sees. */
export async function authoriseUndeletion({ db }: Pick<App, 'db'>, person: Person | null, boardId: string): Promise<Member> {
  const someone = requirePerson(person);
  const roles = await boardRoles(db, someone.id, boardId, 'in the bin');
  const role = roleOf(roles);
  // To whoever may not bring it back it is as if it were not there.
  if (!roles || role === null || !may(role, 'board.delete')) throw missing('board', boardId);
  return { ...someone, role, boardId, workspaceId: roles.workspaceId };
}

/** As {@link authorise}, for a workspace as a whole. */
export async function authoriseWorkspace(
  { db }: Pick<App, 'db'>,
  person: Person | null,
  action: WorkspaceAction,
  workspaceId: string,
): Promise<WorkspaceMember> {
  const someone = requirePerson(person);
  const role = decide(await roleInWorkspace(db, someone.id, workspaceId), 'workspace.read', action, 'workspace', workspaceId);
  return { ...someone, role, workspaceId };
}

/** The higher of a person's roles in the board's workspace and on the board; null for none, and for a deleted board. */
export async function roleOnBoard(db: Database, personId: string, boardId: string): Promise<Role | null> {
  return roleOf(await boardRoles(db, personId, boardId));
}

export async function boardRoles(
  db: Database,
  personId: string,
  boardId: string,
  where: 'on the table' | 'in the bin' = 'on the table',
): Promise<BoardRoles | null> {
  const [row] = await db
    .select({ workspaceId: boards.workspaceId, fromWorkspace: members.role, fromBoard: memberships.role })
    .from(boards)
    .leftJoin(members, and(eq(members.workspaceId, boards.workspaceId), eq(members.personId, personId)))
    .leftJoin(memberships, and(eq(memberships.boardId, boards.id), eq(memberships.personId, personId)))
    .where(and(eq(boards.id, boardId), where === 'in the bin' ? isNotNull(boards.deletedAt) : isNull(boards.deletedAt)));
  return row ?? null;
}

export async function roleInWorkspace(db: Database, personId: string, workspaceId: string): Promise<Role | null> {
  const [row] = await db
    .select({ role: members.role })
    .from(members)
    .where(and(eq(members.workspaceId, workspaceId), eq(members.personId, personId)));
  return row?.role ?? null;
}

function roleOf(roles: BoardRoles | null): Role | null {
  return roles && higher(roles.fromWorkspace, roles.fromBoard);
}

/** The decision, for everything that has roles. Who may not even read it is not told whether it exists. */
function decide(role: Role | null, reading: Action, action: Action, place: string, id: string): Role {
  if (role === null || !may(role, reading)) throw missing(place, id);
  if (may(role, action)) return role;
  throw new Refusal('forbidden', place, `the role ${rolesFor(action).join(' or ')} (for ${action})`, role);
}

function missing(place: string, id: string): Refusal {
  return new Refusal('not-found', place, `a ${place} that you are a member of`, id);
}
