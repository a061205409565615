import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inHome, isMissing, makeHome } from './files.ts';

/** Who holds a folder. `started` tells a process from a later one that was given the same pid. */
interface Holder {
  pid: number;
  started: string;
}

export class LockedError extends Error {
  readonly isLockedError = true;
}

/**
 * Takes the exclusive lock on `home` and returns what releases it. The lock of a process that has died is
 * taken over; a live one throws a {@link LockedError} of one line.
 */
export function takeLock(home: string): () => void {
  makeHome(home);
  const path = lockOf(home);
  const own = `${path}.${process.pid}`;
  const text = ownHolder();
  // Linked into place when complete, so that nobody ever reads a lock without its content.
  inHome(home, () => writeFileSync(own, text));
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (linkInto(own, path)) return () => release(path, text);
      removeIfStale(home, path);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new LockedError(`${home}: expected a folder that no other process is about to open, got one that others keep locking`);
}

/** Releases a lock of this process whose thread died with it; one of another process stays. */
export function releaseOwnLock(home: string): void {
  release(lockOf(home), ownHolder());
}

function lockOf(home: string): string {
  return join(home, 'server.lock');
}

function ownHolder(): string {
  return JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Holder);
}

function linkInto(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function removeIfStale(home: string, path: string): void {
  const text = readIfThere(path);
  if (text === null) return;
  const holder = holderOf(text);
  if (holder && startOf(holder.pid) === holder.started) {
    throw new LockedError(
      `${home}: expected a folder that no other Pathboard uses, got one locked by process ${holder.pid} (stop it, or set PATHBOARD_HOME to another folder)`,
    );
  }
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  // Another process may have taken the stale lock over between the reading and the renaming: give it back.
  if (readIfThere(aside) !== text) linkInto(aside, path);
  rmSync(aside, { force: true });
}

function release(path: string, text: string): void {
  if (readIfThere(path) === text) rmSync(path, { force: true });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function holderOf(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value)) return null;
    const { pid, started } = value;
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : null;
  } catch {
    return null;
  }
}

/** When a process started, in whatever unit the system has; '' when there is no such process. */
function startOf(pid: number): string {
  if (process.platform === 'win32') return isAlive(pid) ? 'running' : '';
  if (process.platform !== 'linux') {
    try {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  }
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return '';
  // The second field is the command in brackets, which may hold spaces; the 22nd is the start in ticks since boot.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const dead = fields[0] === 'Z' || fields[0] === 'X';
  return dead ? '' : `${bootId()}:${fields[19]}`;
}

function bootId(): string {
  return (readIfThere('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
