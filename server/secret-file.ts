import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from './files.ts';
import { StartError } from './start-error.ts';

const LENGTH = 32;

/** The secret that signs this installation's cookies: made once, in a file that nobody but this user can read. */
export function keptSecret(home: string): string {
  const file = join(home, 'secret');
  const kept = readSecret(file) ?? makeSecret(home, file);
  if (kept.length >= LENGTH) return kept;
  throw new StartError(
    `${file}: expected a secret of at least ${LENGTH} characters, got ${kept.length} (remove it, and everybody signs in anew)`,
  );
}

/** Linked rather than written in place: a process that is killed leaves no half of it, and the slower of two reads the faster one's. */
function makeSecret(home: string, file: string): string {
  mkdirSync(home, { recursive: true });
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, 'utf8').trim();
}

function readSecret(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
