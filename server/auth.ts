import { betterAuth, type BetterAuthOptions } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { APIError, createAuthEndpoint } from 'better-auth/api';
import { setSessionCookie } from 'better-auth/cookies';
import { hashPassword } from 'better-auth/crypto';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../db/client.ts';
import { accounts, people, sessions, verifications } from '../db/schema.ts';
import { checkName, cleanName } from './access/names.ts';
import { isLoopback } from './address.ts';
import { AUTH_PATH } from './auth-path.ts';
import type { Config } from './config.ts';
import { reportFault } from './faults.ts';
import { log } from './log.ts';
import { originOf } from './origin.ts';
import { isRefusal } from './refusal.ts';

/** Accounts and sessions by better-auth, and all of it that the rest of the server sees. */

const PASSWORD_LENGTH = { min: 10, max: 200 };
const DAY = 24 * 3600;
/** Seconds. */
const SESSION_LIFE = 90 * DAY;

/** What one request to /api/auth/… brought about. */
export interface AuthOutcome {
  response: Response;
  /** whose session began */
  signedIn: string | null;
  /** who was made */
  created: string | null;
  /** who can sign in through a provider from now on, and the address that the provider vouches for */
  linked: { personId: string; email: string } | null;
}

export interface Auth {
  /** names of the OAuth providers that are configured */
  readonly providers: string[];
  /** Answers a request to /api/auth/…; `isGuest`: somebody who was invited asks, and may become an account. */
  answer(request: Request, isGuest: boolean): Promise<AuthOutcome>;
  /** The token in a session cookie that this server signed, or null. */
  tokenOf(headers: Headers): Promise<string | null>;
  /** Opens a session and gives the `Set-Cookie` headers for it. */
  open(personId: string, headers: Headers): Promise<string[]>;
  /** The `Set-Cookie` headers that keep a session's cookie for another {@link SESSION_LIFE}. */
  renew(token: string, headers: Headers): Promise<string[]>;
  hashPassword(password: string): Promise<string>;
}

/** What is known, and learned, while a request is being answered. */
interface Answering extends Omit<AuthOutcome, 'response'> {
  isGuest: boolean;
  /** of the identity that is about to be linked */
  email: string | null;
}

export function makeAuth(config: Config, db: Database): Auth {
  const answering = new AsyncLocalStorage<Answering>();
  const auth = betterAuth({
    ...optionsOf(config, db),
    ...policyOf(config, answering),
    plugins: [{ id: 'pathboard', endpoints: { readToken, openSession, renewSession } }],
  });
  return {
    providers: Object.keys(config.oauth),
    async answer(request, isGuest) {
      const state: Answering = { isGuest, signedIn: null, created: null, linked: null, email: null };
      const response = await answering.run(state, () => auth.handler(request));
      return { response, signedIn: state.signedIn, created: state.created, linked: state.linked };
    },
    tokenOf: async (headers) => (headers.has('cookie') ? auth.api.readToken({ headers }) : null),
    async open(personId, headers) {
      const opened = await auth.api.openSession({ body: { personId }, headers, returnHeaders: true });
      return opened.headers.getSetCookie();
    },
    async renew(token, headers) {
      const renewed = await auth.api.renewSession({ body: { token }, headers, returnHeaders: true });
      return renewed.headers.getSetCookie();
    },
    hashPassword,
  };
}

function optionsOf(config: Config, db: Database) {
  return {
    appName: 'Pathboard',
    baseURL: config.publicUrl,
    basePath: AUTH_PATH,
    secret: config.authSecret,
    trustedOrigins: originsOf(config),
    database: drizzleAdapter(db, {
      provider: 'pg',
      schema: { user: people, session: sessions, account: accounts, verification: verifications },
      transaction: true,
    }),
    emailAndPassword: { enabled: true, minPasswordLength: PASSWORD_LENGTH.min, maxPasswordLength: PASSWORD_LENGTH.max, autoSignIn: true },
    socialProviders: config.oauth,
    session: { expiresIn: SESSION_LIFE, updateAge: DAY, cookieCache: { enabled: false } },
    account: {
      // Nothing here ever speaks to a provider in somebody's name.
      updateAccountOnSignIn: false,
      // Addresses are not verified: who knows one must not get into an account by it, nor prepare an account for its owner.
      accountLinking: {
        enabled: true,
        disableImplicitLinking: true,
        allowDifferentEmails: true,
        trustedProviders: Object.keys(config.oauth),
      },
    },
    advanced: {
      cookiePrefix: 'pathboard',
      useSecureCookies: config.publicUrl.startsWith('https:'),
      // Said, because it is otherwise off under test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { disableIpTracking: true },
      database: { generateId: () => randomUUID() },
    },
    // The front door counts attempts, for all that is behind it.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // What is no refusal of theirs is thrown to us, who know what to tell of it.
    onAPIError: { throw: true, errorURL: `${config.publicUrl}/sign-in` },
    logger: {
      level: 'error',
      // It calls a wrong password an error too.
      log: (_, message, ...rest) => {
        const fault = rest.find((part) => part instanceof Error);
        if (fault) reportFault('auth', fault);
        else log().info('auth', { said: message });
      },
    },
  } satisfies BetterAuthOptions;
}

/** Under which the pages are served that may sign somebody in. */
function originsOf({ host, port, publicUrl }: Config): string[] {
  const local = isLoopback(host) ? ['127.0.0.1', 'localhost', '::1'] : [];
  return [...new Set([publicUrl, ...local.map((name) => originOf(name, port))])];
}

/** Who gets in, what of an account is kept, and what of it is told to {@link Auth.answer}. */
function policyOf({ signUp }: Config, answering: AsyncLocalStorage<Answering>) {
  return {
    databaseHooks: {
      user: {
        create: {
          before: async (user, context) => ({
            data: { ...user, image: null, name: nameOf(user.name, context?.path === '/sign-up/email') },
          }),
          after: async ({ id }) => note({ created: id }),
        },
      },
      session: { create: { after: async ({ userId }) => note({ signedIn: userId }) } },
      account: {
        create: {
          before: async (account) => ({
            data: {
              ...account,
              accessToken: null,
              refreshToken: null,
              idToken: null,
              accessTokenExpiresAt: null,
              refreshTokenExpiresAt: null,
            },
          }),
          after: async ({ userId }) => {
            const email = answering.getStore()?.email;
            if (email) note({ linked: { personId: userId, email } });
          },
        },
      },
    },
    user: {
      validateUserInfo: async ({ user, source }, context) => {
        const email = user.email?.toLowerCase() ?? null;
        if (source.action === 'create-user' && signUp === 'invited' && !answering.getStore()?.isGuest) {
          return {
            error: 'invited_only',
            errorDescription: 'sign-up: expected somebody who was invited, got somebody without an invitation',
          };
        }
        if (source.action !== 'link-account' || email === null) return;
        const other = await context.context.internalAdapter.findUserByEmail(email);
        if (other && other.user.id !== user.id) {
          return { error: 'email_taken', errorDescription: 'e-mail: expected one without an account, got one that has another' };
        }
        note({ email });
      },
    },
  } satisfies BetterAuthOptions;

  function note(learned: Partial<Answering>): void {
    const state = answering.getStore();
    if (state) Object.assign(state, learned);
  }
}

/** What somebody typed is refused where it is no name; what a provider calls them is made one. */
function nameOf(name: string, isTyped: boolean): string {
  if (!isTyped) return cleanName(name);
  try {
    return checkName(name);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new APIError('BAD_REQUEST', { code: 'bad-request', message: error.message });
  }
}

const readToken = createAuthEndpoint.serverOnly({ method: 'GET', requireHeaders: true }, async (context): Promise<string | null> => {
  const token = await context.getSignedCookie(context.context.authCookies.sessionToken.name, context.context.secret);
  return token || null;
});

const openSession = createAuthEndpoint.serverOnly(
  { method: 'POST', requireHeaders: true, body: z.object({ personId: z.string() }) },
  async (context) => {
    const { internalAdapter } = context.context;
    const user = await internalAdapter.findUserById(context.body.personId);
    if (!user) throw new Error(`session: expected somebody who is in the database, got ${context.body.personId}`);
    const session = await internalAdapter.createSession(user.id);
    await setSessionCookie(context, { session, user });
  },
);

const renewSession = createAuthEndpoint.serverOnly(
  { method: 'POST', requireHeaders: true, body: z.object({ token: z.string() }) },
  async (context) => {
    const { internalAdapter } = context.context;
    const found = await internalAdapter.findSession(context.body.token);
    if (!found) return;
    const expiresAt = new Date(Date.now() + SESSION_LIFE * 1000);
    await internalAdapter.updateSession(found.session.token, { expiresAt, updatedAt: new Date() });
    await setSessionCookie(context, found);
  },
);
