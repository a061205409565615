import { randomUUID } from 'node:crypto';
import type { BoardAction, WorkspaceAction } from '../../lib/roles.ts';
import { PASSWORD, SETUP } from '../testing/world.ts';
import { EFFECT, GRAPH, LABEL, newSession, type Place } from './place.ts';

/**
 * Every route and method that the site has, and who may. A file app/…/route.ts that is not here fails
 * routes.test.ts: whoever adds one says here who may use it, and gives a body that is accepted.
 */
export interface RouteEntry {
  /** `anybody`: also who is not signed in; `somebody`: who is; `secret`: the command on this machine */
  needs: BoardAction | WorkspaceAction | 'anybody' | 'somebody' | 'secret';
  /** in place of the names in its path */
  path?: (place: Place) => string;
  body?: (place: Place) => unknown;
  /** what somebody who may is answered; default 200 */
  status?: number;
  /** 404 to whoever may not, as if it were not there */
  hidden?: true;
  /** only its author, whatever their role */
  own?: true;
  /** what must have happened before */
  after?: (place: Place) => { method: string; path: string };
  /** only accounts */
  account?: true;
}

const newEntry = () => ({ id: randomUUID() });
const invite = () => ({ role: 'viewer', expiresIn: 7, maxUses: 1 });

export const ROUTES: Record<string, RouteEntry> = {
  'GET /enter': { needs: 'anybody', path: () => '/enter?token=unknown', status: 401 },
  'HEAD /enter': { needs: 'anybody', status: 405 },
  'GET /p/[slug]': { needs: 'anybody' },
  'GET /p/[slug]/[version]': { needs: 'anybody', path: ({ slug }) => `/p/${slug}/v1` },
  'GET /p/[slug]/[version]/embed': { needs: 'anybody', path: ({ slug }) => `/p/${slug}/v1/embed` },
  'GET /p/[slug]/[version]/[file]': { needs: 'anybody', path: ({ slug }) => `/p/${slug}/v1/paths.csv` },
  'GET /p/[slug]/[version]/verify': { needs: 'anybody', path: ({ slug }) => `/p/${slug}/v1/verify`, status: 404 },
  'POST /p/[slug]/[version]/verify': { needs: 'anybody', path: ({ slug }) => `/p/${slug}/v1/verify` },
  // The toy has no files.
  'GET /p/[slug]/[version]/model/[hash]/[file]': {
    needs: 'anybody',
    path: ({ slug }) => `/p/${slug}/v1/model/f00d/config.json`,
    status: 404,
  },
  'GET /api/sign-in': { needs: 'anybody' },
  'GET /api/auth/[...all]': { needs: 'anybody', path: () => '/api/auth/get-session' },
  'POST /api/auth/[...all]': {
    needs: 'anybody',
    path: () => '/api/auth/sign-in/email',
    body: () => ({ email: 'nobody@example.org', password: PASSWORD }),
    status: 401,
  },
  'GET /api/join': { needs: 'anybody', path: ({ token }) => `/api/join?token=${token}` },
  'POST /api/join': { needs: 'anybody', body: ({ token }) => ({ token, name: `Joiner ${randomUUID().slice(0, 8)}` }) },
  'POST /api/local/link': { needs: 'secret' },
  'POST /api/local/backup': { needs: 'secret', body: () => ({ withModels: false }) },
  'POST /api/local/password': { needs: 'secret', body: () => ({ email: 'owner@example.org', password: PASSWORD }) },

  'GET /api/me': { needs: 'anybody' },
  'PATCH /api/me': { needs: 'somebody', body: () => ({ name: `Name ${randomUUID().slice(0, 8)}` }) },
  'POST /api/me/account': { needs: 'somebody', body: () => ({ email: `${randomUUID()}@example.org`, password: PASSWORD }) },
  'GET /api/models': { needs: 'somebody' },
  'POST /api/models/[name]/tokenize': { needs: 'somebody', path: () => '/api/models/toy/tokenize', body: () => ({ text: 'When' }) },
  'GET /api/models/[name]/tokens': { needs: 'somebody', path: () => '/api/models/toy/tokens?q=Wh' },
  'GET /api/models/[name]/files/[hash]/[file]': {
    needs: 'somebody',
    path: () => `/api/models/toy/files/${'0'.repeat(64)}/files.json`,
    status: 404,
  },
  'GET /api/models/[name]/dictionaries': { needs: 'somebody', path: () => '/api/models/toy/dictionaries' },
  'GET /api/models/[name]/dictionaries/[hash]/[file]': {
    needs: 'somebody',
    path: () => `/api/models/toy/dictionaries/${'0'.repeat(64)}/files.json`,
    status: 404,
  },
  'GET /api/workers': { needs: 'somebody' },
  'GET /api/models/[name]': { needs: 'somebody', path: () => '/api/models/toy' },
  // For the installation's owner and who owns a workspace with them: neither is here.
  'DELETE /api/models/[name]': { needs: 'somebody', path: () => '/api/models/toy?hash=f00d&used=yes', status: 403 },
  'GET /api/imports': { needs: 'somebody', status: 403 },
  'POST /api/imports': { needs: 'somebody', body: () => ({ kind: 'hub', from: 'org/model', name: null }), status: 403 },
  'PATCH /api/imports/[modelImportId]': {
    needs: 'somebody',
    path: () => '/api/imports/abcdefgh',
    body: () => ({ state: 'running' }),
    status: 403,
  },
  'DELETE /api/imports/[modelImportId]': { needs: 'somebody', path: () => '/api/imports/abcdefgh', status: 403 },
  'PUT /api/imports/[modelImportId]/files/[file]': {
    needs: 'somebody',
    path: () => '/api/imports/abcdefgh/files/config.json?at=0',
    status: 403,
  },
  'POST /api/analyze': { needs: 'somebody', body: () => EFFECT },
  'GET /api/runs/[runId]': { needs: 'board.read', hidden: true },

  'GET /api/workspaces': { needs: 'somebody' },
  'POST /api/workspaces': { needs: 'somebody', body: () => ({ name: 'Another' }), account: true },
  'PATCH /api/workspaces/[workspaceId]': { needs: 'workspace.rename', body: () => ({ name: 'Renamed' }), status: 204 },
  'DELETE /api/workspaces/[workspaceId]': { needs: 'workspace.delete', status: 204 },
  'GET /api/workspaces/[workspaceId]/members': { needs: 'workspace.read' },
  'PATCH /api/workspaces/[workspaceId]/members/[personId]': {
    needs: 'workspace.members',
    path: ({ workspaceId, heir }) => `/api/workspaces/${workspaceId}/members/${heir.person.id}`,
    body: () => ({ role: 'editor' }),
    status: 204,
  },
  'DELETE /api/workspaces/[workspaceId]/members/[personId]': {
    needs: 'workspace.members',
    path: ({ workspaceId, heir }) => `/api/workspaces/${workspaceId}/members/${heir.person.id}`,
    status: 204,
  },
  'POST /api/workspaces/[workspaceId]/transfer': {
    needs: 'workspace.transfer',
    body: ({ heir }) => ({ personId: heir.person.id }),
    status: 204,
  },
  'GET /api/workspaces/[workspaceId]/invites': { needs: 'workspace.invite' },
  'POST /api/workspaces/[workspaceId]/invites': { needs: 'workspace.invite', body: invite },
  'GET /api/workspaces/[workspaceId]/audit': { needs: 'workspace.audit' },
  'GET /api/workspaces/[workspaceId]/bin': { needs: 'workspace.read' },
  'DELETE /api/invites/[inviteId]': { needs: 'board.invite', status: 204 },

  'GET /api/boards': { needs: 'somebody' },
  'POST /api/boards': { needs: 'workspace.create-board', body: ({ workspaceId }) => ({ setup: SETUP, workspaceId }) },
  'DELETE /api/boards/[boardId]': { needs: 'board.delete', status: 204 },
  'POST /api/boards/[boardId]/undelete': {
    needs: 'board.delete',
    status: 204,
    hidden: true,
    after: ({ boardId }) => ({ method: 'DELETE', path: `/api/boards/${boardId}` }),
  },
  'GET /api/boards/[boardId]/access': { needs: 'board.read' },
  'GET /api/boards/[boardId]/members': { needs: 'board.read' },
  'PATCH /api/boards/[boardId]/members/[personId]': {
    needs: 'board.members',
    path: ({ boardId, heir }) => `/api/boards/${boardId}/members/${heir.person.id}`,
    body: () => ({ role: 'editor' }),
    status: 204,
  },
  'DELETE /api/boards/[boardId]/members/[personId]': {
    needs: 'board.members',
    path: ({ boardId, heir }) => `/api/boards/${boardId}/members/${heir.person.id}`,
    // A role from the workspace is taken away there.
    status: 409,
  },
  'POST /api/boards/[boardId]/transfer': { needs: 'board.transfer', body: ({ heir }) => ({ personId: heir.person.id }), status: 204 },
  'GET /api/boards/[boardId]/invites': { needs: 'board.invite' },
  'POST /api/boards/[boardId]/invites': { needs: 'board.invite', body: invite },
  'GET /api/boards/[boardId]/versions': { needs: 'board.history' },
  'POST /api/boards/[boardId]/versions': { needs: 'board.keep-version', body: () => ({ name: 'another' }) },
  'GET /api/boards/[boardId]/versions/[versionId]': { needs: 'board.history' },
  'PATCH /api/boards/[boardId]/versions/[versionId]': { needs: 'board.keep-version', body: () => ({ name: 'renamed' }) },
  'DELETE /api/boards/[boardId]/versions/[versionId]': { needs: 'board.keep-version', status: 204 },
  'POST /api/boards/[boardId]/comments': { needs: 'board.comment', body: () => ({ ...newEntry(), anchor: 'a0.h1', body: 'too' }) },
  'PATCH /api/boards/[boardId]/comments/[commentId]': { needs: 'board.comment', body: () => ({ body: 'edited' }), own: true },
  'DELETE /api/boards/[boardId]/comments/[commentId]': { needs: 'board.comment', status: 204, own: true },
  'GET /api/boards/[boardId]/comments/[commentId]/history': { needs: 'board.read' },
  'GET /api/boards/[boardId]/marks': { needs: 'board.read' },
  'POST /api/boards/[boardId]/marks': { needs: 'board.read', status: 204 },
  'PUT /api/boards/[boardId]/threads/[threadId]/mark': { needs: 'board.read', body: () => ({ readAt: 1 }), status: 204 },
  'GET /api/notifications': { needs: 'somebody' },
  'POST /api/notifications': { needs: 'somebody', body: () => ({ ids: 'all' }), status: 204 },
  'POST /api/boards/[boardId]/threads/[threadId]': { needs: 'board.comment', body: () => ({ resolved: true }) },
  'POST /api/boards/[boardId]/claims': { needs: 'board.comment', body: () => ({ ...newEntry(), anchor: null, text: 'so it is' }) },
  'PATCH /api/boards/[boardId]/claims/[claimId]': { needs: 'board.comment', body: () => ({ text: 'so it was' }), own: true },
  'PUT /api/boards/[boardId]/claims/[claimId]/stance': { needs: 'board.comment', body: () => ({ stance: 'for', reason: 'seen' }) },
  'POST /api/boards/[boardId]/claims/[claimId]/evidence': {
    needs: 'board.evidence',
    body: ({ runId }) => ({ ...newEntry(), runIds: [runId], predicate: 'effect("input->a0.h0->logits") < 0' }),
  },
  'POST /api/boards/[boardId]/evidence/[evidenceId]/again': { needs: 'board.evidence' },
  'GET /api/boards/[boardId]/runs': { needs: 'board.read' },
  'POST /api/boards/[boardId]/runs': { needs: 'board.evidence', body: () => ({ ...EFFECT, prompt: 'When' }) },
  'GET /api/boards/[boardId]/sessions': { needs: 'board.read' },
  'POST /api/boards/[boardId]/sessions': { needs: 'board.facilitate', body: ({ host, annotator }) => newSession([host, annotator]) },
  'GET /api/sessions/[sessionId]': { needs: 'board.read' },
  'PATCH /api/sessions/[sessionId]': { needs: 'board.facilitate', body: () => ({ state: 'paused' }) },
  'GET /api/sessions/[sessionId]/queue': { needs: 'board.annotate' },
  'PUT /api/sessions/[sessionId]/labels/[labelId]': {
    needs: 'board.annotate',
    path: ({ sessionId }) => `/api/sessions/${sessionId}/labels/${randomUUID()}`,
    body: () => ({ ...LABEL, item: 2 }),
    own: true,
  },
  'DELETE /api/sessions/[sessionId]/labels/[labelId]': { needs: 'board.annotate', status: 204, own: true },
  'POST /api/sessions/[sessionId]/skip': { needs: 'board.annotate', body: () => ({ item: 2 }), status: 204, own: true },
  'POST /api/sessions/[sessionId]/annotators': { needs: 'board.facilitate', body: ({ host }) => ({ personId: host.person.id }) },
  'POST /api/sessions/[sessionId]/reassign': {
    needs: 'board.facilitate',
    body: ({ host, annotator }) => ({ from: annotator.person.id, to: host.person.id }),
  },
  // Before the reveal there is nothing to be had, whoever asks.
  'GET /api/sessions/[sessionId]/results': { needs: 'board.read', status: 409 },
  'GET /api/sessions/[sessionId]/export': {
    needs: 'board.read',
    path: ({ sessionId }) => `/api/sessions/${sessionId}/export?as=json`,
    status: 409,
  },
  'GET /api/boards/[boardId]/publications': { needs: 'board.read' },
  'GET /api/boards/[boardId]/export': { needs: 'board.analyze', path: ({ boardId }) => `/api/boards/${boardId}/export?format=labels` },
  'POST /api/boards/[boardId]/import': { needs: 'board.edit', body: () => GRAPH },
  'GET /api/boards/[boardId]/imports': { needs: 'board.read' },
  'GET /api/boards/[boardId]/imports/[importId]': { needs: 'board.read' },
  'DELETE /api/boards/[boardId]/imports/[importId]': { needs: 'board.edit', status: 204 },
  'POST /api/boards/[boardId]/publish': {
    needs: 'board.publish',
    body: ({ slug }) => ({ title: 'Again', slug, question: 'Why?', findings: '', threads: false }),
  },
};

/** An entry's method and address in a place. */
export function requestTo(name: string, place: Place): { method: string; path: string; body: unknown } {
  const entry = ROUTES[name];
  const [method = '', pattern = ''] = name.split(' ');
  if (!entry) throw new Error(`routes: expected an entry, got ${name}`);
  const path = entry.path?.(place) ?? pattern.replaceAll(/\[(\w+)\]/g, (_, id: keyof Place) => String(place[id]));
  return { method, path, body: entry.body?.(place) };
}
