import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as schema from '../../db/schema.ts';
import { takeLock } from '../lock.ts';
import { backUp, digests, newFullHome, withDatabase } from './testing.ts';
import type { Counts } from './load.ts';
import { LEFT_OUT_COLUMNS } from './write.ts';

const CHILD = fileURLToPath(new URL('restore-child.ts', import.meta.url));
const KILLS = Number(process.env['PATHBOARD_KILLS'] ?? 3);
/** Milliseconds in which the moment of a kill lies: about as long as two restores take. */
const WITHIN = 6000;

const home = mkdtempSync(join(tmpdir(), 'pathboard-kill-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const files = [join(home, 'first.backup'), join(home, 'second.backup')];
const states: Counts[] = [];

/** All that is restored but epochs, which are never the same. */
const state = (folder: string) =>
  withDatabase(folder, async (db) => {
    const { rooms: _1, sessions: _2, verifications: _3, owner_links: _4, ...rest } = await digests(db, LEFT_OUT_COLUMNS);
    return rest;
  });

beforeAll(async () => {
  const source = await newFullHome();
  for (const file of files) {
    await withDatabase(source, (db) => db.update(schema.workspaces).set({ name: file }));
    states.push(await state(source));
    await backUp(source, file);
  }
  rmSync(source, { recursive: true });
});

test(
  'a restore that is killed at any moment leaves a whole database: the one from before or the one that is restored',
  async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, ['--import', 'tsx', CHILD, home, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
      let restored = -1;
      child.stdout.on('data', (data: Buffer) => (restored = Number(data.toString().trim().split('\n').at(-1))));
      await once(child.stdout, 'data');
      // The very first makes a database where there is none.
      while (restored < 1 && kill === 0 && child.exitCode === null) await pause(20);
      await pause(Math.random() * WITHIN);
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      await once(child, 'exit');
      takeLock(home)();
      const found = await readdir(home);
      const after = await state(home);
      expect(states, `killed with ${found.join(' ')}`).toContainEqual(after);
      for (const old of found.filter((name) => name.includes('before'))) await rm(join(home, old), { recursive: true });
    }
  },
  KILLS * 60_000,
);
