import { and, eq, isNotNull } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.ts';
import { accounts, people } from '../../db/schema.ts';
import { breaksUnique } from '../database-errors.ts';
import { Refusal } from '../refusal.ts';

/** better-auth's name for an address with a password. */
const PASSWORD = 'credential';

/** Makes somebody able to sign in by an address and a password, under the id that they have. */
export async function giveCredentials(tx: Database, personId: string, email: string, hash: string): Promise<void> {
  await giveAddress(tx, personId, email);
  const row = { id: randomUUID(), userId: personId, providerId: PASSWORD, accountId: personId, password: hash };
  await tx
    .insert(accounts)
    .values(row)
    .onConflictDoUpdate({ target: [accounts.providerId, accounts.accountId], set: { password: hash, updatedAt: new Date() } });
}

export async function hasPassword(db: Database, personId: string): Promise<boolean> {
  const rows = await db
    .select({ id: accounts.id })
    .from(accounts)
    .where(and(eq(accounts.userId, personId), eq(accounts.providerId, PASSWORD), isNotNull(accounts.password)));
  return rows.length > 0;
}

/** Whoever has an address is no guest. */
export async function giveAddress(tx: Database, personId: string, email: string): Promise<void> {
  await tx
    .update(people)
    .set({ email: email.toLowerCase(), emailVerified: false, isAnonymous: false, updatedAt: new Date() })
    .where(eq(people.id, personId))
    .catch((error: unknown) => {
      if (!breaksUnique(error, 'people_email_unique')) throw error;
      throw new Refusal('conflict', 'email', 'an address without an account', 'one that has an account: sign in to it');
    });
}
