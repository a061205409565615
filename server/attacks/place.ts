import { randomUUID } from 'node:crypto';
import type { Role } from '../../lib/roles.ts';
import { SETUP, actorOf, type Actor, type World } from '../testing/world.ts';
import type { Answered, Asked } from './request.ts';

/** A workspace with a board on which there is one of everything that has an id. */
export interface Place {
  /** owns both */
  host: Actor;
  /** a viewer of the whole workspace, with an account */
  heir: Actor;
  workspaceId: string;
  boardId: string;
  commentId: string;
  threadId: string;
  claimId: string;
  evidenceId: string;
  runId: string;
  versionId: string;
  importId: string;
  /** somebody who labels in the session, as the comment's author does */
  annotator: Actor;
  sessionId: string;
  /** of the author, blind */
  labelId: string;
  inviteId: string;
  /** what the invitation's link ends with */
  token: string;
  slug: string;
}

/** A server, and how it is asked. */
export interface Api {
  world: World;
  ask(actor: Actor | null, method: string, path: string, asked?: Asked): Promise<Answered>;
}

/** Of another tool. */
export const GRAPH = { cfg: { n_layers: 1, n_heads: 1 }, nodes: {}, edges: { 'input->logits': { score: 1, in_graph: true } } };
export const EFFECT = { view: 'path-effect', model: 'toy', prompt: 'When Mary', paths: ['input->a0.h0->logits'] };

export const LABEL = { item: 1, label: 'copies', unsure: false, note: '' };

export function newSession(annotators: readonly Actor[]) {
  return {
    id: randomUUID(),
    name: 'Heads',
    instructions: '',
    labels: ['copies', 'moves'],
    pick: { by: 'top', count: 2 },
    annotators: annotators.map(({ person }) => person.id),
    perItem: null,
    hidesNumbers: false,
  };
}

let made = 0;

/** Made through the API, as browsers do it; the comment and the claim are the author's. */
export async function makePlace(api: Api, { host, heir, author = host }: { host: Actor; heir: Actor; author?: Actor }): Promise<Place> {
  const as = (actor: Actor) => (method: string, path: string, body?: unknown) => create(api, actor, method, path, body);
  const byHost = as(host);
  const { id: workspaceId } = await byHost('POST', '/api/workspaces', { name: `Place ${++made}` });
  const { id: boardId } = await byHost('POST', '/api/boards', { setup: SETUP, workspaceId });
  const board = `/api/boards/${boardId}`;
  await join(api, heir, `/api/workspaces/${workspaceId}`, 'viewer', host);
  if (author !== host) await join(api, author, board, 'commenter', host);
  const comment = await as(author)('POST', `${board}/comments`, { id: randomUUID(), anchor: 'a0.h0', body: 'what it does' });
  const claim = await as(author)('POST', `${board}/claims`, { id: randomUUID(), anchor: null, text: 'it matters' });
  const run = await byHost('POST', `${board}/runs`, EFFECT);
  const evidence = await byHost('POST', `${board}/claims/${claim.id}/evidence`, {
    id: randomUUID(),
    runIds: [run.id],
    predicate: 'effect("input->a0.h0->logits") < -0.5',
  });
  const version = await byHost('POST', `${board}/versions`, { name: 'first' });
  const annotator = await join(api, null, board, 'commenter', host);
  const session = await byHost('POST', `${board}/sessions`, newSession([author, annotator]));
  const labelId = randomUUID();
  await as(author)('PUT', `/api/sessions/${text(session.id)}/labels/${labelId}`, LABEL);
  const invite = await byHost('POST', `${board}/invites`, { role: 'viewer', expiresIn: 1, maxUses: null });
  const imported = await byHost('POST', `${board}/import`, GRAPH);
  const page = await byHost('POST', `${board}/publish`, { title: `Page ${made}`, question: '', findings: '', threads: true });
  return {
    host,
    heir,
    workspaceId: text(workspaceId),
    boardId: text(boardId),
    commentId: text(comment.id),
    threadId: text(comment['threadId']),
    claimId: text(claim.id),
    evidenceId: text(evidence.id),
    runId: text(run.id),
    versionId: text(version.id),
    importId: text(imported['graphId']),
    annotator,
    sessionId: text(session.id),
    labelId,
    inviteId: text(invite.id),
    token: new URL(text(invite['url'])).pathname.split('/').at(-1) ?? '',
    slug: text(page['slug']),
  };
}

/** Somebody new with this role on the board, or in the whole workspace. */
export async function newcomer(api: Api, place: Place, role: Exclude<Role, 'owner'>, where: 'board' | 'workspace'): Promise<Actor> {
  const path = where === 'board' ? `/api/boards/${place.boardId}` : `/api/workspaces/${place.workspaceId}`;
  return join(api, null, path, role, place.host);
}

/** Follows a new invitation to the board or workspace at `path`. */
export async function join(api: Api, actor: Actor | null, path: string, role: Role, host: Actor): Promise<Actor> {
  const { url } = await create(api, host, 'POST', `${path}/invites`, { role, expiresIn: 1, maxUses: 1 });
  const token = new URL(text(url)).pathname.split('/').at(-1);
  const name = actor?.person.name ?? `Guest ${++made}`;
  const { status, headers, text: told } = await api.ask(actor, 'POST', '/api/join', { body: { token, name } });
  if (status !== 200) throw new Error(`join: expected 200, got ${status} ${told}`);
  const cookies = headers['set-cookie'];
  return actor ?? actorOf(api.world.app, Array.isArray(cookies) ? cookies : []);
}

async function create(api: Api, actor: Actor, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { status, text: told, json } = await api.ask(actor, method, path, { body });
  if (status !== 200) throw new Error(`${method} ${path}: expected 200, got ${status} ${told}`);
  return json as Record<string, unknown>;
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`place: expected text, got ${JSON.stringify(value)}`);
}
