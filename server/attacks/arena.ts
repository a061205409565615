import { appendFileSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { addLabel, readLabels, readSetup } from '../../lib/board/board-doc.ts';
import type { Role } from '../../lib/roles.ts';
import { setApp } from '../app.ts';
import { FrontDoor, type Upgrade } from '../front-door.ts';
import { SETUP, newHome, openWorld, until, type Actor, type Client, type World, type WorldOptions } from '../testing/world.ts';
import { Bystander } from './bystander.ts';
import { Unhandled, collectFaults } from './faults.ts';
import { ask, type Answered, type Asked } from './request.ts';
import { openSite, type Site } from './site.ts';

/** However hard somebody else's board is hit, an edit is across within this many milliseconds. */
export const BOUND = 2_000;
/** A file to which every attack's outcome is added as a line of JSON. */
const REPORT = process.env['ATTACKS_REPORT'];
const UNLOAD_AFTER = 30;

/** A board that is going to be attacked, and an honest editor who has it open. */
export interface Target {
  id: string;
  room: string;
  honest: Client;
}

/** A whole server with its routes, a board beside, and what must hold after every attack. */
export class Arena {
  readonly faults = collectFaults();
  private readonly unhandled = new Unhandled();
  private readonly survivors: Target[] = [];
  private attackers = 0;

  private constructor(
    public world: World,
    readonly site: Site,
    public owner: Actor,
    private bystander: Bystander,
    private readonly options: WorldOptions & { home: string },
  ) {}

  static async open(given: WorldOptions = {}): Promise<Arena> {
    const options = { home: await newHome(), unloadAfter: UNLOAD_AFTER, rateLimits: 'off' as const, ...given };
    const world = await openWorld(options);
    const site = await siteOf(world);
    const owner = await world.owner();
    return new Arena(world, site, owner, await Bystander.on(world, owner), options);
  }

  /** A board with a label, open before an honest editor; after the attack both must still be there. */
  async target(owner = this.owner): Promise<Target> {
    const id = await this.world.board(owner);
    const honest = this.world.connect(owner, `board/${id}`);
    await honest.synced();
    addLabel(honest.doc, 'a0.h0', 'honest', 1);
    await until(() => honest.persisted === 2);
    return { id, room: `board/${id}`, honest };
  }

  /** Somebody with a role on the target alone, whose name nobody else has. */
  attacker({ id }: Pick<Target, 'id'>, role: Role = 'editor'): Promise<Actor> {
    return this.world.guest(id, `Mallory ${++this.attackers}`, role);
  }

  ask(actor: Actor | null, method: string, path: string, asked?: Asked): Promise<Answered> {
    return ask(this.world, actor, method, path, asked);
  }

  /**
   * Runs an attack, which asserts what became of the attacker and returns it in a word, and then everything that
   * must hold whatever the attack was. `allowed` are errors that the log may tell of.
   */
  async survives(target: Target, attack: () => Promise<string | number>, allowed?: RegExp): Promise<void> {
    let outcome: string | number = '';
    const longest = await this.bystander.during(async () => {
      outcome = await attack();
    });
    const line = { attack: expect.getState().currentTestName ?? '', outcome, longest: Math.round(longest) };
    if (REPORT) appendFileSync(REPORT, `${JSON.stringify(line)}\n`);
    expect(longest, 'milliseconds that an edit on another board took').toBeLessThan(BOUND);
    expect(this.bystander.disturbed, 'who works on another board').toBeNull();
    await this.stillAnswers();
    await this.stillEdits(target);
    this.survivors.push(target);
    await this.loadsFromCold(target);
    expect(this.unhandled.errors.splice(0), 'errors that nobody caught').toEqual([]);
    expect(
      this.faults.splice(0).filter((fault) => !allowed?.test(fault)),
      'errors in the log',
    ).toEqual([]);
  }

  /** With everybody gone the room is unloaded. */
  async leave({ honest }: Target): Promise<void> {
    honest.destroy();
    await new Promise((resume) => setTimeout(resume, 5 * UNLOAD_AFTER));
  }

  /** As an honest editor who opens the board in a browser that has nothing of it. */
  async reopen(target: Target): Promise<Target> {
    const honest = this.world.connect(this.owner, target.room);
    await honest.synced();
    return Object.assign(target, { honest });
  }

  private async stillAnswers(): Promise<void> {
    const { status, json } = await this.ask(this.owner, 'GET', '/api/me');
    expect([status, json]).toMatchObject([200, { person: { id: this.owner.person.id } }]);
  }

  private async stillEdits({ honest }: Target): Promise<void> {
    await until(() => honest.provider.wsconnected || honest.closed !== null);
    expect(honest.closed, 'the honest editor of the attacked board').toBeNull();
    const before = honest.persisted;
    addLabel(honest.doc, 'a0.h1', 'after the attack', 2, 'after-the-attack');
    await until(() => honest.persisted > before);
  }

  /** Who comes when nobody is there gets what is stored. */
  private async loadsFromCold(target: Target): Promise<void> {
    await this.leave(target);
    await this.holdsHonestContent(target);
  }

  private async holdsHonestContent({ room }: Target): Promise<void> {
    const reader = this.world.connect(this.owner, room);
    await reader.synced();
    expect(reader.closed, `who opens ${room} afterwards`).toBeNull();
    expect(readSetup(reader.doc)).toEqual(SETUP);
    const texts = readLabels(reader.doc).records.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(['honest', 'after the attack']));
    reader.destroy();
  }

  /** Starts the server anew on the same data: every board that was ever attacked is there, as its editors left it. */
  async restart(): Promise<void> {
    await this.world.stop();
    this.world = await openWorld(this.options);
    await siteOf(this.world);
    this.owner = await this.world.owner();
    for (const target of this.survivors) await this.holdsHonestContent(target);
    this.bystander = await Bystander.on(this.world, this.owner);
  }

  async close(): Promise<void> {
    await this.world.stop();
    rmSync(this.options.home, { recursive: true, force: true });
    this.unhandled.close();
  }
}

/** Puts the routes where the world has a word for everything. */
async function siteOf(world: World): Promise<Site> {
  setApp(world.app);
  const site = await openSite(world.app.config.publicUrl);
  const { server } = world;
  const upgrades = server.listeners('upgrade') as Upgrade[];
  for (const event of ['request', 'upgrade', 'connect']) server.removeAllListeners(event);
  new FrontDoor(server).open(
    world.app,
    (request, response) => site.respond(request, response),
    (...given) => {
      for (const upgrade of upgrades) upgrade(...given);
    },
  );
  return site;
}
