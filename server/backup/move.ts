import type { Database, OpenDatabase } from '../../db/client.ts';
import { Refusal } from '../refusal.ts';
import { checkDigest, checkSequences, type Counts } from './load.ts';
import { checkTarget, claim, withPostgres } from './restore.ts';
import { Digester, insertRows, readRows } from './rows.ts';
import { inOneGo, inSnapshot, lastMigration, readSequences, readTables, setSequences, withoutForeignKeys } from './tables.ts';

/**
 * Copies everything of the embedded database into an empty served one, sessions included, in one transaction which is
 * proven before it ends. The source, migrated and with its folder's lock held, stays as it is.
 */
export async function moveToPostgres(source: OpenDatabase, url: string): Promise<Counts> {
  await checkTarget(url);
  return withPostgres(url, (target) => inSnapshot(source.db, (from) => inOneGo(target, (to) => copy(from, to))));
}

async function copy(from: Database, to: Database): Promise<Counts> {
  const [before, after] = [await lastMigration(from), await lastMigration(to)];
  if (before.hash !== after.hash) throw new Refusal('conflict', 'database', 'one as of the same migration', 'another one');
  await claim(to);
  const tables = await readTables(from);
  const counts: Counts = {};
  await withoutForeignKeys(to, async () => {
    for (const table of tables) {
      const digest = new Digester();
      for await (const rows of readRows(from, table)) {
        digest.add(rows);
        await insertRows(to, table, rows);
      }
      counts[table.name] = digest.end();
    }
  });
  const sequences = await readSequences(from);
  await setSequences(to, sequences);
  for (const table of tables) await checkDigest(to, table, counts[table.name]);
  await checkSequences(to, sequences);
  return counts;
}
