import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLock } from './lock.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pathboard-lock-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const lockFile = () => join(home, 'server.lock');

test('a second taker is told who holds the folder, until it is released', () => {
  const release = takeLock(home);
  expect(() => takeLock(home)).toThrow(`got one locked by process ${process.pid}`);
  release();
  takeLock(home)();
});

test('the lock of a process that has died is taken over', async () => {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  const pid = child.pid;
  await once(child, 'exit');
  writeFileSync(lockFile(), JSON.stringify({ pid, started: 'boot:1' }));
  const release = takeLock(home);
  expect(readFileSync(lockFile(), 'utf8')).toContain(`"pid":${process.pid}`);
  release();
});

test('so is that of an earlier process with the same pid as a living one', () => {
  writeFileSync(lockFile(), JSON.stringify({ pid: process.pid, started: 'another boot:1' }));
  takeLock(home)();
});

test('and half a file, which a crash may leave', () => {
  writeFileSync(lockFile(), '{"pid":');
  takeLock(home)();
});

test('a folder that cannot be one is told in one line', () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  for (const wrong of [file, join(file, 'inside')]) {
    expect(() => takeLock(wrong)).toThrow(`PATHBOARD_HOME: expected a folder that can be written, got ${wrong} (`);
  }
});
