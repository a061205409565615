import pg from 'pg';
import type { Doom } from '../../server/testing/doom.ts';
import { Random } from '../../server/testing/random.ts';
import type { ServerProcess } from '../../server/testing/server-process.ts';
import { NOTHING_YET, TorturedBoard, pause, type BoardCounts } from './board.ts';
import { Site, type EngineName } from './site.ts';
import type { Weather } from '../../server/testing/chaos.ts';

export interface KillOptions {
  engine: EngineName;
  kills: number;
  seed: number;
  instances: number;
  /** enough by then, however many kills there were; null: never */
  minutes: number | null;
  /** told about every round */
  say: (line: string) => void;
}

export interface KillFigures extends BoardCounts {
  kills: number;
  /** by what the server was doing */
  moments: Record<string, number>;
  databaseKills: number;
  rounds: number;
  compactions: number;
  unloads: number;
  quarantined: number;
  /** states of the database held against everything that was promised by then */
  checks: number;
  seconds: number;
  /** everything that was lost, differs or should not have happened */
  problems: string[];
}

const ROUND = 20;
const BOARDS = 3;
const TABS = 3;
/** Milliseconds. */
const LONGEST_LIFE = 2500;
const START = 800;
const PATIENCE = 60_000;
const ROUGH: Weather = { delay: 30, cut: 0.004, duplicate: 0.04, repeat: 0.02, stall: 0.002, longestStall: 800 };

/** Servers are killed while people work; everything that they acknowledged must be in the database, each time. Null: cannot be run here. */
export async function tortureByKills(options: KillOptions): Promise<KillFigures | null> {
  const site = await Site.open(options.engine, options.instances);
  if (site === null) return null;
  const torture = new Torture(site, options);
  try {
    return await torture.run();
  } finally {
    await site.close();
  }
}

class Torture {
  readonly #random: Random;
  readonly #started = Date.now();
  readonly #figures: KillFigures = {
    kills: 0,
    moments: {},
    databaseKills: 0,
    rounds: 0,
    ...NOTHING_YET,
    compactions: 0,
    unloads: 0,
    quarantined: 0,
    checks: 0,
    seconds: 0,
    problems: [],
  };

  constructor(
    private readonly site: Site,
    private readonly options: KillOptions,
  ) {
    this.#random = new Random(options.seed);
  }

  async run(): Promise<KillFigures> {
    const { kills, minutes } = this.options;
    const isOver = () => minutes !== null && Date.now() - this.#started > minutes * 60_000;
    while (this.#figures.kills < kills && this.#figures.problems.length === 0 && !isOver()) {
      await this.#round(Math.min(ROUND, kills - this.#figures.kills), this.#random.fork());
    }
    const { compactions, unloads } = this.site.deeds;
    this.#figures.quarantined = await this.site.quarantined();
    if (this.#figures.quarantined > 0)
      this.#figures.problems.push(`quarantine: expected nothing in it, got ${this.#figures.quarantined} rows`);
    return { ...this.#figures, compactions, unloads, seconds: (Date.now() - this.#started) / 1000 };
  }

  /** New boards, so many kills while people use them, and a close look at what is left. */
  async #round(kills: number, random: Random): Promise<void> {
    const { site } = this;
    const ids = await site.makeBoards(BOARDS);
    const { cookies, origins } = site;
    const people = { editors: cookies, commenters: cookies };
    const boards = ids.map((id) => new TorturedBoard({ id, ...people, origins, random: random.fork(), weather: ROUGH, tabs: TABS }));
    const lives = boards.map((board) => board.live());
    try {
      for (let n = 0; n < kills; n++) await this.#life(random, boards);
      await this.#lookClosely(boards, lives);
    } finally {
      for (const board of boards) board.close();
      await site.killAll();
    }
    for (const { counts } of boards) for (const name of Object.keys(counts) as (keyof typeof counts)[]) this.#figures[name] += counts[name];
    this.#figures.rounds += 1;
    this.#sayHowFar();
  }

  /** One server is started, lives for a while and is killed; the others, where there are any, go on. */
  async #life(random: Random, boards: readonly TorturedBoard[]): Promise<void> {
    const { site } = this;
    const index = random.below(site.ports.length);
    for (const [other, server] of site.servers.entries()) {
      if (other !== index && (!server || server.hasEnded)) await site.launch(other, null);
    }
    await site.servers[index]?.kill();
    const fate = drawFate(random);
    const { server, ready } = await site.launch(index, fate.doom);
    if (fate.startsFor !== null) await Promise.race([ready, pause(fate.startsFor)]);
    else await ready.then(() => this.#serveUntilKilled(server, fate, random));
    const moment = fate.doom && !server.hasEnded ? 'any' : fate.moment;
    await server.kill();
    for (const crash of site.crashes.splice(0)) this.#problem(crash);
    this.#figures.kills += 1;
    this.#figures.moments[moment] = (this.#figures.moments[moment] ?? 0) + 1;
    // Opening an embedded database mends it: now and then that is left to the next server.
    if (site.place.databaseUrl !== null || random.chance(0.4)) await this.#check(boards, `after kill ${this.#figures.kills} (${moment})`);
  }

  async #serveUntilKilled(server: ServerProcess, fate: Fate, random: Random): Promise<void> {
    const over = Promise.race([server.ended, pause(fate.lives)]);
    if (this.site.postgres && random.chance(0.25)) {
      await Promise.race([server.ended, pause(random.below(fate.lives))]);
      await this.#hitDatabase(random);
    }
    await over;
  }

  async #hitDatabase(random: Random): Promise<void> {
    const { postgres } = this.site;
    if (!postgres) return;
    const how = random.pick(['connections', 'SIGQUIT', 'SIGKILL'] as const);
    this.#figures.databaseKills += 1;
    if (how === 'connections') return breakConnections(this.site.place.databaseUrl!);
    await postgres.kill(how);
    await pause(random.below(300));
    await postgres.restart();
    // People go on for a while with a server that must find the way back to its database.
    await pause(random.below(1000));
  }

  async #lookClosely(boards: readonly TorturedBoard[], lives: readonly Promise<void>[]): Promise<void> {
    const { site } = this;
    await site.launchAll();
    const end = pause(PATIENCE).then(() => ['requests: expected answers, got none']);
    this.#add('requests', await Promise.race([end, Promise.all([...lives, ...boards.map((board) => board.calm())]).then(() => [])]));
    await this.#settle(boards, 'at the end of a round');
    for (const board of boards) board.openFresh();
    await this.#settle(boards, 'to somebody new');
    await site.killAll();
    for (const crash of site.crashes.splice(0)) this.#problem(crash);
    await this.#check(boards, 'at the end of a round');
    await site.inDatabase(async (db) => {
      for (const board of boards) this.#add('loaded from nothing', await board.differencesFrom(db));
    });
    for (const board of boards) this.#add('faults', board.faults);
  }

  async #settle(boards: readonly TorturedBoard[], when: string): Promise<void> {
    for (const board of boards) {
      const lines = await board.settle(PATIENCE);
      if (lines.length > 0) this.#add(when, [...lines, ...this.site.servers.map((server) => `server said:\n${server?.said}`)]);
    }
  }

  async #check(boards: readonly TorturedBoard[], when: string): Promise<void> {
    this.#figures.checks += 1;
    await this.site.inDatabase(async (db) => {
      for (const board of boards) this.#add(when, await board.brokenPromises(db));
    });
  }

  #add(when: string, lines: readonly string[]): void {
    for (const line of lines) this.#problem(`${when}: ${line}`);
  }

  #problem(line: string): void {
    this.#figures.problems.push(line);
    this.options.say(`PROBLEM ${line}`);
  }

  #sayHowFar(): void {
    const { rounds, kills, acknowledged, problems } = this.#figures;
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    this.options.say(`round ${rounds}: ${kills} kills, ${acknowledged} edits acknowledged, ${problems.length} problems, ${seconds} s`);
  }
}

interface Fate {
  moment: string;
  /** milliseconds, for a server that is killed before it serves */
  startsFor: number | null;
  doom: Doom | null;
  /** milliseconds for which it serves at most */
  lives: number;
}

function drawFate(random: Random): Fate {
  const dice = random.next();
  const fate = { startsFor: null, doom: null, lives: LONGEST_LIFE };
  if (dice < 0.3) return { ...fate, moment: 'any', lives: random.between(20, 1500) };
  if (dice < 0.42) return { ...fate, moment: 'start', startsFor: random.below(START) };
  const phase = random.pick(['within', 'before commit', 'after commit'] as const);
  const delay = random.chance(0.5) ? 0 : random.below(6);
  if (dice < 0.67) return { ...fate, moment: `compaction, ${phase}`, doom: { at: 'compaction', phase, nth: random.between(1, 2), delay } };
  if (dice < 0.85) return { ...fate, moment: `append, ${phase}`, doom: { at: 'append', phase, nth: random.between(1, 30), delay } };
  const early = random.chance(0.5) ? 'within' : 'after commit';
  return { ...fate, moment: 'unload', doom: { at: 'unload', phase: early, nth: random.between(1, 2), delay } };
}

async function breakConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}
