import { checkName, giveName } from './names.ts';
import type { Person } from './person.ts';
import type { App } from '../app.ts';

/** The same name in every workspace of the person, or a refusal. */
export async function rename({ db, rooms }: App, person: Person, wanted: string): Promise<Person> {
  const name = checkName(wanted);
  await db.transaction((tx) => giveName(tx, person.id, name));
  const renamed = { ...person, name };
  rooms.rename(renamed);
  return renamed;
}
