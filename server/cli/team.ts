import { EngineError } from '../../lib/engine/index.ts';
import { newInvite, type AuditEntry, type BoardSummary, type Invite, type WorkspaceSummary } from '../../lib/wire.ts';
import { listAudit } from '../audit-log.ts';
import { listBoards } from '../boards.ts';
import { makeBoardInvite } from '../invites.ts';
import { findServer, isGone } from '../local.ts';
import { setPasswordLocally } from '../local-password.ts';
import { Refusal } from '../refusal.ts';
import { listWorkspaces } from '../workspaces.ts';
import { needed, wholeNumber, type Command } from './options.ts';
import { columns, print } from './output.ts';
import { readPassword } from './password.ts';
import { through } from './through.ts';

/** What the owner of this installation does without a browser. */

export async function boards({ home, values }: Command): Promise<void> {
  const mine = await through(home, (server) => server.ask<BoardSummary[]>('GET', '/api/boards'), listBoards);
  print(mine, values, () => columns(mine.map(({ id, role, model, updatedAt, title }) => [id, role, model, dateOf(updatedAt), title])));
}

export async function invite({ home, words: [board], values }: Command): Promise<void> {
  const boardId = needed('invite', board, 'the id of a board (pathboard boards lists them)');
  const asked = {
    role: values.role ?? 'editor',
    expiresIn: wholeNumber('--days', values.days) ?? 30,
    maxUses: wholeNumber('--uses', values.uses) ?? null,
  };
  const checked = newInvite.safeParse(asked);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const option = { role: '--role', expiresIn: '--days', maxUses: '--uses' }[String(issue?.path[0])] ?? 'invite';
    throw new EngineError('bad-request', option, issue?.message ?? 'another value', JSON.stringify(asked));
  }
  const made = await through(
    home,
    (server) => server.ask<Invite & { url: string }>('POST', `/api/boards/${encodeURIComponent(boardId)}/invites`, checked.data),
    (app, owner) => makeBoardInvite(app, owner, boardId, checked.data),
  );
  const uses = made.maxUses === null ? '' : `, ${made.maxUses} times`;
  print(made, values, () => [made.url, `makes whoever follows it ${made.role}, until ${dateOf(made.expiresAt)}${uses}`]);
}

export async function audit({ home, values }: Command): Promise<void> {
  const before = values.before ?? null;
  const entries = await through(
    home,
    async (server) => {
      const id = firstOf(values.workspace, values.workspace ? [] : await server.ask<WorkspaceSummary[]>('GET', '/api/workspaces'));
      const query = before === null ? '' : `?before=${encodeURIComponent(before)}`;
      return server.ask<AuditEntry[]>('GET', `/api/workspaces/${encodeURIComponent(id)}/audit${query}`);
    },
    async (app, owner) => {
      const id = firstOf(values.workspace, values.workspace ? [] : await listWorkspaces(app, owner));
      return listAudit(app, owner, id, before);
    },
  );
  print(entries, values, () =>
    columns(entries.map((entry) => [String(entry.id), dateOf(entry.at), entry.personName, entry.action, whatOf(entry)])),
  );
}

/** A link is of use to a server that runs alone. */
export async function link({ home, values }: Command): Promise<void> {
  const none = new Refusal('not-found', home, 'a running Pathboard (npm start)', 'none');
  const server = findServer(home);
  if (!server) throw none;
  const { url } = await server.ask<{ url: string }>('POST', '/api/local/link').catch((error: unknown) => {
    throw isGone(error) ? none : error;
  });
  print({ link: url }, values, () => [url]);
}

export async function password({ home, values }: Command): Promise<void> {
  const given = await readPassword(process.env, process.stdin, process.stderr);
  const asked = { email: values.email ?? null, password: given };
  const { email } = await through(
    home,
    (server) => server.ask<{ email: string }>('POST', '/api/local/password', asked),
    (app) => setPasswordLocally(app, asked),
  );
  print({ email }, values, () => [`The owner signs in as ${email}, and was signed out everywhere`]);
}

/** The one that is named, else the first that the owner has. */
function firstOf(given: string | undefined, mine: readonly WorkspaceSummary[]): string {
  const id = given ?? mine.find(({ role }) => role === 'owner')?.id;
  if (id) return id;
  throw new Refusal('not-found', '--workspace', 'the id of a workspace', 'nothing');
}

function whatOf({ boardId, details }: AuditEntry): string {
  const told = Object.entries(details).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [...(boardId === null ? [] : [`board ${boardId}`]), ...told].join(', ');
}

function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}
