import type { z } from 'zod';
import { findOwner, setOwnerPassword } from './access.ts';
import type { App } from './app.ts';
import type { passwordRequest } from './local-requests.ts';
import { Refusal } from './refusal.ts';

/** Sets the owner's password, for who may read PATHBOARD_HOME. */
export async function setPasswordLocally({ db }: Pick<App, 'db'>, request: z.infer<typeof passwordRequest>): Promise<{ email: string }> {
  const email = request.email ?? (await findOwner(db))?.email;
  if (!email) throw new Refusal('bad-request', '--email', 'the address with which the owner is to sign in', 'nothing');
  await setOwnerPassword(db, email, request.password);
  return { email };
}
