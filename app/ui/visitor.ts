import { headers } from 'next/headers';
import { cache } from 'react';
import { personOfHeaders, type Person } from '@/server/access.ts';
import { app } from '@/server/app.ts';

/** Who asks for a page, or null. */
export const visitor = cache(async (): Promise<Person | null> => {
  // Headers first: asking for them tells Next that the page is of this request, and must not be made while building.
  const asked = await headers();
  return personOfHeaders(app(), asked);
});
