import { eq } from 'drizzle-orm';
import { members } from '../../db/schema.ts';
import { ensureOwner, personOfHeaders } from '../../server/access.ts';
import type { App } from '../../server/app.ts';
import { createBoard } from '../../server/boards.ts';
import { join, makeWorkspaceInvite } from '../../server/invites.ts';

/** Somebody who may edit every board of the run. */
export interface Entrant {
  id: string;
  name: string;
  cookie: string;
}

const SETUP = {
  model: 'attn-2l',
  prompt: 'In June old Darcy went to Texas. In July old',
  counterfactual: 'In June old Crawford went to Texas. In July old',
  position: null,
  target: ' Darcy',
  foil: ' Crawford',
};

export async function makeBoards(app: App, count: number): Promise<string[]> {
  const owner = await ensureOwner(app.db, app.now());
  const boards: string[] = [];
  for (let made = 0; made < count; made++) boards.push((await createBoard(app, owner, { setup: SETUP })).id);
  return boards;
}

/** Guests who follow one invitation to the whole workspace, as people do. */
export async function addPeople(app: App, count: number): Promise<Entrant[]> {
  const owner = await ensureOwner(app.db, app.now());
  const [home] = await app.db.select({ id: members.workspaceId }).from(members).where(eq(members.personId, owner.id)).limit(1);
  if (!home) throw new Error('people: expected an owner with a workspace');
  const { url } = await makeWorkspaceInvite(app, owner, home.id, { role: 'editor', expiresIn: 1, maxUses: null });
  const token = url.slice(url.lastIndexOf('/') + 1);
  const people: Entrant[] = [];
  for (let added = 0; added < count; added++) {
    const name = `Person ${(Math.random() * 1e9).toFixed(0)}`;
    const { cookies } = await join(app, null, { token, name }, new Headers());
    const cookie = cookies.map((line) => line.split(';', 1)[0]).join('; ');
    const person = await personOfHeaders(app, new Headers({ cookie }));
    if (!person) throw new Error('people: expected a guest with a session');
    people.push({ id: person.id, name, cookie });
  }
  return people;
}
