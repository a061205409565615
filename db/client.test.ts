import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from './client.ts';
import { updates } from './schema.ts';

const MIGRATIONS = fileURLToPath(new URL('migrations', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'pathboard-db-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('a database is made anew after an interrupted creation, and opened again as it was', async () => {
  mkdirSync(join(home, 'db.unfinished'));
  writeFileSync(join(home, 'db.unfinished', 'PG_VERSION'), 'half');
  const data = new Uint8Array([0, 1, 255]);
  const first = await openDatabase(home, MIGRATIONS);
  await first.db.insert(updates).values({ room: 'board/x', data, createdAt: 1 });
  await first.close();
  const second = await openDatabase(home, MIGRATIONS);
  const [row] = await second.db.select().from(updates);
  expect([row?.data, row?.createdAt, row?.personId]).toEqual([data, 1, null]);
  await second.close();
});
