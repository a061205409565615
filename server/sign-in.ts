import type { ApiError, SignInOptions } from '../lib/wire.ts';
import type { Person } from './access.ts';
import { adoptAddress, makeAccount, mergeGuest } from './access/guests.ts';
import { makeWorkspace } from './access/membership.ts';
import { findPerson } from './access/person.ts';
import type { App } from './app.ts';
import { AUTH_PATH } from './auth-path.ts';
import { readText } from './http.ts';
import { Refusal } from './refusal.ts';

/** What of better-auth is served; the rest of it would go past our names, roles and rules. */
const SERVED = [
  /^\/sign-in\/(?:email|social)$/,
  /^\/sign-up\/email$/,
  /^\/sign-out$/,
  /^\/callback\/[a-z]+$/,
  /^\/link-social$/,
  /^\/unlink-account$/,
  /^\/list-accounts$/,
  /^\/get-session$/,
  /^\/list-sessions$/,
  /^\/revoke-(?:session|sessions|other-sessions)$/,
  /^\/change-password$/,
];
/** After these a session may have ended that somebody is still connected with. */
const ENDING = /^\/(?:sign-out|revoke-(?:session|sessions|other-sessions)|change-password)$/;

const BODY_LIMIT = 10_000;

const CODES: Record<number, ApiError['error']['code']> = {
  400: 'bad-request',
  401: 'unauthorised',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  429: 'too-fast',
  503: 'unavailable',
};

export function signInOptions({ auth, config }: App): SignInOptions {
  return { providers: auth.providers, signUp: config.signUp };
}

/** Answers a request to /api/auth/…, and does here what follows from it. */
export async function answerAuth(app: App, person: Person | null, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.slice(AUTH_PATH.length);
  if (!SERVED.some((served) => served.test(path))) throw new Refusal('not-found', 'address', 'one that is served', path);
  const guest = person?.guest ? person : null;
  // Refused before anything is looked up: whether an address has an account is nobody's business.
  if (path === '/sign-up/email' && app.config.signUp === 'invited' && !guest) {
    throw new Refusal('forbidden', 'sign-up', 'somebody who was invited', 'somebody without an invitation');
  }
  const text = request.method === 'POST' ? await readJson(request) : null;
  const account = path === '/sign-in/email' ? emailIn(text) : null;
  if (account !== null) await app.limits.take('sign-in', { account });
  const { url, method, headers } = request;
  const { response, created, linked, signedIn } = await app.auth.answer(
    new Request(url, { method, headers, ...(text && { body: text }) }),
    guest !== null,
  );
  // Only guesses count.
  if (account !== null && response.ok) await app.limits.giveBack('sign-in', { account });
  if (created) await giveWorkspace(app, created);
  if (linked) await adoptAddress(app, linked.personId, linked.email);
  if (guest && signedIn && signedIn !== guest.id) await mergeGuest(app, guest, signedIn);
  if (person && ENDING.test(path) && response.ok) await app.rooms.accessChanged({ personId: person.id, boardId: null });
  return response.status < 400 ? response : failureOf(app, path, response);
}

/** Nothing that is not JSON: what a form sends would not be counted as a guess. */
async function readJson(request: Request): Promise<string> {
  const type = request.headers.get('content-type') ?? 'application/json';
  if (!/^application\/json\b/i.test(type))
    throw new Refusal('bad-request', 'content-type', 'application/json', JSON.stringify(type.slice(0, 100)));
  return readText(request, BODY_LIMIT);
}

/** Whose password is about to be tried, or null. */
function emailIn(text: string | null): string | null {
  try {
    const body: unknown = JSON.parse(text ?? '');
    return typeof body === 'object' && body !== null && 'email' in body && typeof body.email === 'string' ? body.email.toLowerCase() : null;
  } catch {
    return null;
  }
}

/** Makes a guest, or an owner without a password, an account. */
export function becomeAccount(app: App, person: Person, request: { email: string; password: string }): Promise<Person> {
  if (person.guest || person.email === null) return makeAccount(app, person, request);
  throw new Refusal('conflict', 'account', 'somebody without one', `${person.name}, who has one`);
}

async function giveWorkspace({ db, now }: App, personId: string): Promise<void> {
  const person = await findPerson(db, personId);
  if (person) await db.transaction((tx) => makeWorkspace(tx, person, person.name, now()));
}

/** better-auth's failures in the shape of ours. It swallows what the database said, so that is asked again. */
async function failureOf(app: App, path: string, response: Response): Promise<Response> {
  if (response.status >= 500) await app.database.ping();
  const told: unknown = await response.json().catch(() => null);
  const message = typeof told === 'object' && told !== null && 'message' in told ? String(told.message) : 'refused';
  const status = response.status === 422 ? 409 : response.status;
  const code = CODES[status] ?? 'internal';
  const body: ApiError = { error: { code, message: `${path.slice(1)}: ${message}`, where: path.slice(1) } };
  const answer = Response.json(body, { status, headers: { 'cache-control': 'no-store' } });
  for (const cookie of response.headers.getSetCookie()) answer.headers.append('set-cookie', cookie);
  return answer;
}
