import { eq } from 'drizzle-orm';
import type { IncomingMessage } from 'node:http';
import { boards } from '../../db/schema.ts';
import type { Role } from '../../lib/roles.ts';
import { CLOSE, id } from '../../lib/wire.ts';
import { authorise, personOfHeaders, roleOnBoard, type Person } from '../access.ts';
import type { App } from '../app.ts';
import { isRefusal, Refusal } from '../refusal.ts';
import type { RoomName } from './room.ts';

/** Who may enter which room, and as what. */
export interface Admission {
  name: RoomName;
  person: Person;
  role: Role;
  /** of the document that the client holds; null where it holds none */
  epoch: number | null;
}

/** Why a connection is closed. */
export interface Closing {
  code: number;
  reason: string;
}

/** Throws a Refusal where the request may not enter; anything else that it throws tells nothing about that. */
export async function admit(app: App, { url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): Promise<Admission> {
  const [path = '', query = ''] = url.split('?', 2);
  const [, , kind, boardId = '', ...rest] = path.split('/');
  const person = await personOfHeaders(app, headers);
  if ((kind !== 'board' && kind !== 'discussion') || rest.length > 0 || !id.safeParse(boardId).success) {
    throw new Refusal('not-found', 'room', 'board/ID or discussion/ID', path.slice(0, 80));
  }
  const member = await authorise(app, person, 'board.read', boardId);
  return { name: { kind, boardId }, person: member, role: member.role, epoch: readEpoch(new URLSearchParams(query).get('epoch')) };
}

function readEpoch(text: string | null): number | null {
  if (text === null) return null;
  if (!/^\d{1,9}$/.test(text)) throw new Refusal('bad-request', 'epoch', 'a whole number', JSON.stringify(text.slice(0, 20)));
  return Number(text);
}

export function closingOf(refusal: unknown): Closing | null {
  if (!isRefusal(refusal)) return null;
  return { code: CODES[refusal.code] ?? CLOSE.forbidden, reason: refusal.message };
}

const CODES: Partial<Record<Refusal['code'], number>> = {
  unauthorised: CLOSE.unauthorised,
  'not-found': CLOSE.notFound,
  'bad-request': CLOSE.badRequest,
  'too-fast': CLOSE.tooFast,
};

/** Why somebody who was let in as `role` may not stay, or null. */
export async function reviewStay(
  app: App,
  who: { signedIn: Person | null; personId: string; boardId: string; role: Role },
): Promise<Closing | null> {
  const { signedIn, personId, boardId } = who;
  if (signedIn?.id !== personId) return { code: CLOSE.unauthorised, reason: 'your session has ended' };
  const role = await roleOnBoard(app.db, personId, boardId);
  if (role === who.role) return null;
  if (role !== null) return { code: CLOSE.roleChanged, reason: `you are now ${ROLE_NAMES[role]} of this board` };
  const [board] = await app.db.select({ deletedAt: boards.deletedAt }).from(boards).where(eq(boards.id, boardId));
  const isGone = !board || board.deletedAt !== null;
  return isGone
    ? { code: CLOSE.notFound, reason: 'this board has been deleted' }
    : { code: CLOSE.forbidden, reason: 'you are no longer a member of this board' };
}

const ROLE_NAMES: Record<Role, string> = { owner: 'an owner', editor: 'an editor', commenter: 'a commenter', viewer: 'a viewer' };
