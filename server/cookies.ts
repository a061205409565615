import { SESSION_COOKIE, SESSION_LIFE } from './access.ts';

/** The session's token from a `Cookie` header, or null. */
export function sessionToken(header: string | null | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === SESSION_COOKIE && value) return value;
  }
  return null;
}

/** A `Set-Cookie` header. Without `Secure`: the server speaks plain HTTP, on the loopback interface alone. */
export function sessionCookie(token: string): string {
  return `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(SESSION_LIFE / 1000)}`;
}
