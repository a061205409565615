import { and, eq, inArray, ne } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { members, people } from '../../db/schema.ts';
import { breaksUnique } from '../database-errors.ts';
import { Refusal } from '../refusal.ts';

const LONGEST = 40;
/** What a reader does not see. */
const UNSEEN = /[\p{C}\u2028\u2029]/u;

/** Two names with the same key look alike to a reader. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').replaceAll(/\s+/gu, ' ').trim().toLowerCase();
}

/** The name of a person, or of something else that has one, as it is kept; or a refusal. */
export function checkName(name: string, longest = LONGEST): string {
  const trimmed = name.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
  if (UNSEEN.test(trimmed)) throw new Refusal('bad-request', 'name', 'characters that can be seen', JSON.stringify(trimmed));
  if (nameKey(trimmed).length === 0 || trimmed.length > longest) {
    throw new Refusal('bad-request', 'name', `1 to ${longest} characters`, `${trimmed.length}`);
  }
  return trimmed;
}

/** A name that {@link checkName} takes, made from one that somebody has elsewhere. */
export function cleanName(name: string): string {
  const seen = name.normalize('NFC').replaceAll(/\p{C}/gu, ' ').replaceAll(/\s+/gu, ' ').trim();
  // By characters, so that none is cut in two.
  const short = [...seen].reduce((text, character) => (text.length + character.length <= LONGEST ? text + character : text), '').trim();
  return nameKey(short).length === 0 ? 'Somebody' : short;
}

/** Enters somebody into a workspace without a role there, where they are not in it yet: their name is theirs from now on. */
export async function enterWorkspace(tx: Database, workspaceId: string, person: { id: string; name: string }, now: number): Promise<void> {
  const row = { workspaceId, personId: person.id, role: null, nameKey: nameKey(person.name), joinedAt: now };
  const added = await tx.insert(members).values(row).onConflictDoNothing().returning({ id: members.personId });
  if (added.length > 0 || (await workspacesOf(tx, person.id)).includes(workspaceId)) return;
  throw nameTaken(person.name);
}

/** The same name in every workspace of the person, or a refusal. */
export async function giveName(tx: Database, personId: string, name: string): Promise<void> {
  const key = nameKey(name);
  await tx
    .update(members)
    .set({ nameKey: key })
    .where(eq(members.personId, personId))
    .catch((error: unknown) => {
      throw breaksUnique(error, 'members_name') ? nameTaken(name) : error;
    });
  await tx.update(people).set({ name, updatedAt: new Date() }).where(eq(people.id, personId));
}

/** The name, or with a number where somebody else in one of the workspaces has it. */
export async function freeName(tx: Database, personId: string, name: string, workspaceIds: readonly string[]): Promise<string> {
  const others = await tx
    .select({ key: members.nameKey })
    .from(members)
    .where(and(inArray(members.workspaceId, [...workspaceIds]), ne(members.personId, personId)));
  const taken = new Set(others.map(({ key }) => key));
  const short = [...name].slice(0, LONGEST / 2).join('');
  let candidate = name;
  for (let number = 2; taken.has(nameKey(candidate)); number++) candidate = `${short} ${number}`;
  return candidate;
}

export async function workspacesOf(tx: Database, personId: string): Promise<string[]> {
  const rows = await tx.select({ id: members.workspaceId }).from(members).where(eq(members.personId, personId));
  return rows.map(({ id }) => id);
}

function nameTaken(name: string): Refusal {
  return new Refusal('conflict', 'name', 'a name that nobody else in the workspace has', JSON.stringify(name));
}
