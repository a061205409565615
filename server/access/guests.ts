import { eq } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.ts';
import { people, sessions, writers } from '../../db/schema.ts';
import { handOverAnnotations } from '../annotation/hand-over.ts';
import type { App } from '../app.ts';
import { audit } from '../audit.ts';
import { giveNotifications } from '../notifications-merge.ts';
import { Refusal } from '../refusal.ts';
import { giveAddress, giveCredentials, hasPassword } from './credentials.ts';
import { giveMemberships, takeMemberships } from './membership.ts';
import { freeName, giveName, workspacesOf } from './names.ts';
import { findPerson, noAddress, type Person } from './person.ts';

/** Somebody of whom nothing is known but the name that they gave. */
export async function makeGuest(tx: Database, name: string): Promise<Person> {
  const id = randomUUID();
  await tx.insert(people).values({ id, name, email: noAddress(id), isAnonymous: true });
  return { id, name, owner: false, email: null, guest: true };
}

/** Makes a guest, or an owner without a password, an account under the same id: what they wrote stays theirs. */
export async function makeAccount({ db, auth }: App, person: Person, request: { email: string; password: string }): Promise<Person> {
  const email = request.email.toLowerCase();
  const hash = await auth.hashPassword(request.password);
  return db.transaction(async (tx) => {
    if (await hasPassword(tx, person.id)) {
      throw new Refusal('conflict', 'account', 'somebody without a password', 'somebody who has one: change it instead');
    }
    await giveCredentials(tx, person.id, email, hash);
    return { ...person, email, guest: false };
  });
}

/** Somebody can sign in through a provider from now on; a guest who can is an account, under the same id. */
export async function adoptAddress({ db }: App, personId: string, email: string): Promise<void> {
  await db.transaction(async (tx) => {
    const person = await findPerson(tx, personId);
    if (person?.email === null) await giveAddress(tx, personId, email);
  });
}

/** A guest signed in to an account that there is already: what was the guest's is the account's from now on. */
export async function mergeGuest({ db, now, rooms }: App, guest: Person, accountId: string): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx.select({ mergedInto: people.mergedInto }).from(people).where(eq(people.id, guest.id)).for('update');
    // In another tab, a moment ago.
    if (row?.mergedInto !== null) return;
    const account = await findPerson(tx, accountId);
    if (!account || account.guest) throw new Error(`merge: expected an account, got ${accountId}`);
    const held = await takeMemberships(tx, guest.id);
    const places = held.inWorkspaces.map(({ workspaceId }) => workspaceId);
    // Somebody else there may be called as the account is.
    const name = await freeName(tx, account.id, account.name, [...places, ...(await workspacesOf(tx, account.id))]);
    if (name !== account.name) await giveName(tx, account.id, name);
    await giveMemberships(tx, held, { id: account.id, name });
    await tx.update(people).set({ mergedInto: account.id }).where(eq(people.id, guest.id));
    await tx.delete(sessions).where(eq(sessions.userId, guest.id));
    await giveNotifications(tx, guest.id, account.id);
    // What the guest's browser has still to send is the account's too.
    await tx.update(writers).set({ personId: account.id }).where(eq(writers.personId, guest.id));
    await handOverAnnotations(tx, guest.id, account.id);
    for (const workspaceId of places) {
      const details = { personId: guest.id, name: guest.name };
      await audit(tx, { at: now(), workspaceId, by: { id: account.id, name }, action: 'member.merged', details });
    }
  });
  await rooms.accessChanged({ personId: guest.id, boardId: null });
  await rooms.accessChanged({ personId: accountId, boardId: null });
}
