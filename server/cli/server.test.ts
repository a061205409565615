import { eq } from 'drizzle-orm';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runs } from '../../db/schema.ts';
import type { AuditEntry, BoardSummary, Invite, Run } from '../../lib/wire.ts';
import { ownerHasPassword } from '../access.ts';
import { setApp } from '../app.ts';
import { verifyBackup } from '../backup/format.ts';
import { listen, serve } from '../front-door.ts';
import { writeLocalServer } from '../local.ts';
import { answerApi } from '../testing/api.ts';
import { newHome } from '../testing/home.ts';
import { ask } from '../testing/routes.ts';
import { PASSWORD, openWorld, type World } from '../testing/world.ts';
import { execute } from './execute.ts';

/** The command beside a running server, and then on the same folder without one. */

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

let home: string;
let elsewhere: string;
let world: World;
let server: Server;
let board: string;
let stopped = false;

beforeAll(async () => {
  home = await newHome();
  elsewhere = await mkdtemp(join(tmpdir(), 'pathboard-backups-'));
  world = await openWorld({ home });
  setApp(world.app);
  server = createServer();
  const port = await listen(server, '127.0.0.1', 0);
  serve(server, world.app, answerApi);
  writeLocalServer(home, { pid: process.pid, host: '127.0.0.1', port, secret: world.app.config.localSecret });
  board = await world.board(await world.owner());
});
afterAll(async () => {
  await stop();
  for (const folder of [home, elsewhere]) rmSync(folder, { recursive: true, force: true });
});

/** As `kill -9` would end it: it leaves the file that says where it listens. */
async function stop(): Promise<void> {
  if (stopped) return;
  stopped = true;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await world.stop();
}

interface Given {
  home?: string;
  env?: Record<string, string>;
  /** what is piped in */
  input?: string;
}

/** As the `pathboard` command does, in this process: starting another one takes seconds. */
async function pathboard(args: string[], { home: folder = home, env = {}, input = '' }: Given = {}): Promise<Outcome> {
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  const heard = (name: 'stdout' | 'stderr') =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      outcome[name] += String(text);
      return true;
    });
  const spies = [
    heard('stdout'),
    heard('stderr'),
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from([input]) as typeof process.stdin),
  ];
  for (const [name, value] of Object.entries({ ...env, PATHBOARD_HOME: folder })) vi.stubEnv(name, value);
  try {
    outcome.code = await execute(args);
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
  return outcome;
}

async function json<T>(args: string[], given: Given = {}): Promise<T> {
  const { code, stdout, stderr } = await pathboard([...args, '--json'], given);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

async function refusal(args: string[], given: Given = {}): Promise<string> {
  const { code, stdout, stderr } = await pathboard([...args, '--json'], given);
  expect([code, stdout]).toEqual([2, expect.stringMatching(/^\{"error":\{"code":/)]);
  expect(stderr.trim()).not.toContain('\n');
  expect(JSON.parse(stdout)).toMatchObject({ error: { message: stderr.trim() } });
  return stderr.trim();
}

const saved = ['analyze', 'degrees', '--model', 'toy', '--tokens', '1,2,3', '--save'];

describe('beside a running server', () => {
  test('lists boards, invites to them, and shows what was written down', async () => {
    expect(await json<BoardSummary[]>(['boards'])).toMatchObject([{ id: board, role: 'owner', model: 'toy' }]);
    const made = await json<Invite & { url: string }>(['invite', board, '--role', 'commenter', '--days', '3', '--uses', '2']);
    expect(made).toMatchObject({ boardId: board, role: 'commenter', maxUses: 2, uses: 0 });
    expect(made.url).toMatch(/\/join\/[\w-]{43}$/);
    const [newest] = await json<AuditEntry[]>(['audit']);
    expect(newest).toMatchObject({ action: 'invite.made', boardId: board, personName: 'Owner' });
    const people = await pathboard(['audit']);
    expect(people.stdout.split('\n')[0]).toMatch(/^\d+ +[\d-]{10} [\d:]{5} +Owner +invite\.made +board /);
  });

  test('refuses in one line what the server, or the command itself, refuses', async () => {
    expect(await refusal(['invite', board, '--role', 'owner'])).toContain('--role: expected');
    expect(await refusal(['invite', board, '--days', '0'])).toContain('--days: expected');
    expect(await refusal(['invite', 'board-of-nobody'])).toBe('board: expected a board that you are a member of, got board-of-nobody');
    expect(await refusal(['audit', '--workspace', 'nowhere-at-all'])).toContain('workspace: expected a workspace that you are a member of');
  });

  test('takes a board out for other tools, and brings it in again', async () => {
    const table = await pathboard(['export', board, '--format', 'paths']);
    expect([table.code, table.stdout.split('\r\n')[0]]).toEqual([0, 'name,degree,value (logits)']);
    const { body } = await json<{ body: string }>(['export', board, '--format', 'attribution-graph']);
    expect(JSON.parse(body)).toMatchObject({ metadata: { scan: 'toy' }, links: [{ weight: 0.5 }] });
    const file = join(home, 'graph.json');
    await writeFile(file, body);
    expect(await json(['import-graph', file, '--board', board])).toMatchObject({ format: 'attribution-graph', groups: 0, left: [] });
    await writeFile(file, '{"nodes": [], "links": []}');
    expect(await refusal(['import-graph', file, '--board', board])).toContain('attribution graph: metadata: expected an object');
    expect(await refusal(['export', board, '--format', 'xlsx'])).toContain('--format: expected attribution-graph, eap');
  });

  test('keeps an answer as a run of a board', async () => {
    const run = await json<Run>([...saved, '--board', board]);
    expect(run).toMatchObject({ boardId: board, view: 'degrees', author: { name: 'Owner' }, computedBy: 'server' });
    expect(run.answer.metric).toBe(2);
    const stored = await world.app.db.select().from(runs).where(eq(runs.boardId, board));
    expect(stored.map(({ id }) => id)).toEqual([run.id]);
    expect(await refusal(saved)).toContain('--board: expected the id of a board');
    expect(await refusal([...saved, '--board', 'board-of-nobody'])).toContain('a board that you are a member of');
    expect(await refusal([...saved.slice(0, 3), 'nothing', ...saved.slice(4), '--board', board])).toContain(
      'model: expected toy, got "nothing"',
    );
    expect(await refusal([...saved.slice(0, -1), '--board', board])).toContain('--board: expected only with --save');
  });

  test('sets the password of the owner, who is then known by it', async () => {
    expect(await refusal(['password'], { input: `${PASSWORD}\n` })).toBe(
      '--email: expected the address with which the owner is to sign in, got nothing',
    );
    expect(await refusal(['password', '--email', 'a@example.org'], { input: 'short\n' })).toContain('a password of 10 to 200 characters');
    expect(await ownerHasPassword(world.app.db)).toBe(false);
    expect(await json(['password', '--email', 'a@example.org'], { input: `${PASSWORD}\n` })).toEqual({ email: 'a@example.org' });
    expect(await ownerHasPassword(world.app.db)).toBe(true);
    const other = `${PASSWORD} again`;
    expect(await json(['password'], { env: { PATHBOARD_PASSWORD: other } })).toEqual({ email: 'a@example.org' });
    const signIn = (password: string) => ask(null, 'POST', '/api/auth/sign-in/email', { body: { email: 'a@example.org', password } });
    expect((await signIn(PASSWORD)).status).toBe(401);
    expect((await signIn(other)).status).toBe(200);
  });

  test('makes a backup of it, verified, for nobody else to read', async () => {
    const file = join(elsewhere, 'running.backup');
    const made = await json<{ file: string; bytes: number; tables: Record<string, { rows: number }> }>(['backup', file]);
    expect(made).toMatchObject({ file, bytes: (await stat(file)).size, tables: { boards: { rows: 1 }, accounts: { rows: 1 } } });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await verifyBackup(file)).trailer.tables).toEqual(made.tables);
    expect((await readdir(home)).filter((name) => name.startsWith('.backup'))).toEqual([]);
    expect(await refusal(['backup', file])).toContain('expected a file that is not there yet, or --force');
    await writeFile(`${file}.partial`, 'of a command that was killed');
    await json(['backup', file, '--force']);
    expect(await readdir(elsewhere)).toEqual(['running.backup']);
    expect(await refusal(['backup', join(elsewhere, 'no', 'folder')])).toContain('a file in a folder that exists');
  });

  test('restores and moves nothing, and says whose process is in the way', async () => {
    const inTheWay = `got one locked by process ${process.pid} (stop it`;
    expect(await refusal(['restore', join(elsewhere, 'running.backup')])).toContain(inTheWay);
    expect(await refusal(['move-to-postgres', 'postgres://127.0.0.1:1/x'])).toContain(inTheWay);
    expect(await refusal(['move-to-postgres', 'mysql://127.0.0.1/x'])).toContain('a URL that begins with postgres://');
    expect(await refusal(['move-to-postgres'])).toContain('got nothing');
  });

  test('prints a link that signs the owner in', async () => {
    expect(await json(['link'])).toEqual({ link: expect.stringMatching(/\/enter\?token=[\w-]{43}$/) as string });
  });

  test.each(['backup', 'password', 'link'])('without the secret the server does none of it: %s', async (what) => {
    const body = { backup: { withModels: false }, password: { email: null, password: PASSWORD }, link: undefined }[what];
    const asked = body === undefined ? {} : { body };
    expect((await ask(null, 'POST', `/api/local/${what}`, asked)).status).toBe(403);
    expect((await ask(await world.owner(), 'POST', `/api/local/${what}`, asked)).status).toBe(403);
    expect((await ask(null, 'POST', `/api/local/${what}`, { ...asked, headers: { 'x-pathboard-secret': 'guessed' } })).status).toBe(403);
  });
});

describe('without a server', () => {
  beforeAll(stop);

  test('does the same while it holds the lock', async () => {
    // What a server that was killed left behind leads nowhere, and keeps nobody from anything.
    expect(existsSync(join(home, 'server.json'))).toBe(true);
    expect(await json<BoardSummary[]>(['boards'])).toMatchObject([{ id: board }]);
    expect(await json<Invite>(['invite', board])).toMatchObject({ role: 'editor', maxUses: null });
    expect(await refusal([...saved, '--board', board])).toContain('model: expected attn-2l');
    const run = await json<Run>(['analyze', 'logits', '--model', 'attn-2l', '--prompt', 'The cat', '--save', '--board', board]);
    expect(run).toMatchObject({ boardId: board, view: 'logits' });
    expect(await json(['password'], { input: PASSWORD })).toEqual({ email: 'a@example.org' });
    expect(await refusal(['link'])).toContain('expected a running Pathboard (npm start), got none');
  });

  test('backs up, restores, and keeps what was there', async () => {
    const file = join(elsewhere, 'stopped.backup');
    const made = await json<{ tables: unknown }>(['backup', file]);
    const restored = await json<{ tables: unknown; kept: string; database: string }>(['restore', file]);
    expect(restored).toMatchObject({ tables: made.tables, database: join(home, 'db') });
    expect(existsSync(join(restored.kept, 'PG_VERSION'))).toBe(true);
    expect(await json<BoardSummary[]>(['boards'])).toMatchObject([{ id: board }]);
    await writeFile(file, 'nothing of the kind');
    expect(await refusal(['restore', file])).toContain('expected a whole backup, got incorrect header check');
    expect(await refusal(['restore'])).toBe('restore: expected a file that pathboard backup wrote, got nothing');
    const nowhere = await mkdtemp(join(elsewhere, 'home-'));
    expect(await refusal(['backup', join(elsewhere, 'x')], { home: nowhere })).toContain(
      'expected a folder with a database, got one without',
    );
    expect(existsSync(join(elsewhere, 'x'))).toBe(false);
  });
});
