import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import type { OpenDatabase } from '../../db/client.ts';
import { newHome } from './home.ts';
import type { Place } from './place.ts';
import { hasPostgres, startPostgres, type Postgres } from './services.ts';

export interface TestEngine {
  name: OpenDatabase['engine'];
  /** A migrated, empty database of its own; gone after the tests. */
  place(): Promise<Place>;
}

/** The same tests on the embedded and on a served Postgres. Where the latter is not installed, that is said aloud. */
export function describeEngines(name: string, tests: (engine: TestEngine) => void): void {
  describe(`${name} on PGlite`, () => {
    tests(embedded());
  });
  describe.skipIf(!hasPostgres())(`${name} on Postgres`, () => {
    tests(served());
  });
}

function embedded(): TestEngine {
  const own = removedAfterwards();
  return { name: 'pglite', place: async () => ({ home: own(await newHome()), databaseUrl: null }) };
}

function served(): TestEngine {
  const own = removedAfterwards();
  let starting: Promise<Postgres> | null = null;
  afterAll(async () => (await starting)?.stop());
  return {
    name: 'postgres',
    async place() {
      starting ??= requirePostgres();
      const databaseUrl = await (await starting).createDatabase();
      return { home: own(mkdtempSync(join(tmpdir(), 'pathboard-test-'))), databaseUrl };
    },
  };
}

function removedAfterwards(): (folder: string) => string {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  return (folder) => {
    folders.push(folder);
    return folder;
  };
}

async function requirePostgres(): Promise<Postgres> {
  const postgres = await startPostgres();
  if (postgres === null) throw new Error('PostgreSQL: expected it to be installed');
  return postgres;
}
