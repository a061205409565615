import { mkdirSync } from 'node:fs';
import { Refusal } from './refusal.ts';

/** True for the error of a file or folder that is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}

/** Runs what makes or writes PATHBOARD_HOME; a folder that does not allow it is a refusal of one line. */
export function inHome<T>(home: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Refusal('bad-request', 'PATHBOARD_HOME', 'a folder that can be written', `${home} (${error.message})`);
  }
}

export function makeHome(home: string): void {
  inHome(home, () => mkdirSync(home, { recursive: true }));
}
