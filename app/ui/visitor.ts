import { cookies } from 'next/headers';
import { SESSION_COOKIE, personOfSession, type Person } from '@/server/access.ts';
import { app } from '@/server/app.ts';

/** Who asks for a page, or null. */
export async function visitor(): Promise<Person | null> {
  // Cookies first: asking for them tells Next that the page is of this request, and must not be made while building.
  const token = (await cookies()).get(SESSION_COOKIE)?.value ?? null;
  return personOfSession(app(), token);
}
