import { and, eq, gt, isNull } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.ts';
import { members, ownerLinks, people, sessions } from '../../db/schema.ts';
import { accountRequest } from '../../lib/wire.ts';
import type { App } from '../app.ts';
import { Refusal } from '../refusal.ts';
import { giveCredentials, hasPassword } from './credentials.ts';
import { makeWorkspace } from './membership.ts';
import { findOwner, noAddress, type Person } from './person.ts';
import { hashToken, newToken } from './tokens.ts';

const OWNER_LINK_LIFE = 24 * 3_600_000;

/** The owner of this installation, with a workspace, made at the first start. Instances that start together make one. */
export async function ensureOwner(db: Database, now: number): Promise<Person> {
  return db.transaction(async (tx) => {
    const id = randomUUID();
    // Waits for another instance that is at it, and then adds nothing.
    const owner = (await findOwner(tx)) ?? (await makeOwner(tx, id));
    const [home] = await tx.select({ id: members.workspaceId }).from(members).where(eq(members.personId, owner.id)).limit(1);
    if (!home) await makeWorkspace(tx, owner, 'Home', now);
    return owner;
  });
}

async function makeOwner(tx: Database, id: string): Promise<Person> {
  await tx
    .insert(people)
    .values({ id, name: 'Owner', owner: true, email: noAddress(id) })
    .onConflictDoNothing();
  const owner = await findOwner(tx);
  if (!owner) throw new Error('people: expected an owner after adding one, got none');
  return owner;
}

/** A link that signs the owner in once. */
export async function makeOwnerLink({ config, db, now }: App): Promise<string> {
  const token = newToken();
  await db.insert(ownerLinks).values({ tokenHash: hashToken(token), createdAt: now(), expiresAt: now() + OWNER_LINK_LIFE });
  return `${config.publicUrl}/enter?token=${token}`;
}

/** Uses an owner link up and gives the `Set-Cookie` headers of the session that it opens. */
export async function redeemOwnerLink({ db, now, auth }: App, token: string, headers: Headers): Promise<string[]> {
  const used = await db
    .update(ownerLinks)
    .set({ usedAt: now() })
    .where(and(eq(ownerLinks.tokenHash, hashToken(token)), isNull(ownerLinks.usedAt), gt(ownerLinks.expiresAt, now())))
    .returning({ tokenHash: ownerLinks.tokenHash });
  if (used.length === 0) throw new Refusal('unauthorised', 'owner link', 'a link that is less than a day old and unused', 'another one');
  const owner = await ensureOwner(db, now());
  return auth.open(owner.id, headers);
}

/** Whether the owner can sign in by a password: before, nobody but this machine is served. */
export async function ownerHasPassword(db: Database): Promise<boolean> {
  const owner = await findOwner(db);
  return owner !== null && hasPassword(db, owner.id);
}

/** Sets the owner's address and password, or other ones. Sessions that were open are closed: who sets a password may have lost a browser. */
export async function setOwnerPassword(db: Database, email: string, password: string, now = Date.now()): Promise<void> {
  const parsed = accountRequest.safeParse({ email, password });
  if (!parsed.success) throw new Refusal('bad-request', 'password', 'an e-mail address, and a password of 10 to 200 characters', 'others');
  // Routes and pages, which are bundled, do without it.
  const { hashPassword } = await import('better-auth/crypto');
  const hash = await hashPassword(parsed.data.password);
  const owner = await ensureOwner(db, now);
  await db.transaction(async (tx) => {
    await giveCredentials(tx, owner.id, parsed.data.email, hash);
    await tx.delete(sessions).where(eq(sessions.userId, owner.id));
  });
}
