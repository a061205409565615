import { eq } from 'drizzle-orm';
import { rmSync } from 'node:fs';
import type * as Y from 'yjs';
import { boards, members, memberships, publicationVersions, runs, versions } from '../../db/schema.ts';
import { CLOSE } from '../../lib/wire.ts';
import { setApp } from '../app.ts';
import { serve } from '../front-door.ts';
import { newHome, openWorld, until, type Actor, type Client, type World } from '../testing/world.ts';
import { Bystander } from './bystander.ts';
import { Unhandled, collectFaults } from './faults.ts';
import { randomFrame } from './mutate-frames.ts';
import { randomRequest } from './mutate-requests.ts';
import { makePlace, newcomer, type Api, type Place } from './place.ts';
import { randomFrom, type Random } from './random.ts';
import { RawSocket } from './raw-socket.ts';
import { ask } from './request.ts';
import { openSite } from './site.ts';

/** Milliseconds within which somebody else's edit must be across. */
const BOUND = 2_000;
/** Client ids that the editor under test writes with. */
const CLIENTS = [5, 7, 9, 1_000_003];

export interface Tally {
  cases: number;
  /** how requests were answered, and how sockets were closed */
  statuses: Record<string, number>;
  closes: Record<string, number>;
  /** milliseconds */
  longest: number;
  /** bytes, of the whole process */
  rss: number;
}

/** A whole server at which random frames and requests are thrown, by people with several roles and by nobody. */
export class Fuzzing {
  readonly tally: Tally = { cases: 0, statuses: {}, closes: {}, longest: 0, rss: 0 };
  readonly failures: string[] = [];
  private readonly faults = collectFaults();
  private readonly unhandled = new Unhandled();
  private sockets = new Map<Actor | null, RawSocket>();

  private constructor(
    private readonly world: World,
    private readonly home: string,
    private readonly seed: number,
    private readonly bystander: Bystander,
    private people: People,
  ) {}

  static async open(seed: number): Promise<Fuzzing> {
    const home = await newHome();
    const world = await openWorld({ home, unloadAfter: 30, compactAfter: 50 });
    const site = await openSite(world.app.config.publicUrl);
    setApp(world.app);
    world.server.removeAllListeners('request');
    serve(world.server, world.app, (request, response) => site.respond(request, response));
    const owner = await world.owner();
    const bystander = await Bystander.on(world, owner);
    return new Fuzzing(world, home, seed, bystander, await gather(world));
  }

  /** Cases `from` to before `to`: the even ones are frames, the odd ones requests. */
  async run(from: number, to: number): Promise<void> {
    const longest = await this.bystander.during(async () => {
      for (let index = from; index < to; index++) {
        const random = randomFrom(Math.imul(this.seed, 1_000_003) + index);
        await (index % 2 === 0 ? this.sendFrame(random, index) : this.sendRequest(random, index));
        this.noteFaults(`case ${index}`);
        this.tally.cases += 1;
      }
    });
    this.tally.longest = Math.max(this.tally.longest, longest);
    this.tally.rss = Math.max(this.tally.rss, process.memoryUsage.rss());
    const end = `cases ${from} to ${to}`;
    if (longest > BOUND) this.fail(end, `an edit on another board took ${Math.round(longest)} ms`);
    if (this.bystander.disturbed) this.fail(end, `who works on another board was closed: ${this.bystander.disturbed}`);
    await this.checkStored(end);
    this.noteFaults(end);
  }

  /** What goes wrong on the way out is among the failures too. */
  async close(): Promise<void> {
    for (const socket of this.sockets.values()) socket.leave();
    await this.world.stop();
    this.noteFaults('the end');
    this.unhandled.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  private fail(where: string, what: string): void {
    this.failures.push(`seed ${this.seed}, ${where}: ${what}`);
  }

  private noteFaults(where: string): void {
    for (const fault of this.faults.splice(0)) this.fail(where, fault);
    for (const error of this.unhandled.errors.splice(0)) this.fail(where, `nobody caught ${String(error)}`);
  }

  private async sendFrame(random: Random, index: number): Promise<void> {
    const { editor, readers, open, closed } = this.people;
    const actor = random.chance(0.8) ? editor : random.pick(readers);
    const room = actor === editor ? `board/${open.boardId}` : `${random.pick(['board', 'discussion'])}/${closed.boardId}`;
    const bytes = random.chance(0.02) ? 'text' : randomFrame(random, this.people.observer.doc, CLIENTS);
    const socket = await this.socketOf(actor, room);
    let answered = false;
    socket.ws.once('pong', () => (answered = true));
    socket.send(bytes);
    if (socket.ws.readyState === socket.ws.OPEN) socket.ws.ping();
    await until(() => answered || socket.closed !== null, 20_000).catch(() => this.fail(`case ${index}`, 'neither an answer nor a close'));
    if (!socket.closed) return;
    const { code, reason } = socket.closed;
    this.tally.closes[code] = (this.tally.closes[code] ?? 0) + 1;
    if (code === 1011) this.fail(`case ${index}`, `closed with 1011 ${reason} after ${Buffer.from(bytes).toString('hex').slice(0, 2000)}`);
  }

  /** The open socket of somebody, or a new one. */
  private async socketOf(actor: Actor | null, room: string): Promise<RawSocket> {
    const open = this.sockets.get(actor);
    if (open && !open.closed) return open;
    const made = await new RawSocket(this.world, actor, room).entered();
    this.sockets.set(actor, made);
    return made;
  }

  private async sendRequest(random: Random, index: number): Promise<void> {
    const { host, readers, nobody, open, closed } = this.people;
    // What is whose: the closed place has only readers here, the open one is the host's own to spoil.
    const isOwn = random.chance(0.6);
    const actor = isOwn ? host : random.pick([...readers, ...nobody]);
    const { method, path, raw, headers } = randomRequest(random, isOwn ? open : closed);
    const told = await ask(this.world, actor, method, path, { ...(raw !== undefined && { raw }), headers }).catch((error: Error) => error);
    if (told instanceof Error) {
      // A request that Node's own client does not send, or a connection that is closed on one that may not be sent.
      this.count('none');
      if (told.message.includes('no answer within')) this.fail(`case ${index}`, `${method} ${path.slice(0, 300)}: ${told.message}`);
      return;
    }
    this.count(String(told.status));
    if (told.status >= 500 && told.status !== 503) {
      this.fail(
        `case ${index}`,
        `${method} ${path.slice(0, 300)} answered ${told.status} ${told.text.slice(0, 300)} to ${raw?.slice(0, 500)}`,
      );
    }
  }

  private count(status: string): void {
    this.tally.statuses[status] = (this.tally.statuses[status] ?? 0) + 1;
  }

  /** What is stored of the open board is what its reader sees; of the closed board it is what it was. */
  private async checkStored(end: string): Promise<void> {
    // The host may have deleted the open board, and taken it back out of the bin, too.
    const wasDeleted = this.people.observer.closed?.code === CLOSE.notFound;
    const isLost = wasDeleted || (await this.isLost());
    if (!isLost) await this.checkOpen(end);
    const { closed, honest } = this.people;
    const now = await fingerprintOf(this.world, closed);
    if (now !== honest) this.fail(end, `the closed board changed from ${honest.slice(0, 1000)} to ${now.slice(0, 1000)}`);
    if (now !== honest || isLost) await this.gatherAnew();
  }

  private async checkOpen(end: string): Promise<void> {
    const { host, open } = this.people;
    if (this.people.observer.closed)
      this.fail(end, `the reader was closed with ${this.people.observer.closed.code} ${this.people.observer.closed.reason}`);
    const socket = this.sockets.get(this.people.editor);
    socket?.leave();
    this.sockets.delete(this.people.editor);
    const late = this.world.connect(host, `board/${open.boardId}`);
    await late.synced();
    await until(() => contentOf(late.doc) === contentOf(this.people.observer.doc), 5000).catch(() =>
      this.fail(
        end,
        `a newcomer sees ${contentOf(late.doc).slice(0, 500)}, the others ${contentOf(this.people.observer.doc).slice(0, 500)}`,
      ),
    );
    late.destroy();
  }

  /** The host may have given away or deleted what was theirs, and readers may have left or signed out. */
  private async isLost(): Promise<boolean> {
    const { host, editor, readers, open, closed } = this.people;
    const asked = [[host, open], [editor, open], ...readers.map((reader) => [reader, closed] as const)] as const;
    const statuses = await Promise.all(
      asked.map(async ([actor, { boardId }]) => (await ask(this.world, actor, 'GET', `/api/boards/${boardId}/access`)).json),
    );
    const roles = ['owner', 'editor', ...readers.map(() => 'viewer')];
    return statuses.some((json, index) => (json as { role?: string } | undefined)?.role !== roles[index]);
  }

  private async gatherAnew(): Promise<void> {
    for (const socket of this.sockets.values()) socket.leave();
    this.sockets.clear();
    this.people.observer.destroy();
    this.people = await gather(this.world);
  }
}

interface People {
  /** may do anything in the open place */
  host: Actor;
  editor: Actor;
  /** may do nothing but read the closed place */
  readers: Actor[];
  nobody: (Actor | null)[];
  open: Place;
  closed: Place;
  /** the host, with the open board before them */
  observer: Client;
  /** of the closed place */
  honest: string;
}

let gathered = 0;

async function gather(world: World): Promise<People> {
  const api: Api = { world, ask: (...asked) => ask(world, ...asked) };
  gathered += 1;
  const account = (name: string) => world.account(`${name} ${gathered}`);
  const [host, heir, keeper, stranger] = [await account('Host'), await account('Heir'), await account('Keeper'), await account('Stranger')];
  const open = await makePlace(api, { host, heir });
  const closed = await makePlace(api, { host: keeper, heir });
  const editor = await newcomer(api, open, 'editor', 'board');
  const readers = [await newcomer(api, closed, 'viewer', 'board'), await newcomer(api, closed, 'viewer', 'workspace')];
  const observer = world.connect(host, `board/${open.boardId}`);
  await observer.synced();
  const honest = await fingerprintOf(world, closed);
  return { host, editor, readers, nobody: [stranger, null], open, closed, observer, honest };
}

function contentOf(doc: Y.Doc): string {
  const maps = ['meta', 'labels'].map((map) => [...doc.getMap(map).entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(maps, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** All of a place that its readers must not change. */
async function fingerprintOf({ app }: World, { boardId, workspaceId, host }: Place): Promise<string> {
  const { db, rooms } = app;
  const rows = await Promise.all([
    db.select({ title: boards.title, deletedAt: boards.deletedAt }).from(boards).where(eq(boards.id, boardId)),
    db.select({ id: runs.id }).from(runs).where(eq(runs.boardId, boardId)),
    db.select({ id: versions.id, name: versions.name }).from(versions).where(eq(versions.boardId, boardId)),
    db
      .select({ slug: publicationVersions.slug, version: publicationVersions.version })
      .from(publicationVersions)
      .where(eq(publicationVersions.authorId, host.person.id)),
    db.select({ person: members.personId, role: members.role }).from(members).where(eq(members.workspaceId, workspaceId)),
    db.select({ person: memberships.personId, role: memberships.role }).from(memberships).where(eq(memberships.boardId, boardId)),
  ]);
  // Readers may come and go; more than readers they never become.
  const raised = rows
    .slice(4)
    .flat()
    .filter((row) => 'role' in row && row.role !== null && row.role !== 'viewer')
    .map((row) => JSON.stringify(row))
    .sort();
  const documents = await Promise.all(
    (['board', 'discussion'] as const).map((kind) =>
      rooms.use({ kind, boardId }, (room) =>
        room.read((doc) => ['meta', 'labels', 'threads', 'comments', 'claims', 'evidence'].map((map) => doc.getMap(map).toJSON())),
      ),
    ),
  );
  return JSON.stringify([rows.slice(0, 4).map((table) => table.map((row) => JSON.stringify(row)).sort()), raised, documents]);
}
