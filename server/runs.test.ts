import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../db/schema.ts';
import { listRuns, runOnBoard } from './runs.ts';
import { openWorld, type Actor, type World } from './testing/world.ts';

let world: World;
let owner: Actor;
beforeAll(async () => {
  world = await openWorld();
  owner = await world.owner();
});
afterAll(() => world.stop());

test('a list of runs holds the newest that fit into one answer', async () => {
  const board = await world.board(owner);
  const first = await runOnBoard(world.app, owner.person, board, { view: 'degrees', model: 'toy', prompt: 'When Mary' }, {});
  const answer = { ...first.answer, notes: ['x'.repeat(6_000_000)] };
  const { author, ...row } = first;
  const names = ['second', 'third', 'fourth'];
  for (const [index, id] of names.entries()) {
    const createdAt = first.createdAt + 1 + index;
    await world.app.db
      .insert(runs)
      .values({ ...row, id, boardId: board, answer, createdAt, requestKey: id, authorId: author.id, authorName: author.name });
  }
  expect((await listRuns(world.app, owner.person, board)).map(({ id }) => id)).toEqual(['fourth', 'third']);
});
