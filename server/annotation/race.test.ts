import { and, eq, isNotNull } from 'drizzle-orm';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { annotationLabels } from '../../db/schema.ts';
import { readAnnotations, readSessions } from '../../lib/board/discussion-doc.ts';
import { hasPostgres, startPostgres, type Postgres } from '../testing/services.ts';
import { openWorld, type Actor, type World } from '../testing/world.ts';
import { changeState, reassign } from './acts.ts';
import { putLabel } from './labels.ts';
import { makeSession } from './set-up.ts';

/** Labels that are being given while the facilitator acts: each is before or after, and none is in between. */

const LABELS = ['copies', 'moves', 'noise'];
const ANCHORS = Array.from({ length: 20 }, (_, index) => `a${index % 2}.h${index}`);

let made = 0;
const open: (() => Promise<void>)[] = [];
let embedded: World[];
let served: World[] | null = null;

beforeAll(async () => {
  embedded = [await openWorld()];
  open.push(() => embedded[0]!.stop());
  if (!hasPostgres()) return;
  const postgres: Postgres | null = await startPostgres();
  if (!postgres) return;
  const home = mkdtempSync(join(tmpdir(), 'pathboard-race-'));
  const place = { home, databaseUrl: await postgres.createDatabase(), pollAfter: { down: 50, up: 50 } };
  const worlds = [await openWorld(place), await openWorld(place)];
  served = worlds;
  open.push(async () => {
    for (const world of worlds) await world.stop();
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  });
});
afterAll(async () => {
  for (const close of open) await close();
});

async function begin(worlds: readonly World[], people: number) {
  const [first] = worlds as [World];
  const n = ++made;
  const owner = await first.owner();
  const board = await first.board(owner);
  const actors = await Promise.all(
    Array.from({ length: people }, (_, index) => first.guest(board, `Annotator ${n}.${index}`, 'commenter')),
  );
  const session = await makeSession(first.app, owner.person, board, {
    id: crypto.randomUUID(),
    name: 'Race',
    instructions: '',
    labels: LABELS,
    pick: { by: 'hand', anchors: ANCHORS },
    annotators: actors.map(({ person }) => person.id),
    perItem: null,
    hidesNumbers: false,
  });
  return { owner, board, actors, id: session.id };
}

/** Everybody labels everything, through whichever instance, and `act` happens in the middle. */
async function label(worlds: readonly World[], actors: readonly Actor[], id: string, act: () => Promise<unknown>): Promise<number> {
  let refused = 0;
  const jobs = actors.flatMap(({ person }, who) =>
    ANCHORS.map((_, index) => async () => {
      const { app } = worlds[(who + index) % worlds.length]!;
      const request = { item: index + 1, label: LABELS[(who + index) % 3]!, unsure: false, note: '' };
      await putLabel(app, person, id, crypto.randomUUID(), request).catch(() => (refused += 1));
    }),
  );
  const middle = Math.floor(jobs.length / 2);
  await Promise.all([...jobs.slice(0, middle).map((job) => job()), act(), ...jobs.slice(middle).map((job) => job())]);
  return refused;
}

describe.each(['embedded', 'served by two instances'] as const)('%s', (kind) => {
  const worldsOf = (skip: () => void): World[] => {
    if (kind === 'embedded') return embedded;
    if (!served) skip();
    return served!;
  };

  test('a label is blind and in the reveal, or comes after it and says so', async ({ skip }) => {
    const worlds = worldsOf(skip);
    const { owner, board, actors, id } = await begin(worlds, 4);
    const last = worlds.at(-1)!;
    let told = new Map<string, boolean>();
    const refused = await label(worlds, actors, id, async () => {
      await changeState(last.app, owner.person, id, 'revealed');
      told = await inDiscussion(last, board);
    });
    expect(refused).toBe(0);
    const rows = await last.app.db
      .select()
      .from(annotationLabels)
      .where(and(eq(annotationLabels.sessionId, id), isNotNull(annotationLabels.label)));
    expect(rows).toHaveLength(4 * ANCHORS.length);
    // Every blind label was in the discussion as soon as the reveal was done.
    const blind = rows.filter((row) => row.blind).map(({ item, personId }) => `${item} ${personId}`);
    expect(blind.filter((key) => told.get(key) !== true)).toEqual([]);
    expect([...told.values()].filter(Boolean)).toHaveLength(blind.length);
    for (const world of worlds) {
      const now = await inDiscussion(world, board);
      expect(now).toEqual(new Map(rows.map(({ item, personId, blind: was }) => [`${item} ${personId}`, was])));
    }
  });

  test('an item that is reassigned while it is being labelled is one person’s', async ({ skip }) => {
    const worlds = worldsOf(skip);
    const { owner, actors, id, board } = await begin(worlds, 2);
    const [from] = actors as [Actor];
    const late = await worlds[0]!.guest(board, `Late ${made}`, 'commenter');
    let moved = 0;
    const refused = await label(worlds, [from], id, async () => {
      ({ moved } = await reassign(worlds.at(-1)!.app, owner.person, id, { from: from.person.id, to: late.person.id }));
    });
    expect(refused).toBe(moved);
    const labelled = await worlds[0]!.app.db.$count(annotationLabels, eq(annotationLabels.sessionId, id));
    expect(labelled + moved).toBe(ANCHORS.length);
  });

  test('acts of several facilitators at once leave one state, and everybody is told it', async ({ skip }) => {
    const worlds = worldsOf(skip);
    const { owner, board, id } = await begin(worlds, 1);
    const states = ['paused', 'open', 'paused', 'revealed', 'paused', 'closed'] as const;
    await Promise.allSettled(states.map((state, index) => changeState(worlds[index % worlds.length]!.app, owner.person, id, state)));
    const seen = await Promise.all(
      worlds.map((world) =>
        world.app.rooms.use({ kind: 'discussion', boardId: board }, (room) => room.read((doc) => readSessions(doc).records)),
      ),
    );
    for (const [record] of seen) expect(record).toEqual(seen[0]![0]);
    expect(seen[0]).toHaveLength(1);
    expect(['revealed', 'closed']).toContain(seen[0]![0]!.state);
  });
});

/** By item and person: whether the label was blind. */
async function inDiscussion({ app }: World, boardId: string): Promise<Map<string, boolean>> {
  const annotations = await app.rooms.use({ kind: 'discussion', boardId }, (room) => room.read((doc) => readAnnotations(doc).records));
  return new Map(annotations.flatMap(({ item, labels }) => labels.map(({ author, blind }) => [`${item} ${author.id}`, blind] as const)));
}
