import { createHash, randomBytes } from 'node:crypto';

/** The database never holds what would open a link: a copy of it lets nobody in. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Of a workspace, a board, an invitation. */
export function newId(): string {
  return randomBytes(12).toString('base64url');
}
