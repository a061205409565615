import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BOARD_ACTIONS,
  INSTALLATION_ACTIONS,
  ROLES,
  STANDINGS,
  WORKSPACE_ACTIONS,
  may,
  mayOn,
  type Action,
  type BoardAction,
  type InstallationAction,
  type Role,
  type Standing,
} from '../../lib/roles.ts';
import { authorise, authoriseWorkspace, standingOf } from '../../server/access.ts';
import { setApp } from '../../server/app.ts';
import { deleteBoard } from '../../server/bin.ts';
import { changeState } from '../../server/annotation/acts.ts';
import { makeSession } from '../../server/annotation/set-up.ts';
import { addClaim, addComment, addEvidence } from '../../server/discussion.ts';
import { importToBoard } from '../../server/interchange.ts';
import { makeBoardInvite, makeWorkspaceInvite } from '../../server/invites.ts';
import { isRefusal } from '../../server/refusal.ts';
import { runOnBoard } from '../../server/runs.ts';
import { allRoutes, ask } from '../../server/testing/routes.ts';
import { keepVersion } from '../../server/versions.ts';
import { SETUP, openWorld, type Actor, type World } from '../../server/testing/world.ts';

/** The table of lib/roles.ts, cell by cell, through every route. */

let world: World;
/** Where nothing that others need is taken away. */
let shared: Place;
let count = 0;

beforeAll(async () => {
  world = await openWorld();
  setApp(world.app);
  shared = await makePlace();
});
afterAll(() => world.stop());

/** A board with something of everything on it. */
interface Place {
  /** whose workspace it is */
  boss: Actor;
  workspaceId: string;
  boardId: string;
  /** somebody with an account, and somebody without: editors of the workspace, and of the board */
  account: string;
  guest: string;
  commentId: string;
  threadId: string;
  claimId: string;
  evidenceId: string;
  runId: string;
  versionId: string;
  importId: string;
  /** open, and revealed */
  sessionId: string;
  revealedId: string;
  boardInvite: string;
  workspaceInvite: string;
}

/** A body, or what has to be done first. */
type Given = (place: Place) => unknown;

const id = () => crypto.randomUUID();
const ASKED = { view: 'degrees', model: 'toy', prompt: 'When Mary' } as const;
const INVITE = { role: 'viewer', expiresIn: 7, maxUses: null } as const;
const sessionBy = ({ person }: Actor) => ({
  id: id(),
  name: 'Heads',
  instructions: '',
  labels: ['copies', 'moves'],
  pick: { by: 'top' as const, count: 2 },
  annotators: [person.id],
  perItem: null,
  hidesNumbers: false,
});
/** Of another tool. */
const GRAPH = { cfg: { n_layers: 1, n_heads: 1 }, nodes: {}, edges: { 'input->logits': { score: 1, in_graph: true } } };
const PAGE = { title: 'A page', question: '', findings: '', threads: false };

/** What of the API each action opens; `:name` stands for what the place has, `:me` for who asks. */
const ROUTES: Record<Action, Record<string, Given | null>> = {
  'board.read': {
    'GET /api/boards/:boardId/access': null,
    'GET /api/boards/:boardId/members': null,
    'GET /api/boards/:boardId/runs': null,
    'GET /api/boards/:boardId/publications': null,
    'GET /api/boards/:boardId/imports': null,
    'GET /api/boards/:boardId/imports/:importId': null,
    'GET /api/boards/:boardId/comments/:commentId/history': null,
    'GET /api/boards/:boardId/marks': null,
    'POST /api/boards/:boardId/marks': null,
    'PUT /api/boards/:boardId/threads/:threadId/mark': () => ({ readAt: 1 }),
    'GET /api/runs/:runId': null,
    'GET /api/boards/:boardId/sessions': null,
    'GET /api/sessions/:sessionId': null,
    'GET /api/sessions/:revealedId/results': null,
    'GET /api/sessions/:revealedId/export?as=json': null,
  },
  'board.analyze': { 'GET /api/boards/:boardId/export?format=labels': null },
  'board.history': {
    'GET /api/boards/:boardId/versions': null,
    'GET /api/boards/:boardId/versions/:versionId': null,
  },
  'board.leave': { 'DELETE /api/boards/:boardId/members/:me': null },
  'board.comment': {
    'POST /api/boards/:boardId/comments': () => ({ id: id(), anchor: 'a0.h0', body: 'why?' }),
    'POST /api/boards/:boardId/threads/:threadId': () => ({ resolved: true }),
    'POST /api/boards/:boardId/claims': () => ({ id: id(), anchor: null, text: 'It is exact.' }),
    'PUT /api/boards/:boardId/claims/:claimId/stance': () => ({ stance: 'for', reason: '' }),
  },
  'board.evidence': {
    'POST /api/boards/:boardId/runs': () => ({ ...ASKED, prompt: 'another' }),
    'POST /api/boards/:boardId/claims/:claimId/evidence': ({ runId }) => ({ id: id(), runIds: [runId], predicate: 'metric > 1' }),
    'POST /api/boards/:boardId/evidence/:evidenceId/again': null,
  },
  'board.annotate': { 'GET /api/sessions/:sessionId/queue': null },
  'board.facilitate': {
    'POST /api/boards/:boardId/sessions': ({ boss }) => sessionBy(boss),
    'PATCH /api/sessions/:sessionId': () => ({ state: 'paused' }),
    'POST /api/sessions/:sessionId/annotators': ({ account }) => ({ personId: account }),
    'POST /api/sessions/:sessionId/reassign': ({ boss, account }) => ({ from: boss.person.id, to: account }),
  },
  'board.edit': {
    'POST /api/boards/:boardId/import': () => GRAPH,
    'DELETE /api/boards/:boardId/imports/:importId': null,
  },
  'board.keep-version': {
    'POST /api/boards/:boardId/versions': () => ({ name: 'Before the talk' }),
    'PATCH /api/boards/:boardId/versions/:versionId': () => ({ name: 'Renamed' }),
    'DELETE /api/boards/:boardId/versions/:versionId': null,
  },
  'board.publish': { 'POST /api/boards/:boardId/publish': () => PAGE },
  'board.moderate': { 'DELETE /api/boards/:boardId/comments/:commentId': null },
  'board.invite': {
    'GET /api/boards/:boardId/invites': null,
    'POST /api/boards/:boardId/invites': () => INVITE,
    'DELETE /api/invites/:boardInvite': null,
  },
  'board.members': {
    'PATCH /api/boards/:boardId/members/:guest': () => ({ role: 'commenter' }),
    'DELETE /api/boards/:boardId/members/:guest': null,
  },
  'board.transfer': { 'POST /api/boards/:boardId/transfer': ({ guest }) => ({ personId: guest }) },
  'board.delete': { 'DELETE /api/boards/:boardId': null },
  'workspace.read': {
    'GET /api/workspaces/:workspaceId/members': null,
    'GET /api/workspaces/:workspaceId/bin': null,
  },
  'workspace.leave': { 'DELETE /api/workspaces/:workspaceId/members/:me': null },
  'workspace.create-board': { 'POST /api/boards': ({ workspaceId }) => ({ setup: SETUP, workspaceId }) },
  'workspace.invite': {
    'GET /api/workspaces/:workspaceId/invites': null,
    'POST /api/workspaces/:workspaceId/invites': () => INVITE,
    'DELETE /api/invites/:workspaceInvite': null,
  },
  'workspace.members': {
    'PATCH /api/workspaces/:workspaceId/members/:account': () => ({ role: 'commenter' }),
    'DELETE /api/workspaces/:workspaceId/members/:account': null,
  },
  'workspace.rename': { 'PATCH /api/workspaces/:workspaceId': () => ({ name: 'Renamed' }) },
  'workspace.transfer': { 'POST /api/workspaces/:workspaceId/transfer': ({ account }) => ({ personId: account }) },
  'workspace.audit': { 'GET /api/workspaces/:workspaceId/audit': null },
  'workspace.delete': { 'DELETE /api/workspaces/:workspaceId': null },
};

/** What of the API each action on the installation opens, with what is answered to who may: there is neither such an import nor such a model. */
const INSTALLATION_ROUTES: Record<InstallationAction, Record<string, { body?: unknown; answer: [number | 'done', string | null] }>> = {
  'models.read': { 'GET /api/models/toy': { answer: ['done', null] } },
  'models.import': {
    'GET /api/imports': { answer: ['done', null] },
    'POST /api/imports': { body: { kind: 'hub', from: 'no model', name: null }, answer: [400, 'bad-request'] },
    'PATCH /api/imports/unknown-one': { body: { state: 'stopped' }, answer: [404, 'not-found'] },
    'DELETE /api/imports/unknown-one': { answer: [404, 'not-found'] },
    'PUT /api/imports/unknown-one/files/config.json?at=0': { answer: [404, 'not-found'] },
  },
  'models.delete': { 'DELETE /api/models/unknown?hash=f00d': { answer: [404, 'not-found'] } },
  'models.import-folder': {
    'POST /api/imports?from=folder': { body: { kind: 'folder', from: 'relative', name: null }, answer: [400, 'bad-request'] },
  },
};

/** What changes somebody else's role or takes something away. */
const TAKING = /^(?:DELETE(?!.*:me$)|PATCH .*members|.*transfer$)/;

const LOCAL = /^[A-Z]+ \/api\/local\//;

/** Routes that ask for no role: anybody, whoever is signed in, or told apart by other tests. */
const WITHOUT_ROLE = [
  'GET /api/auth/[...all]',
  'POST /api/auth/[...all]',
  'GET /api/boards',
  'GET /api/join',
  'POST /api/join',
  'GET /api/me',
  'PATCH /api/me',
  'POST /api/me/account',
  'GET /api/models',
  'GET /api/workers',
  'POST /api/models/[name]/tokenize',
  'GET /api/models/[name]/tokens',
  'GET /api/models/[name]/files/[hash]/[file]',
  'GET /api/models/[name]/dictionaries',
  'GET /api/models/[name]/dictionaries/[hash]/[file]',
  'POST /api/analyze',
  'GET /api/sign-in',
  'GET /api/workspaces',
  'POST /api/workspaces',
  // One's own alone: server/notifications.test.ts.
  'GET /api/notifications',
  'POST /api/notifications',
  // Tested below, in notifications.test.ts and in members.test.ts.
  'PATCH /api/boards/[boardId]/claims/[claimId]',
  'PATCH /api/boards/[boardId]/comments/[commentId]',
  'POST /api/boards/[boardId]/undelete',
  // An annotator's own: tested in server/annotation.
  'PUT /api/sessions/[sessionId]/labels/[labelId]',
  'DELETE /api/sessions/[sessionId]/labels/[labelId]',
  'POST /api/sessions/[sessionId]/skip',
];

/** As the table above names them. */
const INSTALLATION = [
  'GET /api/models/[name]',
  'DELETE /api/models/[name]',
  'GET /api/imports',
  'POST /api/imports',
  'PATCH /api/imports/[modelImportId]',
  'DELETE /api/imports/[modelImportId]',
  'PUT /api/imports/[modelImportId]/files/[file]',
];

const isBoardAction = (action: Action): action is BoardAction => action in BOARD_ACTIONS;
const ACTIONS = [...Object.keys(BOARD_ACTIONS), ...Object.keys(WORKSPACE_ACTIONS)] as Action[];

async function makePlace(): Promise<Place> {
  const { app } = world;
  const name = `Place ${++count}`;
  const boss = await world.account(`${name} boss`);
  const boardId = await world.board(boss);
  const { workspaceId } = await authorise(app, boss.person, 'board.read', boardId);
  const account = await world.account(`${name} account`, { workspaceId, role: 'editor' });
  const guest = await world.guest(boardId, `${name} guest`);
  const comment = await addComment(app, boss.person, boardId, { id: id(), anchor: 'a0.h1', body: 'mine' });
  const claim = await addClaim(app, boss.person, boardId, { id: id(), anchor: null, text: 'It holds.' });
  const run = await runOnBoard(app, boss.person, boardId, ASKED, {});
  const evidence = { id: id(), runIds: [run.id], predicate: 'metric > 1' };
  await addEvidence(app, boss.person, boardId, claim.id, evidence);
  const revealed = await makeSession(app, boss.person, boardId, sessionBy(boss));
  await changeState(app, boss.person, revealed.id, 'revealed');
  return {
    boss,
    workspaceId,
    boardId,
    account: account.person.id,
    guest: guest.person.id,
    commentId: comment.id,
    threadId: comment.threadId,
    claimId: claim.id,
    evidenceId: evidence.id,
    runId: run.id,
    importId: (await importToBoard(app, boss.person, boardId, GRAPH)).graphId ?? '',
    versionId: (await keepVersion(app, boss.person, boardId, 'As it was')).id,
    sessionId: (await makeSession(app, boss.person, boardId, sessionBy(boss))).id,
    revealedId: revealed.id,
    boardInvite: (await makeBoardInvite(app, boss.person, boardId, INVITE)).id,
    workspaceInvite: (await makeWorkspaceInvite(app, boss.person, workspaceId, INVITE)).id,
  };
}

/** Somebody with the role at the place: from the board, as a guest, or from its workspace, with an account. */
function actorAt({ boardId, workspaceId }: Place, role: Role, through: 'board' | 'workspace'): Promise<Actor> {
  const name = `Actor ${++count}`;
  return through === 'board' ? world.guest(boardId, name, role) : world.account(name, { workspaceId, role });
}

function send(place: Place, actor: Actor | null, route: string): Promise<Response> {
  const [method = '', path = ''] = route.split(' ');
  const names: Record<string, unknown> = { ...place, me: actor?.person.id ?? 'nobody-at-all' };
  const given = Object.values(ROUTES).find((routes) => route in routes)?.[route];
  return ask(
    actor,
    method,
    path.replaceAll(/:(\w+)/g, (_, name: string) => String(names[name])),
    given ? { body: given(place) } : {},
  );
}

async function codeOf(response: Response): Promise<[number | 'done', string | null]> {
  return response.ok ? ['done', null] : [response.status, (await response.json()).error.code];
}

const CELLS = ACTIONS.flatMap((action) => ROLES.map((role) => [action, role, may(role, action) ? 'may' : 'may not'] as const));

describe.each(CELLS)('%s as %s: %s', (action, role) => {
  const sources = isBoardAction(action) ? (['board', 'workspace'] as const) : (['workspace'] as const);

  test.each(sources)('from the %s, as decided', async (through) => {
    const place = shared;
    const { person } = await actorAt(place, role, through);
    const decision = (
      isBoardAction(action)
        ? authorise(world.app, person, action, place.boardId)
        : authoriseWorkspace(world.app, person, action, place.workspaceId)
    ).then(
      (member) => member.role,
      (error: unknown) => {
        if (isRefusal(error)) return error.code;
        throw error;
      },
    );
    expect(await decision).toBe(may(role, action) ? role : 'forbidden');
  });

  const routes = Object.keys(ROUTES[action]).flatMap((route) => sources.map((through) => [route, through] as const));
  if (routes.length === 0) return;

  test.each(routes)('%s, from the %s', async (route, through) => {
    const place = may(role, action) && TAKING.test(route) ? await makePlace() : shared;
    const response = await send(place, await actorAt(place, role, through), route);
    // Somebody whom the workspace put on a board leaves the workspace.
    const isElsewhere = action === 'board.leave' && through === 'workspace';
    const allowed = isElsewhere ? [409, 'conflict'] : ['done', null];
    expect(await codeOf(response)).toEqual(may(role, action) ? allowed : [403, 'forbidden']);
  });
});

describe.each(ACTIONS.flatMap((action) => Object.keys(ROUTES[action])))('%s', (route) => {
  test('is refused to nobody in particular, and there for no stranger', async () => {
    const place = shared;
    expect(await codeOf(await send(place, null, route))).toEqual([401, 'unauthorised']);
    // A stranger is told the same of what there is and of what there is not.
    const stranger = await world.account(`Stranger ${++count}`);
    const there = await send(place, stranger, route);
    expect(there.status).toBe(404);
    const unknown = { ...place, ...Object.fromEntries(Object.keys(place).map((name) => [name, 'unknown-one'])), boss: place.boss };
    const missing = await send(unknown, stranger, route);
    const words = async (response: Response, ids: Place) =>
      Object.values(ids).reduce((text: string, given) => text.replaceAll(String(given), 'ID'), await response.text());
    expect(await words(there, place)).toBe(await words(missing, unknown));
  });
});

describe('on the installation', () => {
  const actors = new Map<string, Actor>();
  const actions = Object.keys(INSTALLATION_ACTIONS) as InstallationAction[];

  beforeAll(async () => {
    const owner = await world.owner();
    const { workspaceId } = await authorise(world.app, owner.person, 'board.read', await world.board(owner));
    actors.set('owner', owner);
    actors.set('co-owner', await world.account('Co-owner', { workspaceId, role: 'owner' }));
    // An owner elsewhere, who may be anybody that made an account, and everybody else of the owner's workspace.
    actors.set('member', await world.account('Owner of another workspace'));
    actors.set('member: editor', await world.account('Editor there', { workspaceId, role: 'editor' }));
    actors.set('member: guest', await world.guest(await world.board(owner), 'Guest there', 'owner'));
  });

  const cells = actions.flatMap((action) =>
    STANDINGS.map((standing) => [action, standing, mayOn(standing, action) ? 'may' : 'may not'] as const),
  );
  test.each(cells)('%s as %s: %s', async (action, standing) => {
    const those = [...actors].filter(([name]) => name.split(':', 1)[0] === standing);
    expect(those.length).toBeGreaterThan(0);
    for (const [name, actor] of those) {
      expect([name, await standingOf(world.app.db, actor.person)]).toEqual([name, standing satisfies Standing]);
      for (const [route, { body, answer }] of Object.entries(INSTALLATION_ROUTES[action])) {
        const [method = '', path = ''] = route.split(' ');
        const response = await ask(actor, method, path, body === undefined ? {} : { body });
        expect([name, route, ...(await codeOf(response))]).toEqual([
          name,
          route,
          ...(mayOn(standing, action) ? answer : [403, 'forbidden']),
        ]);
        expect([route, ...(await codeOf(await ask(null, method, path, body === undefined ? {} : { body })))]).toEqual([
          route,
          401,
          'unauthorised',
        ]);
      }
    }
  });
});

test('every route of the API is in this table, or known to ask for no role', async () => {
  const listed = Object.values(ROUTES).flatMap((routes) => Object.keys(routes));
  const shape = (route: string) => route.replaceAll(/:\w+|\[\w+\]/g, ':').replace(/\?.*/, '');
  const known = new Set([...listed, ...WITHOUT_ROLE, ...INSTALLATION].map(shape));
  expect((await allRoutes()).filter((route) => !known.has(shape(route)) && !LOCAL.test(route))).toEqual([]);
});

test('what is for the command on this machine is refused to who does not show its secret, the owner too', async () => {
  const local = (await allRoutes()).filter((route) => LOCAL.test(route));
  expect(local).toContain('POST /api/local/link');
  const owner = await world.owner();
  for (const route of local) {
    const [method = '', path = ''] = route.split(' ');
    for (const headers of [{}, { 'x-pathboard-secret': 'guess' }] as Record<string, string>[]) {
      expect([route, ...(await codeOf(await ask(owner, method, path, { headers })))]).toEqual([route, 403, 'forbidden']);
    }
  }
});

test('a board in the bin is there for nobody, and is brought back by who may delete it', async () => {
  const place = await makePlace();
  const { boardId, boss } = place;
  const owner = await actorAt(place, 'owner', 'board');
  const editor = await actorAt(place, 'editor', 'board');
  await deleteBoard(world.app, boss.person, boardId);
  for (const route of Object.keys(ROUTES['board.read'])) expect((await send(place, owner, route)).status).toBe(404);
  expect((await ask(editor, 'POST', `/api/boards/${boardId}/undelete`)).status).toBe(404);
  expect((await ask(null, 'POST', `/api/boards/${boardId}/undelete`)).status).toBe(401);
  expect((await ask(owner, 'POST', `/api/boards/${boardId}/undelete`)).status).toBe(204);
  for (const route of Object.keys(ROUTES['board.read'])) expect((await send(place, editor, route)).ok).toBe(true);
});

test('nobody changes another’s words, and a role that was lost takes one’s own along', async () => {
  const place = await makePlace();
  const edit = (actor: Actor, commentId: string) =>
    ask(actor, 'PATCH', `/api/boards/${place.boardId}/comments/${commentId}`, { body: { body: 'other words' } });
  const owner = await actorAt(place, 'owner', 'board');
  expect((await edit(owner, place.commentId)).status).toBe(403);
  const viewer = await actorAt(place, 'viewer', 'board');
  expect((await edit(viewer, place.commentId)).status).toBe(403);
  const commenter = await actorAt(place, 'commenter', 'board');
  const mine = id();
  await ask(commenter, 'POST', `/api/boards/${place.boardId}/comments`, { body: { id: mine, anchor: 'a0.h0', body: 'mine' } });
  expect((await edit(commenter, mine)).status).toBe(200);
  const role = (actor: Actor, to: Role) =>
    ask(place.boss, 'PATCH', `/api/boards/${place.boardId}/members/${actor.person.id}`, { body: { role: to } });
  expect((await role(commenter, 'viewer')).status).toBe(204);
  expect((await edit(commenter, mine)).status).toBe(403);
});
