import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../db/client.ts';

export const MIGRATIONS = fileURLToPath(new URL('../../db/migrations', import.meta.url));
/** What takes long to make and never changes with the code under test. */
export const CACHE = fileURLToPath(new URL('../../node_modules/.cache/pathboard', import.meta.url));

/** A folder with a migrated, empty database: copied, because making one takes seconds. Whoever asks removes it. */
export async function newHome(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'pathboard-test-'));
  cpSync(await template(), join(home, 'db'), { recursive: true });
  return home;
}

function template(): Promise<string> {
  return cached(`db-${migrationsKey()}`, async (draft) => {
    const { close } = await openDatabase(draft, MIGRATIONS);
    await close();
    return join(draft, 'db');
  });
}

/** Changes with every migration. */
export function migrationsKey(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(MIGRATIONS).sort()) if (name.endsWith('.sql')) hash.update(readFileSync(join(MIGRATIONS, name)));
  return hash.digest('hex').slice(0, 16);
}

/** The folder of this name in the cache; where there is none, the one that `make` leaves in its draft is moved there. */
export async function cached(name: string, make: (draft: string) => Promise<string>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  const made = await make(draft);
  try {
    renameSync(made, folder);
  } catch (error) {
    // Another worker was faster.
    if (!existsSync(folder)) throw error;
  }
  rmSync(draft, { recursive: true, force: true });
  return folder;
}
