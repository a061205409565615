import { cookies } from 'next/headers';
import { SESSION_COOKIE, personOfSession, type Person } from '@/server/access.ts';
import { app } from '@/server/app.ts';

/** Who asks for a page, or null. */
export async function visitor(): Promise<Person | null> {
  return personOfSession(app(), (await cookies()).get(SESSION_COOKIE)?.value ?? null);
}
