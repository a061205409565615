import { and, eq } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../../db/client.ts';
import { members, people } from '../../db/schema.ts';
import { mayOn, standingsFor, type InstallationAction, type Standing } from '../../lib/roles.ts';
import type { App } from '../app.ts';
import { Refusal } from '../refusal.ts';
import { requirePerson, type Person } from './person.ts';

/** Throws unless the person may, on the installation as a whole: its models and its disk are shared by all workspaces. */
export async function authoriseInstallation({ db }: Pick<App, 'db'>, person: Person | null, action: InstallationAction): Promise<Person> {
  const someone = requirePerson(person);
  const standing = await standingOf(db, someone);
  if (mayOn(standing, action)) return someone;
  throw new Refusal('forbidden', 'installation', `${standingsFor(action).join(' or ')} of the installation (for ${action})`, standing);
}

/** Whoever owns a workspace together with the installation's owner was made so by them, or by somebody whom they trusted with it. */
export async function standingOf(db: Database, person: Person): Promise<Standing> {
  if (person.owner) return 'owner';
  if (person.guest) return 'member';
  const theirs = alias(members, 'theirs');
  const [shared] = await db
    .select({ id: members.workspaceId })
    .from(members)
    .innerJoin(theirs, and(eq(theirs.workspaceId, members.workspaceId), eq(theirs.role, 'owner')))
    .innerJoin(people, and(eq(people.id, theirs.personId), eq(people.owner, true)))
    .where(and(eq(members.personId, person.id), eq(members.role, 'owner')))
    .limit(1);
  return shared ? 'co-owner' : 'member';
}
