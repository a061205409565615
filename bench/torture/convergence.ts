import { Random } from '../../server/testing/random.ts';
import type { Weather } from '../../server/testing/chaos.ts';
import { SETUP } from '../../server/testing/world.ts';
import { NOTHING_YET, TorturedBoard, pause, type BoardCounts } from './board.ts';
import { Site, type EngineName } from './site.ts';

export interface ConvergenceOptions {
  engine: EngineName;
  instances: number;
  /** the first seed; each one is a board of its own */
  seed: number;
  seeds: number;
  /** told now and then */
  say: (line: string) => void;
}

export interface ConvergenceFigures extends BoardCounts {
  seeds: number;
  roleChanges: number;
  redisKills: number;
  redisPauses: number;
  compactions: number;
  unloads: number;
  quarantined: number;
  seconds: number;
  problems: string[];
}

const LANES = 6;
const BATCH = 50;
/** Milliseconds. A provider that hears nothing gives its connection up after 30 s. */
const PATIENCE = 60_000;
const SHARE_WITH_ROLES = 0.25;

/** Boards on which people do random things over bad networks; in the end everybody must see the same. Null: cannot be run here. */
export async function tortureByConvergence(options: ConvergenceOptions): Promise<ConvergenceFigures | null> {
  const site = await Site.open(options.engine, options.instances);
  if (site === null) return null;
  try {
    return await new Convergence(site, options).run();
  } finally {
    await site.close();
  }
}

interface Finished {
  seed: number;
  board: TorturedBoard;
}

/** Who asks, and what draws the server that is asked. */
interface Asker {
  cookie: string;
  random: Random;
}

class Convergence {
  readonly #started = Date.now();
  readonly #figures: ConvergenceFigures = {
    seeds: 0,
    ...NOTHING_YET,
    roleChanges: 0,
    redisKills: 0,
    redisPauses: 0,
    compactions: 0,
    unloads: 0,
    quarantined: 0,
    seconds: 0,
    problems: [],
  };

  constructor(
    private readonly site: Site,
    private readonly options: ConvergenceOptions,
  ) {}

  async run(): Promise<ConvergenceFigures> {
    const { seed, seeds } = this.options;
    const { site } = this;
    for (let first = seed; first < seed + seeds && this.#figures.problems.length === 0; first += BATCH) {
      await site.launchAll();
      await this.#batch(first, Math.min(BATCH, seed + seeds - first));
    }
    await site.killAll();
    const quarantined = await site.quarantined();
    if (quarantined > 0) this.#problem(`quarantine: expected nothing in it, got ${quarantined} rows`);
    const { compactions, unloads } = site.deeds;
    return { ...this.#figures, compactions, unloads, quarantined, seconds: (Date.now() - this.#started) / 1000 };
  }

  /** So many seeds, some at a time; then the servers are killed, and the database is held against what was seen. */
  async #batch(first: number, count: number): Promise<void> {
    const { site } = this;
    const waiting = Array.from({ length: count }, (_, index) => first + index);
    const finished: Finished[] = [];
    const lane = async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) finished.push({ seed, board: await this.#play(seed) });
    };
    const weather = this.#upsetRedis(new Random(first));
    try {
      await Promise.all(Array.from({ length: LANES }, lane));
    } finally {
      await weather.end();
    }
    await site.killAll();
    for (const crash of site.crashes.splice(0)) this.#problem(crash);
    await site.inDatabase(async (db) => {
      for (const { seed, board } of finished) {
        this.#add(seed, 'in the database', [...(await board.differencesFrom(db)), ...(await board.brokenPromises(db))]);
      }
    });
    for (const { board } of finished) board.close();
    this.#sayHowFar();
  }

  async #play(seed: number): Promise<TorturedBoard> {
    const random = new Random(seed);
    const { cookies, origins } = this.site;
    const creator = { cookie: cookies[0]!, random: random.fork() };
    const { id } = (await this.#ask(creator, 'POST', '/api/boards', { setup: SETUP })) as { id: string };
    const guest = random.chance(SHARE_WITH_ROLES) ? await this.#invite(creator, id, `Guest ${seed}`) : null;
    const editors = guest ? [...cookies, guest.cookie] : cookies;
    const people = { editors, demoted: guest?.cookie ?? null, commenters: cookies };
    const board = new TorturedBoard({
      id,
      ...people,
      origins,
      random: random.fork(),
      weather: drawWeather(random),
      tabs: random.between(3, 6),
    });
    const changes = guest ? this.#changeRoles(creator, id, guest.personId, random.fork()) : null;
    await Promise.all([board.live(random.between(30, 80)), changes]);
    await board.calm();
    this.#add(seed, 'at the end', await board.settle(PATIENCE));
    board.openFresh();
    this.#add(seed, 'to somebody new', await board.settle(PATIENCE));
    this.#add(seed, 'faults', board.faults);
    board.disconnect();
    const { counts } = board;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) this.#figures[name] += counts[name];
    this.#figures.seeds += 1;
    return board;
  }

  /** Somebody who joins by a link. */
  async #invite(creator: Asker, boardId: string, name: string): Promise<{ cookie: string; personId: string }> {
    const { url } = (await this.#ask(creator, 'POST', `/api/boards/${boardId}/invites`, { role: 'editor', expiresIn: 1, maxUses: 1 })) as {
      url: string;
    };
    const token = new URL(url).pathname.split('/').at(-1);
    const response = await this.#fetch({ ...creator, cookie: '' }, 'POST', '/api/join', { token, name });
    const cookie = response.headers
      .getSetCookie()
      .map((line) => line.split(';', 1)[0])
      .join('; ');
    const { person } = (await this.#ask({ ...creator, cookie }, 'GET', '/api/me')) as { person: { id: string } };
    return { cookie, personId: person.id };
  }

  /** An editor may only read for a while, and then writes again: nothing of theirs is lost or half there. */
  async #changeRoles(creator: Asker, boardId: string, personId: string, random: Random): Promise<void> {
    for (const role of ['viewer', 'commenter', 'editor']) {
      await pause(random.below(250));
      await this.#ask(creator, 'PATCH', `/api/boards/${boardId}/members/${personId}`, { role });
      this.#figures.roleChanges += 1;
    }
  }

  async #ask(asker: Asker, method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(asker, method, path, body);
    return response.status === 204 ? null : response.json();
  }

  async #fetch({ cookie, random }: Asker, method: string, path: string, body?: unknown): Promise<Response> {
    const origin = random.pick(this.site.origins);
    const response = await fetch(origin + path, {
      method,
      headers: { cookie, origin, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: expected it to be done, got ${response.status} ${await response.text()}`);
    return response;
  }

  /** Half of the time Redis is killed, or stops to answer, every now and then. */
  #upsetRedis(random: Random): { end(): Promise<void> } {
    const { redis } = this.site;
    let over = false;
    const run = async () => {
      while (redis && !over) {
        await pause(random.between(200, 1500));
        if (over) return;
        if (random.chance(0.5)) {
          this.#figures.redisKills += 1;
          await redis.kill();
          await pause(random.between(50, 1500));
          await redis.restart();
        } else {
          this.#figures.redisPauses += 1;
          redis.pause();
          await pause(random.between(50, 1500));
          redis.resume();
        }
        await pause(random.between(1000, 4000));
      }
    };
    const running = run();
    return {
      async end() {
        over = true;
        await running;
      },
    };
  }

  #add(seed: number, when: string, lines: readonly string[]): void {
    for (const line of lines) this.#problem(`seed ${seed}, ${when}: ${line}`);
  }

  #problem(line: string): void {
    this.#figures.problems.push(line);
    this.options.say(`PROBLEM ${line}`);
  }

  #sayHowFar(): void {
    const { seeds, edits, problems } = this.#figures;
    this.options.say(`${seeds} seeds, ${edits} edits, ${problems.length} problems, ${Math.round((Date.now() - this.#started) / 1000)} s`);
  }
}

function drawWeather(random: Random): Weather {
  return {
    delay: random.pick([0, 10, 40, 120]),
    cut: random.pick([0, 0.002, 0.01, 0.03]),
    duplicate: random.pick([0, 0.05, 0.2]),
    repeat: random.pick([0, 0.02, 0.1]),
    stall: random.pick([0, 0.002, 0.01]),
    longestStall: 400,
  };
}
